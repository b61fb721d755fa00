"""Reads the rows of a CSV or TSV table."""

import csv
import re
from collections.abc import Iterator, Sequence
from itertools import chain, islice
from typing import Final

from spotui.dataset.faults import BadRowError
from spotui.dataset.record import Read

MOST_CHARACTERS: Final = 32_000_000
"""The longest cell."""

_DELIMITERS: Final = ",;\t|"
_SAMPLE: Final = 50
_DECLARED: Final = re.compile(r'"?sep=(\\t|[^"\r\n])"?\s*', re.IGNORECASE)

csv.field_size_limit(MOST_CHARACTERS)  # the module has no other place for it; its own limit is 131,072


def read_table(
    lines: Iterator[tuple[int, str]], delimiter: str | None, usual: str, *, header: bool
) -> Iterator[Read]:
    """The rows with the lines they begin on.

    Args:
        lines: The file's lines with their numbers.
        delimiter: What separates the cells, or None to detect it.
        usual: The delimiter where nothing says otherwise.
        header: Whether the first row names the columns; they are numbered from 1 otherwise.

    Raises:
        BadRowError: The table as a whole cannot be read.
    """
    sample = list(islice(lines, _SAMPLE))
    skipped = 0
    if sample and (declared := _DECLARED.fullmatch(sample[0][1])):  # Excel's way to say it
        delimiter = delimiter or ("\t" if declared[1] == "\\t" else declared[1])
        skipped = 1
        del sample[0]
    texts = [line for _, line in sample]
    likely = _detect(texts, usual)
    delimiter = delimiter or likely
    is_bare = delimiter == "\t" and _has_bare_quotes(texts)
    names: list[str] | None = None
    for line, row in _rows(chain(sample, lines), delimiter, skipped, quoted=not is_bare):
        if not any(row):
            continue  # an empty line, as spreadsheets also write it: with delimiters only
        if names is None:
            if len(row) == 1 and likely != delimiter and likely in row[0]:
                what = f"The table has one column only where {delimiter!r} separates the cells."
                raise BadRowError(what, f"Write `delimiter: {likely!r}`, or delete it.", line)
            names = _header(row) if header else [str(number) for number in range(1, len(row) + 1)]
            if header:
                continue
        cells = row if any(row[len(names) :]) else row[: len(names)]
        if len(cells) != len(names):
            what = f"The row has {len(cells)} cells, but there are {len(names)} columns."
            hint = "Put cells that hold a separator or a line break in quotes."
            yield Read(line, BadRowError(what, hint))
        else:
            yield Read(line, {name: cell for name, cell in zip(names, cells, strict=True) if name})
    if names is None:
        raise BadRowError("The file is empty.", "Its first line names the columns, the others hold the rows.")


def _rows(
    lines: Iterator[tuple[int, str]], delimiter: str, skipped: int, *, quoted: bool
) -> Iterator[tuple[int, list[str]]]:
    texts = (line for _, line in lines)
    if quoted:
        table = csv.reader(texts, delimiter=delimiter, strict=True)
    else:
        table = csv.reader(texts, delimiter=delimiter, quoting=csv.QUOTE_NONE, strict=True)
    while True:
        line = skipped + table.line_num + 1
        try:
            cells = next(table, None)
        except csv.Error as error:
            hint = "Look for a quote that is opened and not closed, or not doubled inside quotes."
            raise BadRowError(f"The table cannot be read from here on: {error}.", hint, line) from None
        if cells is None:
            return
        yield line, cells


def _detect(sample: Sequence[str], usual: str) -> str:
    """The delimiter that most rows agree on; the usual one when there is only one column."""

    def agreement(delimiter: str) -> float:
        try:
            widths = [len(cells) for cells in csv.reader(sample, delimiter=delimiter) if cells]
        except csv.Error:
            return 0.0
        if len(sample) == _SAMPLE:
            del widths[-1:]  # it may go on below the sample
        return widths.count(widths[0]) / len(widths) if widths and widths[0] > 1 else 0.0

    return max([usual, *_DELIMITERS], key=agreement) if sample else usual


def _has_bare_quotes(sample: Sequence[str]) -> bool:
    """Whether quotes are part of the text, as in many TSV files, where nothing has to be quoted."""
    try:
        for _ in csv.reader(sample, delimiter="\t", strict=True):
            pass
    except csv.Error as error:
        return "expected after" in str(error)
    return False


def _header(cells: list[str]) -> list[str]:
    names = [cell.strip() for cell in cells]
    twice = next((name for name in names if name and names.count(name) > 1), None)
    if twice is not None:
        hint = "Rename one of them, or write `header: false` if the first line is a row."
        raise BadRowError(f"Two columns are called `{twice[:40]}`.", hint, 1)
    return names
