"""The one place where two texts differ."""

from typing import NamedTuple


class TextChange(NamedTuple):
    """What turns one text into another: its characters from `start` to `end` become `text`."""

    start: int
    end: int
    text: str


def one_change(old: str, new: str) -> TextChange:
    """The smallest single change between two texts; where there are several alike, the first."""
    most = min(len(old), len(new))
    start = next((place for place in range(most) if old[place] != new[place]), most)
    most -= start
    tail = next((place for place in range(most) if old[-1 - place] != new[-1 - place]), most)
    return TextChange(start, len(old) - tail, new[start : len(new) - tail])
