"""The files of local models: their hashes, the room they need, and the errors around them."""

import asyncio
import errno
import hashlib
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from spotui.domain.errors import SpotuiError
from spotui.domain.figures import size
from spotui.lang import _


class LocalModelError(SpotuiError):
    """A local model cannot be fetched, kept or served."""


class UnknownModelError(LocalModelError):
    """No local model goes by this name, or it has not been pulled yet."""


class PullError(LocalModelError):
    """A model could not be brought onto this machine; what was fetched is kept, unless it was wrong."""


class ServerError(LocalModelError):
    """The local model's server cannot be started, or has ended.

    Args:
        what: What happened.
        hint: What to do about it.
        transient: Whether another try may succeed.
    """

    def __init__(self, what: str, hint: str = "", *, transient: bool = False) -> None:
        super().__init__(what, hint)
        self.transient = transient


_STEP = 32 * 1024 * 1024
_BLOCK = 1024 * 1024


async def sha256_of(path: Path, on_bytes: Callable[[int], None] | None = None) -> str:
    """Hash a file in steps; a cancelled call leaves at most one short step running in its thread.

    Args:
        path: The file.
        on_bytes: Called with the bytes hashed so far, on the event loop.

    Returns:
        The hexadecimal digest.

    Raises:
        OSError: The file cannot be read.
    """
    digest = hashlib.sha256()
    offset = 0
    while step := await asyncio.to_thread(_add, path, offset, digest):
        offset += step
        if on_bytes is not None:
            on_bytes(offset)
    return digest.hexdigest()


def _add(path: Path, offset: int, digest: "hashlib._Hash") -> int:
    done = 0
    with path.open("rb") as file:
        file.seek(offset)
        while done < _STEP and (block := file.read(_BLOCK)):
            digest.update(block)
            done += len(block)
    return done


_FULL = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG})


def require_room(folder: Path, needed: int) -> None:
    """Check that a folder's disk has room.

    Args:
        folder: An existing folder.
        needed: Bytes that will be written.

    Raises:
        PullError: It has not.
    """
    free = shutil.disk_usage(folder).free
    if free < needed:
        raise PullError(
            _(
                "The disk of {folder} has {free} free; the model takes {needed}.",
                folder=folder,
                free=size(free),
                needed=size(needed),
            ),
            _("Make room, or keep the models elsewhere with SPOTUI_MODELS_DIR."),
        )


@contextmanager
def disk_errors(folder: Path) -> Iterator[None]:
    """Turn the operating system's errors while writing below a folder into ones a person can act on.

    Raises:
        PullError: The disk is full, or a file or the folder cannot be used.
    """
    try:
        yield
    except OSError as error:
        if error.errno in _FULL:
            raise PullError(
                _("The disk of {folder} is full.", folder=folder),
                _("Make room and run the same command again: it continues from here."),
            ) from error
        place = error.filename or folder
        raise PullError(
            _("{path} cannot be used: {reason}.", path=place, reason=error.strerror or error),
            _("Check its permissions."),
        ) from error
