"""The prompts of a round that scores them: row by row, one by one, and what the optimizer was shown."""

from pathlib import Path

import pytest
from textual.pilot import Pilot

from spotui.tui.app import SpotuiApp
from spotui.tui.passages import PassagesView
from spotui.tui.run.screen import RunScreen
from spotui.tui.scores_screen import ScoresScreen
from spotui.tui.table_view import TableView
from spotui.workspace.projects import Project, Workspace
from tests.command_line import move_in
from tests.tui import scored_projects
from tests.tui.piloting import SMALL, drive, seen, until, until_seen, until_told


@pytest.fixture
def workspace(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Workspace:
    move_in(monkeypatch, tmp_path)
    return Workspace(tmp_path / "workspace")


async def opened(app: SpotuiApp, pilot: Pilot[None], project: Project, *keys: str) -> ScoresScreen:
    """The scores of a project's newest round, or of one that keys lead to."""
    app.open_project(project.name)
    await until_seen(pilot, "finished")
    await pilot.press(*keys, "a")
    await until(pilot, lambda: isinstance(app.screen, ScoresScreen))
    assert isinstance(app.screen, ScoresScreen)
    return app.screen


def page(screen: ScoresScreen) -> str:
    """All of the page, scrolled to or not."""
    view = screen.query_one(PassagesView)
    return "\n".join(
        line.plain.rstrip() for number in range(view.blocks()) for line in view.block(number, 70)
    )


def test_rows_that_were_won_and_lost_come_first_with_their_answers(
    workspace: Workspace, tmp_path: Path
) -> None:
    project = scored_projects.gpo(workspace)

    async def journey(app: SpotuiApp, pilot: Pilot[None]) -> None:
        screen = await opened(app, pilot, project)
        await until_seen(pilot, "Round 3 against round 2", "loss  66.7", "candidate 1", "1:2")
        await until(pilot, lambda: "The sum is 65." in page(screen))
        blocks = page(screen).split("\nrow ")
        title, *lines = blocks[0].splitlines()
        assert title.split("  ")[:2] == ["row 3", "won"]
        assert lines == [
            "   What is 5 plus 60?",
            "expected",
            "   65",
            "seed  0",
            "   The sum is 64.",
            "round 2, the best  0",
            "   The sum is 64.",
            "candidate 1  1",
            "   The sum is 65.",
        ]
        orders = [(block.split()[0], block.splitlines()[0].split()[1]) for block in blocks[1:5]]
        assert orders == [("2", "lost"), ("5", "lost"), ("1", "same"), ("4", "same")]
        assert blocks[5].startswith("6")
        assert "errored" in blocks[5]
        await until_told(pilot, "1 row won, 2 lost")
        await pilot.press("tab", "end")
        await until_seen(pilot, "candidate 1  1", "The sum is 24.")

    drive(tmp_path, journey, SMALL, workspace=workspace)


def test_every_candidate_of_a_round_can_be_read_whole(
    workspace: Workspace, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    project = scored_projects.gpo(workspace)

    async def journey(app: SpotuiApp, pilot: Pilot[None]) -> None:
        copied: list[str] = []
        monkeypatch.setattr(app, "copy_to_clipboard", copied.append)
        screen = await opened(app, pilot, project, "left_square_bracket")
        await until_seen(pilot, "Round 2 against the seed", "win  80.0", "1:0", "0:2")
        assert screen.query_one(TableView).keys == ["0 candidate 1", "1 candidate 2", "2 seed"]
        await pilot.press("down", "2")
        await until_seen(pilot, "candidate 2", "Fewer words leave less to misread.", "Shorter.")
        await pilot.press("y")
        assert copied == [scored_projects.SHORT]
        # The change is shown in the text of the prompt that it was made from.
        assert "Add the numbers." in page(screen).partition("against the seed")[2]
        await pilot.press("1")
        await until(pilot, lambda: "The sum is 33." in page(screen))
        await pilot.press("down")
        await until(pilot, lambda: "won" not in page(screen) and "seed 1" in page(screen))

    drive(tmp_path, journey, SMALL, workspace=workspace)


def test_what_the_optimizer_was_shown_is_there_whole(workspace: Workspace, tmp_path: Path) -> None:
    project = scored_projects.gpo(workspace)

    async def journey(app: SpotuiApp, pilot: Pilot[None]) -> None:
        screen = await opened(app, pilot, project)
        await pilot.press("3")
        await until_seen(pilot, "Current prompt: round 2", "edit budget 10 words", "alike 0.42")
        assert scored_projects.STEPS in page(screen).replace("\n   ", " ")
        await pilot.press("left_square_bracket")
        await until_seen(pilot, "edit budget 47 words", "No earlier prompt was shown.")
        await pilot.press("left_square_bracket")
        await until_seen(pilot, "Round 1, the seed", "The seed round proposes nothing")
        await pilot.press("escape")
        await until(pilot, lambda: isinstance(app.screen, RunScreen))
        assert isinstance(app.screen, RunScreen)
        assert app.screen.chosen_round == 1

    drive(tmp_path, journey, SMALL, workspace=workspace)


def test_gradients_summary_and_beam_are_there_whole(workspace: Workspace, tmp_path: Path) -> None:
    project = scored_projects.gradsum(workspace)

    async def journey(app: SpotuiApp, pilot: Pilot[None]) -> None:
        screen = await opened(app, pilot, project)
        await until_seen(pilot, "candidate 1", "83.3", "candidate 2", "66.7")
        await pilot.press("3")
        await until_seen(pilot, "What was learned of this prompt", "gradient 1", "Say that ones are carried.")
        assert [
            " ".join(line.split())
            for line in page(screen).splitlines()
            if line.startswith(("gradient", "summary", "beam"))
        ] == [
            "gradient 1",
            "gradient 2",
            "summary",
            "beam: prompts for the next round 2",
        ]
        # A candidate that some rows were asked with is compared on those.
        await pilot.press("1", "down")
        await until(pilot, lambda: "row 6  won" in page(screen))
        assert page(screen).count("expected") == 3

    drive(tmp_path, journey, workspace=workspace)


def test_a_run_with_votes_keeps_its_answers(workspace: Workspace, tmp_path: Path) -> None:
    from spotui.tui.answers_screen import AnswersScreen
    from tests.tui.projects import finished

    project = finished(workspace, "poem")

    async def journey(app: SpotuiApp, pilot: Pilot[None]) -> None:
        app.open_project(project.name)
        await until_seen(pilot, "finished")
        await pilot.press("a")
        await until(pilot, lambda: isinstance(app.screen, AnswersScreen))
        assert "won:lost" not in seen(app)

    drive(tmp_path, journey, workspace=workspace)


def test_the_winner_is_named_and_any_two_prompts_are_compared(workspace: Workspace, tmp_path: Path) -> None:
    project = scored_projects.gpo(workspace)

    async def journey(app: SpotuiApp, pilot: Pilot[None]) -> None:
        screen = await opened(app, pilot, project)
        await until_told(pilot, "No winner: candidate 1, the best candidate, has -20.0 against round 2")
        assert screen.check_action("stop", ()) is False  # nothing works on it
        await pilot.press("left_square_bracket")
        await until_told(pilot, "Winner: candidate 1, +20.0 against seed (1 row won, 0 lost).")
        await until_seen(pilot, "By row: ····▲×")
        await pilot.press("down", "b")  # the other candidate
        await until_seen(pilot, "The others are compared")
        await pilot.press("up")
        await until_seen(pilot, "3:0")
        await until(pilot, lambda: "candidate 2  0" in page(screen))
        await pilot.press("down", "b", "up")
        await until_seen(pilot, "1:0")
        await pilot.press("enter", "slash", *"12 plus")
        await until(pilot, lambda: page(screen).startswith("/12 plus"))
        assert "1 of 6 rows" in page(screen)
        assert "What is 12 plus 12?" in page(screen)
        assert "What is 1 plus 2?" not in page(screen)
        await pilot.press("escape")
        assert "What is 1 plus 2?" in page(screen)
        await pilot.press("left_square_bracket")
        await until_told(pilot, "Every candidate has to beat the seed: 50.0.")

    drive(tmp_path, journey, SMALL, workspace=workspace)
