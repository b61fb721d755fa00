"""rows.json of a race: each test row with the answer and the mark of every method, and of the seed."""

from typing import Final

import msgspec

from spotui.lang import _, as_english
from spotui.settings.locations import make_private
from spotui.workspace.files import hint_for, read_file, write_file
from spotui.workspace.race_file import RaceError, RaceFolder

VERSION: Final = 1
SEED: Final = "seed"
"""What the seed prompt is called among the methods."""

_NAME = "rows.json"


class RowAnswer(msgspec.Struct, frozen=True, omit_defaults=True):
    """What one prompt made of a row.

    Attributes:
        mark: 0..1, or None for a row that errored.
        answer: The answer, whole.
        note: What was read out of it, the evaluator's reason, or why there is no mark.
    """

    mark: float | None
    answer: str = ""
    note: str = ""


class RaceRow(msgspec.Struct, frozen=True):
    """A test row.

    Attributes:
        question: What was asked.
        references: The answers that are expected.
        answers: By the name of the method; `seed` is the prompt that all started from.
    """

    question: str
    references: tuple[str, ...]
    answers: dict[str, RowAnswer]


class _File(msgspec.Struct, frozen=True):
    rows: tuple[RaceRow, ...]
    version: int = VERSION


def write_race_rows(folder: RaceFolder, rows: tuple[RaceRow, ...]) -> None:
    """Write the rows of a race in one step.

    Raises:
        OSError: The disk is full or read-only.
    """
    make_private(folder.folder)
    data = msgspec.json.encode(_File(rows), enc_hook=as_english)
    write_file(folder.folder / _NAME, data + b"\n")


def read_race_rows(folder: RaceFolder) -> tuple[RaceRow, ...]:
    """The rows of a race; none when it was tested before spotui kept them, or is not tested yet.

    Raises:
        RaceError: They cannot be read, or were written by a newer version.
    """
    path = folder.folder / _NAME
    again = _("Repeat the command of the race: what was asked is not bought again.")
    try:
        found = msgspec.json.decode(read_file(path), type=_File)
    except FileNotFoundError:
        return ()
    except OSError as error:
        what = _("{path} cannot be read: {strerror}.", path=path, strerror=error.strerror)
        raise RaceError(what, hint_for(error, again)) from None
    except msgspec.DecodeError as error:
        raise RaceError(_("{path} is damaged: {error}.", path=path, error=error), again) from None
    if found.version > VERSION:
        raise RaceError(_("{path} was written by a newer spotui.", path=path), _("Update spotui to open it."))
    return found.rows
