"""What calls cost: spent so far, reserved for those in flight, and kept back for the test at the end."""

import re
from typing import Final

import msgspec

from spotui.domain.calls import Reply, Request, Usage
from spotui.domain.messages import Message

# What tokenizers make of prose, code and JSON has fewer tokens than this has pieces.
_LONG_TEXT = 100_000
"""Characters from which on pieces are not counted one by one: that takes seconds in a megabyte."""

_PIECE = re.compile(rb"[A-Za-z]{1,4}|[0-9]|[ \t]{2,16}|[^A-Za-z0-9 \t]")

BYTES_PER_TOKEN: Final = 4
"""Of a reply whose tokens nobody has counted."""


class Spending(msgspec.Struct):
    """What a run has cost so far.

    Attributes:
        calls: Calls that were paid for, or may be.
        prompt_tokens: Of all of them.
        completion_tokens: Of all of them.
        cost_usd: Of those whose price is known.
        unpriced: Calls that are not in `cost_usd`.
        estimated: Whether the tokens of any call are an estimate.
    """

    calls: int = 0
    prompt_tokens: int = 0
    completion_tokens: int = 0
    cost_usd: float = 0.0
    unpriced: int = 0
    estimated: bool = False

    @property
    def tokens(self) -> int:
        """Prompt and completion together."""
        return self.prompt_tokens + self.completion_tokens

    def add(
        self,
        prompt_tokens: int,
        completion_tokens: int,
        cost_usd: float | None,
        *,
        estimated: bool = False,
    ) -> None:
        """Count one call."""
        self.estimated = self.estimated or estimated
        self.calls += 1
        self.prompt_tokens += prompt_tokens
        self.completion_tokens += completion_tokens
        if cost_usd is None:
            self.unpriced += 1
        else:
            self.cost_usd += cost_usd


class Amounts(msgspec.Struct, frozen=True):
    """Calls, tokens and USD, together."""

    calls: int = 0
    tokens: int = 0
    usd: float = 0.0

    def __add__(self, other: "Amounts") -> "Amounts":
        return Amounts(self.calls + other.calls, self.tokens + other.tokens, self.usd + other.usd)


_IMAGE_TOKENS: Final = 1500
"""Of an image, whatever its size: what large ones take with the usual models."""


class Reservation(msgspec.Struct, frozen=True, eq=False):
    """Room kept for one call.

    Attributes:
        tokens: Prompt and completion at most.
        usd: At most, 0 where the price is unknown.
        ceiling: The longest completion the room allows, or None when there is no limit to keep to.
        is_tight: Whether what is left of the budget makes the ceiling lower than it would be otherwise.
        unpriced: The model, where only its endpoint can say what the call costs.
    """

    tokens: int
    usd: float
    ceiling: int | None
    is_tight: bool = False
    unpriced: str = ""

    def cut(self, reply: Reply) -> bool:
        """Whether a reply ended where the budget did, and not where the model or the user wanted."""
        return (
            self.is_tight
            and self.ceiling is not None
            and reply.finish_reason == "length"
            and reply.usage.completion_tokens >= self.ceiling
        )


def prompt_size(request: Request) -> int:
    """Tokens of a request, estimated from above without a tokenizer."""
    said = 8 + sum(4 + _text_size(one.content) + _files_size(one) for one in request.messages)
    return said + sum(map(_text_size, filter(None, (request.tools, request.response_format))))


def heard_usage(request: Request, heard: int) -> Usage:
    """The estimated usage of a call that was ended early.

    Args:
        request: What was asked.
        heard: Bytes of text and reasoning that came.
    """
    return Usage(prompt_size(request), heard // BYTES_PER_TOKEN, estimated=True)


def _files_size(message: Message) -> int:
    return sum(_IMAGE_TOKENS if one.is_image else one.size // 2 for one in message.files)


def _text_size(text: str) -> int:
    if len(text) > _LONG_TEXT:
        return len(text.encode("utf-8", "replace")) // 2
    ascii_only = text.encode("ascii", "ignore")
    beyond_ascii = len(text.encode("utf-8", "replace")) - len(ascii_only)
    return len(_PIECE.findall(ascii_only)) + beyond_ascii // 2


class KeptBack(msgspec.Struct, frozen=True):
    """The part of a budget that the rounds of a run leave for the test of its best prompt.

    Attributes:
        calls: How many calls the test takes.
        tokens: How many tokens, by what calls like them took so far; 0 before there were any.
        usd: What they cost, by the same measure.
    """

    calls: int = 0
    tokens: int = 0
    usd: float = 0.0

    @property
    def after_one(self) -> "KeptBack":
        """What is kept once one of the calls is made."""
        left = max(0, self.calls - 1)
        share = left / self.calls if self.calls else 0.0
        return KeptBack(left, int(self.tokens * share), self.usd * share)


NOTHING_KEPT: Final = KeptBack()
