"""The table that a benchmark prints: a figure, what stands beside it in the same run, and its goal."""

from typing import Final, NamedTuple

_NO_WORSE: Final = 1.03


class Row(NamedTuple):
    """One line of the table."""

    what: str
    here: str
    beside: str
    goal: str
    holds: bool


def against(what: str, here: float, earlier: float, unit: str, *, digits: int = 0) -> Row:
    """A figure against that of an earlier commit, measured in the same run.

    Args:
        what: The figure.
        here: Its value here; less is better.
        earlier: Its value there.
        unit: Of both.
        digits: Shown after the point.
    """
    return Row(
        f"{what}, against the earlier commit",
        f"{here / earlier:.2f} x",
        f"{here:.{digits}f} and {earlier:.{digits}f} {unit}",
        f"{_NO_WORSE} x",
        here / earlier <= _NO_WORSE,
    )
