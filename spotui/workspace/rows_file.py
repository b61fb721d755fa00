"""rows.jsonl: the rows that a run was started with, so that a data file may change or go afterwards."""

import os
from collections.abc import Iterator
from pathlib import Path

import msgspec

from spotui.domain.rows import SPLITS, Row, SplitName
from spotui.lang import _, as_english
from spotui.templates.data.load import Dataset
from spotui.workspace.files import hint_for, lines_of, open_file, reading
from spotui.workspace.snapshot import SnapshotError


class _Line(msgspec.Struct, frozen=True):
    split: SplitName
    row: Row


_encoder = msgspec.json.Encoder(enc_hook=as_english)
_decoder = msgspec.json.Decoder(_Line)


def write_rows_file(path: Path, rows: Dataset) -> None:
    """Write all rows, one a line, into a file that must not exist yet.

    Raises:
        OSError: The disk is full or read-only.
    """
    with os.fdopen(open_file(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL), "wb") as file:
        file.writelines(_lines(rows))


def read_rows_file(path: Path) -> Dataset | None:
    """The rows of a run; None when it has none.

    Raises:
        SnapshotError: The file cannot be read, or is not what spotui wrote.
    """
    found: dict[SplitName, list[Row]] = {name: [] for name in SPLITS}
    number = 0
    try:
        with reading(path) as file:
            for line in lines_of(path, file):
                number += 1
                one = _decoder.decode(line)
                found[one.split].append(one.row)
    except FileNotFoundError:
        return None
    except OSError as error:
        raise _unreadable(path, error) from None
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise SnapshotError(
            _("{path}, line {number}, is damaged: {error}.", path=path, number=number, error=error),
            _("Restore it from a backup."),
        ) from None
    return Dataset(train=tuple(found["train"]), eval=tuple(found["eval"]), test=tuple(found["test"]))


def count_rows(path: Path) -> dict[str, int]:
    """How many rows of a run each split has, without reading them; empty when it has none.

    Raises:
        SnapshotError: The file cannot be read.
    """
    found: dict[str, int] = dict.fromkeys(SPLITS, 0)
    heads = {name: b'{"split":"%s",' % name.encode() for name in SPLITS}
    try:
        with reading(path) as file:
            for line in lines_of(path, file):
                for name, head in heads.items():
                    found[name] += line.startswith(head)
    except FileNotFoundError:
        return {}
    except OSError as error:
        raise _unreadable(path, error) from None
    return found


def _unreadable(path: Path, error: OSError) -> SnapshotError:
    return SnapshotError(
        _("{path} cannot be read: {strerror}.", path=path, strerror=error.strerror),
        hint_for(error, _("Check its permissions.")),
    )


def _lines(rows: Dataset) -> Iterator[bytes]:
    for split in SPLITS:
        for row in getattr(rows, split):
            yield _encoder.encode(_Line(split, row)) + b"\n"
