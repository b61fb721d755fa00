"""Telling a run what one wants of it: every key sends what it says, or says why it does not."""

from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path

import pytest
from textual.pilot import Pilot
from textual.widgets import Input, TextArea

from spotui.domain.commands import (
    Command,
    Edit,
    Override,
    Pause,
    Resume,
    SetBudget,
    SetConcurrency,
    SetRounds,
    Stop,
)
from spotui.domain.events import (
    Answered,
    CandidateProposed,
    CommandRefused,
    Event,
    LimitsChanged,
    RoundFinished,
    RoundStarted,
    RunStopped,
    StateChanged,
)
from spotui.tui.app import SpotuiApp
from spotui.tui.dialogs import QuestionScreen
from spotui.tui.run.asking import CandidateScreen, LimitsScreen
from spotui.tui.run.screen import RunScreen
from spotui.workspace.projects import Workspace
from tests.command_line import move_in
from tests.tui.piloting import LARGE, SMALL, drive, seen, until, until_seen
from tests.tui.processes import Process, working
from tests.tui.projects import finished
from tests.view.test_picture import OPENED
from tests.view.test_retell import FROM_SPO

Journey = Callable[[SpotuiApp, Pilot[None], Process], Awaitable[None]]

CANDIDATE = CandidateProposed(round=3, parent=2, prompt="Say it thrice.", modification="Ask for three.")
PAST: list[Event] = [
    OPENED,
    RoundStarted(round=1),
    RoundFinished(round=1, outcome="seed", best=1),
    RoundStarted(round=2, best=1),
    CandidateProposed(round=2, parent=1, prompt="Say it twice."),
    RoundFinished(round=2, outcome="win", best=2),
    RoundStarted(round=3, best=2),
]


@pytest.fixture
def workspace(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Workspace:
    """A workspace with the project `sea`."""
    move_in(monkeypatch, tmp_path)
    monkeypatch.chdir(tmp_path)
    workspace = Workspace(tmp_path / "data" / "workspace")
    finished(workspace, "sea")
    return workspace


def at_work(
    workspace: Workspace,
    journey: Journey,
    *more: Event,
    past: Sequence[Event] = PAST,
    size: tuple[int, int] = LARGE,
) -> None:
    """Open the run on which a process works."""

    async def take(app: SpotuiApp, pilot: Pilot[None]) -> None:
        async with working(workspace.project("sea"), [*past, *more]) as process:
            app.open_project("sea")
            await until_seen(pilot, "round 3 of 4")
            await journey(app, pilot, process)

    drive(workspace.root, take, size, workspace=workspace)


def at_rest(workspace: Workspace, journey: Callable[[SpotuiApp, Pilot[None]], Awaitable[None]]) -> None:
    """Open the run on which no process works."""

    async def take(app: SpotuiApp, pilot: Pilot[None]) -> None:
        app.open_project("sea")
        await until_seen(pilot, "Stopped: finished")
        await journey(app, pilot)

    drive(workspace.root, take, workspace=workspace)


async def heard(pilot: Pilot[None], process: Process, *commands: Command) -> None:
    """Wait until a process has heard exactly this, and forget it."""
    await until(pilot, lambda: len(process.heard) >= len(commands))
    await pilot.pause()
    assert process.heard == list(commands)
    process.heard.clear()


def test_one_key_pauses_and_goes_on_and_another_stops(workspace: Workspace) -> None:
    async def journey(app: SpotuiApp, pilot: Pilot[None], process: Process) -> None:
        await until_seen(pilot, "running", "space pause")
        await pilot.press("space")
        await heard(pilot, process, Pause())
        process.say(StateChanged(state="paused", cause="Paused by the user."))
        await until_seen(pilot, "paused", "Paused by the user.", "space resume")
        await pilot.press("space")
        await heard(pilot, process, Resume())
        process.say(StateChanged(state="running"))
        await until_seen(pilot, "space pause")
        await pilot.press("s", "n", "s")
        await until_seen(pilot, "Stop sea?")
        await heard(pilot, process)
        await pilot.press("y")
        await heard(pilot, process, Stop())
        process.say(StateChanged(state="stopping", cause="Stopped by the user."))
        await until(pilot, lambda: "s stop" not in seen(app).splitlines()[-1])
        await pilot.press("s", "space")
        await heard(pilot, process)

    at_work(workspace, journey, size=SMALL)


def test_the_next_candidate_can_be_edited_before_it_is_executed(workspace: Workspace) -> None:
    async def journey(app: SpotuiApp, pilot: Pilot[None], process: Process) -> None:
        await pilot.press("n")
        await heard(pilot, process, Pause(at="candidate"))
        process.say(CANDIDATE, StateChanged(state="paused", cause="The candidate is there."))
        await until_seen(pilot, "Candidate of round 3", "Say it thrice.", "Ask for three.")
        app.screen.query_one(TextArea).text = "Say it four times."
        await pilot.press("ctrl+s")
        await heard(pilot, process, Edit(round=3, prompt="Say it four times."), Resume())
        assert isinstance(app.screen, RunScreen)

    at_work(workspace, journey, size=SMALL)


def test_a_candidate_that_is_left_stays_and_can_be_opened_again(workspace: Workspace) -> None:
    paused = StateChanged(state="paused", cause="The candidate is there.")

    async def journey(app: SpotuiApp, pilot: Pilot[None], process: Process) -> None:
        await pilot.press("n")
        await until(pilot, lambda: isinstance(app.screen, CandidateScreen))
        await pilot.press("escape")
        await until_seen(pilot, "The candidate is as it was")
        await heard(pilot, process)
        await pilot.press("n")
        await until(pilot, lambda: isinstance(app.screen, CandidateScreen))
        await pilot.press("ctrl+s")  # as it was proposed: there is nothing to edit
        await heard(pilot, process, Resume())
        process.say(StateChanged(state="running"), Answered(round=3, index=0, question="Q", answer="A"))
        await pilot.press("n")
        await heard(pilot, process, Pause(at="candidate"))

    at_work(workspace, journey, CANDIDATE, paused)


@pytest.mark.parametrize(("key", "outcome"), [("w", "win"), ("l", "loss"), ("escape", "")])
def test_a_verdict_can_be_overridden(workspace: Workspace, key: str, outcome: str) -> None:
    async def journey(app: SpotuiApp, pilot: Pilot[None], process: Process) -> None:
        await pilot.press("o")
        await until_seen(pilot, "Select a round that has ended")
        await pilot.press("left_square_bracket", "o")
        await until_seen(pilot, "Round 2 is a win. What is it?")
        await pilot.press(key)
        await until(pilot, lambda: isinstance(app.screen, RunScreen))
        await heard(pilot, process, *[Override(round=2, outcome=outcome)] if outcome else [])  # type: ignore[arg-type]
        await pilot.press("left_square_bracket", "o")  # nobody overrides the seed
        await pilot.pause()
        assert isinstance(app.screen, RunScreen)

    at_work(workspace, journey)


@pytest.mark.parametrize(
    ("typed", "commands"),
    [
        ({"rounds": "9"}, [SetRounds(rounds=9)]),
        ({"usd": "2.5", "minutes": ""}, [SetBudget(usd=2.5, minutes=None)]),
        ({"concurrency": "2"}, [SetConcurrency(calls=2)]),
        (
            {"rounds": "9", "concurrency": "2", "tokens": "5000"},
            [SetRounds(rounds=9), SetConcurrency(calls=2), SetBudget(tokens=5000)],
        ),
        ({}, []),
    ],
)
def test_limits_change_while_the_run_goes_on(
    workspace: Workspace, typed: dict[str, str], commands: list[Command]
) -> None:
    limits = LimitsChanged(changes={"rounds": 4, "minutes": 5.0})

    async def journey(app: SpotuiApp, pilot: Pilot[None], process: Process) -> None:
        await pilot.press("l")
        await until(pilot, lambda: isinstance(app.screen, LimitsScreen))
        for field, text in typed.items():
            app.screen.query_one(f"#{field}", Input).value = text
        await pilot.press("enter")
        await until(pilot, lambda: isinstance(app.screen, RunScreen))
        await heard(pilot, process, *commands)

    at_work(workspace, journey, limits)


def test_a_limit_that_cannot_be_lifted_now_is_said(workspace: Workspace) -> None:
    async def journey(app: SpotuiApp, pilot: Pilot[None], process: Process) -> None:
        await pilot.press("l")
        await until(pilot, lambda: isinstance(app.screen, LimitsScreen))
        app.screen.query_one("#concurrency", Input).value = ""
        await pilot.press("enter")
        await until_seen(pilot, "can be left open")
        await heard(pilot, process)

    at_work(workspace, journey, LimitsChanged(changes={"rounds": 4, "concurrency": 4}))


def test_a_command_that_was_refused_is_told_once(workspace: Workspace) -> None:
    async def journey(app: SpotuiApp, pilot: Pilot[None], process: Process) -> None:
        assert not app._notifications
        process.say(CommandRefused(command="rounds", why="So many [/b] have begun."))
        await until_seen(pilot, "Refused: rounds", "So many [/b] have begun.")
        process.say(RoundFinished(round=3, outcome="loss", best=2), RoundStarted(round=4, best=2))
        await until_seen(pilot, "round 4 of 4")
        assert len(app._notifications) == 1

    at_work(workspace, journey, past=[CommandRefused(at=5.0, command="vote", why="Long ago."), *PAST])


def test_without_a_process_there_is_nothing_to_pause_stop_or_override(workspace: Workspace) -> None:
    async def journey(app: SpotuiApp, pilot: Pilot[None]) -> None:
        await until_seen(pilot, "space resume")
        for hint in ("s stop", "n edit next", "o override"):
            assert hint not in seen(app).splitlines()[-1]
        await pilot.press("s", "n", "o")
        await pilot.pause()
        assert isinstance(app.screen, RunScreen)

    at_rest(workspace, journey)


def test_a_process_that_dies_leaves_a_run_that_can_go_on(workspace: Workspace) -> None:
    async def journey(app: SpotuiApp, pilot: Pilot[None], process: Process) -> None:
        await until_seen(pilot, "running")
        process.die()
        await until_seen(pilot, "interrupted", "space resume")

    at_work(workspace, journey)


def test_a_run_of_spo_s_reference_cannot_go_on_and_says_what_can_be_done(workspace: Workspace) -> None:
    project = workspace.project("old")
    project.results.parent.mkdir(parents=True)
    project.results.write_text(FROM_SPO)

    async def journey(app: SpotuiApp, pilot: Pilot[None]) -> None:
        app.open_project("old")
        await until_seen(pilot, "round 3 of 3", "Best so far: round 2", "foreign")
        assert "$0.00" not in seen(app)
        await pilot.press("space")
        await until_seen(pilot, "--template FILE", "press b")

    drive(workspace.root, journey, workspace=workspace)


def test_a_prompt_a_report_or_everything_can_be_taken_along(
    workspace: Workspace, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def journey(app: SpotuiApp, pilot: Pilot[None]) -> None:
        copied: list[str] = []
        monkeypatch.setattr(app, "copy_to_clipboard", copied.append)
        await pilot.press("x")
        await until_seen(pilot, "Export", "round 2, the best", "round 3, the selected one")
        await pilot.press("c")
        await until(pilot, lambda: copied == ["Prompt 2."])
        await pilot.press("x", "s")
        await until_seen(pilot, "Write to", "sea.txt")
        await pilot.press("enter")
        await until_seen(pilot, "Wrote ")
        await pilot.press("x", "p", "enter")
        await until_seen(pilot, "Overwrite", "n  cancel")
        await pilot.press("n")
        await until_seen(pilot, "Nothing was written.")
        assert (tmp_path / "sea.txt").read_text().strip() == "Prompt 3."
        await pilot.press("x", "p", "enter")
        await until_seen(pilot, "Overwrite", "n  cancel")
        await pilot.press("y")
        await until(pilot, lambda: (tmp_path / "sea.txt").read_text().strip() == "Prompt 2.")

    at_rest(workspace, journey)


def test_a_question_over_the_run_lets_the_run_go_on(workspace: Workspace) -> None:
    async def journey(app: SpotuiApp, pilot: Pilot[None], process: Process) -> None:
        await pilot.press("x")
        await until(pilot, lambda: isinstance(app.screen, QuestionScreen))
        process.say(
            RoundFinished(round=3, outcome="loss", best=2),
            RunStopped(reason="finished", cause="Done.", best=2, improved=True, rounds=3, prompt="p"),
        )
        await pilot.press("escape")
        await until_seen(pilot, "Best: round 2.", "finished")

    at_work(workspace, journey)
