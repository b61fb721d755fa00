"""The offline tour: a recorded run, told again by a process of its own as if it went on now."""

import asyncio
import contextlib
from collections.abc import Callable

from spotui.own_process import command
from spotui.resources import tour_dir
from spotui.tui.run_client import RunClient
from spotui.workspace.projects import Workspace

SPEED = 15
"""Times as fast as it was: the eight minutes of the embedded model take half a minute."""

_LONGEST_EVENT = 64 * 1024 * 1024


class TourClient(RunClient):
    """What is known of the recorded run, as far as it has been told."""

    is_tour = True

    def __init__(self) -> None:
        folder = tour_dir()
        super().__init__(Workspace(folder.parent).project(folder.name))

    async def watch(self, on_open: Callable[[], None]) -> None:
        """Follow the recorded run, once."""
        await self.follow(on_open)
        on_open()

    async def follow(self, on_open: Callable[[], None]) -> None:
        """Take in the recorded run from its beginning to its end."""
        pipe = asyncio.subprocess.PIPE
        words = ["replay", self.project.name, "--workspace", str(self.project.folder.parent)]
        process = await asyncio.create_subprocess_exec(
            *command([*words, "--speed", str(SPEED), "--json"]),
            stdin=pipe,
            stdout=pipe,
            stderr=asyncio.subprocess.DEVNULL,
            limit=_LONGEST_EVENT,
            start_new_session=True,
        )
        assert process.stdout is not None  # noqa: S101 - it was asked for
        self._writer = process.stdin
        try:
            await self._listen(process.stdout, on_open)
        finally:
            with contextlib.suppress(ProcessLookupError):
                process.kill()
            await process.wait()
