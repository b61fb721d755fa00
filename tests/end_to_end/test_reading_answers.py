"""What a person does in a terminal: read a round's answers, vote blind, try a prompt, keep the question."""

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from spotui.cli import main
from spotui.workspace.lock import ProjectLock
from spotui.workspace.projects import Workspace
from tests.command_line import TEMPLATE, move_in, places, write_template
from tests.model_server import ModelServer, Scripted, conversation
from tests.model_server.scripted import JsonObject
from tests.spo_model import climbing
from tests.terminal import Terminal


def answers_slowly(request: JsonObject) -> Scripted:
    if "Why do fish swim?" in conversation(request):
        return Scripted(pieces=("To get ", "somewhere."), pause=0.3)
    reply = climbing(request)
    return reply if isinstance(reply, Scripted) else Scripted(reply)


@pytest.fixture
def server() -> Iterator[ModelServer]:
    with ModelServer(answers_slowly) as server:
        yield server


def test_answers_are_read_voted_on_and_tried_in_a_terminal(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, server: ModelServer
) -> None:
    environ = {"OPENAI_API_KEY": "sk-the-key", "OPENAI_BASE_URL": server.base_url}
    move_in(monkeypatch, tmp_path, **environ)
    template = Path(write_template(tmp_path, TEMPLATE))
    assert main(["run", str(template), "--model", "test-model", "--max-rounds", "2"]) == 0
    monkeypatch.chdir(tmp_path)
    project = Workspace(tmp_path / "data" / "workspace").project("why")
    with Terminal(
        [sys.executable, "-m", "spotui"], columns=80, rows=24, environ=places(tmp_path, **environ)
    ) as terminal:
        terminal.wait_for("why", "finished")
        terminal.press("enter")
        terminal.wait_for("All 2 rounds are done.")
        terminal.press("a")
        terminal.wait_for("Round 2 against the seed, the best", "win", "Why is the sky blue?", "In style 1")
        terminal.press("v")
        terminal.wait_for("vote 1: win", "Style 1 is better.")
        terminal.press("h")
        terminal.wait_for("Round 2: left or right?", "Right")
        terminal.wait_gone("vote 1")
        terminal.wait_gone("candidate")
        terminal.press("e")
        terminal.wait_for("You found them equal.", "make it the verdict")
        terminal.press("o")
        terminal.wait_for("Make round 2 a loss?")
        terminal.press("y")
        terminal.wait_for("loss (you)  3:0")
        terminal.press("escape")
        terminal.wait_for("No improvement")
        terminal.press("t")
        terminal.wait_for("Try it  why  test-model", "the seed, the best")
        terminal.press("Why do fish swim?", "enter")
        terminal.wait_for("To get", "answering")
        terminal.wait_for("To get somewhere.", "tok in")
        terminal.press("ctrl+s")
        terminal.wait_for("the question alone")
        terminal.press("a")
        terminal.wait_for("It is question 4 of why.yaml")
        terminal.press("ctrl+q")
        assert terminal.wait_exit() == 0
    assert (
        template.read_text() == TEMPLATE + "  - question: Why do fish swim?\n    answer: To get somewhere.\n"
    )
    assert '"kind":"override","round":2,"outcome":"loss"' in project.journal.read_text()
    assert ProjectLock(project.lock, "why").living_owner() is None
