"""Text that can be written: halves of characters, which JSON and models let through, made whole."""


def whole_text(text: str) -> str:
    """The text with its surrogate pairs joined and every lone surrogate replaced with U+FFFD."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")
    return text


class SurrogateJoiner:
    """Makes whole text of pieces: JSON may escape one character as two halves, in two pieces."""

    def __init__(self) -> None:
        self._held = ""

    def feed(self, piece: str) -> str:
        """The whole text known so far; the first half of a pair is held back until the next piece."""
        if not self._held and piece.isascii():
            return piece
        piece = self._held + piece
        self._held = ""
        if "\ud800" <= piece[-1:] <= "\udbff":
            piece, self._held = piece[:-1], piece[-1]
        return whole_text(piece)

    def flush(self) -> str:
        """What was held back, at the end of the text."""
        held, self._held = self._held, ""
        return whole_text(held)
