"""GPO whose relevance is an embedding model's: bought once, through the same door as everything else."""

from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from spotui.domain.errors import SpotuiError
from spotui.domain.events import CallFinished, PastShown, RunOpened, SpendingChanged
from spotui.domain.records import CallLine, RoundLine
from spotui.llm.protocol import cosine
from spotui.runs.branch import rehearse
from spotui.settings.table import BudgetSettings, RetrySettings
from spotui.workspace.journal_reader import read_lines
from spotui.workspace.projects import Project
from tests.methods.scored import scored_project
from tests.model_server import ModelServer, faults
from tests.model_server.embedding import bag_of_words
from tests.row_model import adding, kind_of
from tests.runs.starting import Stage, told

SMALL = {"max_steps": 4, "candidates_per_step": 2, "relevance": "embedding"}


def a_project(stage: Stage, *, parameters: dict[str, Any] | None = None, **changes: Any) -> Project:
    changes = {"embedding_model": "embedder", "count": 60, "few_tested": True, **changes}
    return scored_project(stage, "gpo", parameters={**SMALL, **(parameters or {})}, **changes)


def embedded(server: ModelServer) -> list[str]:
    return [one.json["input"] for one in server.requests if kind_of(one.json) == "embed"]


def test_the_prompts_that_point_the_same_way_are_shown(tmp_path: Path) -> None:
    with ModelServer(adding) as server:
        stage = Stage(tmp_path, server)
        project = a_project(stage)
        end = stage.go(project)
        texts = embedded(server)
        assert {one.json["model"] for one in server.requests if kind_of(one.json) == "embed"} == {"embedder"}
    assert end.one(RunOpened).embedding_model == "embedder"
    shown = [one for one in end.of(PastShown) if one.past]
    assert len(shown) == 3
    prompts = {one.round: one.prompt for one in read_lines(project.journal, RoundLine)}  # type: ignore[union-attr]
    for one in shown:
        current = bag_of_words(prompts[one.current])
        for past in one.past:
            assert past.similarity == pytest.approx(cosine(current, bag_of_words(past.text)), abs=1e-6)
    assert Counter(texts) == dict.fromkeys(texts, 1), "a text was embedded twice"
    calls = [one for one in end.of(CallFinished) if one.key.purpose == "embed"]
    assert len(calls) == len(texts) == 4
    assert all(one.prompt_tokens and not one.completion_tokens for one in calls)


def test_a_run_that_is_killed_buys_no_embedding_again(tmp_path: Path) -> None:
    with ModelServer(adding) as server:
        stage = Stage(tmp_path, server)
        project = a_project(stage)
        stage.go(project)
        whole = project.journal.read_bytes().splitlines(keepends=True)
        of_embeddings = [n for n, line in enumerate(whole) if b'"purpose":"embed"' in line]
        for kept in (of_embeddings[0], of_embeddings[0] + 1, of_embeddings[-1] + 1):
            before = len(server.requests)
            project.journal.write_bytes(b"".join(whole[:kept]))
            had = [
                bytes(line.request).decode()
                for line in read_lines(project.journal, CallLine)
                if isinstance(line, CallLine) and line.key.purpose == "embed"
            ]
            told(stage.run(project))
            again = [one.json["input"] for one in server.requests[before:] if kind_of(one.json) == "embed"]
            assert len(again) == 4 - len(had)
            assert not [text for text in again if any(text in one for one in had)]


def test_it_is_replayed_without_a_model(tmp_path: Path) -> None:
    with ModelServer(adding) as server:
        stage = Stage(tmp_path, server)
        project = a_project(stage)
        first = stage.go(project)
    again = told(rehearse(project, tmp_path / "scratch", 0))
    assert [one.past for one in again.of(PastShown)] == [one.past for one in first.of(PastShown)]


@pytest.mark.parametrize(
    "parameters",
    [
        {"relevance": "bm25"},
        {"trajectory": "none"},
        {"trajectory_selection": "importance"},
        {"trajectory": "summarization"},
    ],
)
def test_where_nothing_is_chosen_by_it_none_is_bought_and_none_is_needed(
    tmp_path: Path, parameters: dict[str, Any]
) -> None:
    with ModelServer(adding) as server:
        stage = Stage(tmp_path, server)
        end = stage.go(a_project(stage, parameters={**parameters, "max_steps": 2}, embedding_model=None))
        assert end.stopped.reason == "finished"
        assert not embedded(server)
        other = a_project(stage, name="other", parameters={**parameters, "max_steps": 1})
        assert stage.run(other) is not None
        assert stage.go(other).one(RunOpened).embedding_model == ""


def test_without_a_model_the_run_is_not_begun(tmp_path: Path) -> None:
    with ModelServer(adding) as server:
        stage = Stage(tmp_path, server)
        with pytest.raises(SpotuiError, match="none is chosen") as caught:
            a_project(stage, embedding_model=None)
    assert "--embedding-model" in caught.value.hint


def test_a_failure_is_tried_again_like_that_of_any_call(tmp_path: Path) -> None:
    plan = faults.when(lambda request: "input" in request, faults.status(503), times=1)
    with ModelServer(adding, faults=plan) as server:
        stage = Stage(tmp_path, server)
        end = stage.go(a_project(stage, retry=RetrySettings(tries=3, seconds=20)))
        assert end.stopped.reason == "finished"
        assert len(embedded(server)) == 5


def test_the_budget_counts_embeddings(tmp_path: Path) -> None:
    with ModelServer(adding) as server:
        stage = Stage(tmp_path, server)
        whole = stage.go(a_project(stage)).of(SpendingChanged)[-1]
        calls = len(server.requests)
    assert whole.calls == calls
    with ModelServer(adding) as server:
        stage = Stage(tmp_path / "short", server)
        limit = BudgetSettings(tokens=whole.prompt_tokens + whole.completion_tokens + 10_000)
        end = stage.go(a_project(stage, budget=limit))
        assert end.stopped.reason == "finished"
        assert len(embedded(server)) == 4


def test_a_text_that_is_too_long_is_like_none(tmp_path: Path) -> None:
    plan = faults.when(
        lambda request: "input" in request and "style 0" in request["input"], faults.status(413)
    )
    with ModelServer(adding, faults=plan) as server:
        stage = Stage(tmp_path, server)
        end = stage.go(a_project(stage))
    assert end.stopped.reason == "finished"
    seeds = [past for one in end.of(PastShown) for past in one.past if past.round == 1]
    assert seeds
    assert {past.similarity for past in seeds} == {0.0}
