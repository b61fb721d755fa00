"""Text that arrives in pieces: split surrogate pairs joined, a leading block of reasoning kept apart."""

import re

from spotui.workspace.whole_text import whole_text

_OPEN, _CLOSE = "<think>", "</think>"
_CLOSE_ON_ITS_OWN_LINE = re.compile(r"^[ \t]*</think>[ \t]*$", re.MULTILINE)


class SurrogateJoiner:
    """Makes valid text of pieces: JSON may escape one character as two halves, in two pieces."""

    def __init__(self) -> None:
        self._held = ""

    def feed(self, piece: str) -> str:
        """The valid text known so far; the first half of a pair is held back until the next piece."""
        piece = self._held + piece
        self._held = ""
        if "\ud800" <= piece[-1:] <= "\udbff":
            piece, self._held = piece[:-1], piece[-1]
        return whole_text(piece)

    def flush(self) -> str:
        """What was held back, at the end of the text."""
        held, self._held = self._held, ""
        return whole_text(held)


class ThinkSplitter:
    """Tells `<think>` blocks at the start of an answer from the answer, however the pieces are cut.

    A block that is never closed is all reasoning: the reply was cut while the model still thought.
    """

    def __init__(self) -> None:
        self._pending = ""
        self._thinking = False
        self._leading = True
        self._seen_block = False

    def feed(self, piece: str) -> tuple[str, str]:
        """The text and the reasoning that this piece settles."""
        reasoning = ""
        self._pending += piece
        while self._thinking or self._leading:
            if self._thinking:
                thought, closed = self._take_thought()
                reasoning += thought
            else:
                closed = self._take_opening()
            if not closed:
                return "", reasoning
        text, self._pending = self._pending, ""
        return text, reasoning

    def flush(self) -> tuple[str, str]:
        """The text and the reasoning still undecided, at the end of the answer."""
        rest, self._pending = self._pending, ""
        return ("", rest) if self._thinking else (rest, "")

    def _take_opening(self) -> bool:
        """Whether it is settled that a block begins here, or that the answer does."""
        start = self._pending.lstrip()
        if self._seen_block:
            self._pending = start
        if start.startswith(_OPEN):
            self._pending = start[len(_OPEN) :]
            self._thinking = self._seen_block = True
        elif _OPEN.startswith(start):
            return False
        else:
            self._leading = False
        return True

    def _take_thought(self) -> tuple[str, bool]:
        """The reasoning before the closing tag, and whether the tag was there."""
        thought, tag, rest = self._pending.partition(_CLOSE)
        if tag:
            self._pending, self._thinking = rest, False
            return thought, True
        keep = max((n for n in range(1, len(_CLOSE)) if thought.endswith(_CLOSE[:n])), default=0)
        settled = len(thought) - keep
        self._pending = thought[settled:]
        return thought[:settled], False


def split_unopened(text: str) -> tuple[str, str]:
    """Text and reasoning of an answer whose opening tag was part of the model's chat template.

    Servers without a reasoning parser pass such answers on with the closing tag only, on a line of its own.
    """
    closing = _CLOSE_ON_ITS_OWN_LINE.search(text)
    if closing is None or _OPEN in text[: closing.start()]:
        return text, ""
    return text[closing.end() :].lstrip(), text[: closing.start()]
