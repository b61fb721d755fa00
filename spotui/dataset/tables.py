"""Reads the rows of Parquet, Arrow and Excel files, by libraries that only these need."""

from collections.abc import Iterator
from importlib import import_module
from pathlib import Path
from typing import Any, Final
from zipfile import BadZipFile, ZipFile, is_zipfile

from spotui.dataset.faults import BadRowError
from spotui.dataset.record import Read

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
        raise _damaged("a Parquet file", error) from None


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
        raise _damaged("an Arrow file", error) from None


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
            raise BadRowError(f"There is no sheet `{sheet[:40]}`.", f"The sheets are {', '.join(names)}.")
        rows = book.get_sheet_by_name(sheet or names[0]).to_python(skip_empty_area=False)
    except calamine.CalamineError as error:
        raise _damaged("an Excel file", error) from None
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
        raise BadRowError("The sheet is empty.", "Its first row names the columns, the others hold the rows.")


def _of_batches(batches: Any) -> Iterator[Read]:
    number = 0
    for batch in batches:
        for first in range(0, batch.num_rows, _AT_ONCE):
            for record in batch.slice(first, _AT_ONCE).to_pylist():
                number += 1
                yield Read(number, record)
    if not number:
        raise BadRowError("The file has no rows.", "Choose another one.")


def _cell(cell: Any) -> Any:
    """A cell as a sheet shows it: every number of a workbook is a float."""
    return int(cell) if isinstance(cell, float) and cell.is_integer() and abs(cell) < 1e15 else cell


def _library(module: str, package: str, kind: str) -> Any:
    try:
        return import_module(module)
    except ImportError:
        hint = "Install it with `pip install 'spotui[tables]'`, or save the rows as JSONL or CSV."
        raise BadRowError(f"Reading {kind} files needs {package}, which is not installed.", hint) from None


def _arrow_errors() -> tuple[type[Exception], ...]:
    arrow = import_module("pyarrow")
    return (arrow.ArrowException, arrow.lib.ArrowInvalid, arrow.lib.ArrowNotImplementedError)


def _check_size(path: Path) -> None:
    if not is_zipfile(path):
        return  # the older kind of workbook is not compressed
    try:
        with ZipFile(path) as archive:
            size = sum(each.file_size for each in archive.infolist())
    except BadZipFile as error:
        raise _damaged("an Excel file", error) from None
    if size > MOST_BYTES:
        what = f"The workbook holds more than {MOST_BYTES // 1_000_000} MB."
        raise BadRowError(what, "Save the sheet as CSV.")


def _damaged(kind: str, error: Exception) -> BadRowError:
    told = " ".join(str(error).split())[:200].rstrip(".")
    return BadRowError(f"This is not {kind}, or it is damaged: {told}.", "Check `format:`, or save it again.")
