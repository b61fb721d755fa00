"""headroom: whether a better prompt is worth looking for, before a budget is set."""

import json
import re
from collections.abc import Callable
from hashlib import sha256
from pathlib import Path

import pytest

from spotui.cli import exit_codes
from tests.cli.conftest import Shell
from tests.model_server import JsonObject, ModelServer, Persona, conversation, faults
from tests.row_model import rows
from tests.row_model import template as row_template
from tests.spo_model import role_of

_SUM = re.compile(r"What is (\d+) plus (\d+)\?")
PROPOSAL = (
    "<analyse>x</analyse><modification>Adds with care, {n}.</modification><prompt>Add, way {n}.</prompt>"
)


START = ("--start-from-probes", "--max-rounds", "2", "--no-final-check", "--set", "width=1")


def proposal(request: JsonObject) -> str:
    """Another prompt for each question, and the same one for the same."""
    return PROPOSAL.format(n=sha256(conversation(request).encode()).hexdigest()[:6])


def answering(helpful: str, least: float) -> Callable[[JsonObject], str]:
    """A model that adds rightly on some rows, and on all of them where its prompt says something."""

    def answer(request: JsonObject) -> str:
        text = conversation(request)
        if "<current_prompt>" in text:
            return proposal(request)
        one, other = map(int, _SUM.findall(text)[-1])
        luck = sha256(f"{one}+{other}".encode()).digest()[0] / 256
        return f"It is {one + other + (luck > least and helpful not in text)}."

    return answer


@pytest.fixture
def sums(tmp_path: Path) -> str:
    (tmp_path / "rows.jsonl").write_text(rows(240))
    path = tmp_path / "sums.yaml"
    path.write_text(row_template())
    return str(path)


def test_a_rewrite_that_helps_is_headroom_and_a_run_can_start_from_it(
    shell: Shell, sums: str, home: Path
) -> None:
    with ModelServer(answering("on the last line", 0.4)) as server:
        words = [sums, "--model", "m", "--base-url", server.base_url]
        offered = json.loads(shell("headroom", *words, "--estimate", "--json").out)
        assert (offered["known"], len(server.requests)) == (None, 0)
        found = shell("headroom", *words, "--json")
        whole = json.loads(found.out)
        assert found.code == exit_codes.OK
        assert len(server.requests) == whole["calls"] <= 160
        assert abs(offered["calls"] - whole["calls"]) <= 2
        best = whole["probes"][0]
        assert (best["name"], best["ahead"], whole["best"]) == ("form", True, "form")
        assert 0.2 < best["interval"][0] < best["gain"] < best["interval"][1]
        assert (whole["repeated"]["rows"], whole["repeated"]["changed"]) == (8, 0)
        assert {one["name"] for one in whole["probes"]} >= {"form", "steps", "role", "example"}
        assert whole["command"].startswith(f"spotui run {sums} --method gpo --budget-calls=")
        assert "--start-from-probes" in whole["command"]

        again = shell("headroom", *words)
        assert len(server.requests) == whole["calls"]  # nothing is bought twice
        assert "There is headroom: 'form' gains +" in again.out
        assert whole["command"] in again.out
        known = json.loads(shell("headroom", *words, "--estimate", "--json").out)["known"]
        assert known["found"]

        before = len(server.requests)
        run = ["run", *words, "--method", "gpo", "--set", "max_steps=1", "--set", "candidates_per_step=2"]
        shell(*run, "--start-from-probes", "--name", "started")
        asked = [one for one in server.requests[before:] if "<current_prompt>" in str(one.json)]
        starts = [one for one in whole["probes"] if one["ahead"]]
        assert len(asked) == max(0, 2 - len(starts))
    shown = shell("show", "started", "2", "--json")
    assert "on the last line" in shown.out
    assert "Says which form the answer must have." in shown.out


def test_no_headroom_is_a_result_of_its_own(shell: Shell, sums: str) -> None:
    with ModelServer(answering("no prompt says this", 0.4)) as server:
        words = [sums, "--model", "m", "--base-url", server.base_url]
        found = shell("headroom", *words)
        assert found.code == exit_codes.NO_HEADROOM
        assert "No headroom: no probe is better than the seed beyond chance." in found.out
        assert "spotui run" not in found.out
        refused = shell("run", *words, "--start-from-probes", "--budget-calls", "1", "--name", "x")
        assert refused.code == exit_codes.BUDGET  # it starts, without probes


def test_a_killed_measurement_resumes_where_it_was(shell: Shell, sums: str) -> None:
    with ModelServer(answering("on the last line", 0.4)) as server:
        words = ["headroom", sums, "--model", "m", "--base-url", server.base_url]
        whole = json.loads(shell(*words, "--json").out)
    for cut in (30, 100):
        is_down: list[int] = []

        def fails(request: JsonObject, down: list[int] = is_down, cut: int = cut) -> bool:
            down.append(1)
            return cut < len(down) <= cut + 8 and "Add" in conversation(request)

        no_key = faults.when(fails, faults.status(401, "No key."))
        with ModelServer(answering("on the last line", 0.4), faults=no_key) as server:
            again = [*words[:-1], server.base_url, "--workspace", f"{sums}.{cut}"]
            assert shell(*again).code == exit_codes.CALL_FAILED
            is_down += [1] * 200
            second = json.loads(shell(*again, "--json").out)
        assert whole["calls"] - cut - 8 <= second["calls"] <= whole["calls"] - cut + 8
        assert second["probes"] == whole["probes"]


def test_what_cannot_be_measured_is_said_before_a_call(shell: Shell, tmp_path: Path, sums: str) -> None:
    (tmp_path / "few.jsonl").write_text(rows(8))
    few = tmp_path / "few.yaml"
    few.write_text(row_template(data="few.jsonl"))
    assert "too few rows" in shell("headroom", str(few)).err
    small = shell("headroom", sums, "--budget-calls", "40")
    assert small.code == exit_codes.FAILED
    assert "A budget of 40 calls is too small" in small.err
    least = re.search(r"--budget-calls (\d+) is the least", small.err)
    assert least
    enough = shell("headroom", sums, "--budget-calls", least[1], "--estimate")
    assert enough.code == exit_codes.OK
    never = shell("run", sums, "--start-from-probes")
    assert never.code == exit_codes.FAILED
    assert "Measure it first: spotui headroom" in never.err


def judged(*, prefers: str) -> Persona:
    def vote(request: JsonObject) -> str:
        text = conversation(request)
        sides = {one: text.split(f"<answers_of_{one}>")[1].split(f"</answers_of_{one}>")[0] for one in "AB"}
        better = [one for one, body in sides.items() if prefers in body]
        return f"<analyse>x</analyse><choose>{better[0] if len(better) == 1 else 'A'}</choose>"

    def answer(request: JsonObject) -> str:
        text = conversation(request)
        return f"{'Careful. ' if 'expert' in text else ''}{text[-20:]}"

    def propose(request: JsonObject) -> str:
        return proposal(request)

    def kind(request: JsonObject) -> str:
        return "propose" if "<current_prompt>" in conversation(request) else role_of(request)

    return Persona(kind, propose=propose, execute=answer, judge=vote)


def test_without_labels_a_judge_compares_the_probes(shell: Shell, tmp_path: Path) -> None:
    questions = [f"What is the {n}th thing?" for n in range(12)]
    text = "prompt: Answer.\nrequirements: Be careful.\nqa:\n"
    text += "".join(f"- question: {one}\n" for one in questions)
    (tmp_path / "things.yaml").write_text(text)
    for prefers, code in (("Careful.", exit_codes.OK), ("Nobody says this.", exit_codes.NO_HEADROOM)):
        with ModelServer(judged(prefers=prefers)) as server:
            words = ["headroom", str(tmp_path / "things.yaml"), "--model", "m", "--base-url", server.base_url]
            found = shell(*words, "--json", "--workspace", str(tmp_path / prefers[:3]))
            whole = json.loads(found.out)
            assert len(server.requests) == whole["calls"] <= 160
            if code == exit_codes.OK:
                before = len(server.requests)
                shell("run", *words[1:], "--workspace", str(tmp_path / prefers[:3]), *START)
                asked = [conversation(one.json) for one in server.requests[before:]]
                assert not [text for text in asked if "<best_prompt>" in text]  # round 2 is the probe
                shown = shell("show", "things", "2", "--workspace", str(tmp_path / prefers[:3])).out
                assert whole["probes"][0]["prompt"].splitlines()[0] in shown
        assert (found.code, whole["by"]) == (code, "duels")
        assert "example" in whole["left_out"]
        if code == exit_codes.OK:
            assert (whole["best"], whole["is_sure"], whole["method"]) == ("role", True, "spo")
            assert whole["probes"][0]["wins"] == 12
            assert "'role' is better on 12 questions and worse on 0" in whole["verdict"]


def test_few_questions_can_only_suggest_it(shell: Shell, template: str) -> None:
    with ModelServer(judged(prefers="Careful.")) as server:
        found = shell("headroom", template, "--model", "m", "--base-url", server.base_url)
    assert found.code == exit_codes.OK
    assert "There may be headroom" in found.out
