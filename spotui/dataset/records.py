"""Reads the records of a data file one by one, each with the line it begins on."""

import codecs
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO, Final

from spotui.dataset.csv_rows import read_table
from spotui.dataset.faults import BadRowError
from spotui.dataset.json_rows import read_document, read_lines
from spotui.dataset.record import Read
from spotui.dataset.source import ENDINGS, FORMATS, Format


def read_records(path: Path, form: Format | None, delimiter: str | None) -> Iterator[Read]:
    """The records of a file; only one of them is held at a time, and the text of a JSON document.

    Args:
        path: The file.
        form: Its format, or None to tell it from the ending.
        delimiter: What separates the cells of a CSV file, or None for the usual one.

    Raises:
        BadRowError: The file cannot be read on.
    """
    form = form or ENDINGS.get(path.suffix.lower())
    if form is None:
        mend = f"Add `format:` with one of {', '.join(FORMATS)}."
        raise BadRowError("The ending does not tell the format of the file.", mend)
    try:
        with path.open("rb") as file:
            match form:
                case "jsonl":
                    yield from read_lines(_lines(file))
                case "json":
                    yield from read_document("".join(line for _, line in _lines(file)))
                case "csv":
                    yield from read_table(_lines(file), delimiter or ",")
                case "tsv":
                    yield from read_table(_lines(file), delimiter or "\t")
    except OSError as error:
        raise BadRowError(f"The file cannot be read ({error.strerror}).", "Check its permissions.") from None


def _lines(file: BinaryIO) -> Iterator[tuple[int, str]]:
    """The lines with their numbers; what is no UTF-8 ends the reading, as little after it can be right."""
    for number, line in enumerate(file, 1):
        if number == 1 and line.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
            raise BadRowError("The file is saved as UTF-16.", _SAVE)
        try:
            yield number, line.decode("utf-8-sig" if number == 1 else "utf-8")
        except UnicodeDecodeError:
            raise BadRowError("There are bytes here that are not UTF-8 text.", _SAVE, number) from None


_SAVE: Final = "Save it as UTF-8."
