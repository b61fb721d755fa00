"""Somebody who uses the app without a terminal, and complains of every screen that is not as it should be."""

import re
from collections.abc import Awaitable, Callable
from collections.abc import Set as AbstractSet
from pathlib import Path

from textual.pilot import Pilot
from textual.widgets import Input, TextArea

from spotui import lang
from spotui.settings.table import DEFAULT_MODEL
from spotui.tui.app import SpotuiApp
from spotui.workspace.projects import Workspace
from tests.journeys.inspection import catalogue, faults_of
from tests.journeys.tasks import MODEL, Task
from tests.tui.piloting import drive, seen, until

_SLOT = re.compile(r"\{[^}]*\}")
_FRAMES = re.compile(r"[\s│─╭╮╰╯▌▐▊▎]+")


class Traveller:
    """Presses keys, waits for sentences, and looks at every screen on the way.

    Args:
        app: The app.
        pilot: What drives it.
        task: What it is used for.
        data: Texts that are shown as they are.
        names: Words of names, which are too.

    Attributes:
        complaints: What is wrong on the way, and the screen on which it was first.
    """

    def __init__(
        self, app: SpotuiApp, pilot: Pilot[None], task: Task, data: str, names: AbstractSet[str]
    ) -> None:
        self.app = app
        self.pilot = pilot
        self.task = task
        self.data = data
        self.names = names
        self.complaints: dict[str, str] = {}

    async def press(self, *keys: str) -> None:
        """Press keys."""
        await self.pilot.press(*keys)

    async def sees(self, *texts: str) -> None:
        """Wait until texts are on the screen, wherever they are wrapped, and look at it."""
        await until(self.pilot, lambda: all(_bare(text) in self._seen for text in texts))
        await self.looks()

    @property
    def _seen(self) -> str:
        """The screen, and notifications, which are wrapped beside other texts."""
        return _bare("\n".join([seen(self.app), *(one.message for one in self.app._notifications)]))

    async def until(self, holds: Callable[[], object]) -> None:
        """Wait until something holds."""
        await until(self.pilot, holds)

    async def looks(self) -> None:
        """Note what is cut on the screen or in a foreign language."""
        await self.pilot.pause()
        for fault in faults_of(self.app, self.task.language, self.data, self.names):
            self.complaints.setdefault(fault, seen(self.app))

    async def types(self, field: str, text: str) -> None:
        """Paste a text into a field, by its id."""
        await until(self.pilot, lambda: self.app.screen.query(f"#{field}"))
        found = self.app.screen.query_one(f"#{field}")
        found.focus()
        if isinstance(found, TextArea):
            found.text = text
        elif isinstance(found, Input):
            found.value = text
        await self.pilot.pause()


Way = Callable[[Traveller], Awaitable[None]]


def travel(
    folder: Path, way: Way, size: tuple[int, int], task: Task, *names: str, workspace: Workspace
) -> None:
    """Take a way through the app; anything that a person would complain of fails the test.

    Args:
        folder: What everything is below.
        way: The way.
        size: Of the screen, in cells.
        task: What the traveller works on.
        names: Names that are shown on the way.
        workspace: What the app opens.
    """
    known = "\n".join([*names, task.texts, str(folder), DEFAULT_MODEL])
    words = {
        word for name in (*names, str(folder), MODEL, DEFAULT_MODEL) for word in re.findall("[A-Za-z]+", name)
    }

    async def journey(app: SpotuiApp, pilot: Pilot[None]) -> None:
        person = Traveller(app, pilot, task, known, words)
        await way(person)
        found = person.complaints
        assert not found, "\n".join([*found, *dict.fromkeys(found.values())])

    drive(folder, journey, size, workspace=workspace)


def _bare(text: str) -> str:
    return _FRAMES.sub("", text)


def said(beginning: str) -> str:
    """The longest piece without a slot of the sentence that begins so, in the traveller's language.

    Args:
        beginning: What the English sentence begins with; the shortest such sentence is meant.
    """
    english = min((one for one in catalogue() if one.startswith(beginning)), key=len)
    text = lang._(english) if "{" not in english else catalogue()[english] if _is_chinese() else english
    return max(_SLOT.split(text), key=len).strip()


def _is_chinese() -> bool:
    return str(lang._("finished")) != "finished"
