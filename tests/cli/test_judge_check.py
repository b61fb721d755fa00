"""judge-check: how often a judge tells answers from damaged copies, before money is spent on a run."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from spotui.cli import exit_codes
from tests.cli.conftest import Shell
from tests.command_line import Outcome, write_template
from tests.model_server import JsonObject, ModelServer, Persona, Scripted, conversation, faults
from tests.row_model import rows
from tests.row_model import template as row_template
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


def test_a_question_that_is_refused_is_left_out_and_named(shell: Shell, template: str) -> None:
    filtered = faults.status(400, "No.", code="content_filter")

    def is_asked(request: JsonObject) -> bool:
        return role_of(request) == "execute" and "Why is the sky blue?" in conversation(request)

    persona = Persona(role_of, execute=answer, judge=prefer_whole)
    with ModelServer(persona, faults=faults.when(is_asked, filtered)) as server:
        done = shell("judge-check", template, "--model", "m", "--base-url", server.base_url, "--json")
        found: JsonObject = json.loads(done.out)
    assert done.code == exit_codes.OK
    assert (found["votes"], found["right"]) == (16, 16)
    assert "answer to question 1: The content filter of m" in done.err


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
    assert (
        " ".join(lines[1].split())
        == "truncated right in 6 of 6 votes, 100% (61% to 100%), wrong in 0, void in 0"
    )
    assert "In all: right in 24 of 24 votes, 100% (86% to 100%), wrong in 0, void in 0." in lines
    assert "The order decided in 0 of 12 pairs of votes." in lines


def test_it_makes_no_project(shell: Shell, template: str, home: Path) -> None:
    checked(shell, template, prefer_first)
    assert not (home / "data" / "workspace").exists()


def test_what_was_asked_is_never_bought_again(shell: Shell, template: str) -> None:
    def check(*more: str) -> Outcome:
        return shell("judge-check", template, "--model", "m", "--base-url", server.base_url, *more)

    with ModelServer(Persona(role_of, execute=answer, judge=prefer_whole)) as server:
        cut = check("--budget-calls", "11")
        assert cut.code == exit_codes.FAILED
        assert "goes on from there" in cut.err
        assert len(server.requests) == 11
        whole = json.loads(check("--json").out)
        assert (whole["calls"], len(server.requests)) == (16, 27)
        again = json.loads(check("--json").out)
        assert (again["calls"], len(server.requests)) == (0, 27)
        assert again["right"] == whole["right"] == 24
        check("--eval-model", "other")
        assert len(server.requests) == 27 + 24  # the same answers, other votes
    with ModelServer(Persona(role_of, execute=answer, judge=prefer_first)) as server:
        check()
        assert len(server.requests) == 27  # the model of that name at another endpoint is another one


def test_comparisons_are_counted_with_all_votes_together(shell: Shell, template: str) -> None:
    found = checked(shell, template, prefer_first)
    assert (found["comparisons"], found["settled"], found["mistaken"], found["right"]) == (12, 0, 0, 12)
    good = checked(shell, template, prefer_whole)
    assert (good["comparisons"], good["settled"]) == (12, 12)


def test_lines_tell_how_far_it_is_before_the_result(shell: Shell, template: str) -> None:
    with ModelServer(Persona(role_of, execute=answer, judge=prefer_whole)) as server:
        words = ["judge-check", template, "--model", "m", "--base-url", server.base_url, "--json-lines"]
        *far, result = map(json.loads, shell(*words).out.splitlines())
    assert far == [{"done": number, "of": 27} for number in range(1, 28)]
    assert result["fit"]


def test_an_estimate_asks_nobody_and_tells_what_is_known(shell: Shell, template: str) -> None:
    def offer(*more: str) -> JsonObject:
        base = ["--base-url", server.base_url, "--estimate", "--json"]
        found: JsonObject = json.loads(shell("judge-check", *base, "--model", "m", *(more or [template])).out)
        return found

    with ModelServer(Persona(role_of, execute=answer, judge=prefer_whole)) as server:
        before = offer()
        assert (before["calls"], before["known"], before["usd"]) == (27, None, None)
        assert (before["judge"], before["models"], before["compares"]) == ("balanced", ["m"], True)
        assert offer(template, "--judges", "n")["calls"] == 3 + 2 * 24
        assert not server.requests
        shell("judge-check", template, "--model", "m", "--base-url", server.base_url)
        assert len(server.requests) == before["calls"]
        known = offer()["known"]
        assert (known["template"], known["comparisons"], known["settled"]) == ("why", 12, 12)
        assert (known["pairs"], known["flips"], known["fit"]) == (12, 0, True)
        assert offer("poem")["known"] == known
        estimate = shell("estimate", template, "--model", "m", "--base-url", server.base_url, "--json").out
        assert json.loads(estimate)["judge"] == offer()
        for others in (
            ["--judge", "thorough"],
            ["--judge-json"],
            ["--eval-model", "n"],
            ["--judges", "n"],
        ):
            assert offer(template, *others)["known"] is None
        said = shell("judge-check", template, "--model", "m", "--base-url", server.base_url, "--estimate").out
        assert "Checked on why: right in 12 of 12; the order decided in 0 of 12." in said


@pytest.mark.parametrize(("judge", "calls"), [("likelihood", 3 + 2 * 15), ("logprob", 27), ("thorough", 27)])
def test_an_estimate_knows_each_kind_of_judge(shell: Shell, template: str, judge: str, calls: int) -> None:
    words = ["judge-check", template, "--model", "m", "--judge", judge, "--estimate", "--json"]
    assert json.loads(shell(*words).out)["calls"] == calls


def test_rows_of_a_file_are_judged_like_questions(shell: Shell, home: Path) -> None:
    (home / "rows.jsonl").write_text(rows(40))
    text = "prompt: Say it in words.\nrequirements: The sum.\ndata: rows.jsonl\nmetric: number\n"
    path = write_template(home, text, "sums.yaml")
    with ModelServer(Persona(role_of, execute=answer, judge=prefer_whole)) as server:
        words = ["judge-check", path, "--model", "m", "--base-url", server.base_url]
        found = json.loads(shell(*words, "--json").out)
        asked = [conversation(one.json) for one in server.requests if role_of(one.json) == "execute"]
    assert (found["comparisons"], found["calls"], found["fit"]) == (12, 27, True)
    assert len(asked) == 3
    assert all(one.startswith("Say it in words.\n\nWhat is ") for one in asked)


def test_a_method_that_compares_nothing_is_told_apart(shell: Shell, home: Path) -> None:
    (home / "rows.jsonl").write_text(rows(40))
    words = ["judge-check", write_template(home, row_template(method="gpo"), "sums.yaml"), "--estimate"]
    assert json.loads(shell(*words, "--json").out)["compares"] is False
    assert json.loads(shell(*words, "--json", "--method", "spo").out)["compares"] is True
    assert "gpo marks each answer alone" in shell(*words).out


@pytest.mark.parametrize(
    "words", [["--budget-calls", "5"], ["--base-url", "http://127.0.0.1:1", "--tries", "1"]]
)
def test_a_check_that_cannot_be_done_says_why(shell: Shell, template: str, words: list[str]) -> None:
    with ModelServer(Persona(role_of, execute=answer, judge=prefer_first)) as server:
        said = shell("judge-check", template, "--model", "m", "--base-url", server.base_url, *words)
    assert said.code == exit_codes.FAILED
    assert "The judge could not be checked: " in said.err
