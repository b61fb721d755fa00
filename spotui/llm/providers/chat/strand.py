"""A text that comes in pieces, taken once however often its server sends it."""

from typing import Final

from spotui.domain.text import whole_text

_HEAD: Final = 256
_PIECES: Final = 4096

# As much text as no model repeats by chance exactly where its server cuts pieces.
_TELLING_LENGTH: Final = 8
_TELLING_VARIETY: Final = 5
_LEAST_VARIETY: Final = 3

_ENOUGH: Final = 3
_CERTAIN: Final = 4


class Strand:
    """Collects one text.

    Servers that do not count what they have sent already send the text so far with every piece, or send all
    of it once more at the end. Models repeat themselves, too, so a piece is taken for the text so far only on
    evidence: it begins with all that came before, and has more. One such piece is enough where what it
    repeats is long and varied; of short ones it takes several. A piece that only equals the one before speaks
    against it: a model in a loop writes such pieces.

    Attributes:
        size: Characters so far.
    """

    def __init__(self) -> None:
        self.size = 0
        self._so_far: str | None = None
        self._evidence = 0
        self._growths = 0
        self._last = ""
        self._pieces: list[str] = []
        self._blocks: list[str] = []

    def add(self, piece: str) -> str:
        """Take the next piece.

        Returns:
            The part of it that is new, as far as that is known while more may come.
        """
        new = piece
        if self._so_far is not None or len(piece) > self.size:
            new = self._new_behind(piece)
        self.size += len(piece)
        self._last = piece
        self._pieces.append(piece)
        # A million short strings take many times the memory of their text.
        if len(self._pieces) == _PIECES:
            self._blocks = [*self._blocks, "".join(self._pieces)]
            self._pieces = []
        return new

    def new_in(self, whole: str) -> str:
        """The part of a text so far that is new here."""
        if self.size <= len(whole) and whole.startswith(self._joined()):
            return whole[self.size :]
        return whole

    def text(self) -> str:
        """All of it, once, without halves of characters."""
        if self._so_far is not None and self._evidence >= _ENOUGH:
            return whole_text(self._so_far)
        joined, last = self._joined(), self._last.strip()
        if self._so_far is None and _is_telling(last):
            before = joined[: len(joined) - len(self._last)]
            # Whoever sends it once more may have trimmed it.
            joined = before if before.strip() == last else joined
        return whole_text(joined)

    def _new_behind(self, piece: str) -> str:
        """What is new in a piece that may be the text so far."""
        before = self._so_far
        if before is None or not piece.startswith(before):
            self._evidence = self._growths = 0
            before = self._joined()
            if len(piece) <= len(before) or not piece.startswith(before):
                self._so_far = None
                return piece
        self._so_far = piece
        if piece == before:
            self._evidence -= 0 if self._growths else _ENOUGH
        elif _is_telling(before):
            self._evidence += _ENOUGH
            self._growths += 1
        elif before and len(set(piece[:_HEAD])) >= _LEAST_VARIETY:
            self._evidence += 1
        if self._evidence < _ENOUGH:
            return piece
        if self._growths >= _CERTAIN:
            # What came before is in this piece; kept beside it, it would grow with the square of the text.
            self._blocks, self._pieces, self.size = [], [], 0
        return piece[len(before) :]

    def _joined(self) -> str:
        return "".join((*self._blocks, *self._pieces))


def _is_telling(text: str) -> bool:
    return len(text) >= _TELLING_LENGTH and len(set(text[:_HEAD])) >= _TELLING_VARIETY
