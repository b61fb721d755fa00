"""Writing into the config folder; nothing else does."""

import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from spotui.locations import make_private, shown
from spotui.settings.errors import SettingsError


@contextmanager
def alone(path: Path) -> Iterator[None]:
    """Keep other processes from saving at the same time; the lock goes with the process.

    Args:
        path: The file that is to be saved; its folder is made when it is missing.

    Raises:
        OSError: The folder cannot be made.
    """
    import fcntl

    make_private(path.parent)
    handle = os.open(path.parent, os.O_RDONLY)
    try:
        with suppress(OSError):  # some network file systems have no locks
            fcntl.flock(handle, fcntl.LOCK_EX)
        yield
    finally:
        os.close(handle)


def write_text(path: Path, text: str) -> None:
    """Write a file in one step; only its owner may read it.

    Raises:
        OSError: It cannot be written; it is as it was.
    """
    from spotui.workspace.atomic import replace_file

    target = path.resolve()  # a linked config file stays a link
    target.touch(mode=0o600)
    target.chmod(0o600)  # replace_file keeps the mode that it finds
    replace_file(target, text.encode())


def unwritable(path: Path, error: OSError) -> SettingsError:
    """What to tell when the disk refuses."""
    return SettingsError(
        f"{shown(path)} cannot be written ({error.strerror}).",
        "Check the folder's permissions and the free space.",
    )


def uneditable(path: Path, what: str) -> SettingsError:
    """What to tell when a small edit could change more than was wanted."""
    return SettingsError(
        f"{shown(path)} is written in a way that spotui cannot change safely at {what}.",
        "Change it in your editor, or write that part as plain 'key: value' lines.",
    )
