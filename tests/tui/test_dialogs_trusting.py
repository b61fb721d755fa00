"""In the app, too, a custom metric runs only once the user has trusted its file."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from textual.pilot import Pilot

from spotui.settings import locations
from spotui.settings.trust import may_be_sent
from spotui.tui.app import SpotuiApp
from spotui.tui.dialogs import QuestionScreen
from spotui.tui.expected import Choices
from spotui.tui.new_run import NewRunScreen
from spotui.tui.run.screen import RunScreen
from spotui.wire import process as own_process
from spotui.workspace.projects import Workspace
from tests.command_line import move_in, write_template
from tests.model_server import ModelServer
from tests.row_model import rows, template, unending
from tests.tui.piloting import LARGE, drive, seen, until, until_seen, until_told, workspace_in
from tests.tui.test_method_screen import new_run

METRIC = """\
from pathlib import Path
Path(__file__).with_name("ran").touch()

def right(answer, row):
    return row.references[0] in answer
"""
GPO = "method: gpo\nparameters: {max_steps: 1, candidates_per_step: 1}\n"


@pytest.fixture
def workspace(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Workspace]:
    """A workspace whose only own template has a custom metric."""
    monkeypatch.chdir(tmp_path)
    with ModelServer(unending) as server:
        move_in(monkeypatch, tmp_path, OPENAI_API_KEY="sk-the-key", OPENAI_BASE_URL=server.base_url)
        folder = locations.templates_dir()
        folder.mkdir(parents=True)
        split = "{path: rows.jsonl, split: {train: 2, eval: 3, test: 3}}"
        write_template(folder, template(data=split, metric="mine:right") + GPO, "adding.yaml")
        (folder / "rows.jsonl").write_text(rows(12))
        (folder / "mine.py").write_text(METRIC)
        yield Workspace(workspace_in(tmp_path))
        for process in own_process._children:
            process.kill()
            process.wait()


def test_a_run_asks_first_and_asks_again_when_the_file_has_changed(
    workspace: Workspace, tmp_path: Path
) -> None:
    metric = locations.templates_dir() / "mine.py"
    ran = metric.with_name("ran")

    async def journey(app: SpotuiApp, pilot: Pilot[None]) -> None:
        screen = await new_run(app, pilot)
        await until_told(pilot, "Expected: about")
        for refusal in ("enter", "n", "escape"):
            screen.query_one("#name").focus()
            await pilot.press("enter")
            await until(pilot, lambda: isinstance(app.screen, QuestionScreen))
            await until_seen(pilot, "Run this file?", "mine.py", "SHA-256")
            await pilot.press(refusal)
            await until(pilot, lambda: isinstance(app.screen, NewRunScreen))
            await until_told(pilot, "you did not agree to a file")
        assert not ran.exists()
        await pilot.press("enter")
        await until(pilot, lambda: isinstance(app.screen, QuestionScreen))
        await pilot.press("y")
        await until(pilot, lambda: isinstance(app.screen, RunScreen))
        await until_seen(pilot, "finished")
        assert ran.exists()
        metric.write_text(METRIC + "# changed\n")
        await pilot.press("space")
        await until_seen(pilot, "How many in all?")
        await pilot.press("enter")
        await until(pilot, lambda: isinstance(app.screen, QuestionScreen))
        await pilot.press("n")
        await until_told(pilot, "Look at the file, then try again.")

    drive(tmp_path, journey, LARGE, workspace=workspace)


AGENT = """\
import json, sys
for line in sys.stdin:
    print(json.dumps({"id": json.loads(line)["id"], "answer": "8"}))
"""
EXECUTOR = "models: {executor: {command: [python, agent.py]}}\n"


def test_a_program_is_used_and_rows_outside_the_template_s_folder_are_sent_only_after_a_yes(
    workspace: Workspace, tmp_path: Path
) -> None:
    folder = tmp_path / "received"
    folder.mkdir()
    (tmp_path / "private.jsonl").write_text(rows(12))
    split = "{path: ../private.jsonl, split: {train: 2, eval: 3, test: 3}}"
    path = write_template(folder, template(data=split) + GPO + EXECUTOR, "adding.yaml")
    (folder / "agent.py").write_text(AGENT)
    choices = Choices(model="test-model")

    async def journey(app: SpotuiApp, pilot: Pilot[None]) -> None:
        screen = NewRunScreen(workspace, Path(path), choices)
        started: list[object] = []
        app.push_screen(screen, started.append)
        await until_told(pilot, "Expected: about")
        for answer in ("n", "y"):
            screen.query_one("#name").focus()
            await pilot.press("enter")
            await until_seen(pilot, "Use this program as the executor?", "python agent.py", "SHA-256")
            await pilot.press(answer)
            if answer == "n":
                await until_told(pilot, "you did not agree to a file")
        await until_seen(pilot, "Send the rows of this file?")
        await pilot.press("n")
        for answer in ("enter", "n", "escape"):
            screen.query_one("#name").focus()
            await pilot.press("enter")
            await until_seen(pilot, "Send the rows of this file?", "private.jsonl", "y  send them")
            assert "--trust" not in seen(app)
            await pilot.press(answer)
            await until_told(pilot, "you did not agree to a file")
        assert "adding" not in workspace.names()
        await pilot.press("enter")
        await until_seen(pilot, "Send the rows of this file?")
        await pilot.press("y")
        await until(pilot, lambda: bool(started))
        assert "adding" in workspace.names()

    drive(tmp_path, journey, LARGE, workspace=workspace)
    assert may_be_sent((tmp_path / "private.jsonl").resolve(), folder.resolve())
