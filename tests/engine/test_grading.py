"""Graded marks: how probable the right option was, out of the call that brought the answer."""

import math
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from spotui.domain.events import CandidateScored, FinalTest, Noticed, RoundFinished
from spotui.domain.rows import Row
from spotui.engine.grading import Optioned, read_grade
from spotui.metrics.labels import YesNo
from spotui.metrics.multiple_choice import MultipleChoice
from spotui.metrics.number import Number
from tests.methods.scored import scored_project
from tests.model_server import JsonObject, ModelServer, Persona, Scripted, conversation
from tests.row_model import kind_of, note, propose, template
from tests.runs.starting import Stage, Told

LETTERS = {"A": "A", "B": "B", "C": "C"}
ROWS = "".join(f'{{"question": "Is {n} odd?", "answer": "{["no", "yes"][n % 2]}"}}\n' for n in range(1, 61))
STEP = {"max_steps": 1, "candidates_per_step": 3, "descent_direction": "performance"}


def likely(**shares: float) -> list[tuple[str, float]]:
    return [(token, math.log(share)) for token, share in shares.items()]


@pytest.mark.parametrize(
    ("watched", "read", "grade"),
    [
        ([("B", likely(A=0.1, B=0.6, C=0.1))], "B", 0.75),  # the other tokens are no options
        ([("A", likely(A=0.9, B=0.1)), ("B", likely(A=0.5, B=0.5))], "B", 0.5),  # it reasons first
        ([("A", likely(A=0.6, B=0.2))], "A", 0.25),  # a wrong answer, and how close it was
        ([("A", likely(A=0.6, B=0.2))], "C", None),  # what was read was said in other words
        ([], "B", None),
        ([("B", [])], "B", None),
    ],
)
def test_a_grade_is_the_share_of_the_right_option_where_the_choice_is_said(
    watched: list[tuple[str, list[tuple[str, float]]]], read: str, grade: float | None
) -> None:
    assert read_grade(watched, LETTERS, read, frozenset({"B"})) == (
        None if grade is None else pytest.approx(grade)
    )


def test_two_metrics_have_options_that_a_token_can_say() -> None:
    row = Row("Which one?\n(A) One\n(B) Two", ("(B)",))
    choice, yes_no = MultipleChoice(), YesNo()
    assert choice.options(row) == {"A": "A", "B": "B"}
    assert choice.right(row) == {"B"}
    assert choice.options(Row("Which one?", ("B",))) == {}
    assert yes_no.right(Row("Is it?", ("true",))) == {"yes"}
    assert {yes_no.options(row)[word] for word in ("No", "false", "FALSE")} == {"no"}
    assert not isinstance(Number(), Optioned)


def surer(request: JsonObject) -> Scripted:
    """Always yes: only its probability depends on the prompt; where that is wrong, later ways doubt it."""
    text = conversation(request)
    ways = [int(way) for way in re.findall(r"way (\d+)", text)]
    number = int(re.findall(r"Is (\d+) odd", text)[-1])
    if not ways:
        return Scripted(text="It depends.", alternatives={"It": -0.1})
    wrong = 0.02 * ways[-1]
    share = 0.9 if number % 2 else 0.95 - wrong
    shares = {" Yes": math.log(share), "No": math.log(1 - share), "The": -9.0}
    return Scripted(pieces=("I think so:", " Yes", "."), alternatives=shares, logprobs=(-0.1, -0.1, -0.1))


def silent(request: JsonObject) -> Scripted:
    """The same without probabilities."""
    reply = surer(request)
    return Scripted(text="".join(reply.pieces or (reply.text,)))


def go(
    folder: Path, execute: Callable[[JsonObject], Scripted], *, metric: str = "yes_no", **changes: Any
) -> tuple[Told, ModelServer]:
    propose.calls = 0  # type: ignore[attr-defined]
    text = template(metric=metric)
    with ModelServer(Persona(kind_of, propose=propose, execute=execute, likelihood=note)) as server:
        stage = Stage(folder, server)
        project = scored_project(
            stage, "gpo", text=text, rows_text=ROWS, parameters=STEP, concurrency=1, **changes
        )
        told = stage.go(project)
        again = stage.go(project)
        ends = [[one.prompt for one in end.of(RoundFinished)] for end in (told, again)]
        assert ends[0] == ends[1]
        return told, server


def test_of_prompts_with_the_same_score_the_surer_one_is_chosen_and_the_score_stays(tmp_path: Path) -> None:
    graded, server = go(tmp_path / "graded", surer, graded_marks=True, racing="none")
    plain, other = go(tmp_path / "plain", surer, racing="none")
    for end in (graded, plain):
        scores = [one.score for one in end.of(CandidateScored) if one.split == "eval" and one.round == 2]
        assert len(scores) == 3
        assert len(set(scores)) == 1
        assert all(mark in (0, 1) for one in end.of(CandidateScored) for mark in one.marks)
        assert not [one for one in end.of(Noticed) if "probable" in one.text]
    assert graded.of(RoundFinished)[1].prompt.endswith("way 3.")
    assert plain.of(RoundFinished)[1].prompt.endswith("way 1.")
    assert len(server.requests) == len(other.requests)
    assert graded.one(FinalTest).best_score == plain.one(FinalTest).best_score
    asked = [one.json for one in server.requests if kind_of(one.json) == "execute"]
    assert {one.get("top_logprobs") for one in asked} == {20, None}  # the test rows are asked without
    assert not any(one.json.get("logprobs") for one in other.requests)


def test_without_probabilities_marks_are_plain_and_that_is_said_once(tmp_path: Path) -> None:
    end, _ = go(tmp_path / "silent", silent, graded_marks=True)
    [said] = [one.text for one in end.of(Noticed) if "probable" in one.text]
    assert said == (
        "test-model does not report how probable its tokens are: prompts are chosen by plain marks."
    )
    assert end.of(RoundFinished)[1].prompt.endswith("way 1.")
    end, server = go(tmp_path / "words", surer, graded_marks=True, metric="exact")
    [said] = [one.text for one in end.of(Noticed) if "Graded" in one.text]
    assert said.startswith("Graded marks need the metric multiple_choice or yes_no. The template has exact")
    assert not any(one.json.get("logprobs") for one in server.requests)
