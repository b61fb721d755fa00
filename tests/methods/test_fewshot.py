"""Few-shot from the seed to the test, and demonstrations as the last round of another method."""

import re
from collections import Counter
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest

from spotui.domain.errors import SpotuiError
from spotui.domain.events import CandidateProposed, FinalTest, RoundFinished
from spotui.runs.branch import rehearse
from spotui.settings.table import BudgetSettings
from spotui.workspace.history import read_history
from tests.methods.scored import scored_project
from tests.model_server import JsonObject, ModelServer, Persona, conversation
from tests.row_model import kind_of, propose
from tests.runs.starting import Stage, Told, told


def answer(request: JsonObject) -> str:
    """The more demonstrations are shown, the more rows are answered right."""
    text = conversation(request)
    one, other = map(int, re.findall(r"What is (\d+) plus (\d+)\?", text)[-1])
    is_hard = sha256(f"{one}+{other}".encode()).digest()[0] / 256
    return f"The answer is {one + other + (is_hard > 0.3 + 0.12 * text.count('Answer: The answer is'))}."


def better(request: JsonObject) -> str:
    return re.sub(r", way \d+", "", propose(request))


learning = Persona(kind_of, propose=better, execute=answer)
SMALL = {"iterations": 2}


def go(
    folder: Path, method: str = "fewshot", model: Persona = learning, **options: Any
) -> tuple[Told, ModelServer]:
    """A whole run, and the server it asked."""
    with ModelServer(model) as server:
        stage = Stage(folder, server)
        options = {"parameters": SMALL, "count": 80, **options}
        return stage.go(scored_project(stage, method, **options)), server


def sums(text: str) -> list[str]:
    return re.findall(r"What is \d+ plus \d+\?", text)


def test_it_shows_train_rows_with_the_models_right_answers_and_takes_the_best_set(tmp_path: Path) -> None:
    end, server = go(tmp_path)
    assert end.stopped.improved
    assert end.one(FinalTest).difference > 0
    assert "optimizer" not in {kind_of(one.json) for one in server.requests}
    prompt = end.stopped.prompt
    assert prompt.startswith(
        "Add in style 0.\n\nExamples of the task with their answers:\n\nQuestion: What is "
    )
    shown = re.findall(r"Question: What is (\d+) plus (\d+)\?\nAnswer: The answer is (\d+)\.", prompt)
    assert 1 <= len(shown) <= 4
    assert all(int(one) + int(other) == int(total) for one, other, total in shown)
    (chosen,) = {one.modification for one in end.of(CandidateProposed) if one.prompt == prompt}
    assert re.fullmatch(
        r"\d demonstrations \(train rows [\d, ]+\): \d+ words on top of the prompt's 4", chosen
    )
    solved = [one.columns["solved"] for one in end.of(RoundFinished) if one.round > 1]
    assert solved == sorted(solved)
    questions = {sums(one.prompt)[0] for one in end.of(CandidateProposed)}
    tested = Counter(sums(conversation(one.json))[-1] for one in server.requests)
    assert len(questions & {row for row, asked in tested.items() if asked > 4}) < len(questions)


def test_a_run_that_stopped_anywhere_buys_nothing_twice_and_decides_the_same(tmp_path: Path) -> None:
    whole, straight = go(tmp_path / "whole")
    with ModelServer(learning) as server:
        stage = Stage(tmp_path, server)
        project = scored_project(stage, "fewshot", parameters=SMALL, count=80, budget=BudgetSettings(calls=5))
        for calls in (5, 20, 60, None):
            end = stage.go(project, changes={"calls": calls})
            assert (end.stopped.reason == "budget") is (calls is not None)
    asked = [Counter(conversation(one.json) for one in each.requests) for each in (server, straight)]
    assert asked[0] == asked[1]
    assert (end.stopped.prompt, end.outcomes) == (whole.stopped.prompt, whole.outcomes)


@pytest.mark.parametrize("answers", ["reference", "both"])
def test_references_can_stand_in_for_answers(tmp_path: Path, answers: str) -> None:
    parameters = {"iterations": 1, "sets": 1, "demonstrations": 16, "answers": answers}
    end, _ = go(tmp_path, parameters=parameters)
    (shown,) = {one.prompt for one in end.of(CandidateProposed)}
    found = re.findall(r"\nAnswer: (.*)", shown)
    assert len(found) == 16
    assert {one.startswith("The answer is") for one in found} == (
        {False} if answers == "reference" else {False, True}
    )


def test_without_a_row_that_is_answered_right_it_says_what_to_do(tmp_path: Path) -> None:
    wrong = Persona(kind_of, execute=lambda _: "no idea")
    end, _ = go(tmp_path, model=wrong)
    assert end.stopped.reason == "failed"
    assert "None of 16 train rows is answered right" in end.stopped.cause
    assert "Show reference answers (answers: both, in fewshot)" in end.stopped.cause


def test_another_method_tries_them_in_its_last_round_and_can_be_made_longer(tmp_path: Path) -> None:
    with ModelServer(learning) as server:
        stage = Stage(tmp_path, server)
        parameters = {"max_steps": 1, "candidates_per_step": 2}
        options: dict[str, Any] = {"parameters": parameters, "count": 80, "demonstrations": 3}
        project = scored_project(stage, "ape", **options)
        end = stage.go(project)
        assert [one.round for one in end.of(RoundFinished)] == [1, 2, 3]
        made = [one for one in end.of(CandidateProposed) if one.round == 3]
        assert len(made) == 4
        assert all("on top of the prompt's" in one.modification for one in made)
        assert end.stopped.best == 3
        assert end.stopped.prompt.count("\nAnswer: The answer is ") <= 3
        bought = len(server.requests)
        assert stage.go(project).stopped.prompt == end.stopped.prompt
        assert len(server.requests) == bought
        assert told(rehearse(project, tmp_path / "scratch", 0)).stopped.prompt == end.stopped.prompt

        longer = stage.go(project, changes={"rounds": 5})
        assert [one.round for one in longer.of(RoundFinished)] == [1, 2, 3, 4, 5]
        assert {one.parent for one in longer.of(CandidateProposed) if one.round == 4} <= {1, 2}
        assert {one.parent for one in longer.of(CandidateProposed) if one.round == 5} == {longer_best(longer)}
        assert [one.closing for one in read_history(project).rounds] == [False, False, True, False, True]
        bought = len(server.requests)
        assert stage.go(project).outcomes == longer.outcomes
        assert len(server.requests) == bought


def longer_best(end: Told) -> int:
    """The best round before the last one."""
    return end.of(RoundFinished)[-2].best


@pytest.mark.parametrize(
    ("method", "problem"),
    [("spo", "marks no answers"), ("fewshot", "draws demonstrations itself")],
)
def test_where_they_cannot_be_tried_it_says_so_before_the_run(
    tmp_path: Path, method: str, problem: str
) -> None:
    with ModelServer(learning) as server, pytest.raises(SpotuiError, match=problem):
        scored_project(Stage(tmp_path, server), method, demonstrations=2)


def test_a_prompt_behind_the_question_shows_the_question_in_its_slot(tmp_path: Path) -> None:
    end, _ = go(tmp_path, position="question_end")
    assert end.stopped.prompt.endswith(
        "Answer the following in the same way.\n\n{question}\n\nAdd in style 0."
    )
