"""A run as the screen knows it: its process at the other end of a socket, its picture and its log."""

import asyncio
from collections.abc import Callable

from spotui import locations
from spotui.commands import Command, encode_command
from spotui.events import Event, RunStopped, decode_event
from spotui.view.picture import Picture
from spotui.view.retell import retell
from spotui.view.story import Story
from spotui.wire import connect
from spotui.workspace.history import History
from spotui.workspace.projects import Project


class RunClient:
    """What is known of one project's run.

    Args:
        project: The project.

    Attributes:
        picture: The run as it stands.
        story: Its log.
        is_attached: Whether a process works on it that can be told things.
    """

    def __init__(self, project: Project) -> None:
        self.project = project
        self.picture = Picture()
        self.story = Story()
        self.is_attached = False
        self._writer: asyncio.StreamWriter | None = None

    def recall(self, history: History) -> None:
        """Show what the project holds, without a process."""
        self.picture, self.story = Picture(), Story()
        for event in retell(self.project, history):
            self._take(event)

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
        self.picture, self.story, self.is_attached = Picture(), Story(), True
        on_open()
        try:
            while line := await reader.readline():
                event = decode_event(line)
                if event is None:
                    continue  # of a newer version: a listener ignores what it does not know
                self._take(event)
                if isinstance(event, RunStopped):
                    break
        finally:
            self.is_attached = False
            if self._writer is not None:
                self._writer.close()
            self._writer = None

    def send(self, command: Command) -> bool:
        """Tell the run something; False when no process works on it."""
        if self._writer is None:
            return False
        self._writer.write(encode_command(command))
        return True

    def _take(self, event: Event) -> None:
        self.picture.apply(event)
        self.story.apply(event)
