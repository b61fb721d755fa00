"""What each parameter of GPO changes in what the models are asked."""

from pathlib import Path
from typing import Any

import pytest

from spotui.domain.events import CandidateScored, PastShown, RoundFinished
from spotui.domain.statistics import score
from spotui.engine import Candidate, Scored
from spotui.runs.snapshots import stored_settings
from spotui.workspace.snapshot import read_snapshot
from tests.methods.scored import scored_project
from tests.model_server import JsonObject, ModelServer, Persona, conversation
from tests.row_model import adding, answer, kind_of, note
from tests.runs.starting import Stage, Told

FEW: dict[str, Any] = {"count": 60, "few_tested": True}
SMALL = {"max_steps": 4, "candidates_per_step": 2, "batch_size": 6}


def go(
    folder: Path, parameters: dict[str, Any], *, model: Persona = adding, delay: float = 0.0, **options: Any
) -> tuple[Told, dict[str, list[str]], ModelServer]:
    """A whole run, and what was asked, by its kind."""
    with ModelServer(model, delay=delay) as server:
        stage = Stage(folder, server)
        end = stage.go(scored_project(stage, "gpo", parameters={**SMALL, **parameters}, **FEW, **options))
        asked: dict[str, list[str]] = {}
        for one in server.requests:
            asked.setdefault(kind_of(one.json), []).append(conversation(one.json))
        return end, asked, server


def shown(end: Told) -> list[list[int]]:
    """The rounds of the past prompts that each step showed."""
    return [[past.round for past in one.past] for one in end.of(PastShown)]


def test_without_a_trajectory_no_past_is_shown(tmp_path: Path) -> None:
    end, asked, _ = go(tmp_path, {"trajectory": "none"})
    assert shown(end) == [[], [], [], []]
    assert not any("<past_prompts>" in one for one in asked["propose"])


def test_recency_shows_the_newest_as_many_as_wanted(tmp_path: Path) -> None:
    end, asked, _ = go(tmp_path, {"trajectory_selection": "recency", "trajectory_size": 2})
    assert [sorted(one) for one in shown(end)] == [[], [1], [1, 2], [2, 3]]
    assert "the newest last" in asked["propose"][-1]


def test_the_best_may_come_first(tmp_path: Path) -> None:
    end, asked, _ = go(tmp_path, {"trajectory_order": "descending", "trajectory_selection": "importance"})
    scores = [past.score or 0 for past in end.of(PastShown)[-1].past]
    assert scores == sorted(scores, reverse=True)
    assert len(set(scores)) > 1
    assert "the best first" in asked["propose"][-1]


def test_losers_that_were_paid_for_are_remembered_when_that_is_wanted(tmp_path: Path) -> None:
    wanted = {"trajectory_selection": "recency", "trajectory_size": 100}
    end, _, _ = go(tmp_path / "winners", wanted)
    assert [len(one) for one in shown(end)] == [0, 1, 2, 3]
    end, _, _ = go(tmp_path / "all", {**wanted, "trajectory_losers": True})
    assert [len(one) for one in shown(end)] == [0, 2, 4, 6]
    texts = {past.text for past in end.of(PastShown)[-1].past}
    assert texts < {one.prompt for one in end.of(CandidateScored)}


def test_reflections_are_remembered_in_place_of_prompts(tmp_path: Path) -> None:
    wanted = {"trajectory_content": "reflections", "descent_direction": "performance+reflection"}
    end, asked, _ = go(tmp_path, wanted)
    last = asked["propose"][-1]
    assert "<past_reflections>" in last
    assert "<past_prompts>" not in last
    past = [one for told in end.of(PastShown) for one in told.past]
    assert past
    assert all(one.text.startswith("Carry the one.") for one in past)


@pytest.mark.parametrize(
    ("refinement", "lead"), [("editing", "Edit the current"), ("generation", "Write a new")]
)
def test_a_prompt_is_written_anew_or_edited(tmp_path: Path, refinement: str, lead: str) -> None:
    _, asked, _ = go(tmp_path, {"refinement": refinement, "max_steps": 1})
    assert all(lead in one for one in asked["propose"])


def test_without_a_schedule_no_budget_is_named(tmp_path: Path) -> None:
    end, asked, _ = go(tmp_path, {"edit_budget_schedule": "none", "max_steps": 1})
    assert end.one(PastShown).edit_budget is None
    assert "It may differ" not in asked["propose"][0]


@pytest.mark.parametrize("count", [0, 2])
def test_the_same_examples_of_the_task_are_shown_in_every_step(tmp_path: Path, count: int) -> None:
    _, asked, _ = go(tmp_path, {"task_examples": count})
    assert all(one.count("Expected: ") == count for one in asked["propose"])
    if count:
        assert len({one.split("<examples>")[1].split("</examples>")[0] for one in asked["propose"]}) == 1


def test_a_trajectory_of_size_zero_shows_nothing(tmp_path: Path) -> None:
    for selection in ("recency", "relevance", "importance"):
        wanted = {"trajectory_selection": selection, "trajectory_size": 0, "max_steps": 3}
        end, _, _ = go(tmp_path / selection, wanted)
        assert shown(end) == [[], [], []]


@pytest.mark.parametrize(
    ("position", "labels", "asks"),
    [
        ("before_question", False, "Add in style 0.\n\nWhat is"),
        ("before_question", True, "Add in style 0.\n\nQ: What is"),
        ("question_start", True, "Q: Add in style 0.\nWhat is"),
        ("question_end", False, "?\n\nAdd in style 0."),
        ("answer_start", True, "?\nA: Add in style 0."),
    ],
)
def test_the_executor_is_asked_as_the_layout_says(
    tmp_path: Path, position: str, labels: bool, asks: str
) -> None:
    _, asked, _ = go(tmp_path, {"prompt_position": position, "qa_labels": labels, "max_steps": 0})
    assert all(asks in one for one in asked["execute"])


def test_solved_rows_stand_in_front_of_every_question(tmp_path: Path) -> None:
    _, asked, _ = go(tmp_path, {"few_shot_demos": 3, "qa_labels": True, "max_steps": 0})
    assert all(one.count("Q: ") == 4 for one in asked["execute"])
    assert len({one.split("\n\n")[0] for one in asked["execute"]}) == 1


def test_calls_of_a_step_are_made_at_once(tmp_path: Path) -> None:
    *_, server = go(tmp_path, {"max_steps": 1, "candidates_per_step": 6}, delay=0.02, concurrency=16)
    assert server.peak_open == 16


def test_a_reflection_reads_a_batch_and_without_one_no_train_row_is_asked(tmp_path: Path) -> None:
    def worse(_: JsonObject) -> str:
        return "<analyse>a</analyse><modification>m</modification><prompt>Add in style 0, once.</prompt>"

    model = Persona(kind_of, propose=worse, execute=answer, likelihood=note)
    with_it = {"descent_direction": "performance+reflection", "max_steps": 1, "batch_size": 5}
    _, asked, _ = go(tmp_path / "with", with_it, model=model)
    _, without, _ = go(tmp_path / "without", {"max_steps": 1}, model=model)
    assert len(asked["execute"]) - len(without["execute"]) == 5


def test_a_tie_goes_to_the_shorter_prompt_and_then_to_the_earlier(tmp_path: Path) -> None:
    def scored(text: str) -> Scored:
        return Scored(Candidate(1, text), "eval", score([1.0, 0.0]), ())

    assert scored("Add.").beats(scored("Add it."))
    assert not scored("Add it.").beats(scored("Add."))
    assert not scored("Add it.").beats(scored("Sum it."))

    def longer(_: JsonObject) -> str:
        return "<analyse>a</analyse><modification>m</modification><prompt>Add in style 0, please.</prompt>"

    end, _, _ = go(tmp_path, {"max_steps": 1}, model=Persona(kind_of, propose=longer, execute=answer))
    assert [one.outcome for one in end.of(RoundFinished)] == ["seed", "tie"]
    assert end.stopped.best == 1


def test_a_parameter_is_kept_with_the_run(tmp_path: Path) -> None:
    with ModelServer(adding) as server:
        stage = Stage(tmp_path, server)
        project = scored_project(stage, "gpo", parameters={"relevance": "embedding"}, embedding_model="e")
        snapshot = read_snapshot(project.snapshot)
        assert snapshot.parameters == {"relevance": "embedding"}
        assert stored_settings(project).embedding_model == "e"
        other = scored_project(stage, "gpo", name="other", embedding_model="e")
        assert stored_settings(other).embedding_model is None
