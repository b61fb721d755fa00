"""How large a reply may be: whatever a server sends, it must neither fill the memory nor the journal."""

from typing import Final

from spotui.llm.errors import OversizedReplyError
from spotui.llm.providers.faults.place import Place

MIB: Final = 1024 * 1024
LONGEST_REPLY: Final = 4 * MIB
"""As much of a reply as is kept, text and reasoning together: about a million tokens."""

LONGEST_BODY: Final = 256 * MIB
"""As much as is read for one reply: a stream takes some hundred bytes for each token."""


def check_size(size: int, place: Place, most: int = LONGEST_REPLY) -> None:
    """Make sure that a reply under way can still be kept.

    Raises:
        OversizedReplyError: It is too long; the rest is not read.
    """
    if size > most:
        raise oversized(place, most)


def oversized(place: Place, most: int = LONGEST_REPLY) -> OversizedReplyError:
    """The error for a reply that is too long."""
    return OversizedReplyError(
        f"{place} sent more than {most // MIB} MiB for one reply, and the rest was not read.",
        "Set max_tokens for this model, or check what the endpoint sends.",
    )
