"""A text in a line of limited width, measured in terminal cells."""

from itertools import accumulate
from typing import Final

from spotui.controls import visible

_ELLIPSIS: Final = "…"
_EMOJI_STYLE: Final = "\ufe0f"


def short(text: str, cells: int = 100) -> str:
    """A text on one line, its hidden characters as marks, cut with an ellipsis where it exceeds `cells`.

    Chinese characters and emoji take two cells. A letter keeps its accents, and an emoji of several parts is
    kept or cut as a whole.
    """
    flat = visible(" ".join(text.split()))
    if flat.isascii():
        return flat if len(flat) <= cells else flat[: max(0, cells - 1)] + _ELLIPSIS[:cells]
    clusters = _clusters(flat)
    ends = list(accumulate(map(width, clusters)))
    if ends[-1] <= cells:
        return flat
    kept = sum(end < cells for end in ends)
    return "".join(clusters[:kept]).rstrip() + _ELLIPSIS[: max(0, cells)]


def width(text: str) -> int:
    """The cells a text takes at most.

    Terminals disagree about emoji made of several characters. Counting each part means that a line measured
    here never wraps, whichever terminal shows it.
    """
    if text.isascii():
        return len(text)
    from rich.cells import get_character_cell_size

    return sum(1 if one == _EMOJI_STYLE else get_character_cell_size(one) for one in text)


def _clusters(text: str) -> list[str]:
    """The characters as a reader sees them: a letter with its accents is one, a family emoji too."""
    import regex

    return regex.findall(r"\X", text)
