"""Reads the rows of tables: CSV, TSV, Parquet, Arrow and Excel files."""

import csv
import re
from collections.abc import Iterator, Sequence
from importlib import import_module
from itertools import chain, islice
from pathlib import Path
from typing import Any, Final

from spotui.lang import _, ngettext
from spotui.templates.data.record import BadRowError, Read

MOST_CHARACTERS: Final = 32_000_000
"""The longest cell."""

_DELIMITERS: Final = ",;\t|"
_SAMPLE: Final = 50
_DECLARED: Final = re.compile(r'"?sep=(\\t|[^"\r\n])"?\s*', re.IGNORECASE)

_DASHES: Final = re.compile(r"\s*:?-*:?\s*")
_RULE: Final = re.compile(r"\s*\|?(?:\s*:?-+:?\s*\|)+(?:\s*:?-+:?)?\s*")

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
    texts = [line for _unused, line in sample]
    likely = _detect(texts, usual)
    delimiter = delimiter or likely
    quoting = _quoting(texts, delimiter)
    is_padded = delimiter == "|" and any(map(_RULE.fullmatch, texts[:3]))
    names: list[str] | None = None
    is_filled = False
    for line, row in _rows(chain(sample, lines), delimiter, skipped, quoting):
        if is_padded:  # a table as Markdown has it
            row = [cell.strip() for cell in row]  # noqa: PLW2901
        if not any(row) or (is_padded and all(map(_DASHES.fullmatch, row))):
            continue  # an empty line, as spreadsheets also write it: with delimiters only
        if names is None:
            if len(row) == 1 and likely != delimiter and likely in row[0]:
                what = _(
                    "The table has one column only where {delimiter!r} separates the cells.",
                    delimiter=delimiter,
                )
                raise BadRowError(
                    what, _("Write `delimiter: {likely!r}`, or delete it.", likely=likely), line
                )
            names = _header(row) if header else [str(number) for number in range(1, len(row) + 1)]
            if header:
                continue
        is_filled = True
        cells = row if any(row[len(names) :]) else row[: len(names)]
        if len(cells) != len(names):
            what = ngettext(
                "The row has {n:,} cell, but the table has columns for {columns:,}.",
                "The row has {n:,} cells, but the table has columns for {columns:,}.",
                len(cells),
                columns=len(names),
            )
            hint = _("Put cells that hold a separator or a line break in quotes.")
            yield Read(line, BadRowError(what, hint))
        else:
            yield Read(line, {name: cell for name, cell in zip(names, cells, strict=True) if name})
    if not is_filled:
        what = _("The file is empty.") if names is None else _("The file has a header and no rows.")
        raise BadRowError(what, _("Its first line names the columns, the others hold the rows."))


def _rows(
    lines: Iterator[tuple[int, str]], delimiter: str, skipped: int, quoting: dict[str, Any]
) -> Iterator[tuple[int, list[str]]]:
    texts = (line for _unused, line in lines)
    table = csv.reader(texts, delimiter=delimiter, strict=True, **quoting)
    while True:
        line = skipped + table.line_num + 1
        try:
            cells = next(table, None)
        except csv.Error as error:
            hint = _("Look for a quote that is opened and not closed, or not doubled inside quotes.")
            raise BadRowError(
                _("The table cannot be read from here on: {error}.", error=error), hint, line
            ) from None
        if cells is None:
            return
        yield line, cells


def _detect(sample: Sequence[str], usual: str) -> str:
    """The delimiter that most rows agree on; the usual one when there is only one column."""

    def agreement(delimiter: str) -> float:
        try:
            table = csv.reader(sample, delimiter=delimiter, skipinitialspace=True)
            widths = [len(cells) for cells in table if cells]
        except csv.Error:
            return 0.0
        if len(sample) == _SAMPLE:
            del widths[-1:]  # it may go on below the sample
        return widths.count(widths[0]) / len(widths) if widths and widths[0] > 1 else 0.0

    return max([usual, *_DELIMITERS], key=agreement) if sample else usual


def _quoting(sample: Sequence[str], delimiter: str) -> dict[str, Any]:
    """How quotes are read: as text, behind blanks, or where a cell begins."""
    if delimiter == "\t" and _has_bare_quotes(sample):
        return {"quoting": csv.QUOTE_NONE}
    if any(f'{delimiter} "' in line for line in sample):
        try:
            list(csv.reader(sample, delimiter=delimiter, skipinitialspace=True, strict=True))
        except csv.Error as error:
            if "expected after" in str(error):
                return {}
        return {"skipinitialspace": True}
    return {}


def _has_bare_quotes(sample: Sequence[str]) -> bool:
    """Whether quotes are part of the text, as in many TSV files, where nothing has to be quoted."""
    try:
        for _ in csv.reader(sample, delimiter="\t", strict=True):
            pass
    except csv.Error as error:
        return "expected after" in str(error)
    return False


def _header(cells: list[str]) -> list[str]:
    names = [cell.strip().strip("\ufeff").strip() for cell in cells]
    twice = next((name for name in names if name and names.count(name) > 1), None)
    if twice is not None:
        hint = _("Rename one of them, or write `header: false` if the first line is a row.")
        raise BadRowError(_("Two columns are called `{twice}`.", twice=twice[:40]), hint, 1)
    return names


MOST_BYTES: Final = 500_000_000
"""The largest workbook, after decompression; it is read as a whole."""

_AT_ONCE: Final = 500


def read_parquet(path: Path) -> Iterator[Read]:
    """The rows of a Parquet file, numbered from 1; some hundred are held at a time.

    Raises:
        BadRowError: It is not a Parquet file, or pyarrow is not installed.
    """
    parquet = _library("pyarrow.parquet", "pyarrow", "Parquet")
    try:
        with parquet.ParquetFile(path) as file:
            yield from _of_batches(file.iter_batches(batch_size=_AT_ONCE))
    except _arrow_errors() as error:
        raise _damaged(_("a Parquet file"), error) from None


def read_arrow(path: Path) -> Iterator[Read]:
    """The rows of an Arrow file (also called Feather) or of an Arrow stream, as `datasets` keeps it.

    Raises:
        BadRowError: It is neither, or pyarrow is not installed.
    """
    ipc = _library("pyarrow.ipc", "pyarrow", "Arrow")
    try:
        with path.open("rb") as file:
            if file.read(6) == b"ARROW1":
                with ipc.open_file(file) as table:
                    batches = (table.get_batch(index) for index in range(table.num_record_batches))
                    yield from _of_batches(batches)
            else:
                file.seek(0)
                with ipc.open_stream(file) as stream:
                    yield from _of_batches(stream)
    except _arrow_errors() as error:
        raise _damaged(_("an Arrow file"), error) from None


def read_workbook(path: Path, sheet: str | None, *, header: bool) -> Iterator[Read]:
    """The rows of one sheet of an Excel or OpenDocument file, with their numbers.

    Args:
        path: The file.
        sheet: The sheet's name, or None for the first one.
        header: Whether the first row names the columns; they are numbered from 1 otherwise.

    Raises:
        BadRowError: It cannot be read, or python-calamine is not installed.
    """
    calamine = _library("python_calamine", "python-calamine", "Excel")
    _check_size(path)
    try:
        book = calamine.CalamineWorkbook.from_path(str(path))
        names = book.sheet_names
        if sheet is not None and sheet not in names:
            raise BadRowError(
                _("There is no sheet `{sheet}`.", sheet=sheet[:40]),
                _("The sheets are {names}.", names=", ".join(names)),
            )
        rows = book.get_sheet_by_name(sheet or names[0]).to_python(skip_empty_area=False)
    except calamine.CalamineError as error:
        raise _damaged(_("an Excel file"), error) from None
    columns: list[str] | None = None
    for number, row in enumerate(rows, 1):
        cells = [_cell(cell) for cell in row]
        if not any(cell not in ("", None) for cell in cells):
            continue
        if columns is None:
            columns = [str(cell).strip() if header else str(at) for at, cell in enumerate(cells, 1)]
            if header:
                continue
        yield Read(number, {name: cell for name, cell in zip(columns, cells, strict=False) if name})
    if columns is None:
        raise BadRowError(
            _("The sheet is empty."), _("Its first row names the columns, the others hold the rows.")
        )


def _of_batches(batches: Any) -> Iterator[Read]:
    number = 0
    for batch in batches:
        for first in range(0, batch.num_rows, _AT_ONCE):
            for record in batch.slice(first, _AT_ONCE).to_pylist():
                number += 1
                yield Read(number, record)
    if not number:
        raise BadRowError(_("The file has no rows."), _("Choose another one."))


def _cell(cell: Any) -> Any:
    """A cell as a sheet shows it: every number of a workbook is a float."""
    return int(cell) if isinstance(cell, float) and cell.is_integer() and abs(cell) < 1e15 else cell


def _library(module: str, package: str, kind: str) -> Any:
    try:
        return import_module(module)
    except ImportError:
        hint = _("Install it with `pip install 'spotui[tables]'`, or save the rows as JSONL or CSV.")
        raise BadRowError(
            _("Reading {kind} files needs {package}, which is not installed.", kind=kind, package=package),
            hint,
        ) from None


def _arrow_errors() -> tuple[type[Exception], ...]:
    arrow = import_module("pyarrow")
    return (arrow.ArrowException, arrow.lib.ArrowInvalid, arrow.lib.ArrowNotImplementedError)


def _check_size(path: Path) -> None:
    from zipfile import BadZipFile, ZipFile, is_zipfile

    if not is_zipfile(path):
        return  # the older kind of workbook is not compressed
    try:
        with ZipFile(path) as archive:
            size = sum(each.file_size for each in archive.infolist())
    except BadZipFile as error:
        raise _damaged(_("an Excel file"), error) from None
    if size > MOST_BYTES:
        what = _("The workbook holds more than {most_bytes} MB.", most_bytes=MOST_BYTES // 1_000_000)
        raise BadRowError(what, _("Save the sheet as CSV."))


def _damaged(kind: str, error: Exception) -> BadRowError:
    told = " ".join(str(error).split())[:200].rstrip(".")
    return BadRowError(
        _("This is not {kind}, or it is damaged: {told}.", kind=kind, told=told),
        _("Check `format:`, or save it again."),
    )
