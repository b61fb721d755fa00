"""A run that was cut off at any byte goes on to the same end, and buys nothing twice."""

import asyncio
import json
import shutil
from collections import Counter
from collections.abc import Iterator
from contextlib import AbstractContextManager
from itertools import accumulate
from pathlib import Path
from typing import BinaryIO, NamedTuple

import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from spotui.domain.events import CallFinished, CallStarted, HeldOutFinished, Noticed, RunStopped
from spotui.domain.records import CallLine, HeldOutLine, StopLine
from spotui.engine import engine
from spotui.engine.meta_prompts import MetaPrompts
from spotui.engine.propose import fold
from spotui.runs.snapshots import reopen
from spotui.settings.table import BudgetSettings
from spotui.workspace import journal, journal_reader
from spotui.workspace.files import reading
from spotui.workspace.history import read_history
from spotui.workspace.journal_reader import read_lines
from spotui.workspace.projects import Project
from spotui.workspace.snapshot import SnapshotError
from tests.model_server import ModelServer
from tests.runs.changeable import changeable
from tests.runs.starting import Stage, atold, bought, results_of, rounds_of, template, text_of
from tests.spo_model import climbing, role_of


class Whole(NamedTuple):
    """A run from end to end, and the server it asked; it is cut after every eleventh line, say."""

    stage: Stage
    project: Project
    journal: bytes
    stopped: RunStopped
    every: int

    def cut(self, length: int, name: str) -> Project:
        """A copy whose journal ends after so many bytes, as a process that was killed leaves it."""
        project = self.stage.workspace.project(name)
        shutil.rmtree(project.folder, ignore_errors=True)
        project.prompts.mkdir(parents=True)
        shutil.copy(self.project.snapshot, project.snapshot)
        project.journal.write_bytes(self.journal[:length])
        return project

    @property
    def first_line(self) -> int:
        """Where the line ends without which there is no journal."""
        return self.journal.index(b"\n") + 1


@pytest.fixture(scope="module", params=[("balanced", 11), ("thorough", 29)], ids=lambda param: param[0])
def whole(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Whole]:
    with ModelServer(changeable) as server:
        stage = Stage(tmp_path_factory.mktemp("resume"), server)
        judge, every = request.param
        project = stage.project("whole", template(4), max_rounds=6, sample=2, judge=judge, final_check=True)
        stopped = stage.go(project).stopped
        yield Whole(stage, project, project.journal.read_bytes(), stopped, every)


def kind(line: bytes) -> tuple[str, str]:
    """The type of a journal's line, and the purpose of a call."""
    entry = json.loads(line)
    return entry["kind"], entry.get("key", {}).get("purpose", "")


async def check_resume(whole: Whole, length: int, name: str) -> None:
    """Resume a copy of the run that ends after so many bytes."""
    project = whole.cut(length, name)
    asked, kept = bought(whole.project), bought(project)
    before = len(whole.stage.server.requests)
    end = await atold(whole.stage.run(project))
    sent = Counter(text_of(request) for request in whole.stage.server.requests[before:])
    assert rounds_of(project) == rounds_of(whole.project)
    assert results_of(project) == results_of(whole.project)
    assert (end.stopped.reason, end.stopped.best, end.stopped.prompt) == (
        whole.stopped.reason,
        whole.stopped.best,
        whole.stopped.prompt,
    )
    for text, times in sent.items():
        assert times + kept[text] <= asked[text], f"bought again at byte {length}: {text}"


def test_the_whole_run_has_something_of_everything(whole: Whole) -> None:
    assert [line[5] for line in rounds_of(whole.project)] == ["seed", "win", "loss", "win", "win", "loss"]
    calls = [line for line in read_lines(whole.project.journal, CallLine) if isinstance(line, CallLine)]
    twice = {line.key.purpose for line in calls if line.key.attempt == 2}
    assert twice >= {"propose", "execute", "vote", "held_out"}
    assert {line.key.purpose for line in calls} == {*twice, "check_vote"}


def test_cut_after_lines_of_every_kind_it_ends_as_it_did(whole: Whole) -> None:
    lines = whole.journal.splitlines(keepends=True)
    ends = list(accumulate(map(len, lines)))
    last = {kind(line): number for number, line in enumerate(lines)}
    chosen = sorted({*range(0, len(lines), whole.every), *last.values()})

    async def each() -> None:
        for number in chosen:
            await check_resume(whole, ends[number], f"line {number}")

    asyncio.run(each())


@settings(max_examples=5, phases=[Phase.generate])
@given(place=st.integers(0, 1_000_000))
def test_cut_at_any_byte_it_ends_as_it_did(whole: Whole, place: int) -> None:
    length = whole.first_line + place * (len(whole.journal) - whole.first_line) // 1_000_000
    asyncio.run(check_resume(whole, length, "byte"))


def test_a_torn_last_line_is_dropped_with_a_notice(whole: Whole) -> None:
    project = whole.cut(len(whole.journal) - 5, "torn")
    end = whole.stage.go(project)
    assert any("torn last line" in notice.text for notice in end.of(Noticed) if notice.level == "warning")


def test_resuming_a_finished_run_asks_nothing_and_tells_the_same_end(whole: Whole) -> None:
    project = whole.cut(len(whole.journal), "finished")
    before = len(whole.stage.server.requests)
    end = whole.stage.go(project)
    assert len(whole.stage.server.requests) == before
    assert not end.of(CallStarted)
    assert {event.recorded for event in end.of(CallFinished)} == {True}
    assert (
        end.stopped == whole.stopped.__replace__(at=end.stopped.at)
        if hasattr(end.stopped, "__replace__")
        else True
    )
    assert (end.stopped.reason, end.stopped.prompt) == ("finished", whole.stopped.prompt)
    assert end.one(HeldOutFinished).questions == 2
    assert project.journal.read_bytes() == whole.journal


def test_more_rounds_go_on_from_the_best_and_ask_only_for_those(tmp_path: Path) -> None:
    with ModelServer(climbing) as server:
        stage = Stage(tmp_path, server)
        project = stage.project(text=template(2), max_rounds=2)
        stage.go(project)
        sent = len(server.requests)
        end = stage.go(project, changes={"rounds": 4})
        kinds = Counter(role_of(request.json) for request in server.requests[sent:])
        assert (kinds["propose"], kinds["execute"]) == (2, 4)
        assert (end.stopped.best, end.stopped.rounds) == (4, 4)
        assert stage.go(project).stopped.rounds == 4  # the change is in the journal
    assert [line[0] for line in rounds_of(project)] == [1, 2, 3, 4]


def test_a_better_prompt_meets_the_held_out_questions_once_for_each_best(tmp_path: Path) -> None:
    with ModelServer(climbing) as server:
        stage = Stage(tmp_path, server)
        project = stage.project(text=template(5), max_rounds=2, final_check=True)
        stage.go(project)
        stage.go(project)
        stage.go(project, changes={"rounds": 3})
    lines = [line for line in read_lines(project.journal, HeldOutLine) if isinstance(line, HeldOutLine)]
    assert [(line.best, line.outcome, line.questions) for line in lines] == [(2, "win", 2), (3, "win", 2)]


def test_a_run_that_stops_again_for_the_same_reason_has_ended_and_was_not_interrupted(tmp_path: Path) -> None:
    with ModelServer(climbing) as server:
        stage = Stage(tmp_path, server)
        project = stage.project(budget=BudgetSettings(calls=2))
        ends = [stage.go(project).stopped.reason for _ in range(3)]
    assert ends == ["budget"] * 3
    history = read_history(project)
    assert (history.state, history.stop.reason if history.stop else None) == ("ended", "budget")
    assert len(list(read_lines(project.journal, StopLine))) == 3


def test_a_run_keeps_the_meta_prompts_it_began_with(tmp_path: Path) -> None:
    own = tmp_path / "prompts"
    own.mkdir()
    shipped = MetaPrompts()["judge_duel"].text
    (own / "judge_duel.txt").write_text(f"Be strict.\n\n{shipped}", encoding="utf-8")
    with ModelServer(changeable) as server:
        stage = Stage(tmp_path, server)
        project = stage.project("strict", prompt_folders=[own])
        stage.go(project)
        judged = [text for request in server.requests if "<answers_of_A>" in (text := text_of(request))]
        assert judged
        assert all("Be strict." in text for text in judged)
        before = len(server.requests)
        (own / "judge_duel.txt").unlink()
        stage.go(project)
        assert len(server.requests) == before


def test_a_journal_of_another_run_is_not_taken_for_its_own(whole: Whole) -> None:
    project = whole.cut(len(whole.journal), "swapped")
    head, rest = whole.journal.split(b"\n", 1)
    project.journal.write_bytes(head.replace(b'"run":"', b'"run":"0') + b"\n" + rest)
    with pytest.raises(SnapshotError, match=r"run.yaml and journal.jsonl are of two different runs"):
        reopen(project)


def test_a_finished_run_reads_its_journal_once_and_goes_through_its_rounds_once(
    whole: Whole, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Work that grows with the rounds before, at every round, would make a long run slow to resume."""
    read, folded, before = Counter[str](), Counter[str](), whole.journal
    project = whole.cut(len(before), "once")

    def counted(path: Path) -> AbstractContextManager[BinaryIO]:
        read[path.name] += 1
        return reading(path)

    def fold_counted(prompt: str) -> str:
        folded[prompt] += 1
        return fold(prompt)

    for module in (journal, journal_reader):
        monkeypatch.setattr(module, "reading", counted)
    monkeypatch.setattr(engine, "fold", fold_counted)
    asyncio.run(whole.stage.run(project).go())
    monkeypatch.undo()
    assert read == {"journal.jsonl": 1}
    assert folded == Counter(line.prompt for line in read_history(project).rounds if line.answers)
    assert project.journal.read_bytes() == before
