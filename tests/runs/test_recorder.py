"""Rounds in SPO's files: there after each round, and never at the cost of the run."""

import time
from pathlib import Path

import pytest

from spotui.domain.events import Noticed, RoundFinished
from spotui.llm import tokens
from spotui.workspace.files import Folder
from spotui.workspace.projects import Project
from spotui.workspace.spo_files import read_rounds
from tests.model_server import JsonObject, ModelServer, Scripted, conversation
from tests.runs.starting import Stage, results_of, rounds_of, template
from tests.spo_model import climbing, role_of


def wait_for_rounds(project: Project, count: int) -> list[int]:
    """The rounds in results.json, once there are so many."""
    deadline = time.monotonic() + 10
    while time.monotonic() < deadline:
        if project.results.exists():
            found = [one.round for one in read_rounds(project.prompts)]
            if len(found) >= count:
                return found
        time.sleep(0.005)
    return []


def test_a_round_is_in_the_files_while_the_run_goes_on(tmp_path: Path) -> None:
    def reply(request: JsonObject) -> str | Scripted:
        # The third round gets no proposal before the first two are in the files.
        if role_of(request) == "propose" and "style 1" in conversation(request):
            server_side.append(wait_for_rounds(project, 2))
        return climbing(request)

    server_side: list[list[int]] = []
    with ModelServer(reply) as server:
        stage = Stage(tmp_path, server)
        project = stage.project(text=template(2), max_rounds=4)
        stage.go(project)
    assert server_side == [[1, 2]]
    assert [one.round for one in read_rounds(project.prompts)] == [1, 2, 3, 4]
    for one in read_rounds(project.prompts):
        folder = project.prompts / f"round_{one.round}"
        assert (folder / "prompt.txt").read_text() == one.prompt
        assert (
            (folder / "answers.txt")
            .read_text()
            .startswith(f"Question:\n{one.answers[0].question}\nAnswer:\n")
        )
        assert one.tokens == tokens.spo_tokens(
            [{"question": each.question, "answer": each.answer} for each in one.answers]
        )


def test_files_that_cannot_be_written_are_told_and_found_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    with ModelServer(climbing) as server:
        stage = Stage(tmp_path, server)
        project = stage.project(text=template(2), max_rounds=2)
        monkeypatch.setattr(Folder, "replace", full)
        end = stage.go(project)
        notices = [notice.text for notice in end.of(Noticed) if notice.level == "error"]
        assert notices
        assert all(
            "No space left on device" in text and "The journal has every round" in text for text in notices
        )
        assert end.stopped.reason == "finished"
        assert not project.results.exists()
        monkeypatch.undo()
        stage.go(project)
    assert [line[0] for line in results_of(project)] == [1, 2]


def test_a_round_that_cannot_be_recorded_ends_the_run_with_the_error(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(_: object) -> int:
        raise RuntimeError("broken tokenizer")

    with ModelServer(climbing) as server:
        stage = Stage(tmp_path, server)
        project = stage.project(text=template(2), max_rounds=3)
        monkeypatch.setattr(tokens, "spo_tokens", broken)
        with pytest.raises(RuntimeError, match="broken tokenizer"):
            stage.go(project)
        monkeypatch.undo()
        sent = len(server.requests)
        end = stage.go(project)
        assert len(server.requests) == sent
    assert len(end.of(RoundFinished)) == len(rounds_of(project)) == 3


def test_damaged_results_are_set_aside_and_restored(tmp_path: Path) -> None:
    with ModelServer(climbing) as server:
        stage = Stage(tmp_path, server)
        project = stage.project(text=template(2), max_rounds=2)
        stage.go(project)
        whole = project.results.read_bytes()
        project.results.write_bytes(whole[:-40])
        end = stage.go(project)
    assert project.results.read_bytes() == whole
    assert any("results.json was damaged" in notice.text for notice in end.of(Noticed))
    assert whole[:-40] in [path.read_bytes() for path in project.prompts.iterdir() if path.is_file()]
