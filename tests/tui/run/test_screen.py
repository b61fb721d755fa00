"""The screen of a run: its four panels, and the ways through them, with real processes behind it."""

import threading
from collections.abc import Iterator
from pathlib import Path
from threading import Event

import pytest
from textual.pilot import Pilot
from textual.widgets import Input, TextArea

from spotui.cli import main
from spotui.domain.events import RoundStarted
from spotui.settings import locations
from spotui.tui.app import SpotuiApp
from spotui.tui.home.screen import HomeScreen
from spotui.tui.run.diff_panel import DiffPanel
from spotui.tui.run.log_panel import LogPanel
from spotui.tui.run.screen import RunScreen
from spotui.tui.table_view import TableView
from spotui.wire import process as own_process
from spotui.workspace.history import History, read_history
from spotui.workspace.projects import Workspace
from tests.command_line import HELD_OUT, TEMPLATE, move_in, write_template
from tests.model_server import JsonObject, ModelServer, Persona, Scripted, faults
from tests.spo_model import climbing, execute, prefer_higher_style, propose, role_of
from tests.tui.piloting import LARGE, SMALL, drive, seen, until, until_seen, until_told
from tests.tui.processes import working
from tests.tui.projects import damage
from tests.view.test_picture import OPENED

SIZES = pytest.mark.parametrize("size", [SMALL, LARGE], ids=["small", "large"])


@pytest.fixture(autouse=True)
def nothing_stays(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """What a test writes goes below its folder, and what it starts ends with it."""
    monkeypatch.chdir(tmp_path)
    yield
    for process in own_process._children:
        process.kill()
        process.wait()


async def open_run(app: SpotuiApp, pilot: Pilot[None], *texts: str, name: str = "why") -> RunScreen:
    """The screen of a project, once it says so."""
    app.open_project(name)
    await until_seen(pilot, *texts)
    assert isinstance(app.screen, RunScreen)
    return app.screen


def table(screen: RunScreen) -> TableView:
    return screen.query_one(TableView)


def hints(app: SpotuiApp) -> str:
    return seen(app).splitlines()[-1]


def ended(workspace: Workspace, name: str = "why") -> History:
    return read_history(workspace.project(name))


@SIZES
def test_every_panel_follows_the_selected_round(
    workspace: Workspace, tmp_path: Path, size: tuple[int, int]
) -> None:
    async def journey(app: SpotuiApp, pilot: Pilot[None]) -> None:
        screen = await open_run(app, pilot, "round 3 of 3  finished", "Best: round 3", "Stopped: finished")
        diff, log = screen.query_one(DiffPanel), screen.query_one(LogPanel)
        assert screen.selected == 0
        await pilot.press("left_square_bracket")
        await until(
            pilot, lambda: table(screen).current == "2" and "seed → round 2" in str(diff.border_title)
        )
        if size == LARGE:
            await until_seen(pilot, "Ask for style 1.")
        assert log.query_one("LogView").scroll_y > 0
        await pilot.press("left_square_bracket", "left_square_bracket")
        await until(pilot, lambda: screen.selected == 1 and "Prompt of seed" in str(diff.border_title))
        await until_seen(pilot, "Round 1  the seed prompt")
        await pilot.press("right_square_bracket", "right_square_bracket", "right_square_bracket")
        await until(pilot, lambda: screen.selected == 0 and "round 2 → round 3" in str(diff.border_title))

    drive(tmp_path, journey, size, workspace=workspace)


def test_any_two_rounds_can_be_compared(workspace: Workspace, tmp_path: Path) -> None:
    async def journey(app: SpotuiApp, pilot: Pilot[None]) -> None:
        screen = await open_run(app, pilot, "Best: round 3")
        diff = screen.query_one(DiffPanel)

        async def compared(names: str) -> None:
            await until(pilot, lambda: names in str(diff.border_title))

        await compared("Diff  round 2 → round 3")
        await pilot.press("3", "d")
        await compared("Diff  seed → round 3")
        await until_seen(pilot, "Answer the question. in style 2, with")
        await pilot.press("v")
        await until(pilot, lambda: diff.is_split and "Answer the question. in" not in seen(app))
        assert any("Answer the" in line and "Answer in" in line for line in seen(app).splitlines())
        await pilot.press("v", "d")
        await compared("Diff  round 2 → round 3")
        # Compare with a round of one's choice: the newer one stands first here.
        await pilot.press("4", "m", "home")
        await compared("Diff  round 3 → seed")
        await until_seen(pilot, "compared with round 3")
        await pilot.press("end", "m")
        await compared("Diff  round 2 → round 3")

    drive(tmp_path, journey, SMALL, workspace=workspace)


def test_a_small_screen_shows_one_panel_and_the_names_of_all(workspace: Workspace, tmp_path: Path) -> None:
    async def journey(app: SpotuiApp, pilot: Pilot[None]) -> None:
        await open_run(app, pilot, "1 Template  2 Log   3 Diff  4 Rounds", "Stopped: finished")
        for key, text in (
            ("1", "requirements: Be correct"),
            ("3", "Answer in style"),
            ("4", "verdict"),
            ("2", "Stopped"),
        ):
            await pilot.press(key)
            await until_seen(pilot, text)
        assert "verdict" not in seen(app)
        await pilot.click("PanelTabs", offset=(32, 0))
        await until_seen(pilot, "verdict")
        await pilot.resize_terminal(*LARGE)
        await until_seen(pilot, "─ Template", "─ Log", "─ Diff", "─ Rounds")
        await pilot.resize_terminal(*SMALL)
        await until_seen(pilot, "1 Template  2 Log  3 Diff  4 Rounds")

    drive(tmp_path, journey, SMALL, workspace=workspace)


def test_panels_can_be_resized_and_one_can_have_the_whole_screen(
    workspace: Workspace, tmp_path: Path
) -> None:
    async def journey(app: SpotuiApp, pilot: Pilot[None]) -> None:
        screen = await open_run(app, pilot, "Stopped: finished")
        log = screen.query_one(LogPanel)
        before = log.size
        await pilot.press("less_than_sign", "plus")
        await until(pilot, lambda: log.size.width > before.width and log.size.height > before.height)
        await pilot.press(*["greater_than_sign"] * 7, "minus", "minus")
        await until(pilot, lambda: log.size.width < 15 and log.size.height < before.height)
        await pilot.press("z")
        await until(pilot, lambda: log.size.width > 100)
        await pilot.press("z")
        await until(pilot, lambda: log.size.width < 15)
        await pilot.press("4", "z", "escape")
        await until(pilot, lambda: screen.maximized is None)
        assert app.screen is screen
        await pilot.press("escape")
        await until(pilot, lambda: isinstance(app.screen, HomeScreen))

    drive(tmp_path, journey, workspace=workspace)


def test_the_prompt_of_the_selected_round_is_copied(
    workspace: Workspace, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def journey(app: SpotuiApp, pilot: Pilot[None]) -> None:
        copied: list[str] = []
        monkeypatch.setattr(app, "copy_to_clipboard", copied.append)
        await open_run(app, pilot, "Best: round 3")
        await pilot.press("y", "left_square_bracket", "left_square_bracket", "y")
        assert copied == ["Answer in style 2, with reasons.", "Answer the question."]

    drive(tmp_path, journey, workspace=workspace)


def test_from_a_template_to_an_exported_better_prompt(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, model: ModelServer
) -> None:
    move_in(monkeypatch, tmp_path, OPENAI_API_KEY="sk-the-key", OPENAI_BASE_URL=model.base_url)
    locations.templates_dir().mkdir(parents=True)
    write_template(locations.templates_dir(), TEMPLATE + HELD_OUT)
    workspace = Workspace(tmp_path / "data" / "workspace")
    workspace.project("older").results.parent.mkdir(parents=True)
    workspace.project("older").results.write_text("[]")

    async def journey(app: SpotuiApp, pilot: Pilot[None]) -> None:
        await until_seen(pilot, "older", "Templates")
        await pilot.press("tab", "home", "enter")
        await until_seen(pilot, "New run of why.yaml")
        for field, text in (("name", "mine"), ("model", "test-model"), ("rounds", "3")):
            app.screen.query_one(f"#{field}", Input).value = text
        await until_seen(pilot, "Expected: about", "Executor           test-model")
        await pilot.press("enter")
        await until_seen(
            pilot, "round 3 of 3  finished", "Best: round 3. Improvement: better than the seed on 4 of 4"
        )
        assert "1:0" in seen(app) or "3:0" in seen(app)
        await pilot.press("x", "p")
        await until_seen(pilot, "Write to")
        await pilot.press("enter")
        await until_seen(pilot, "Wrote ")

    drive(tmp_path, journey, LARGE, workspace=workspace)
    assert (tmp_path / "mine.txt").read_text() == "Answer in style 2, with reasons.\n"
    assert ended(workspace, "mine").state == "ended"


def test_a_run_is_paused_left_found_again_and_goes_on(
    workspace: Workspace, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The run holds at its next answer until the test lets it go."""
    released = Event()

    def wait(request: JsonObject) -> str | Scripted:
        reply = climbing(request)
        return reply if released.is_set() else Scripted(text=str(reply), delay=0.2)

    async def leave(app: SpotuiApp, pilot: Pilot[None]) -> None:
        await open_run(app, pilot, "Best: round 3", "space resume")
        await pilot.press("space")
        await until_seen(pilot, "All 3 rounds have ended. How many in all?")
        app.screen.query_one("#rounds", Input).value = "5"
        await pilot.press("enter")
        await until_seen(pilot, "of 5  running")
        await pilot.press("space")
        await until_seen(pilot, "paused", "Paused by the user.")
        await pilot.press("escape")
        await until(pilot, lambda: isinstance(app.screen, HomeScreen))
        await until_seen(pilot, "paused")

    async def come_back(app: SpotuiApp, pilot: Pilot[None]) -> None:
        released.set()
        await open_run(app, pilot, "paused", "Paused by the user.", "space resume")
        await pilot.press("space")
        await until_seen(pilot, "round 5 of 5  finished", "Best: round 5")

    with ModelServer(wait) as server:
        monkeypatch.setenv("OPENAI_BASE_URL", server.base_url)
        drive(tmp_path, leave, workspace=workspace)
        assert ended(workspace).state == "paused"
        drive(tmp_path, come_back, SMALL, workspace=workspace)
    history = ended(workspace)
    assert [line.round for line in history.rounds] == [1, 2, 3, 4, 5]
    assert history.limits["rounds"] == 5


def test_a_person_edits_overrides_and_limits_while_the_run_goes_on(
    workspace: Workspace, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked_to_wait = threading.Event()

    def patient(request: JsonObject) -> Scripted:
        asked_to_wait.wait(60.0)  # no other call is on its way
        return Scripted(text=propose(request), delay=0.3)

    async def journey(app: SpotuiApp, pilot: Pilot[None]) -> None:
        screen = await open_run(app, pilot, "Best: round 3")
        await pilot.press("space")
        await until_seen(pilot, "How many in all?")
        app.screen.query_one("#rounds", Input).value = "4"
        await pilot.press("enter")
        await until_seen(pilot, "round 4 of 4  running")
        await pilot.press("n")
        asked_to_wait.set()
        await until_seen(pilot, "Candidate of round 4", "Answer in style 3, with reasons.")
        await pilot.press("escape")
        await until_seen(pilot, "paused")
        # The run stands still: whatever is told now comes before the candidate is executed.
        await pilot.press("left_square_bracket", "o", "l")
        await until(pilot, lambda: screen._client.picture.rounds[3].outcome == "loss")
        await pilot.press("l")
        await until_seen(pilot, "Limits of why")
        app.screen.query_one("#calls", Input).value = "900"
        await pilot.press("enter")
        await until(pilot, lambda: screen._client.picture.limits["calls"] == 900)
        await pilot.press("right_square_bracket", "n")
        await until_seen(pilot, "Candidate of round 4")
        app.screen.query_one(TextArea).text = "Answer in style 9, by hand."
        await pilot.press("ctrl+s")
        await until_seen(pilot, "round 4 of 4  finished")

    persona = Persona(role_of, propose=patient, execute=execute, judge=prefer_higher_style)
    with ModelServer(persona) as server:
        monkeypatch.setenv("OPENAI_BASE_URL", server.base_url)
        drive(tmp_path, journey, workspace=workspace)
    third, fourth = ended(workspace).rounds[2:]
    assert (third.outcome, fourth.edited, fourth.prompt) == ("loss", True, "Answer in style 9, by hand.")
    assert ended(workspace).limits["calls"] == 900


def test_limits_of_a_run_at_rest_are_those_it_goes_on_with(workspace: Workspace, tmp_path: Path) -> None:
    async def journey(app: SpotuiApp, pilot: Pilot[None]) -> None:
        await open_run(app, pilot, "Best: round 3")
        await pilot.press("l")
        await until_seen(pilot, "Limits of why", "The run is not running")
        app.screen.query_one("#rounds", Input).value = "4"
        app.screen.query_one("#calls", Input).value = "900"
        app.screen.query_one("#concurrency", Input).value = "1"
        await pilot.press("enter")
        await until_seen(pilot, "round 4 of 4  finished", "of 900")

    drive(tmp_path, journey, workspace=workspace)
    assert dict(ended(workspace).limits) == {"rounds": 4, "calls": 900, "concurrency": 1}


def test_a_run_that_cannot_go_on_says_why(workspace: Workspace, tmp_path: Path) -> None:
    """The limits are below what was used already."""

    async def journey(app: SpotuiApp, pilot: Pilot[None]) -> None:
        await open_run(app, pilot, "Best: round 3")
        await pilot.press("l")
        await until_seen(pilot, "Limits of why")
        app.screen.query_one("#rounds", Input).value = "2"
        await pilot.press("enter")
        await until_seen(pilot, "why did not start:", "why has 3 rounds already, more than 2.")
        await until_seen(pilot, "finished", "space resume")

    drive(tmp_path, journey, workspace=workspace)


def test_a_run_whose_budget_is_spent_asks_how_much_more_it_may_take(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, model: ModelServer
) -> None:
    move_in(monkeypatch, tmp_path, OPENAI_API_KEY="sk-the-key", OPENAI_BASE_URL=model.base_url)
    words = ("--model", "test-model", "--max-rounds", "3", "--budget-calls", "17")
    assert main(["run", write_template(tmp_path), *words]) == 4
    workspace = Workspace(tmp_path / "data" / "workspace")

    async def journey(app: SpotuiApp, pilot: Pilot[None]) -> None:
        await open_run(app, pilot, "budget", "The budget of 17 calls is spent")
        await pilot.press("space")
        await until_seen(pilot, "How much may it be in all?")
        await pilot.press("enter")  # as much as before: it would end where it ended
        await until(pilot, lambda: isinstance(app.screen, RunScreen))
        await pilot.press("space")
        await until_seen(pilot, "How much may it be in all?")
        app.screen.query_one("#calls", Input).value = ""
        await pilot.press("enter")
        await until_seen(pilot, "round 3 of 3  finished")

    drive(tmp_path, journey, workspace=workspace)
    assert len(ended(workspace).rounds) == 3


def test_a_branch_goes_on_from_the_selected_round(workspace: Workspace, tmp_path: Path) -> None:
    async def journey(app: SpotuiApp, pilot: Pilot[None]) -> None:
        await open_run(app, pilot, "Best: round 3")
        await pilot.press("left_square_bracket", "b")
        await until_seen(pilot, "Branch from round 2", "why-2")
        await pilot.press(*"why-2b", "enter")
        await until_seen(pilot, "why-2b  SPO  round 2 of 3")
        assert isinstance(app.screen, RunScreen)
        await pilot.press("space")
        await until_seen(pilot, "why-2b  SPO  round 3 of 3  finished")

    drive(tmp_path, journey, workspace=workspace)
    assert len(ended(workspace, "why-2b").rounds) == 3
    assert len(ended(workspace).rounds) == 3


def test_a_refused_key_pauses_the_run_and_space_goes_on(
    workspace: Workspace, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    is_mended = Event()

    def refuse(*_: object) -> faults.Fault | None:
        return None if is_mended.is_set() else faults.status(401, "Incorrect API key provided.")

    async def journey(app: SpotuiApp, pilot: Pilot[None]) -> None:
        await open_run(app, pilot, "Best: round 3")
        await pilot.press("space")
        await until_seen(pilot, "How many in all?")
        app.screen.query_one("#rounds", Input).value = "4"
        await pilot.press("enter")
        await until_seen(pilot, "round 4 of 4  paused: ", "space resume")
        await until_told(pilot, "does not accept the key")
        is_mended.set()
        await pilot.press("space")
        await until_seen(pilot, "round 4 of 4  finished", "Best: round 4")

    with ModelServer(climbing, faults=refuse) as server:
        monkeypatch.setenv("OPENAI_BASE_URL", server.base_url)
        drive(tmp_path, journey, SMALL, workspace=workspace)


def test_a_dead_endpoint_pauses_the_run_and_one_that_answers_again_ends_it(
    workspace: Workspace, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with ModelServer(climbing) as gone:
        url = gone.base_url
    monkeypatch.setenv("OPENAI_BASE_URL", url)
    settings = workspace.project("why").snapshot
    patient = settings.read_text()
    assert "tries: 5" in patient
    settings.write_text(patient.replace("tries: 5", "tries: 1"))

    async def journey(app: SpotuiApp, pilot: Pilot[None]) -> None:
        await open_run(app, pilot, "Best: round 3")
        await pilot.press("space")
        await until_seen(pilot, "How many in all?")
        app.screen.query_one("#rounds", Input).value = "4"
        await pilot.press("enter")
        await until_seen(pilot, "round 4 of 4  paused: ", "space resume")
        await until_told(pilot, "Cannot reach test-model at http://127.0.0.1:")
        with ModelServer(climbing, port=int(url.rsplit(":")[-1].split("/")[0])):
            await pilot.press("space")
            await until_seen(pilot, "round 4 of 4  finished")

    drive(tmp_path, journey, workspace=workspace)


def test_a_damaged_journal_is_told_and_the_app_goes_on(workspace: Workspace, tmp_path: Path) -> None:
    damage(workspace.project("why"))

    async def journey(app: SpotuiApp, pilot: Pilot[None]) -> None:
        await open_run(app, pilot, "Line 3 of")
        await until_told(pilot, "is damaged", "take that one out by hand, or restore a backup.")
        app.clear_notifications()
        await until_seen(pilot, "why: Line 3 of ")
        await pilot.press("n", "x", "escape")
        await until(pilot, lambda: isinstance(app.screen, HomeScreen))

    drive(tmp_path, journey, workspace=workspace)


def test_the_tour_can_be_watched_and_nothing_be_made_of_it(
    workspace: Workspace, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("spotui.tui.run.client.SPEED", 0)

    async def journey(app: SpotuiApp, pilot: Pilot[None]) -> None:
        assert isinstance(app.screen, HomeScreen)
        app.screen.action_tour()
        await until_seen(pilot, "round 7 of 7  finished", "Best: round")
        for hint in ("resume", "b branch", "l limits"):
            assert hint not in hints(app)
        await pilot.press("space", "b", "l")
        await pilot.pause()
        assert isinstance(app.screen, RunScreen)
        await pilot.press("x", "escape", "escape")
        await until(pilot, lambda: isinstance(app.screen, HomeScreen))

    drive(tmp_path, journey, workspace=workspace)


def test_what_happens_while_another_panel_or_screen_is_shown_is_there_afterwards(
    workspace: Workspace, tmp_path: Path
) -> None:
    async def journey(app: SpotuiApp, pilot: Pilot[None]) -> None:
        screen = await open_run(app, pilot, "Best: round 3")
        await pilot.press("4")
        await until_seen(pilot, "verdict")
        async with working(workspace.project("why"), [OPENED, RoundStarted(round=1)]) as process:
            screen._client.look()
            await until_seen(pilot, "round 1 of 4  running")
            await pilot.press("2")
            await until_seen(pilot, "Round 1  the seed prompt")
            await pilot.press("question_mark")
            await until(pilot, lambda: app.screen is not screen)
            process.say(RoundStarted(round=2, best=1))
            await until(pilot, lambda: 2 in screen._client.picture.rounds)
            await pilot.press("escape")
            await until_seen(pilot, "Round 2  from round 1", "round 2 of 4  running")

    drive(tmp_path, journey, SMALL, workspace=workspace)
