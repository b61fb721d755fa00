"""The table that a benchmark prints: a figure, what stands beside it in the same run, and its goal."""

import os
import platform
from collections.abc import Iterable
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


def show(rows: Iterable[Row], runs: int) -> bool:
    """Print the machine and each line as soon as it is known.

    Args:
        rows: The lines.
        runs: How many runs each figure is the median of.

    Returns:
        Whether every goal holds.
    """
    machine = f"{platform.platform()}, {os.cpu_count()} cores, Python {platform.python_version()}"
    print(f"\n{machine}, medians of {runs}\n")
    print("| what | here | beside, in the same run | goal | holds |\n|---|---|---|---|---|")
    all_hold = True
    for row in rows:
        all_hold &= row.holds
        verdict = "yes" if row.holds else "NO"
        print(f"| {row.what} | {row.here} | {row.beside} | {row.goal} | {verdict} |", flush=True)
    return all_hold
