"""Answers beside each other, and a vote of one's own."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from textual.pilot import Pilot

from spotui.runs.snapshots import new_project
from spotui.settings.table import RoleSet, RoleSettings, RunSettings
from spotui.tui.answers_panel import AnswersPanel
from spotui.tui.answers_screen import AnswersScreen, read_standard
from spotui.tui.app import SpotuiApp
from spotui.tui.run.client import RunClient
from spotui.workspace.history import read_history
from spotui.workspace.projects import Project, Workspace
from tests.command_line import TEMPLATE, begin, move_in, places, write_template
from tests.model_server import ModelServer, Persona, Scripted
from tests.runs.starting import prepared
from tests.spo_model import execute, propose, role_of
from tests.tui.piloting import LARGE, SMALL, drive, seen, until, until_seen

ROLE = RoleSettings(model="test-model", temperature=0.0, max_tokens=None, timeout=10.0)
ROLES = RoleSet(optimizer=ROLE, evaluator=ROLE, executor=ROLE)


@asynccontextmanager
async def opened(
    app: SpotuiApp, pilot: Pilot[None], project: Project, selected: int = 0
) -> AsyncIterator[AnswersScreen]:
    """The answers of a project, whose run is watched meanwhile."""
    client = RunClient(project)
    watching = asyncio.create_task(client.watch(lambda: None))
    screen = AnswersScreen(project, client, selected)
    app.push_screen(screen)
    await until(pilot, lambda: screen.is_mounted and client.picture.opened is not None)
    try:
        yield screen
    finally:
        watching.cancel()
        await asyncio.gather(watching, return_exceptions=True)


async def until_told(pilot: Pilot[None], *texts: str) -> None:
    """Wait until every text is on the screen, wherever it is wrapped."""
    await until(pilot, lambda: all(text in " ".join(seen(pilot.app).split()) for text in texts))


def lines_of(screen: AnswersScreen) -> str:
    """All that the panel holds, scrolled to or not."""
    panel = screen.query_one(AnswersPanel)
    return "\n".join(line.plain for number in range(panel.blocks()) for line in panel.block(number, 78))


@pytest.mark.parametrize("size", [SMALL, LARGE])
def test_a_round_shows_its_answers_what_they_had_to_beat_and_the_votes(
    workspace: Workspace, tmp_path: Path, size: tuple[int, int]
) -> None:
    async def journey(app: SpotuiApp, pilot: Pilot[None]) -> None:
        async with opened(app, pilot, workspace.project("why")) as screen:
            await until_seen(
                pilot, "Round 3 against round 2, the best", "win  3:0", "Requirements: Be correct"
            )
            await until_seen(pilot, "1  Why is the sky blue?", "round 2, the best", "round 3, candidate")
            is_beside = "In style 1" in next(line for line in seen(app).splitlines() if "In style 2" in line)
            assert is_beside == (size == LARGE)
            await pilot.press("end")
            await until_seen(pilot, "vote 3: win", "Style 2 is better.", "A is the best's, B the candidate's")
            await pilot.press("left_square_bracket")
            await until_seen(pilot, "Round 2 against the seed, the best", "1  Why is the sky blue?")
            await pilot.press("left_square_bracket")
            await until_seen(pilot, "Round 1, the seed")
            assert "From round 2 on there are two sets" in lines_of(screen)
            await pilot.press("h")
            assert not screen.is_blind
            await pilot.press("left_square_bracket", *["right_square_bracket"] * 3)
            await until_seen(pilot, "Round 3 against")

    drive(tmp_path, journey, size, workspace=workspace)


@pytest.mark.parametrize(("size", "is_swapped"), [(SMALL, True), (LARGE, True), (LARGE, False)])
def test_a_blind_vote_hides_everything_and_tells_afterwards_what_it_was(
    workspace: Workspace,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    size: tuple[int, int],
    is_swapped: bool,
) -> None:
    monkeypatch.setattr("secrets.randbits", lambda _: int(is_swapped))

    async def journey(app: SpotuiApp, pilot: Pilot[None]) -> None:
        async with opened(app, pilot, workspace.project("why")) as screen:
            await until_seen(pilot, "win  3:0")
            await pilot.press("h")
            await until_seen(pilot, "Round 3: left or right?", "l left is better", "Left", "Right")
            for hidden in ("candidate", "the best", "3:0", "vote 1", "Style 2 is better"):
                assert hidden not in seen(app).replace("the best.", "") + lines_of(screen), hidden
            await pilot.press("right_square_bracket")
            assert screen.is_blind
            # The candidate's answers say which style they are in: the third round's is 2.
            shown = lines_of(screen)
            assert (shown.index("In style 2") < shown.index("In style 1")) == is_swapped
            await pilot.press("l" if is_swapped else "r")
            side = "left" if is_swapped else "right"
            await until_told(
                pilot, f"You chose {side}: that was round 3, candidate.", "keeps the same prompt"
            )
            assert "make it the verdict" not in seen(app)
            assert "vote 1: win" in lines_of(screen)

    drive(tmp_path, journey, size, workspace=workspace)


def test_a_vote_can_be_left_without_voting(workspace: Workspace, tmp_path: Path) -> None:
    async def journey(app: SpotuiApp, pilot: Pilot[None]) -> None:
        async with opened(app, pilot, workspace.project("why")):
            await until_seen(pilot, "win  3:0")
            await pilot.press("h")
            await until_seen(pilot, "left or right?")
            await pilot.press("escape")
            await until_seen(pilot, "win  3:0")
            assert "You chose" not in seen(app)

    drive(tmp_path, journey, workspace=workspace)


def test_a_vote_against_the_verdict_of_a_finished_run_becomes_the_verdict(
    workspace: Workspace, tmp_path: Path
) -> None:
    project = workspace.project("why")

    async def journey(app: SpotuiApp, pilot: Pilot[None]) -> None:
        async with opened(app, pilot, project) as screen:
            await until_seen(pilot, "win  3:0")
            await pilot.press("h", "e")
            await until_told(
                pilot, "You found them equal.", "keeps the other prompt", "o make it the verdict"
            )
            await pilot.press("o")
            await until_seen(pilot, "Make round 3 a loss?", "The run has finished")
            await pilot.press("n")
            await pilot.press("o", "y")
            await until_told(
                pilot, "The verdict is loss (you), which keeps the same prompt.", "loss (you) 3:0"
            )
            await until(pilot, lambda: not screen.workers)

    drive(tmp_path, journey, workspace=workspace)
    history = read_history(project)
    assert history.best is not None
    assert (history.best.round, history.stop and history.stop.reason) == (2, "finished")


def test_a_vote_counts_in_a_duel_that_goes_on(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    never = Persona(role_of, propose=propose, execute=execute, judge=lambda _: Scripted("-", delay=600.0))
    with ModelServer(never) as server:
        environ = {"OPENAI_API_KEY": "sk-the-key", "OPENAI_BASE_URL": server.base_url}
        move_in(monkeypatch, tmp_path, **environ)
        project = Workspace(tmp_path / "data" / "workspace").project("why")
        process = begin(
            "run", write_template(tmp_path, TEMPLATE), "--model", "m", env=places(tmp_path, **environ)
        )

        async def journey(app: SpotuiApp, pilot: Pilot[None]) -> None:
            async with opened(app, pilot, project) as screen:
                await until_seen(pilot, "Round 2 against the seed, the best", "under way")
                assert not read_history(project).round(2)
                await pilot.press("h")
                await until_seen(pilot, "your vote counts in it")
                await pilot.press("e")
                await until_seen(pilot, "It is counted with the judge's votes.")
                assert "your vote: tie" in lines_of(screen)
                await pilot.press("space")
                await until_seen(pilot, "paused")

        try:
            server.wait_until(project.journal.exists)
            drive(tmp_path, journey, workspace=Workspace(tmp_path / "data" / "workspace"))
        finally:
            process.kill()
            process.communicate()
    assert '"kind":"vote","round":2,"choice":"tie"' in project.journal.read_text()


def test_a_run_without_answers_says_what_to_do(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from spotui.workspace.moving import create_project
    from tests.workspace.snapshots import a_snapshot

    move_in(monkeypatch, tmp_path)
    workspace = Workspace(tmp_path / "data" / "workspace")
    project = create_project(workspace, "why", a_snapshot(template=TEMPLATE))

    async def journey(app: SpotuiApp, pilot: Pilot[None]) -> None:
        async with opened(app, pilot, project):
            await until_seen(pilot, "no answers yet", "let it go on")

    drive(tmp_path, journey, workspace=workspace)


def test_an_answer_under_way_shows_the_end_of_what_there_is(workspace: Workspace, tmp_path: Path) -> None:
    from spotui.domain.events import CallDelta, CallStarted, RoundStarted
    from spotui.domain.records import CallKey

    key = CallKey(4, "execute", 0)

    async def journey(app: SpotuiApp, pilot: Pilot[None]) -> None:
        async with opened(app, pilot, workspace.project("why"), selected=4) as screen:
            client = screen._client
            client.take(RoundStarted(round=4, best=3))
            client.take(CallStarted(key=key, model="m"))
            client.take(CallDelta(key=key, text="天空 " * 100 + "the\nlast words"))
            await until_seen(pilot, "Round 4 against round 3", "314 characters so far", "the last words")

    drive(tmp_path, journey, SMALL, workspace=workspace)


def test_rows_of_a_file_are_shown_with_what_the_prompt_shows_of_them(tmp_path: Path) -> None:
    rows = [
        {"question": f"Why {n}?", "answer": f"Because {n}.", "shop": f"Shop {n}", "note": "unseen"}
        for n in range(6)
    ]
    (tmp_path / "rows.jsonl").write_text("".join(f"{json.dumps(row)}\n" for row in rows))
    text = "prompt: 'Answer for {shop}.'\nrequirements: Short.\ndata: rows.jsonl\n"
    wanted = prepared(text, RunSettings(roles=ROLES), path=tmp_path / "shop.yaml")
    project = new_project(Workspace(tmp_path / "workspace"), "shop", wanted)

    standard = read_standard(project)

    asked = wanted.task.questions
    assert asked
    assert standard.references == tuple(one.answer for one in asked)
    number = asked[0].answer.removeprefix("Because ").removesuffix(".")
    assert standard.shown(0, asked[0].question) == f"shop: Shop {number}\nWhy {number}?"
