"""Writing into the config folder, which nothing else does, and reading the lists of the user's consents."""

import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Final

from spotui.lang import _
from spotui.settings.errors import SettingsError
from spotui.settings.locations import config_dir, make_private, shown

_WRITABLE_BY_OTHERS: Final = stat.S_IWGRP | stat.S_IWOTH
_LARGEST_LIST: Final = 10_000_000


@contextmanager
def alone(path: Path) -> Iterator[None]:
    """Keep other processes of the user from saving at the same time; the lock goes with the process.

    It is a file that nobody else can open: whoever can open one can hold its lock for ever.

    Args:
        path: The file that is to be saved; its folder is made when it is missing.

    Raises:
        OSError: The folder cannot be made, or another user's file is in the place of the lock.
    """
    import fcntl

    make_private(path.parent)
    mode = path.parent.stat().st_mode
    if path.parent == config_dir() and mode & _WRITABLE_BY_OTHERS:
        path.parent.chmod(stat.S_IMODE(mode) & ~_WRITABLE_BY_OTHERS)
    flags = os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
    handle = os.open(path.parent / f".{path.name}.lock", flags, 0o600)
    try:
        os.fchmod(handle, 0o600)
        with suppress(OSError):  # some network file systems have no locks
            fcntl.flock(handle, fcntl.LOCK_EX)
        yield
    finally:
        os.close(handle)


def read_private(path: Path) -> bytes:
    """Read a list of what the user has said yes to.

    Raises:
        OSError: It is missing or cannot be read.
        SettingsError: Somebody else may have written it.
    """
    with os.fdopen(os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC), "rb") as file:
        found = os.fstat(file.fileno())
        is_own = found.st_uid in {os.geteuid(), 0} and not found.st_mode & _WRITABLE_BY_OTHERS
        if not (is_own and stat.S_ISREG(found.st_mode)):
            raise SettingsError(
                _(
                    "{shown} is not a file that only you can write, so others may have changed it.",
                    shown=shown(path),
                ),
                _(
                    "Check what it says, then run 'chmod 600 {path}'; or delete it, and you are asked again.",
                    path=path,
                ),
            )
        return file.read(_LARGEST_LIST)


def write_text(path: Path, text: str) -> None:
    """Write a file in one step; only its owner may read it.

    Raises:
        OSError: It cannot be written; it is as it was.
    """
    from spotui.workspace.files import replace_file

    target = path.resolve()  # a linked config file stays a link
    target.touch(mode=0o600)
    target.chmod(0o600)  # replace_file keeps the mode that it finds
    replace_file(target, text.encode())


def unwritable(path: Path, error: OSError) -> SettingsError:
    """What to tell when the disk refuses."""
    return SettingsError(
        _("{shown} cannot be written ({strerror}).", shown=shown(path), strerror=error.strerror),
        _("Check the folder's permissions and the free space."),
    )


def uneditable(path: Path, what: str) -> SettingsError:
    """What to tell when a small edit could change more than was wanted."""
    return SettingsError(
        _(
            "{shown} is written in a way that spotui cannot change safely at {what}.",
            shown=shown(path),
            what=what,
        ),
        _("Change it in your editor, or write that part as plain 'key: value' lines."),
    )
