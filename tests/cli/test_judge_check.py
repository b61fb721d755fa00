"""judge-check: how often a judge tells answers from damaged copies, before money is spent on a run."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from spotui.cli import exit_codes
from tests.cli.conftest import Shell
from tests.model_server import JsonObject, ModelServer, Persona, Scripted, conversation
from tests.spo_model import execute, prefer_first, role_of


def prefer_whole(request: JsonObject) -> str:
    """The longer answers without numbered lines, in their own order and on their own question."""
    text = conversation(request)
    sides = {side: text.split(f"<answers_of_{side}>")[1].split(f"</answers_of_{side}>")[0] for side in "AB"}

    def worth(body: str) -> tuple[bool, bool, int]:
        question, answer = body.split("Question 1: ")[1].split("\nAnswer 1: ")
        in_order = answer.startswith("In style") and question.split("?")[0] in answer
        return "\n2. " not in body, in_order, len(body)

    return f"<analyse>x</analyse><choose>{max(sides, key=lambda side: worth(sides[side]))}</choose>"


def answer(request: JsonObject) -> str:
    return f"In style 0: {conversation(request)} " + execute(request)


def checked(
    shell: Shell, template: str, vote: Callable[[JsonObject], str | Scripted], *words: str
) -> JsonObject:
    with ModelServer(Persona(role_of, execute=answer, judge=vote)) as server:
        done = shell("judge-check", template, "--model", "m", "--base-url", server.base_url, "--json", *words)
        found: JsonObject = json.loads(done.out)
        assert len(server.requests) == found["calls"]
    assert (done.code == exit_codes.OK) == found["fit"]
    assert found["fit"] or done.code == exit_codes.NO_IMPROVEMENT
    return found


def test_a_good_judge_is_right_in_both_orders(shell: Shell, template: str) -> None:
    found = checked(shell, template, prefer_whole)
    assert found["fit"]
    assert (found["votes"], found["right"], found["flips"], found["pairs"]) == (24, 24, 0, 12)
    assert set(found["kinds"]) == {"truncated", "shuffled", "off_topic", "wrong_format"}
    assert found["calls"] == 3 + 24
    assert found["accuracy_interval"][0] > 0.8


def test_a_judge_by_position_is_told_so(shell: Shell, template: str) -> None:
    found = checked(shell, template, prefer_first)
    assert not found["fit"]
    assert (found["accuracy"], found["flip_rate"]) == (0.5, 1.0)
    assert "decides by position" in found["warning"]


def test_a_judge_that_chooses_nothing_is_never_right(shell: Shell, template: str) -> None:
    found = checked(shell, template, lambda _: "I cannot say.")
    assert (found["fit"], found["right"], found["voids"], found["votes"]) == (False, 0, 24, 24)


def test_several_judges_are_checked_together(shell: Shell, template: str) -> None:
    def vote(request: JsonObject) -> str:
        return prefer_whole(request) if request["model"] == "m" else prefer_first(request)

    found = checked(shell, template, vote, "--judges", "other")
    assert found["models"] == ["m", "other"]
    assert found["warning"].startswith("other: This judge decides by position")


def test_what_it_says_without_json(shell: Shell, template: str) -> None:
    with ModelServer(Persona(role_of, execute=answer, judge=prefer_whole)) as server:
        said = shell("judge-check", template, "--model", "m", "--base-url", server.base_url)
    lines = said.out.splitlines()
    assert lines[0].startswith("m: balanced (reasoned votes")
    assert " ".join(lines[1].split()) == "truncated right in 6 of 6 votes, 100% (61% to 100%)"
    assert "In all: right in 24 of 24 votes, 100% (86% to 100%)." in lines
    assert "The order decided in 0 of 12 pairs of votes." in lines


def test_it_leaves_nothing_behind(shell: Shell, template: str, home: Path) -> None:
    checked(shell, template, prefer_first)
    assert not (home / "data" / "workspace").exists()


@pytest.mark.parametrize(
    "words", [["--budget-calls", "5"], ["--base-url", "http://127.0.0.1:1", "--tries", "1"]]
)
def test_a_check_that_cannot_be_done_says_why(shell: Shell, template: str, words: list[str]) -> None:
    with ModelServer(Persona(role_of, execute=answer, judge=prefer_first)) as server:
        said = shell("judge-check", template, "--model", "m", "--base-url", server.base_url, *words)
    assert said.code == exit_codes.FAILED
    assert "The judge could not be checked: " in said.err
