"""estimate, branch, replay, test, doctor: each does what it says, and nothing that it does not."""

import json
from pathlib import Path

import pytest

from tests.cli.conftest import Shell
from tests.model_server import ModelServer


def test_estimate_asks_nobody_and_counts_the_calls(shell: Shell, template: str, model: ModelServer) -> None:
    asked = len(model.requests)
    said = shell("estimate", template, "--model", "m", "--max-rounds", "10")
    assert said.code == 0
    assert [line.split()[:2] for line in said.out.splitlines()[:3]] == [
        ["optimizer", "9"],
        ["evaluator", "33"],
        ["executor", "30"],
    ]
    assert len(model.requests) == asked


def test_estimate_warns_of_a_budget_that_is_too_small(shell: Shell, template: str) -> None:
    said = shell("estimate", template, "--model", "m", "--budget-calls", "5")
    assert "Warning: The budget of 5 calls may not cover" in said.out


def test_estimate_as_json(shell: Shell, template: str) -> None:
    shares = json.loads(shell("estimate", template, "--model", "m", "--json").out)["shares"]
    assert {one["role"]: one["calls"] for one in shares} == {"optimizer": 9, "evaluator": 33, "executor": 30}


def test_a_branch_goes_on_from_its_round_and_buys_nothing_again(
    shell: Shell, workspace: Path, model: ModelServer
) -> None:
    said = shell("branch", "why", "--round", "2", "--as", "other")
    assert said.out.rstrip().endswith("Run it: spotui resume other")
    assert shell("best", "other").out == "Answer in style 1, with reasons.\n"
    asked = len(model.requests)
    assert shell("resume", "other").code == 0
    assert len(json.loads(shell("show", "other", "--json").out)["rounds"]) == 3
    assert len(model.requests) - asked <= 1 + 3 + 4 + 2 + 8
    assert shell("show", "why").out == shell("show", "why").out


def test_a_branch_finds_itself_a_name_and_says_when_it_needs_more_rounds(
    shell: Shell, workspace: Path
) -> None:
    said = shell("branch", "why")
    assert said.out.rstrip().endswith("Run it: spotui resume why-2 --max-rounds 6")
    assert shell("branch", "why").out.startswith("why-3 has the rounds of why")


def test_a_branch_keeps_its_settings_and_says_so(shell: Shell, workspace: Path) -> None:
    said = shell("branch", "why", "--model", "another")
    assert said.code == 2
    assert not (workspace / "why-2").exists()


def test_replay_shows_the_same_rounds_and_changes_nothing(
    shell: Shell, workspace: Path, model: ModelServer
) -> None:
    before = {path: path.read_bytes() for path in workspace.rglob("*") if path.is_file()}
    asked = len(model.requests)
    said = shell("replay", "why", "--speed", "0")
    assert said.code == 0
    assert "round 3: candidate: Ask for style 2." in said.out
    assert "All 3 rounds are done." in said.out
    assert "spotui resume" not in said.out
    assert len(model.requests) == asked
    assert {path: path.read_bytes() for path in workspace.rglob("*") if path.is_file()} == before


def test_replay_as_events(shell: Shell, workspace: Path) -> None:
    events = [json.loads(line) for line in shell("replay", "why", "--speed", "0", "--json").out.splitlines()]
    assert (events[0]["event"], events[-1]["event"]) == ("run_opened", "run_stopped")
    assert [one["outcome"] for one in events if one["event"] == "round_finished"] == ["seed", "win", "win"]


def test_doctor_tells_where_every_role_goes_and_hides_the_key(shell: Shell, model: ModelServer) -> None:
    said = shell("doctor", "--model", "test-model")
    assert said.code == 0
    assert f"executor: test-model at {model.base_url}, with a key (flag --model)" in said.out
    assert "wrong" not in said.out
    assert "embedding" not in said.out
    assert "sk-the-key" not in said.out + said.err
    said = shell("doctor", "--model", "test-model", "--embedding-model", "e")
    assert f"embedding: e at {model.base_url}, with a key (flag --embedding-model)" in said.out
    assert "ok    tracking: none" in said.out
    assert "wrong tracking: MLFLOW_TRACKING_URI is not set" in shell("doctor", "--track", "mlflow").out


@pytest.mark.parametrize("place", ["a file", "/proc/spotui"])
def test_doctor_finds_a_workspace_that_cannot_be_written(shell: Shell, home: Path, place: str) -> None:
    (home / "a file").touch()
    said = shell("doctor", "--workspace", place)
    assert said.code == 1
    assert f"wrong workspace: {place} cannot be written" in said.out


def test_doctor_finds_what_is_wrong_in_the_config_file(shell: Shell, home: Path) -> None:
    file = home / "config" / "config.yaml"
    file.parent.mkdir()
    file.write_text("rolls: {}\n")
    said = shell("doctor")
    assert said.code == 1
    assert "wrong config" in said.out
    assert f"{file}, line 1" in said.out


def test_estimate_tells_what_would_be_fetched_first(shell: Shell, template: str) -> None:
    said = shell("estimate", template, "--model", "local/qwen2.5-coder-1.5b")
    assert "local/qwen2.5-coder-1.5b is not on this machine; a run fetches it first (1.12 GB)." in said.out
    (warning,) = json.loads(shell("estimate", template, "--model", "local/smollm2-135m", "--json").out)[
        "warnings"
    ]
    assert warning.startswith("local/smollm2-135m is not on this machine")
