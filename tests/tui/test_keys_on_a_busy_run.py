"""Keys typed as fast as they come, on a run that keeps the screen busy, reach what they are meant for."""

import asyncio
import random
import time
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, suppress
from itertools import islice
from pathlib import Path
from typing import NamedTuple

import pytest
from textual.events import Key
from textual.keys import _character_to_key
from textual.pilot import Pilot

from spotui.domain.commands import Command, Override, SetRounds
from spotui.domain.events import CallDelta, CallStarted, Event, RoundFinished, RoundStarted
from spotui.domain.records import CallKey
from spotui.settings import locations
from spotui.tui.app import SpotuiApp
from spotui.tui.run.screen import RunScreen
from spotui.workspace.projects import Workspace
from tests.command_line import move_in
from tests.tui.piloting import LARGE, drive, until, until_seen
from tests.tui.processes import Process, working
from tests.tui.projects import finished
from tests.view.test_picture import OPENED

SEQUENCES = 16
"""Each kind once; `benchmarks.keys` types 200."""

KEY = CallKey(round=3, purpose="answer", index=1)
PAST: list[Event] = [
    OPENED,
    RoundStarted(round=1),
    RoundFinished(round=1, outcome="seed", best=1),
    RoundStarted(round=2, best=1),
    RoundFinished(round=2, outcome="loss", best=1),
    RoundStarted(round=3, best=1),
]
WORDS = ("Is x so?", "nose", "los, x s y", "toss 12 boxes")
TEMPLATE = "prompt: Tell me.\nqa:\n  - question: Why?\n"


class Sequence(NamedTuple):
    """Keys, what the run should hear, and what else should have come of them."""

    keys: tuple[str, ...]
    heard: list[Command]
    holds: Callable[[SpotuiApp], object] = lambda _: True


def sequences(rng: random.Random) -> Iterator[Sequence]:
    """Each kind once, then each again, in another order and with other words."""
    while True:
        kinds = of_every_kind(
            rng.choice(WORDS), rng.choice(["plum", "moss", "chalk"]), rounds=rng.randint(5, 99)
        )
        rng.shuffle(kinds)
        yield from kinds


def of_every_kind(word: str, theme: str, rounds: int) -> list[Sequence]:
    """Something is opened, used and closed again; every letter would do something on the screen beneath."""
    return [
        Sequence(("ctrl+p", *f"Use the theme {theme}", "enter"), [], lambda app: app.theme == theme),
        Sequence(("ctrl+p", *word, "escape"), []),
        Sequence(("ctrl+p", *"Change rounds, budget", "enter", *"12", "escape"), []),
        Sequence(("ctrl+p", "f1", "ctrl+p", "escape", *word, "escape"), []),
        Sequence(("l", "home", "delete", *str(rounds), "enter"), [SetRounds(rounds=rounds)]),
        Sequence(("l", *word, "escape"), []),
        Sequence(("[", "o", "w", "]"), [Override(round=2, outcome="win")]),
        Sequence(("[", "o", "escape", "]"), []),
        Sequence(("s", "n"), []),
        Sequence(("s", "escape", "s", "n"), []),
        Sequence(("x", "p", *word, "escape"), []),
        Sequence(("b", *word, "escape"), []),
        Sequence(("t", "ctrl+u", *word, "escape"), [], lambda app: run(app)._question == word),
        Sequence(("?", *"sos", "escape"), []),
        Sequence(("a", *"xx", "escape"), []),
        Sequence(("1", "e", *word, "escape", "d", "2"), []),
    ]


def run(app: SpotuiApp) -> RunScreen:
    screen = app.screen
    assert isinstance(screen, RunScreen)
    return screen


@asynccontextmanager
async def busy(process: Process, rng: random.Random) -> AsyncIterator[None]:
    """A run that streams, and a screen that has hardly a moment for a key."""

    async def stream() -> None:
        process.say(CallStarted(key=KEY, at=time.time(), model="m"))
        while True:
            process.say(*[CallDelta(key=KEY, at=time.time(), text="so it goes ") for _ in range(20)])
            await asyncio.sleep(0.01)
            time.sleep(rng.choice([0, 0.005, 0.01, 0.02]))  # noqa: ASYNC251 - it is to keep the loop busy

    task = asyncio.create_task(stream())
    try:
        yield
    finally:
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task


def misdirected(folder: Path, count: int) -> list[str]:
    """Type sequences of keys on a busy run; those that did something other than what they are meant for.

    Args:
        folder: An empty folder.
        count: How many sequences.
    """
    workspace = Workspace(folder / "data" / "workspace")
    finished(workspace, "sea")
    (folder / "poem").write_text(TEMPLATE)
    rng = random.Random(11)
    wrong: list[str] = []

    async def journey(app: SpotuiApp, pilot: Pilot[None]) -> None:
        async with working(workspace.project("sea"), PAST) as process:
            app.open_project("sea")
            await until_seen(pilot, "round 3 of 4")
            async with busy(process, rng):
                for wanted in islice(sequences(random.Random(11)), count):
                    await take(app, pilot, process, wanted)

    async def take(app: SpotuiApp, pilot: Pilot[None], process: Process, wanted: Sequence) -> None:
        are_taken = asyncio.Event()
        for key in wanted.keys:
            is_letter = len(key) == 1
            app.post_message(Key(_character_to_key(key) if is_letter else key, key if is_letter else None))
        app.call_later(are_taken.set)
        await are_taken.wait()
        await until(pilot, lambda: not (app._typed or app._target or app._is_opening))
        try:
            await until(pilot, lambda: isinstance(app.screen, RunScreen))
            await until(pilot, lambda: len(process.heard) >= len(wanted.heard))
        except AssertionError:  # keys were dropped: what they opened is still open
            while not isinstance(app.screen, RunScreen):
                await app.pop_screen()
        if process.heard != wanted.heard or not wanted.holds(app):
            wrong.append(f"{wanted.keys}: the run heard {process.heard}")
        process.heard.clear()

    with pytest.MonkeyPatch.context() as patch:
        move_in(patch, folder)
        patch.chdir(folder)
        patch.setattr("spotui.tui.terminal.PATIENCE_SECONDS", 60.0)  # other work may slow the machine down
        drive(folder, journey, LARGE, workspace=workspace)
        if (folder / "poem").read_text() != TEMPLATE or locations.templates_dir().exists():
            wrong.append("A template was changed.")
    return wrong


def test_no_key_reaches_what_lies_beneath(tmp_path: Path) -> None:
    assert misdirected(tmp_path, SEQUENCES) == []
