"""A run as the screen knows it: its process at the other end of a socket, its picture and its log."""

import asyncio
import contextlib
import sys
from collections.abc import Callable

from spotui.domain.commands import Command, encode_command
from spotui.domain.event_lines import decode_event, encode_event
from spotui.domain.events import Event, RunStopped
from spotui.lang import _
from spotui.settings import locations
from spotui.settings.resources import tour_dir
from spotui.view.picture import Picture
from spotui.view.retell import retell
from spotui.view.story import Story
from spotui.wire.process import command
from spotui.wire.socket import NotRunningError, connect
from spotui.workspace.projects import Project, Workspace

LOOK_SECONDS = 2.0
_AT_ONCE = 50
"""Events taken in before the screen has a turn: a long run's past comes as one heap."""


class RunClient:
    """What is known of one project's run.

    Args:
        project: The project.

    Attributes:
        picture: The run as it stands.
        story: Its log.
        is_attached: Whether a process works on it that takes commands.
        is_tour: Whether it is a recording, which takes no commands and nothing can be made from.
        changes: Counts what was taken in, so that a screen knows when there is nothing new to paint.
    """

    is_tour = False

    def __init__(self, project: Project) -> None:
        self.project = project
        self.picture = Picture()
        self.story = Story()
        self.is_attached = False
        self.changes = 0
        self._writer: asyncio.StreamWriter | None = None
        self._look_now = asyncio.Event()
        self._gone = asyncio.Event()

    async def watch(self, on_open: Callable[[], None]) -> None:
        """Follow the run whenever a process works on it, whoever started it; in between show what it left.

        Args:
            on_open: Called when the picture and the log begin anew, and when a process has gone.

        Raises:
            SpotuiError: The project cannot be read, or its process is of a newer version.
        """
        is_told = False
        while True:
            try:
                await self.follow(on_open)
                is_told = True
                on_open()
            except NotRunningError:
                if not is_told:
                    await self._recall()
                    is_told = True
                    on_open()
            self._look_now.clear()
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._look_now.wait(), LOOK_SECONDS)
                is_told = False  # the process that was started may have ended already

    def retell(self) -> bool:
        """Tell again what is known, in the language that is used now.

        Returns:
            Whether it could; otherwise the run has to be followed anew.
        """
        return False

    def look(self) -> None:
        """Look at once what works on the project, or what it left; a process has just been started."""
        self._look_now.set()

    async def wait_gone(self) -> None:
        """Wait until the process that works on the project has gone."""
        await self._gone.wait()

    async def follow(self, on_open: Callable[[], None]) -> None:
        """Take in the run's story from its beginning until its process ends.

        Args:
            on_open: Called once the picture and the log begin anew.

        Raises:
            NotRunningError: No process works on the project.
            WireError: The process is of a newer version.
        """
        reader, self._writer = await connect(locations.socket_path(self.project.folder), self.project.name)
        await self._listen(reader, on_open)

    async def _listen(self, reader: asyncio.StreamReader, on_open: Callable[[], None]) -> None:
        try:
            line = await _next(reader)
            if not line:  # it was just ending
                raise NotRunningError(
                    _("Nothing is running in {project} any more.", project=self.project.name)
                )
            self.picture, self.story, self.is_attached = Picture(), Story(), True
            self._gone.clear()
            on_open()
            while line:
                event = decode_event(line)
                if event is not None:  # of a newer version: a listener ignores what it does not know
                    self.take(event)
                if isinstance(event, RunStopped):
                    break
                if not self.changes % _AT_ONCE:
                    await asyncio.sleep(0)
                line = await _next(reader)
        finally:
            self._let_go()

    def _let_go(self) -> None:
        self.is_attached = False
        self.picture.end_calls()
        self.story.end_calls()
        self._gone.set()
        self.changes += 1
        if self._writer is not None:
            self._writer.close()
        self._writer = None

    async def _recall(self) -> None:
        self.picture, self.story = await asyncio.to_thread(_remembered, self.project)
        self.changes += 1

    def send(self, command: Command) -> bool:
        """Tell the run something; False when no process works on it."""
        sys.audit("spotui.send", command)  # a process that may only look refuses it
        if self._writer is None:
            return False
        self._writer.write(encode_command(command))
        return True

    def take(self, event: Event) -> None:
        """Let an event change what is known."""
        self.changes += 1
        self.picture.apply(event)
        self.story.apply(event)


async def _next(reader: asyncio.StreamReader) -> bytes:
    """The next whole line; empty when there is none, as after the process was killed in the middle of one."""
    try:
        line = await reader.readline()
    except ConnectionError:
        return b""
    return line if line.endswith(b"\n") else b""


def _remembered(project: Project) -> tuple[Picture, Story]:
    from spotui.workspace.history import read_history

    picture, story = Picture(), Story()
    for event in retell(project, read_history(project)):
        picture.apply(event)
        story.apply(event)
    return picture, story


SPEED = 1
"""Times as fast as it was; its captions take about as long to read."""

_LONGEST_EVENT = 64 * 1024 * 1024


class TourClient(RunClient):
    """What is known of the recorded run, as far as it has been played."""

    is_tour = True

    def __init__(self) -> None:
        folder = tour_dir()
        super().__init__(Workspace(folder.parent).project(folder.name))
        self._events: list[Event] = []

    def take(self, event: Event) -> None:
        """Let an event change what is known, and keep it: a recording is not played twice."""
        self._events.append(event)
        super().take(event)

    def retell(self) -> bool:
        """Tell what was played so far again; what an event says in words is translated when it is read."""
        events, self._events = self._events, []
        self.picture, self.story = Picture(), Story()
        for event in events:
            self.take(decode_event(encode_event(event)) or event)
        return True

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
