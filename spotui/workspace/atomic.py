"""Replacing a file so that a reader, a crash or a full disk never meets half of it."""

import contextlib
import errno
import os
from pathlib import Path


def replace_file(path: Path, data: bytes) -> None:
    """Put `data` at `path` in one step, durable once this returns.

    A link is followed, the mode of an existing file is kept, and when anything fails the old file stands.

    Args:
        path: The file to replace or make; its folder must exist.
        data: The whole new content.

    Raises:
        OSError: The disk is full, read-only or gone.
    """
    target = _behind_links(path)
    mode = _mode(target)
    # The name is short and free of the target's, which may be as long as a name can be.
    temporary = target.with_name(f".{os.urandom(8).hex()}.tmp")
    # A new file gets what the umask leaves; what replaces a private file is private from its first byte.
    handle = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o666 if mode is None else 0o600)
    try:
        with os.fdopen(handle, "wb") as file:
            if mode is not None:
                os.fchmod(file.fileno(), mode)
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(target)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise
    sync_folder(target.parent)


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
