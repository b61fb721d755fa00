"""Reads the records of a data file one by one, each with the line it begins on."""

from collections.abc import Iterator
from pathlib import Path
from typing import Final, assert_never

from spotui.dataset.csv_rows import read_table
from spotui.dataset.faults import BadRowError
from spotui.dataset.json_rows import MOST_CHARACTERS, JsonRows
from spotui.dataset.record import Read
from spotui.dataset.source import ENDINGS, FORMATS, DataSource, Format
from spotui.dataset.tables import read_arrow, read_parquet, read_workbook
from spotui.dataset.text_file import LONGEST_LINE, TextFile

_OF_JSON: Final = ("jsonl", "json")


class DataFile:
    """One data file.

    Args:
        path: The file.
        source: How the template says it is to be read.
        wanted: The columns that its rows are expected to have.

    Attributes:
        notice: A sentence about how it was read that a person has to know; empty when there is none.
    """

    def __init__(self, path: Path, source: DataSource, wanted: frozenset[str]) -> None:
        self.notice = ""
        self._path = path
        self._source = source
        self._wanted = wanted

    def records(self) -> Iterator[Read]:
        """The records; only one of them is held at a time, and the text of a JSON document.

        Raises:
            BadRowError: The file cannot be read, or not any further.
        """
        form = self._form()
        if self._source.rows and form not in _OF_JSON:
            raise BadRowError("`rows` is for JSON files; this is a table.", "Delete `rows`.")
        try:
            yield from self._records(form)
        except OSError as error:
            what = f"The file cannot be read ({error.strerror or error})."
            raise BadRowError(what, "Check its permissions.") from None

    def _records(self, form: Format) -> Iterator[Read]:
        source, path = self._source, self._path
        header = source.header
        match form:
            case "jsonl" | "json":
                rows = JsonRows(source.rows, self._wanted, header=header)
                lines = self._lines(MOST_CHARACTERS if form == "json" else LONGEST_LINE)
                yield from rows.lines(lines) if form == "jsonl" else rows.document(lines)
            case "csv":
                yield from read_table(self._lines(), source.delimiter, ",", header=header is not False)
            case "tsv":
                yield from read_table(self._lines(), source.delimiter, "\t", header=header is not False)
            case "parquet":
                yield from read_parquet(path)
            case "arrow":
                yield from read_arrow(path)
            case "xlsx":
                yield from read_workbook(path, source.sheet, header=header is not False)
            case _:
                assert_never(form)

    def _lines(self, longest: int = LONGEST_LINE) -> Iterator[tuple[int, str]]:
        text = TextFile(self._path, self._source.encoding)
        self.notice = text.notice
        return text.lines(longest)

    def _form(self) -> Format:
        suffixes = [suffix.lower() for suffix in self._path.suffixes]
        ending = next((suffix for suffix in reversed(suffixes) if suffix != ".gz"), "")
        form = self._source.format or ENDINGS.get(ending)
        if form is None:
            hint = f"Add `format:` with one of {', '.join(FORMATS)}."
            raise BadRowError("The ending does not say what format the file has.", hint)
        return form
