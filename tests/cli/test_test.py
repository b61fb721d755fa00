"""`spotui test`: the prompts of rounds on a question of the moment."""

import json
from pathlib import Path

import pytest

from tests.cli.conftest import Shell
from tests.cli.terminal import Terminal
from tests.command_line import places, spotui
from tests.model_server import ModelServer, Scripted, conversation, faults
from tests.model_server.scripted import JsonObject
from tests.spo_model import climbing


def test_test_asks_the_executor_with_the_chosen_prompt_and_stores_nothing(
    shell: Shell, workspace: Path, model: ModelServer
) -> None:
    before = (workspace / "why" / "journal.jsonl").read_bytes()
    said = shell("test", "why", "Why do fish swim?")
    assert said.code == 0
    assert model.requests[-1].json["messages"] == [
        {"role": "user", "content": "Answer in style 2, with reasons.\n\nWhy do fish swim?"}
    ]
    assert said.out.startswith("In style 2: ")
    assert said.err.startswith("round 3, test-model: ")
    assert (workspace / "why" / "journal.jsonl").read_bytes() == before


def test_test_takes_another_round_and_another_model(
    shell: Shell, workspace: Path, model: ModelServer
) -> None:
    shell("test", "why", "Why?", "--round", "seed", "--model", "other")
    request = model.requests[-1].json
    assert request["model"] == "other"
    assert request["messages"][0]["content"].startswith("Answer the question.\n")


def test_test_says_what_is_wrong_with_the_model(
    shell: Shell, workspace: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "sk-another")
    said = shell("test", "why", "Why?")
    assert (said.code, said.out) == (1, "")
    assert "HTTP 401" in said.err


def test_prompts_of_several_rounds_are_asked_at_once_and_shown_in_turn(
    shell: Shell, workspace: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def late_first(request: JsonObject) -> Scripted:
        is_best = "style 2" in conversation(request)
        return Scripted("the best's" if is_best else "the seed's", delay=0.5 if is_best else 0.25)

    with ModelServer(late_first) as server:
        monkeypatch.setenv("OPENAI_BASE_URL", server.base_url)
        said = shell("test", "why", "Why?", "--round", "best", "--round", "seed", "--round", "3")
        assert (len(server.requests), server.peak_open) == (2, 2)
    assert said.out == "Round 3:\nthe best's\n\nRound 1:\nthe seed's\n"
    assert [line.split(",")[0] for line in said.err.splitlines()] == ["round 3", "round 1"]


def test_a_prompt_that_is_refused_leaves_the_others_their_answers(
    shell: Shell, workspace: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    filtered = faults.status(400, "No.", code="content_filter")
    plan = faults.when(lambda request: "style 2" in conversation(request), filtered)
    with ModelServer(climbing, faults=plan) as server:
        monkeypatch.setenv("OPENAI_BASE_URL", server.base_url)
        said = shell("test", "why", "Why?", "--round", "best", "--round", "seed")
    assert said.code == 1
    assert "In style 0: " in said.out
    assert "The content filter of test-model" in said.err


def test_json_tells_every_piece_every_answer_and_the_price(shell: Shell, workspace: Path) -> None:
    said = shell("test", "why", "Why?", "--round", "best", "--round", "seed", "--json")
    events = [json.loads(line) for line in said.out.splitlines()]
    assert {(one["key"]["round"], one["key"]["purpose"]) for one in events if "key" in one} == {
        (1, "try"),
        (3, "try"),
    }
    answers = {one["round"]: one["answer"] for one in events if one["event"] == "answered"}
    pieces = {
        number: "".join(
            one["text"] for one in events if one["event"] == "call_delta" and one["key"]["round"] == number
        )
        for number in (1, 3)
    }
    assert answers == pieces
    assert answers[3].startswith("In style 2: ")
    assert (events[-1]["event"], events[-1]["calls"]) == ("spending_changed", 2)


def test_a_question_comes_from_standard_input(home: Path, workspace: Path, model: ModelServer) -> None:
    env = places(home, OPENAI_API_KEY="sk-the-key", OPENAI_BASE_URL=model.base_url)
    assert spotui("test", "why", env=env, stdin="Why do\nfish swim?\n").code == 0
    assert model.requests[-1].json["messages"][0]["content"].endswith("\n\nWhy do\nfish swim?")


def test_a_failed_try_is_repeated_and_leaves_nothing_in_a_pipe(
    shell: Shell, workspace: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with ModelServer(climbing, faults={1: faults.truncated(frames=3)}) as server:
        monkeypatch.setenv("OPENAI_BASE_URL", server.base_url)
        said = shell("test", "why", "Why?")
        assert len(server.requests) == 2
    assert said.code == 0
    assert said.out.count("In style 2: ") == 1
    assert "Asked again in" in said.err


def test_an_empty_answer_is_an_error_that_names_its_reason(
    shell: Shell, workspace: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def answer(request: JsonObject) -> Scripted:
        return Scripted("", reasoning="so so") if "style 2" in conversation(request) else Scripted("four")

    with ModelServer(answer) as server:
        monkeypatch.setenv("OPENAI_BASE_URL", server.base_url)
        alone = shell("test", "why", "Why?")
        both = shell("test", "why", "Why?", "--round", "best", "--round", "seed")
    why = "The reply has 2 tokens of reasoning and no answer."
    assert (alone.code, alone.out) == (1, "")
    assert f"spotui: {why}" in alone.err
    assert "Check the server's reasoning parser" in alone.err
    assert (both.code, both.out) == (1, "Round 3:\n\nRound 1:\nfour\n")
    assert f"round 3: {why}" in both.err


def test_a_budget_of_its_own_is_kept(shell: Shell, workspace: Path, model: ModelServer) -> None:
    asked = len(model.requests)
    said = shell("test", "why", "Why?", "--round", "best", "--round", "seed", "--budget-calls", "1")
    assert (said.code, len(model.requests) - asked) == (1, 1)
    assert "The budget of 1 calls is spent." in said.err


def test_a_budget_in_usd_needs_a_price(shell: Shell, workspace: Path, model: ModelServer) -> None:
    asked = len(model.requests)
    said = shell("test", "why", "Why?", "--budget-usd", "1")
    assert (said.code, len(model.requests) - asked) == (1, 1)
    assert "the price of test-model is unknown" in said.err


def test_a_terminal_shows_the_answer_as_it_comes(home: Path, workspace: Path) -> None:
    with ModelServer(lambda _: Scripted(pieces=("first ", "last"), ending="hang", frames=2)) as server:
        env = places(home, OPENAI_API_KEY="sk-the-key", OPENAI_BASE_URL=server.base_url)
        with Terminal("test", "why", "Why?", env=env) as terminal:
            terminal.read_until("first ")
            terminal.type("\x03")
            assert terminal.wait() == 130
            server.wait_until(lambda: not server.connections)
