"""A race as one table: from a template, while it goes on, afterwards, and after it was broken off."""

import re
from collections.abc import Iterator
from pathlib import Path
from threading import Event

import pytest
from textual.pilot import Pilot
from textual.widgets import Input

from spotui.settings import locations
from spotui.tui.app import SpotuiApp
from spotui.tui.home.screen import HomeScreen
from spotui.tui.race.new import NewRaceScreen
from spotui.tui.race.screen import RaceScreen
from spotui.tui.run.screen import RunScreen
from spotui.tui.table_view import TableView
from spotui.wire import process as own_process
from spotui.workspace.projects import Workspace
from spotui.workspace.race_file import RaceFolder, RaceRecord, race_names
from tests.command_line import move_in, write_template
from tests.model_server import JsonObject, ModelServer, faults
from tests.row_model import kind_of, rows, template, unending
from tests.tui.piloting import LARGE, SMALL, drive, seen, until, until_seen, until_told, workspace_in

GATE = Event()
TOLD = "gpo.max_steps=1 gpo.candidates_per_step=2 ape.max_steps=1 ape.candidates_per_step=2"


def _is_held(request: JsonObject) -> bool:
    return kind_of(request) == "propose" and not GATE.is_set()


@pytest.fixture
def workspace(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Workspace]:
    monkeypatch.chdir(tmp_path)
    GATE.set()
    with ModelServer(unending, faults=faults.when(_is_held, faults.status(401, "Not yet."))) as server:
        move_in(monkeypatch, tmp_path, OPENAI_API_KEY="sk-the-key", OPENAI_BASE_URL=server.base_url)
        folder = locations.templates_dir()
        folder.mkdir(parents=True)
        write_template(folder, template(), "adding.yaml")
        (folder / "rows.jsonl").write_text(rows(60))
        yield Workspace(workspace_in(tmp_path))
        for process in own_process._children:
            process.kill()
            process.wait()


async def new_race(app: SpotuiApp, pilot: Pilot[None], methods: str = "gpo,ape") -> None:
    await until_seen(pilot, "adding")
    app.screen.query_one("TemplatesPanel").select_named("adding")  # type: ignore[attr-defined]
    await pilot.press("tab", "c")
    await until(pilot, lambda: isinstance(app.screen, NewRaceScreen))
    for field, text in (("methods", methods), ("parameters", TOLD), ("model", "test-model")):
        app.screen.query_one(f"#{field}", Input).value = text


def expected_calls(shown: str) -> dict[str, list[int]]:
    """Of each method, and of both: those of every role, and all of them."""
    row = r"(gpo|ape|in all) +([\d,]+) +([\d,]+) +([\d,]+) +([\d,]+) "
    return {name: [int(one.replace(",", "")) for one in of] for name, *of in re.findall(row, shown)}


def test_a_race_is_one_table_from_its_start_to_what_the_test_says(
    workspace: Workspace, tmp_path: Path
) -> None:
    async def journey(app: SpotuiApp, pilot: Pilot[None]) -> None:
        await new_race(app, pilot)
        await until_told(pilot, "optimizer evaluator executor calls tokens USD time", "in all")
        await until(pilot, lambda: len(expected_calls(seen(app))) == 3)
        calls = expected_calls(seen(app))
        assert calls["gpo"][-1] == calls["ape"][-1] == 110
        assert all(sum(roles) == whole for *roles, whole in calls.values())
        assert calls["in all"] == [sum(pair) for pair in zip(calls["gpo"], calls["ape"], strict=True)]
        await pilot.press("enter")
        await until(pilot, lambda: isinstance(app.screen, RaceScreen))
        await until_seen(pilot, "adding-race  race on adding.yaml  finished", "Row by row on 36 test rows:")
        await until_told(pilot, "chance")
        assert sorted(app.screen.query_one(TableView).keys) == ["ape", "gpo"]
        facts = ("+30.6 (+12.8 to +45.1)",)
        for size in (SMALL, LARGE):
            await pilot.resize_terminal(*size)
            await until_seen(pilot, "Winner: ", "66.7", *facts)
            assert re.search(r"method +gain on the seed +test", seen(app))
            await until_seen(pilot, "Gain on the seed in points", "├", "┤")
            lines = [line for line in seen(app).splitlines() if line.strip().startswith(("gpo ", "ape "))]
            lines = [line for line in lines if "2 of 2" in line]
            assert len(lines) == 2
            assert all(fact in line for line in lines for fact in ("finished", "66.7", *facts))
        await pilot.press("c")
        await until_told(pilot, "gpo answers", "The difference is", "expected")
        await pilot.press("right_square_bracket")
        await until_told(pilot, "on the seed is +30.6 (+12.8 to +45.1)", "▲ won")
        table = app.screen.query_one(TableView)
        assert len(table.keys) == 36
        await pilot.press("slash", *"won")
        assert 0 < len(table.keys) < 36
        await pilot.press("x")  # into the filter
        assert table.keys == []
        await pilot.press("escape", "x")
        await until_told(pilot, "seed against")
        await pilot.press("escape")
        await pilot.press("end", "enter")
        await until(pilot, lambda: isinstance(app.screen, RunScreen))
        await until_seen(pilot, "adding-race/", "finished")
        await pilot.press("escape")
        await until(pilot, lambda: isinstance(app.screen, RaceScreen))
        await pilot.press("escape")
        await until(pilot, lambda: isinstance(app.screen, HomeScreen))
        # And again from one of its runs.
        app.screen.query_one("#projects", TableView).focus()
        await until(pilot, lambda: "adding-race/ape" in app.screen.query_one("#projects", TableView).keys)
        app.screen.query_one("#projects", TableView).select("adding-race/ape")
        await pilot.press("c")
        await until_seen(pilot, "adding-race  race on", "Row by row")

    drive(tmp_path, journey, SMALL, workspace=workspace)
    assert race_names(workspace) == ["adding-race"]


def test_a_run_of_a_race_can_be_watched_and_steered_while_it_goes_on(
    workspace: Workspace, tmp_path: Path
) -> None:
    GATE.clear()

    async def journey(app: SpotuiApp, pilot: Pilot[None]) -> None:
        await new_race(app, pilot)
        await until_told(pilot, "Expected, one after another:", "in all")
        await pilot.press("enter")
        await until_seen(pilot, "adding-race  race on adding.yaml  running", "waiting")
        await until_seen(pilot, "1 of 2")
        app.screen.query_one(TableView).select("ape")
        await pilot.press("enter")
        await until_seen(pilot, "ape has not begun yet.")
        app.screen.query_one(TableView).select("gpo")
        await pilot.press("enter")
        await until_seen(pilot, "adding-race/gpo  GPO  round 2 of 2  paused")
        await pilot.press("escape")
        await until_seen(pilot, "No method has a better prompt than the seed yet", "██")
        await pilot.press("s", "y")
        await until_seen(pilot, "not running", "Press space to resume it", "stopped", "waiting")
        GATE.set()
        await pilot.press("space")
        await until_seen(pilot, "race on adding.yaml  finished", "Row by row on 36 test rows:")

    drive(tmp_path, journey, LARGE, workspace=workspace)


def test_a_race_that_was_broken_off_before_it_began_goes_on(workspace: Workspace, tmp_path: Path) -> None:
    race = RaceFolder(workspace, "early")
    path = locations.templates_dir() / "adding.yaml"
    sets = [f"--set={one}" for one in TOLD.split()]
    words = ("race", str(path), "--methods=gpo,ape", "--model=test-model", *sets)
    race.write(RaceRecord(template="adding.yaml", methods=("gpo", "ape"), words=words))

    async def journey(app: SpotuiApp, pilot: Pilot[None]) -> None:
        app.push_screen(RaceScreen(race))
        await until_seen(pilot, "not running", "waiting")
        await pilot.press("space")
        await until_seen(pilot, "finished", "Row by row on 36 test rows:")

    drive(tmp_path, journey, LARGE, workspace=workspace)


def test_what_cannot_race_is_said_before_the_start(workspace: Workspace, tmp_path: Path) -> None:
    workspace.project("adding-race").folder.mkdir()

    async def journey(app: SpotuiApp, pilot: Pilot[None]) -> None:
        await new_race(app, pilot, "gpo")
        await until_told(pilot, "A race needs at least two methods.")
        app.screen.query_one("#methods", Input).value = "gpo,annealing"
        await until_told(pilot, "Unknown method 'annealing'.")
        app.screen.query_one("#methods", Input).value = "gpo,ape"
        await until_told(pilot, "Expected, one after another:", "in all")
        assert app.screen.query_one("#name", Input).value == "adding-race-2"
        await pilot.press("ctrl+t")
        await until_told(pilot, "There is no budget to share", "Set one above", "Budget, calls")
        app.screen.query_one("#calls", Input).value = "100"
        await until_told(pilot, "The budget of 25 calls may not cover", "continues with the rest")
        assert "--continue" in app.screen._entrants.words  # type: ignore[attr-defined]
        await pilot.press("ctrl+t")
        await until_told(pilot, "The budget of 100 calls may not cover", "Budget each, calls")
        app.screen.query_one("#rounds", Input).value = "0"
        await until_told(pilot, "Rounds must be a whole number from 1 to 10000, not 0.")
        app.screen.query_one("#name", Input).value = "a/b/c"
        await pilot.press("enter")
        await until_told(pilot, "'a/b/c' cannot be a project's name.")
        await pilot.press("escape")
        await until(pilot, lambda: isinstance(app.screen, HomeScreen))

    drive(tmp_path, journey, workspace=workspace)
