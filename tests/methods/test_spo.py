"""SPO from the seed to the best prompt, against a real server."""

import re
from collections import Counter
from pathlib import Path

import pytest

from spotui.domain.events import HeldOutFinished, RoundFinished, RunOpened, VoteCast
from tests.model_server import JsonObject, ModelServer, Persona, conversation
from tests.runs.starting import Stage, results_of, template, text_of, told
from tests.spo_model import climbing, execute, mixed, positional, prefer_higher_style, propose, role_of


def close_run() -> Persona:
    """Every candidate wins by three votes to one, and the first vote is against it: all four are needed."""
    duels: Counter[frozenset[str]] = Counter()

    def judge(request: JsonObject) -> str:
        styles = frozenset(re.findall(r"In style (\d+):", conversation(request)))
        duels[styles] += 1
        vote = prefer_higher_style(request)
        return vote.translate(str.maketrans("AB", "BA")) if duels[styles] == 1 else vote

    return Persona(role_of, propose=propose, execute=execute, judge=judge)


def test_the_references_rule_takes_75_requests_for_ten_rounds_of_three_questions(tmp_path: Path) -> None:
    with ModelServer(close_run()) as server:
        stage = Stage(tmp_path, server)
        end = stage.go(stage.project(max_rounds=10, judge="reference"))
    assert len(server.requests) == 3 + 9 * (1 + 3 + 4)
    kinds = Counter(role_of(request.json) for request in server.requests)
    assert kinds == {"propose": 9, "execute": 30, "judge": 36}
    assert end.outcomes == ["seed", *["win"] * 9]


def test_every_winner_is_the_parent_of_the_next_candidate(tmp_path: Path) -> None:
    with ModelServer(climbing) as server:
        stage = Stage(tmp_path, server)
        project = stage.project(max_rounds=4)
        end = stage.go(project)
    assert (end.stopped.reason, end.stopped.best, end.stopped.rounds) == ("finished", 4, 4)
    assert end.stopped.improved
    assert end.stopped.prompt == "Answer in style 3, with reasons."
    assert [event.best for event in end.of(RoundFinished)] == [1, 2, 3, 4]
    assert [(line[0], line[3]) for line in results_of(project)] == [
        (1, True),
        (2, True),
        (3, True),
        (4, True),
    ]


def test_execution_sends_the_prompt_a_blank_line_and_the_question(tmp_path: Path) -> None:
    with ModelServer(climbing) as server:
        stage = Stage(tmp_path, server)
        stage.go(stage.project(max_rounds=1))
    assert sorted(text_of(request) for request in server.requests) == [
        "user: Say something about the sea.\n\nHow deep is it?",
        "user: Say something about the sea.\n\nWhat is a tide?",
        "user: Say something about the sea.\n\nWhy is it salty?",
    ]


def test_a_judge_with_nothing_but_a_taste_for_a_position_accepts_nothing(tmp_path: Path) -> None:
    with ModelServer(positional) as server:
        stage = Stage(tmp_path, server)
        end = stage.go(stage.project(max_rounds=5))
    assert "win" not in end.outcomes
    assert not end.stopped.improved
    assert end.stopped.prompt == "Say something about the sea."
    votes = [vote for vote in end.of(VoteCast) if vote.round == 2]
    assert {vote.order: vote.choice for vote in votes} == {"AB": "loss", "BA": "win"}


def test_balanced_ballots_ask_in_both_orders_equally(tmp_path: Path) -> None:
    with ModelServer(close_run()) as server:
        stage = Stage(tmp_path, server)
        stage.go(stage.project(max_rounds=2))
    firsts = Counter(
        re.search(r"<answers_of_A>.*?style (\d)", text_of(request), re.DOTALL)[1]  # type: ignore[index]
        for request in server.requests
        if role_of(request.json) == "judge"
    )
    assert firsts == {"0": 2, "1": 2}


def test_the_evaluator_sees_answers_and_neither_prompts_nor_rounds_nor_roles(tmp_path: Path) -> None:
    def secretive(request: JsonObject) -> str:
        return "the sea rises and falls"

    server = ModelServer(Persona(role_of, propose=propose, execute=secretive))
    with server:
        stage = Stage(tmp_path, server)
        stage.go(stage.project(max_rounds=4))
    judged = [conversation(one.json) for one in server.requests if role_of(one.json) == "judge"]
    assert judged
    for text in judged:
        assert "Say something about the sea" not in text
        assert "in style" not in text
        assert not re.search(
            r"\bround\b|succeed|candidate|best_prompt|modification|seed", text, re.IGNORECASE
        )


@pytest.mark.parametrize("shown", [True, False])
def test_reference_answers_are_shown_to_optimizer_and_evaluator_when_the_setting_says_so(
    tmp_path: Path, shown: bool
) -> None:
    with ModelServer(climbing) as server:
        stage = Stage(tmp_path, server)
        stage.go(stage.project(max_rounds=2, reference_answers=shown))
    for request in server.requests:
        seen = "Eleven kilometres." in text_of(request)
        assert seen == (shown and role_of(request.json) != "execute")


def test_the_question_set_is_drawn_once_and_the_rest_is_asked_at_the_end_alone(tmp_path: Path) -> None:
    with ModelServer(climbing) as server:
        stage = Stage(tmp_path, server)
        end = stage.go(stage.project(text=template(8), max_rounds=3, seed=4, final_check=True))
    opened, final = end.one(RunOpened), end.one(HeldOutFinished)
    assert (len(opened.questions), opened.held_out, final.questions) == (3, 5, 5)
    asked = [[one for one in range(8) if f"Question {one}?" in text_of(each)] for each in server.requests]
    kinds = [role_of(request.json) for request in server.requests]
    executed = [
        (kind, questions[0]) for kind, questions in zip(kinds, asked, strict=True) if kind == "execute"
    ]
    checked = [questions for questions in asked[-16:] if len(questions) == 1]
    assert Counter(number for (number,) in checked) == dict.fromkeys(range(8), 2)
    drawn = {number for _, number in executed[:3]}
    assert {number for _, number in executed[:9]} == drawn
    assert len(drawn) == 3
    assert Counter(number for _, number in executed[9:]) == dict.fromkeys(set(range(8)) - drawn, 2)
    assert all(set(questions) == drawn for questions in asked if len(questions) > 1)
    assert (final.outcome, final.best) == ("win", 3)


def test_another_seed_draws_other_questions_and_the_same_seed_the_same(tmp_path: Path) -> None:
    with ModelServer(execute) as server:
        stage = Stage(tmp_path, server)
        drawn = [
            stage.go(stage.project(f"sea {n}", template(9), max_rounds=1, seed=seed)).one(RunOpened).questions
            for n, seed in enumerate((1, 1, 2))
        ]
    assert drawn[0] == drawn[1] != drawn[2]


def test_without_a_better_prompt_no_held_out_question_is_asked(tmp_path: Path) -> None:
    with ModelServer(positional) as server:
        stage = Stage(tmp_path, server)
        end = stage.go(stage.project(text=template(5), max_rounds=2, final_check=True))
    assert not end.of(HeldOutFinished)
    asked = {one for one in range(5) for each in server.requests if f"Question {one}?" in text_of(each)}
    assert len(asked) == 3


def test_order_and_speed_of_the_replies_change_nothing(tmp_path: Path) -> None:
    ends = []
    for name, concurrency, delay in (("one by one", 1, 0.0), ("at once", 16, 0.004)):
        with ModelServer(mixed, delay=delay) as server:
            stage = Stage(tmp_path, server)
            project = stage.project(name, max_rounds=6, concurrency=concurrency)
            stopped = told(stage.run(project)).stopped
            ends.append((results_of(project), stopped.best, stopped.prompt))
            assert (server.peak_open == 1) == (concurrency == 1)
    assert ends[0] == ends[1]
    assert ends[0][1] > 1
