"""Reads the rows of a CSV or TSV table, whose first line names the columns."""

import csv
from collections.abc import Iterator

from spotui.dataset.faults import BadRowError
from spotui.dataset.record import Read


def read_table(lines: Iterator[tuple[int, str]], delimiter: str) -> Iterator[Read]:
    """The rows with the lines they begin on.

    Args:
        lines: The file's lines with their numbers.
        delimiter: What separates the cells.

    Raises:
        BadRowError: The table as a whole cannot be read.
    """
    names: list[str] | None = None
    for line, cells in _rows(lines, delimiter):
        if not cells:
            continue  # an empty line
        if names is None:
            names = _header(cells, delimiter)
        elif len(cells) != len(names):
            what = f"The row has {len(cells)} cells, but there are {len(names)} columns."
            yield line, BadRowError(what, "Put cells that hold a separator or a line break in quotes.")
        else:
            yield line, dict(zip(names, cells, strict=True))
    if names is None:
        raise BadRowError("The file is empty.", "Its first line names the columns.")


def _rows(lines: Iterator[tuple[int, str]], delimiter: str) -> Iterator[tuple[int, list[str]]]:
    table = csv.reader((line for _, line in lines), delimiter=delimiter, strict=True)
    while True:
        line = table.line_num + 1
        try:
            cells = next(table, None)
        except csv.Error as error:
            mend = "Look for a quote that is opened and not closed, or not doubled inside quotes."
            raise BadRowError(f"The table cannot be read on: {error}.", mend, line) from None
        if cells is None:
            return
        yield line, cells


def _header(cells: list[str], delimiter: str) -> list[str]:
    names = [cell.strip() for cell in cells]
    if twice := next((name for name in names if names.count(name) > 1), None):
        raise BadRowError(f"Two columns are called `{twice}`.", "Rename one of them.", 1)
    other = next((mark for mark in ";\t," if mark != delimiter and mark in names[0]), None)
    if len(names) == 1 and other:
        mend = f"Write `delimiter: {other!r}` if that is what separates the cells."
        raise BadRowError(f"The table has one column only, `{names[0]}`.", mend, 1)
    return names
