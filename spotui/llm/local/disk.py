"""Room on the disk: asked for before, and explained when it runs out all the same."""

import errno
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from spotui.llm.local.errors import PullError

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
            f"The disk of {folder} has {_megabytes(free)} free; the model takes {_megabytes(needed)}.",
            "Make room, or keep the models elsewhere with SPOTUI_MODELS_DIR.",
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
                f"The disk of {folder} is full.",
                "Make room and run the same command again: it goes on from here.",
            ) from error
        place = error.filename or folder
        raise PullError(
            f"{place} cannot be used: {error.strerror or error}.", "Check its permissions."
        ) from error


def _megabytes(count: int) -> str:
    return f"{count / 1_000_000:,.0f} MB"
