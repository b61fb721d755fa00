"""Workspaces of older versions are listed, shown, replayed and resumed, and nothing is bought twice."""

import json
import shutil
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.cli.conftest import Shell
from tests.command_line import move_in
from tests.model_server import JsonObject, ModelServer, Scripted, conversation
from tests.recordings.workspaces import SCORED_RUNS, unpack
from tests.row_model import racing
from tests.spo_model import climbing

PROJECTS = {
    "first": ("why",),
    "scored": ("why", "gpo", "gradsum", "gpo-race/spo", "gpo-race/gpo", "gpo-race/gradsum"),
}
EVERY = [(name, project) for name, projects in PROJECTS.items() for project in projects]

Unpacked = Callable[[str], Path]


def reply(request: JsonObject) -> str | Scripted:
    """What the models of the recordings answer: one for sums, and one for questions."""
    return climbing(request) if "Why " in conversation(request) else racing(request)


@pytest.fixture
def server() -> Iterator[ModelServer]:
    with ModelServer(reply) as server:
        yield server


@pytest.fixture
def unpacked(home: Path, monkeypatch: pytest.MonkeyPatch, server: ModelServer) -> Unpacked:
    """Writes a recording into the home of the test; its workspace."""
    move_in(monkeypatch, home, OPENAI_API_KEY="sk-a-key", OPENAI_BASE_URL=server.base_url)
    return lambda name: unpack(name, home)


def calls(journal: bytes) -> Counter[str]:
    """The keys of the calls in a journal."""
    entries = map(json.loads, journal.splitlines())
    return Counter(json.dumps(entry["key"]) for entry in entries if entry["kind"] == "call")


@pytest.mark.parametrize("name", PROJECTS)
def test_its_projects_are_listed(shell: Shell, unpacked: Unpacked, name: str) -> None:
    unpacked(name)
    listed = [json.loads(line) for line in shell("list", "--json").out.splitlines()]
    assert {one["name"] for one in listed} == set(PROJECTS[name])
    assert {one["state"] for one in listed} <= {"finished", "perfect"}
    assert {one["rounds"] for one in listed} == {2}


@pytest.mark.parametrize(("name", "project"), EVERY)
def test_its_runs_are_shown_and_replayed_without_a_call(
    shell: Shell, unpacked: Unpacked, server: ModelServer, name: str, project: str
) -> None:
    folder = unpacked(name) / project
    journal = (folder / "journal.jsonl").read_bytes()
    second = (folder / "prompts" / "round_2" / "prompt.txt").read_text()
    shown = shell("show", project, "2")
    assert (shown.code, second in shown.out) == (0, True), shown.err
    replayed = shell("replay", project, "--speed", "0", "--plain")
    assert replayed.code == 0, replayed.err
    assert "round 2: starts from round 1" in replayed.out
    for words in (("show", project), ("best", project), ("diff", project, "1", "2"), ("export", project)):
        outcome = shell(*words)
        assert (outcome.code, bool(outcome.out)) == (0, True), outcome.err
    assert server.requests == []
    assert (folder / "journal.jsonl").read_bytes() == journal


@pytest.mark.parametrize(("name", "project"), EVERY)
def test_its_runs_are_resumed_and_no_call_is_paid_for_twice(
    shell: Shell, unpacked: Unpacked, server: ModelServer, name: str, project: str
) -> None:
    folder = unpacked(name) / project
    before = (folder / "journal.jsonl").read_bytes()
    outcome = shell("resume", project, "--max-rounds", "3", "--plain")
    assert outcome.code in {0, 3}, outcome.err
    after = (folder / "journal.jsonl").read_bytes()
    assert after.startswith(before)
    assert set(calls(after).values()) == {1}
    assert len(server.requests) == (calls(after) - calls(before)).total()
    is_perfect = project in {"gpo", "gpo-race/gpo"}
    assert bool(server.requests) is not is_perfect


@pytest.mark.parametrize("share", [0.2, 0.5, 0.9])
@pytest.mark.parametrize(("name", "project"), EVERY[:4])
def test_a_run_that_was_killed_is_resumed_from_its_last_whole_line(
    shell: Shell, unpacked: Unpacked, server: ModelServer, name: str, project: str, share: float
) -> None:
    folder = unpacked(name) / project
    lines = (folder / "journal.jsonl").read_bytes().splitlines(keepends=True)
    made = [number for number, line in enumerate(lines) if b'"kind":"call"' in line]
    end = made[int(len(made) * share)]
    kept = b"".join(lines[:end])
    (folder / "journal.jsonl").write_bytes(kept + lines[end][:100])
    shutil.rmtree(folder / "prompts")
    outcome = shell("resume", project, "--plain")
    assert outcome.code in {0, 3}, outcome.err
    after = (folder / "journal.jsonl").read_bytes()
    assert after.startswith(kept)
    assert set(calls(after).values()) == {1}
    assert 0 < len(server.requests) == (calls(after) - calls(kept)).total()


def test_its_race_and_its_scores_are_repeated_without_a_call(
    shell: Shell, unpacked: Unpacked, server: ModelServer
) -> None:
    unpacked("scored")
    *_, race, score = SCORED_RUNS
    outcome = shell(*race, "--model", "test-model")
    assert outcome.code == 0, outcome.err
    assert "gradsum   71.4" in outcome.out
    outcome = shell(*score, "--model", "test-model")
    assert outcome.code == 0, outcome.err
    assert "best: 71.4" in outcome.out
    assert server.requests == []
