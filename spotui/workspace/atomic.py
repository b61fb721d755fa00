"""Replacing a file so that a reader, a crash or a full disk never meets half of it."""

import contextlib
import errno
import os
from pathlib import Path


def replace_file(path: Path, data: bytes) -> None:
    """Put `data` at a path that the user has chosen, in one step, durable once this returns.

    A link is followed, the mode of an existing file is kept, and a new file gets what the umask leaves. When
    anything fails the old file is as it was. A file of a project is written with `workspace.files` instead.

    Args:
        path: The file to replace or make; its folder must exist.
        data: The whole new content.

    Raises:
        OSError: The disk is full, read-only or gone.
    """
    target = _behind_links(path)
    folder = os.open(target.parent, os.O_RDONLY | os.O_DIRECTORY)
    try:
        replace_in(folder, target.name, data, _mode(target))
    finally:
        os.close(folder)


def replace_in(folder: int, name: str, data: bytes, mode: int | None) -> None:
    """Put `data` into an open folder in one step, durable once this returns.

    Args:
        folder: The folder's descriptor.
        name: What the file is called there; a link of that name is replaced, not followed.
        data: The whole new content.
        mode: The file's mode, or None for what the umask leaves.

    Raises:
        OSError: The disk is full, read-only or gone; the old file is as it was.
    """
    # The name is short and free of the target's, which may be as long as a name can be.
    temporary = f".{os.urandom(8).hex()}.tmp"
    # What gets a mode of its own is private from its first byte.
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC
    handle = os.open(temporary, flags, 0o666 if mode is None else 0o600, dir_fd=folder)
    try:
        with os.fdopen(handle, "wb") as file:
            if mode is not None:
                os.fchmod(file.fileno(), mode)
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        os.rename(temporary, name, src_dir_fd=folder, dst_dir_fd=folder)
    except BaseException:
        with contextlib.suppress(OSError):
            os.unlink(temporary, dir_fd=folder)
        raise
    with contextlib.suppress(OSError):  # see sync_folder
        os.fsync(folder)


def sync_folder(folder: Path) -> None:
    """Make the names in a folder durable, so that a new file survives a power cut.

    Where the file system cannot do that nothing is raised: the names are in place already, and a caller
    who was told that it failed would undo nothing and try again for nothing.
    """
    with contextlib.suppress(OSError):
        handle = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)


def _behind_links(path: Path) -> Path:
    try:
        return path.resolve()
    except RuntimeError:  # how Python before 3.13 says that links go round in a circle
        raise OSError(errno.ELOOP, os.strerror(errno.ELOOP), str(path)) from None


def _mode(path: Path) -> int | None:
    try:
        return path.stat().st_mode & 0o7777
    except FileNotFoundError:
        return None
