"""A folder beside the measurements with one file that says what several runs are for: a race, a sweep."""

import os
from collections.abc import Sequence
from typing import ClassVar, Generic, TypeVar

import msgspec

from spotui.domain.errors import SpotuiError
from spotui.lang import _, as_english
from spotui.settings.locations import make_private
from spotui.workspace.files import hint_for, read_file, write_file
from spotui.workspace.lock import ProjectLock
from spotui.workspace.projects import Project, Workspace


class Record(msgspec.Struct, frozen=True, kw_only=True):
    """What is written down of several runs.

    Attributes:
        version: The format of the file.
        words: What they were started with; the same words resume them.
        tracked_as: The name that trackers know all of them by, which no other has.
    """

    version: int
    words: tuple[str, ...]
    tracked_as: str = ""


def words_to_pass_on(words: Sequence[str], file: str) -> list[str]:
    """The arguments that resume runs, for a report: without folders and without what may hold a key.

    Args:
        words: See `Record`; the second one is the path of a file.
        file: What that file is called.
    """
    shown = [file if number == 1 else word for number, word in enumerate(words)]
    return [word for word in shown if not word.partition("=")[0].endswith(("headers", "query"))]


Kept = TypeVar("Kept", bound=Record)


class RecordFolder(Generic[Kept]):
    """Where several runs are kept, beside the answers to their test rows.

    Args:
        workspace: The workspace.
        name: The folder of the runs.

    Raises:
        ProjectError: The name cannot be a folder's.

    Attributes:
        file: The name of the file.
        lock_name: The name of the lock.
        record: What the file holds.
        newest: The newest version that can be read.
        error: Raised where it cannot be read.
        advice: What to do then.
    """

    file: ClassVar[str]
    lock_name: ClassVar[str]
    record: type[Kept]
    newest: ClassVar[int]
    error: ClassVar[type[SpotuiError]]

    def __init__(self, workspace: Workspace, name: str) -> None:
        self.workspace = workspace
        self.name = name
        self.folder = workspace.measured(name)
        self.lock = ProjectLock(self.folder / self.lock_name, name)

    @property
    def exists(self) -> bool:
        """Whether the file is there."""
        return os.path.lexists(self.folder / self.file)

    @property
    def is_running(self) -> bool:
        """Whether a process works on it."""
        return self.lock.living_owner() is not None

    def advice(self) -> str:
        """What to do where the file cannot be read."""
        return _("Start it again with another --name.")

    def project(self, name: str) -> Project:
        """The project of one of the runs."""
        return self.workspace.project(f"{self.name}/{name}")

    def read(self) -> Kept:
        """What is written down.

        Raises:
            SpotuiError: Nothing, or nothing that this version can read.
        """
        path = self.folder / self.file
        try:
            found = msgspec.json.decode(read_file(path), type=self.record)
        except OSError as error:
            hint = hint_for(error, self.advice())
            raise self.error(
                _("{path} cannot be read: {strerror}.", path=path, strerror=error.strerror), hint
            ) from None
        except msgspec.DecodeError as error:
            what = _("{path} is damaged: {error}.", path=path, error=error)
            raise self.error(what, self.advice()) from None
        if found.version > self.newest:
            raise self.error(
                _("{path} was written by a newer spotui.", path=path), _("Update spotui to open it.")
            )
        return found

    def write(self, record: Kept) -> None:
        """Write it down in one step.

        Raises:
            OSError: The disk is full or read-only.
        """
        make_private(self.folder)
        write_file(
            self.folder / self.file,
            msgspec.json.format(msgspec.json.encode(record, enc_hook=as_english), indent=1) + b"\n",
        )
