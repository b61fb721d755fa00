"""One process writes a project at a time."""

import contextlib
import fcntl
import os
import stat
import time
from pathlib import Path

import msgspec

from spotui.domain.errors import SpotuiError
from spotui.lang import _
from spotui.workspace.files import Folder, hint_for, open_file

# Whoever asks whether a project is being worked on holds a shared lock for some microseconds; a process that
# wants to begin outwaits it.
_PATIENCE_SECONDS = 0.2
_WRITABLE_BY_OTHERS = stat.S_IWGRP | stat.S_IWOTH


class Owner(msgspec.Struct, frozen=True):
    """Who holds, or last held, a project.

    Attributes:
        is_paused: Whether what it works on waits for a person.
    """

    pid: int
    host: str
    is_paused: bool = False


_UNKNOWN = Owner(pid=0, host="")


class LockedError(SpotuiError):
    """Another process is working on the project."""


class ProjectLock:
    """The right to write one project, held from `acquire` to `release`.

    The kernel gives the lock back when its owner dies, so it is never stale; the file says who that was.
    It is held through an open file, not through a name: a project that is moved meanwhile stays locked.

    Args:
        path: The lock file; it stays behind after release, empty.
        name: What the user calls the project.
    """

    def __init__(self, path: Path, name: str) -> None:
        self.path = path
        self._name = name
        self._file: int | None = None

    def living_owner(self) -> Owner | None:
        """Who is working on the project now; quick, and changes nothing.

        Returns:
            None when nobody does; an owner with pid 0 when somebody does who has not written down who it is.
        """
        try:
            file = open_file(self.path, os.O_RDONLY)
        except OSError:
            return None
        try:
            return None if _lock(file, fcntl.LOCK_SH) else _read_owner(file) or _UNKNOWN
        except OSError:  # a file system without locks; nobody could have taken one
            return None
        finally:
            os.close(file)

    def acquire(self) -> Owner | None:
        """Take the lock.

        Returns:
            The owner that died holding it, or None when it was let go properly.

        Raises:
            LockedError: A living process holds it, another user could, or the folder cannot be written.
        """
        try:
            with Folder.at(self.path.parent) as folder:
                self._close_to_others(folder)
                while (file := self._lock_in(folder)) is None:
                    pass
        except OSError as error:
            raise self._impossible(error) from None
        before = _read_owner(file)
        try:
            _write(file, _oneself())
        except OSError as error:
            os.close(file)
            raise self._impossible(error) from None
        self._file = file
        return before

    def note_pause(self, *, is_paused: bool) -> None:
        """Write down whether what it is held for waits for a person, for those who only look."""
        if self._file is not None:
            with contextlib.suppress(OSError):  # then it looks as if it were worked on
                _write(self._file, _oneself(is_paused=is_paused))

    def release(self) -> None:
        """Let go; safe to call twice."""
        if self._file is not None:
            file, self._file = self._file, None
            with contextlib.suppress(OSError):  # then the next owner hears that this one died; no harm
                os.ftruncate(file, 0)
            os.close(file)

    def _close_to_others(self, folder: Folder) -> None:
        """Let nobody else put another lock file into the folder."""
        found = os.fstat(folder.handle)
        if not found.st_mode & _WRITABLE_BY_OTHERS or found.st_mode & stat.S_ISVTX:
            return
        if found.st_uid != os.geteuid():
            raise LockedError(
                _(
                    "{folder} belongs to another user, and others can write it, so it cannot be locked.",
                    folder=folder.path,
                ),
                _("Copy it into your workspace, and choose that with --workspace."),
            )
        os.fchmod(folder.handle, stat.S_IMODE(found.st_mode) & ~_WRITABLE_BY_OTHERS)

    def _lock_in(self, folder: Folder) -> int | None:
        """Open and lock the file; None when it was replaced meanwhile, which makes its lock worthless."""
        file = folder.open(self.path.name, os.O_RDWR | os.O_CREAT)
        try:
            self._check_owner(folder, file)
            self._wait_for(file)
            if _is_in(folder, self.path.name, file):
                return file
        except BaseException:
            os.close(file)
            raise
        os.close(file)
        return None

    def _check_owner(self, folder: Folder, file: int) -> None:
        """Refuse a lock file that somebody else could hold: whoever can open it can lock it."""
        found = os.fstat(file)
        if found.st_uid == os.geteuid():
            os.fchmod(file, 0o600)
        elif found.st_uid not in {0, os.fstat(folder.handle).st_uid} or found.st_mode & _WRITABLE_BY_OTHERS:
            raise LockedError(
                _(
                    "The lock of {name} belongs to another user (id {st_uid}).",
                    name=self._name,
                    st_uid=found.st_uid,
                ),
                _("Remove {path} if nobody is working on {name}.", path=self.path, name=self._name),
            )

    def _wait_for(self, file: int) -> None:
        patience = time.monotonic() + _PATIENCE_SECONDS
        while not _lock(file, fcntl.LOCK_EX):
            if time.monotonic() > patience:
                raise self._held(_read_owner(file))
            time.sleep(0.01)

    def _held(self, owner: Owner | None) -> LockedError:
        who = _("process {pid} on {host}", pid=owner.pid, host=owner.host) if owner else _("another process")
        return LockedError(
            _("{name} is being worked on by {who}.", name=self._name, who=who),
            _("Watch it with 'spotui attach {name}', or use another name.", name=self._name),
        )

    def _impossible(self, error: OSError) -> LockedError:
        return LockedError(
            _("{parent} cannot be locked: {strerror}.", parent=self.path.parent, strerror=error.strerror),
            hint_for(
                error,
                _("Make room and permission to write there, or use another workspace with --workspace."),
            ),
        )


def _lock(file: int, how: int) -> bool:
    try:
        fcntl.flock(file, how | fcntl.LOCK_NB)
    except (BlockingIOError, PermissionError):  # the latter on some network file systems
        return False
    return True


def _is_in(folder: Folder, name: str, file: int) -> bool:
    try:
        return os.path.samestat(os.stat(name, dir_fd=folder.handle, follow_symlinks=False), os.fstat(file))
    except FileNotFoundError:
        return False


def _read_owner(file: int) -> Owner | None:
    try:
        return msgspec.json.decode(os.pread(file, 4096, 0), type=Owner)
    except (OSError, msgspec.DecodeError, UnicodeDecodeError):
        return None


def _oneself(*, is_paused: bool = False) -> bytes:
    """This process as an owner, always as long as before, so that who reads meanwhile finds either."""
    data = msgspec.json.encode(Owner(os.getpid(), os.uname().nodename, is_paused))
    return data if not is_paused else data + b" "


def _write(file: int, data: bytes) -> None:
    # In this order a reader never finds it empty.
    os.pwrite(file, data, 0)
    os.ftruncate(file, len(data))
