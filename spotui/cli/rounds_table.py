"""The table of rounds, fitted to the terminal: only the modification is ever cut."""

from collections.abc import Sequence
from typing import Final, NamedTuple

from spotui.view.short import short, width

GAP: Final = 2
"""Blank cells between two columns."""

FIGURES: Final = frozenset({"tokens", "cost", "time"})
"""Columns that line up on the right."""

_LEFT_OUT_FIRST: Final = ("time", "tokens")
"""What a terminal too narrow for all figures goes without; round, verdict, votes and cost always stay."""


class RoundCells(NamedTuple):
    """One row of the table.

    Attributes:
        round: Its number.
        verdict: What became of its candidate.
        votes: Votes for and against it, or its score.
        tokens: Bought in the round.
        cost: What they cost.
        time: How long the round took.
        modification: What was changed, of any length.
    """

    round: str
    verdict: str
    votes: str
    tokens: str
    cost: str
    time: str
    modification: str


def head(*, is_scored: bool) -> RoundCells:
    """The row of headings."""
    return RoundCells(*RoundCells._fields)._replace(votes="score" if is_scored else "votes")


def fit(rows: Sequence[RoundCells], cells: int) -> list[dict[str, str]]:
    """The texts of every row by column, so that each row fits into a line.

    Args:
        rows: The rows, the headings among them.
        cells: The width of the terminal.
    """
    widths = widest([row._asdict() for row in rows])
    del widths["modification"]
    for name in _LEFT_OUT_FIRST:
        if _line(widths) > cells:
            del widths[name]
    room = cells - _line(widths) - GAP
    shown = [*widths, *(["modification"] if room > 0 else [])]
    cut = [row._replace(modification=short(row.modification, max(0, room))) for row in rows]
    return [{name: getattr(row, name) for name in shown} for row in cut]


def widest(rows: Sequence[dict[str, str]]) -> dict[str, int]:
    """The width of each column."""
    return {name: max(width(row[name]) for row in rows) for name in rows[0]}


def _line(widths: dict[str, int]) -> int:
    return sum(widths.values()) + GAP * (len(widths) - 1)
