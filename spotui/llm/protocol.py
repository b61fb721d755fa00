"""What passes through the door: a request in, deltas on the way, a reply out."""

from collections.abc import Callable
from typing import Protocol

import msgspec

from spotui.workspace.calls import (
    MOST_TOKENS,
    MOST_USD,
    FinishReason,
    Message,
    Reply,
    Request,
    Speaker,
    Usage,
)

__all__ = [
    "MOST_TOKENS",
    "MOST_USD",
    "Delta",
    "FinishReason",
    "Message",
    "OnDelta",
    "Provider",
    "Reply",
    "Request",
    "Speaker",
    "Usage",
]


class Delta(msgspec.Struct, frozen=True, omit_defaults=True):
    """A piece of a reply on its way: text or reasoning, as the model writes it."""

    text: str = ""
    reasoning: str = ""


OnDelta = Callable[[Delta], None]


class Provider(Protocol):
    """Something that can complete a request once: no retry, no limit, no memory of earlier calls."""

    async def complete(self, request: Request, on_delta: OnDelta) -> Reply:
        """Ask the model once.

        Args:
            request: What to ask.
            on_delta: Called on the event loop for every piece as it arrives.

        Returns:
            The finished reply. `cost_usd` may be left None: the door prices it.

        Raises:
            ModelError: One of its kinds; the text never holds a key or a header.
        """
        ...

    async def aclose(self) -> None:
        """Close every connection and process this provider holds; safe to call twice."""
        ...
