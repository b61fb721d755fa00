"""A race that is about to be started: who takes part, and what it would take."""

import asyncio
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

from spotui.errors import SpotuiError
from spotui.own_process import OwnRace
from spotui.tui.method.known import Told, typed
from spotui.tui.new_run import Choices, Expected, expect, wait_for
from spotui.workspace.create import check_free
from spotui.workspace.projects import Workspace
from spotui.workspace.race_file import RaceFolder


class Entrants(NamedTuple):
    """Who races, and what each is told.

    Attributes:
        methods: As they were typed, with commas between them.
        told: As it was typed: METHOD.NAME=VALUE, with blanks between them.
    """

    methods: str
    told: str = ""

    @property
    def words(self) -> list[str]:
        """As options of the command line."""
        return [f"--methods={self.methods}", *(f"--set={one}" for one in self.told.split())]

    @property
    def each(self) -> list[Told]:
        """Every method with what it is told."""
        names = [name.strip() for name in self.methods.split(",") if name.strip()]
        return [Told(name, self._of(name)) for name in dict.fromkeys(names)]

    def _of(self, method: str) -> dict[str, str | int | float | bool | None]:
        own = (one.removeprefix(f"{method}.") for one in self.told.split() if one.startswith(f"{method}."))
        pairs = (one.partition("=") for one in own)
        return {name: typed(value) for name, _, value in pairs}


async def expect_race(
    workspace: Workspace, template: Path, entrants: Entrants, choices: Choices
) -> list[tuple[str, Expected]]:
    """Estimate the run of every method; asks no model.

    Raises:
        SpotuiError: The template, a choice or a method is wrong.
    """
    each = entrants.each
    if len(each) < 2:
        raise SpotuiError("A race takes two methods.", "Write such as spo,gpo,gradsum.")
    found = await asyncio.gather(*(expect(workspace, template, choices._replace(method=one)) for one in each))
    return [(one.method, expected) for one, expected in zip(each, found, strict=True)]


async def begin_race(
    race: RaceFolder, template: Path, entrants: Entrants, choices: Choices, tell: Callable[[str], None]
) -> None:
    """Start a race's own process, and wait until it works.

    Args:
        race: What is to be made.
        template: From what.
        entrants: Who takes part.
        choices: What all of them use.
        tell: Called with what it says while it prepares.

    Raises:
        SpotuiError: It did not start, and why.
    """
    check_free(race.workspace, race.name)
    if race.exists:
        raise SpotuiError(f"There is a race {race.name!r} already.", "Choose another name.")
    words = ["race", str(template), f"--name={race.name}", *entrants.words, *choices.words]
    await start_race(race, words, tell)


async def start_race(race: RaceFolder, words: list[str], tell: Callable[[str], None]) -> None:
    """Begin a race, or go on with it.

    Raises:
        SpotuiError: It did not start, and why.
    """
    await wait_for(await asyncio.to_thread(OwnRace, race, words), tell)
