"""Replies in which a model repeats one passage without end, as small models do.

Such a reply says nothing more, and takes until its length limit: minutes of a slow model, and its tokens.
"""

from time import perf_counter
from typing import Final

from spotui.domain.calls import Reply, Request
from spotui.domain.text import whole_text
from spotui.llm.protocol import Delta
from spotui.llm.spending import heard_usage

_SPAN: Final = 1200
_LONGEST_PASSAGE: Final = _SPAN // 6
"""In characters: a reply is in a loop once its end is nothing but one passage, six times or more often. No
proposal and no reason of a judge is like that; an answer may be, so answers are not looked at."""

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
        self._end = (self._end + piece)[-_SPAN:]
        self._new += len(piece)
        if self._new < _STEP:
            return False
        self._new = 0
        return ends_in_loop(self._end)

    def whole(self) -> str:
        return whole_text("".join(self._pieces))


def ends_in_loop(text: str) -> bool:
    """Whether the end of a text is one passage over and over."""
    end = text[-_SPAN:]
    if len(end) < _SPAN:
        return False
    sign, until = end[-_SIGN:], _SPAN - 1
    while (before := end.rfind(sign, _SPAN - _SIGN - _LONGEST_PASSAGE, until)) >= 0:
        length = _SPAN - _SIGN - before
        if end[length:] == end[:-length]:
            return True
        until = before + _SIGN - 1
    return False
