"""The sha256 of a large file, without holding up the event loop."""

import asyncio
import hashlib
from collections.abc import Callable
from pathlib import Path

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
