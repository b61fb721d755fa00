"""Replies in which a model repeats one passage without end, as small models do.

Such a reply says nothing more, and takes until its length limit: minutes of a slow model, and its tokens. It
often counts while it repeats: "Premise 41: If B, then C. Premise 42: If C, then D."
"""

import re
from itertools import pairwise
from time import perf_counter
from typing import Final

from spotui.domain.calls import Reply, Request
from spotui.domain.text import whole_text
from spotui.llm.protocol import Delta
from spotui.llm.spending import heard_usage

_SPAN: Final = 1200
_COUNTING_SPAN: Final = 4000
_LONGEST_PASSAGE: Final = 200
"""In characters: a reply is in a loop once its end is nothing but one passage, six times or more often, or
twenty times where it counts. No proposal and no reason of a judge is like that; an answer may be, so answers
are not looked at."""

_NUMBER: Final = re.compile(r"\d+")
_LETTERS: Final = re.compile(r"\b[A-Za-z]{1,2}\b")
_SIGN: Final = 40
_STEP: Final = 100


class LoopWatch:
    """Reads a reply as it comes, until it is in a loop.

    Attributes:
        found: Whether it is.
    """

    def __init__(self) -> None:
        self.found = False
        self._first_at: float | None = None
        self._text, self._reasoning = _Strand(), _Strand()

    def take(self, delta: Delta) -> bool:
        """Take the next piece; whether the reply is in a loop now."""
        if self._first_at is None and (delta.text or delta.reasoning):
            self._first_at = perf_counter()
        for strand, piece in ((self._text, delta.text), (self._reasoning, delta.reasoning)):
            if piece and strand.add(piece):
                self.found = True
        return self.found

    def reply(self, request: Request, started: float) -> Reply:
        """What came until then, as a reply that was cut.

        Args:
            request: What was asked.
            started: When, on the clock of `perf_counter`.
        """
        text, reasoning = self._text.whole(), self._reasoning.whole()
        size = len(text.encode()) + len(reasoning.encode())
        return Reply(
            text,
            "length",
            heard_usage(request, size),
            seconds=perf_counter() - started,
            first_token_seconds=None if self._first_at is None else self._first_at - started,
            reasoning=reasoning,
            is_loop=True,
        )


class _Strand:
    def __init__(self) -> None:
        self._pieces: list[str] = []
        self._end = ""
        self._new = 0

    def add(self, piece: str) -> bool:
        """Take a piece; whether the text ends in a loop. It is looked at only now and then."""
        self._pieces.append(piece)
        self._end = (self._end + piece)[-_COUNTING_SPAN:]
        self._new += len(piece)
        if self._new < _STEP:
            return False
        self._new = 0
        return ends_in_loop(self._end)

    def whole(self) -> str:
        return whole_text("".join(self._pieces))


def ends_in_loop(text: str) -> bool:
    """Whether the end of a text is one passage over and over, or the same but for what it counts."""
    return _passage(text[-_SPAN:], _SPAN) is not None or _ends_in_counting(text[-_COUNTING_SPAN:])


def _ends_in_counting(end: str) -> bool:
    """Whether a text repeats all but its numbers and single letters, and a number goes up or down evenly."""
    if len(end) < _COUNTING_SPAN:
        return False
    pattern = _LETTERS.sub("#", _NUMBER.sub("0", end))
    if (passage := _passage(pattern, 0)) is None:
        return False
    each = passage.count("0")
    numbers = [int(found[0][-9:]) for found in _NUMBER.finditer(end)][1:]  # the first may be cut
    steps = [{new - old for old, new in pairwise(numbers[place::each])} for place in range(each)]
    return each == 0 or any(len(one) == 1 and 0 not in one for one in steps)


def _passage(text: str, least: int) -> str | None:
    """The passage that a text is made of, over and over; None where it is shorter than the least, or not."""
    size = len(text)
    sign, until = text[-_SIGN:], size - 1
    first = max(0, size - _SIGN - _LONGEST_PASSAGE)
    while size >= least and (before := text.rfind(sign, first, until)) >= 0:
        length = size - _SIGN - before
        if text[length:] == text[:-length]:
            return text[-length:]
        until = before + _SIGN - 1
    return None
