"""Reads a data file record by record, each with the line on which it begins."""

import codecs
import gzip
import io
import re
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import chain
from pathlib import Path
from typing import IO, Final, assert_never

from spotui.lang import N_, _
from spotui.templates.data.json_rows import MOST_CHARACTERS, JsonRows
from spotui.templates.data.record import BadRowError, Read
from spotui.templates.data.source import ENDINGS, FORMATS, DataSource, Format
from spotui.templates.data.tables import read_arrow, read_parquet, read_table, read_workbook

MOST_BYTES: Final = 2_000_000_000
"""The largest file, after decompression: a small `.gz` can hold any amount of zeros."""
LONGEST_LINE: Final = 32_000_000
"""The longest line."""

_CHUNK: Final = 1 << 20
_SAMPLE: Final = 1 << 16
_GZIP: Final = b"\x1f\x8b"
_NOT_TEXT: Final = {
    b"PAR1": N_("It looks like a Parquet file: write `format: parquet`."),
    b"ARROW1": N_("It looks like an Arrow file: write `format: arrow`."),
    b"BZh": N_("It looks like a bzip2 file: unpack it, or compress it with gzip."),
    b"\xfd7zXZ": N_("It looks like an xz file: unpack it, or compress it with gzip."),
    b"\x28\xb5\x2f\xfd": N_("It looks like a Zstandard file: unpack it, or compress it with gzip."),
    _GZIP: N_("It is compressed twice: unpack it once."),
    b"PK\x03\x04": N_("It looks like an Excel file or a zip archive: write `format: xlsx`, or unpack it."),
}
_BOMS: Final = {
    codecs.BOM_UTF8: "utf-8-sig",
    codecs.BOM_UTF32_LE: "utf-32",  # before UTF-16, whose mark it begins with
    codecs.BOM_UTF32_BE: "utf-32",
    codecs.BOM_UTF16_LE: "utf-16",
    codecs.BOM_UTF16_BE: "utf-16",
}


class TextFile:
    """The text of one file.

    Args:
        path: The file; what begins like gzip is decompressed.
        encoding: Its encoding, or None to detect it: a byte order mark, UTF-8, or the likeliest other one.

    Raises:
        BadRowError: It is not a text, is damaged, or is too large.
        OSError: It cannot be read.

    Attributes:
        notice: A sentence about an encoding that was guessed; empty otherwise.
    """

    def __init__(self, path: Path, encoding: str | None = None) -> None:
        self._path = path
        self.notice = ""
        self._encoding = encoding or self._detect()
        if fault := self._fault(self._encoding):
            raise fault

    def lines(self, longest: int = LONGEST_LINE) -> Iterator[tuple[int, str]]:
        """The lines with their numbers; a line ends with LF, CR LF or CR.

        Args:
            longest: The most characters of a line; a document may be written on one.
        """
        with self._bytes() as file, io.TextIOWrapper(file, self._encoding, newline="") as reader:
            number = 0
            while line := reader.readline(longest):
                number += 1
                if len(line) == longest:
                    what = _(
                        "The line is longer than {longest} million characters.", longest=longest // 1_000_000
                    )
                    raise BadRowError(
                        what, _("Look for a line break that is missing, or write the rows as JSONL."), number
                    )
                yield number, line

    @contextmanager
    def _bytes(self) -> Iterator[IO[bytes]]:
        with self._path.open("rb") as file:
            packed = file.read(2) == _GZIP
            file.seek(0)
            try:
                yield gzip.GzipFile(fileobj=file) if packed else file  # type: ignore[misc]
            except (EOFError, zlib.error, gzip.BadGzipFile) as error:
                what = _("The compressed file is damaged ({error}).", error=error)
                raise BadRowError(what, _("Compress it again, or unpack it.")) from None

    def _chunks(self) -> Iterator[bytes]:
        size = 0
        with self._bytes() as file:
            while chunk := file.read(_CHUNK):
                size += len(chunk)
                if size > MOST_BYTES:
                    what = _(
                        "The file holds more than {most_bytes} GB.", most_bytes=MOST_BYTES // 1_000_000_000
                    )
                    raise BadRowError(what, _("Take a part of its rows."))
                yield chunk

    def _detect(self) -> str:
        first = next(self._chunks(), b"")
        for mark, encoding in _BOMS.items():
            if first.startswith(mark):
                return encoding
        for mark, hint in _NOT_TEXT.items():
            if first.startswith(mark):
                raise BadRowError(_("The file is not a text."), _(hint))
        if b"\0" in first:
            encoding = _guess(first[:_SAMPLE])
            if encoding.startswith(("utf-16", "utf-32")):
                return encoding
            raise BadRowError(_("The file is not a text."), _("Give the path of a data file."))
        damage = self._fault("utf-8")
        if damage is None:
            return "utf-8"
        sample = self._unusual_bytes()
        if _is_mostly_utf8(sample):
            raise damage
        encoding = _guess(sample)
        self.notice = _(
            "The file is not UTF-8; it was read as {encoding}. If its text looks wrong, save it "
            "as UTF-8 or write `encoding:` with the right one.",
            encoding=encoding,
        )
        return encoding

    def _fault(self, encoding: str) -> BadRowError | None:
        """The first line that the encoding cannot read, or None."""
        decoder, line, rest = codecs.getincrementaldecoder(encoding)(), 1, ""
        for chunk in chain(self._chunks(), (b"",)):
            try:
                text = rest + decoder.decode(chunk, final=not chunk)
            except UnicodeDecodeError as error:
                good = error.object[: error.start].decode(encoding, "ignore")
                line += _breaks(rest + good)
                what = _("There are bytes here that are not {encoding} text.", encoding=encoding.upper())
                return BadRowError(what, _("Save the file as UTF-8."), line)
            rest = "\r" if text.endswith("\r") else ""  # its LF may be in the next chunk
            line += _breaks(text.removesuffix(rest))
        return None

    def _unusual_bytes(self) -> bytes:
        """Lines with other bytes than ASCII, as many as a guess needs."""
        sample = b""
        for chunk in self._chunks():
            for line in chunk.splitlines(keepends=True):
                if not line.isascii():
                    sample += line[:_SAMPLE]
                if len(sample) >= _SAMPLE:
                    return sample
        return sample


def _breaks(text: str) -> int:
    return text.count("\n") + text.count("\r") - text.count("\r\n")


def _is_mostly_utf8(sample: bytes) -> bool:
    """Whether a few bytes are damaged in a text that is UTF-8 otherwise."""
    text = _HALF.sub(b"?", sample).decode("utf-8", "replace")
    if "\ufffd" not in text:
        return True
    damaged = text.count("\ufffd")
    return sum(char > "\x7f" for char in text) - damaged >= damaged


def _guess(sample: bytes) -> str:
    import chardet

    found = chardet.detect(sample, encoding_era=chardet.EncodingEra.MODERN_WEB)["encoding"] or "cp1252"
    found = found.lower().replace("windows-", "cp")
    usual, text = sample.decode("cp1252", "replace"), sample.decode(found, "replace")
    letters = [char for char in text if char.isalpha() and not char.isascii()]
    is_mixed = len(letters) < 2 * len(_MIXED_WORD.findall(text))
    return "cp1252" if text == usual or is_mixed else found  # where both fit, the common one


_MIXED_WORD: Final = re.compile(r"[A-Za-z][Ͱ-ϿЀ-ӿ֐-׿؀-ۿ฀-๿]|[Ͱ-ϿЀ-ӿ֐-׿؀-ۿ฀-๿][A-Za-z]")
"""Letters of two scripts next to each other, as in cafι."""

_HALF: Final = re.compile(rb"\xed[\xa0-\xbf][\x80-\xbf]")
"""Half of a character, which UTF-8 has no place for."""

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
            raise BadRowError(_("`rows` is for JSON files; this is a table."), _("Delete `rows`."))
        try:
            yield from self._records(form)
        except OSError as error:
            what = _("The file cannot be read ({strerror}).", strerror=error.strerror or error)
            raise BadRowError(what, _("Check its permissions.")) from None

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
            hint = _("Add `format:` with one of {formats}.", formats=", ".join(FORMATS))
            raise BadRowError(_("The ending does not say what format the file has."), hint)
        return form
