"""One text of a reply, from pieces that some servers repeat."""

from typing import Final

from spotui.workspace.whole_text import whole_text

_HEAD: Final = 256
_PIECES: Final = 4096

# As much text as no model repeats by chance exactly where its server cuts pieces.
_TELLING_LENGTH: Final = 8
_TELLING_VARIETY: Final = 5
_CERTAIN: Final = 4


class Strand:
    """Collects one text.

    Servers that do not count what they have sent already send the text so far with every piece, or send all
    of it once more at the end. Either is noticed, and the text taken once.

    Attributes:
        size: Characters so far.
    """

    def __init__(self) -> None:
        self.size = 0
        self._head = ""
        self._last = ""
        self._before_last = ""
        self._number = 0
        self._grows = True
        self._repeats = 0
        self._pieces: list[str] = []
        self._blocks: list[str] = []

    def add(self, piece: str) -> str:
        """Take the next piece.

        Returns:
            The part of it that is new, as far as that can be told while more may come.
        """
        new = piece
        if self._number:
            self._grows = self._grows and piece.startswith(self._last)
            if self._grows and _is_telling(self._last):
                new = piece[len(self._last) :]
                self._repeats += 1
        if self.size < _HEAD:
            self._head += piece[: _HEAD - self.size]
        if self._grows and self._repeats >= _CERTAIN:
            # What came before is in this piece; kept beside it, it would grow with the square of the text.
            self._blocks, self._pieces, self.size = [], [], 0
        self.size += len(piece)
        self._before_last, self._last = self._last, piece
        self._number += 1
        self._pieces.append(piece)
        # A million short strings take many times the memory of their text.
        if len(self._pieces) == _PIECES:
            self._blocks.append("".join(self._pieces))
            self._pieces = []
        return new

    def new_in(self, whole: str) -> str:
        """The part of a text so far that is new here."""
        if self.size <= len(whole) and whole.startswith(self._head):
            return whole[self.size :]
        return whole

    def text(self) -> str:
        """All of it, once, without halves of characters."""
        if self._number > 1 and self._grows and _is_telling(self._before_last):
            return whole_text(self._last)
        joined = "".join((*self._blocks, *self._pieces))
        rest = len(joined) - len(self._last)
        if self._number > 2 and rest == len(self._last) and _is_telling(self._last):
            joined = joined[:rest] if joined.startswith(self._last) else joined
        return whole_text(joined)


def _is_telling(text: str) -> bool:
    return len(text) >= _TELLING_LENGTH and len(set(text[:_HEAD])) >= _TELLING_VARIETY
