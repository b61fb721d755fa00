"""An answer that is cut or empty is asked for once more, and an error is never an answer."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from spotui.domain.events import Answered, Noticed, RoundFinished, VoteCast
from tests.model_server import JsonObject, ModelServer, Persona, Scripted, conversation, faults
from tests.runs.starting import Stage, Told, template
from tests.spo_model import climbing, execute, is_repair, prefer_higher_style, propose, role_of

Answer = Callable[[JsonObject], str | Scripted]


def answering(tmp_path: Path, answer: Answer, rounds: int = 2) -> tuple[ModelServer, Told]:
    """Two rounds of two questions with an executor that answers so."""
    with ModelServer(Persona(role_of, propose=propose, execute=answer, judge=prefer_higher_style)) as server:
        stage = Stage(tmp_path, server)
        return server, stage.go(stage.project(text=template(2), max_rounds=rounds))


def bad_in_round_2(first: Scripted, again: Scripted | None = None) -> Answer:
    """Answers that are bad in round 2, and when asked again, too, if `again` says how."""

    def answer(request: JsonObject) -> str | Scripted:
        if "style 1" not in conversation(request):
            return execute(request)
        if not is_repair(request):
            return first
        return again or execute(request)

    return answer


@pytest.mark.parametrize(
    ("bad", "problem", "cause"),
    [
        (Scripted(text=""), "It is empty.", "The answer is empty."),
        (Scripted(text=" \n"), "It is empty.", "The answer is empty."),
        (Scripted(null_content=True), "It is empty.", "The answer is empty."),
        (
            Scripted(text="", reasoning="thought only"),
            "It is empty.",
            "The reply has 2 tokens of reasoning and no answer.",
        ),
        (Scripted(text="half a sen", finish_reason="length"), *["It was cut by the length limit."] * 2),
        (
            Scripted(text="half a sen", finish_reason="SAFETY"),
            "It was stopped by a content filter.",
            "A content filter stopped the answer in the middle.",
        ),
    ],
)
def test_an_answer_that_cannot_be_used_is_asked_for_once_more(
    tmp_path: Path, bad: Scripted, problem: str, cause: str
) -> None:
    server, end = answering(tmp_path, bad_in_round_2(bad))
    repairs = [one.json["messages"] for one in server.requests if is_repair(one.json)]
    assert len(repairs) == 2
    assert all(problem in message["content"] for (message,) in repairs)
    assert not any("half a sen" in message["content"] for (message,) in repairs)
    assert sum(f"{cause} The question is asked again." in notice.text for notice in end.of(Noticed)) == 2
    assert [event.answer[:11] for event in end.of(Answered)] == ["In style 0:"] * 2 + ["In style 1:"] * 2
    assert end.of(RoundFinished)[1].calls >= 1 + 2 * 2 + 3  # the last vote may have been cancelled
    assert end.outcomes == ["seed", "win"]


@pytest.mark.parametrize(
    ("bad", "why"),
    [
        (Scripted(text=""), "The answer is empty."),
        (Scripted(null_content=True), "The answer is empty."),
        (
            Scripted("half a sen", finish_reason="recitation"),
            "A content filter stopped the answer in the middle.",
        ),
    ],
)
def test_without_an_answer_the_round_is_void_and_nothing_is_judged(
    tmp_path: Path, bad: Scripted, why: str
) -> None:
    server, end = answering(tmp_path, bad_in_round_2(bad, bad))
    assert end.outcomes == ["seed", "void"]
    assert end.of(RoundFinished)[1].note == f"question 1 got no answer: {why}"
    assert not end.of(VoteCast)
    assert "judge" not in {role_of(one.json) for one in server.requests}
    assert end.stopped.best == 1


def test_a_question_that_the_model_refuses_is_left_out_in_its_words(tmp_path: Path) -> None:
    message = {"role": "assistant", "content": None, "refusal": "I cannot assist with that."}
    body = json.dumps({"choices": [{"index": 0, "message": message, "finish_reason": "stop"}]}).encode()

    def answer(request: JsonObject) -> str | Scripted:
        is_refused = "Question 1?" in conversation(request)
        return Scripted(body=body) if is_refused else execute(request)

    _, end = answering(tmp_path, answer)
    errors = {event.error for event in end.of(Answered) if event.error}
    assert errors == {'The model refused to answer: "I cannot assist with that".'}
    assert end.outcomes == ["seed", "win"]


def test_an_answer_that_stays_cut_is_taken_as_it_is_and_said_so(tmp_path: Path) -> None:
    cut = Scripted(text="In style 1: half", finish_reason="length")
    _, end = answering(tmp_path, bad_in_round_2(cut, cut))
    assert [event.answer for event in end.of(Answered)][2:] == ["In style 1: half"] * 2
    warnings = [notice.text for notice in end.of(Noticed) if notice.level == "warning"]
    assert sum("cut by the length limit again" in text for text in warnings) == 2


def test_an_answer_that_is_cut_and_then_empty_stays_the_cut_one(tmp_path: Path) -> None:
    cut = Scripted(text="In style 1: half", finish_reason="length")
    _, end = answering(tmp_path, bad_in_round_2(cut, Scripted(text="")))
    assert [event.answer for event in end.of(Answered)][2:] == ["In style 1: half"] * 2


def test_a_seed_without_answers_ends_the_run_with_what_to_do(tmp_path: Path) -> None:
    _, end = answering(tmp_path, lambda _: Scripted("", reasoning="two and two", finish_reason="length"))
    assert end.stopped.reason == "failed"
    assert end.stopped.cause == (
        "Question 1 gets no answer with the seed prompt, so nothing can be compared. The reply has 3 tokens "
        "of reasoning and no answer. Raise max_tokens for this model, or lower its reasoning effort."
    )
    assert end.stopped.prompt == "Say it in style 0."
    assert not end.of(RoundFinished)


@pytest.mark.parametrize(
    "fault", [faults.status(500), faults.html(), faults.truncated(), faults.reset(), faults.status(401)]
)
def test_an_error_is_never_an_answer(tmp_path: Path, fault: faults.Fault) -> None:
    plan = faults.when(lambda one: role_of(one) == "execute" and "style 1" in conversation(one), fault)
    with ModelServer(climbing, faults=plan) as server:
        stage = Stage(tmp_path, server)
        project = stage.project(text=template(2), max_rounds=2)
        end = stage.go(project)
    assert (end.stopped.reason, end.stopped.best) == ("failed", 1)
    assert end.stopped.resumable
    assert "judge" not in {role_of(one.json) for one in server.requests}
    assert len(end.of(Answered)) == 2
    assert b"scripted" not in project.results.read_bytes()
    assert end.outcomes == ["seed"]
