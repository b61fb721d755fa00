"""Sweeps from the command line: the plan, the table, the one budget, and resuming."""

import json
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from spotui.cli import exit_codes
from spotui.workspace.projects import Workspace
from spotui.workspace.sweep_file import SweepFolder
from tests.cli.conftest import Shell
from tests.model_server import ModelServer
from tests.row_model import racing, rows, template

PLAN = """\
templates: [sums.yaml, more.yaml]
methods:
  short: {method: gpo, set: {max_steps: 1}}
  gradsum: {set: {iterations: 1}}
seeds: [0, 1]
conditions:
  plain:
  wide: {settings: {racing: none}, set: {candidates_per_step: 3}, only: {methods: short}}
exclude:
  - {methods: gradsum, templates: more, seeds: 1}
"""
RUNS = 2 * 2 * 2 + 2 * 2 - 1


@pytest.fixture
def sums(home: Path) -> Iterator[ModelServer]:
    """Two templates with rows, a plan, and a model that adds."""
    (home / "rows.jsonl").write_text(rows(12))
    (home / "others.jsonl").write_text(rows(10, first=100))
    (home / "sums.yaml").write_text(template())
    (home / "more.yaml").write_text(template(data="others.jsonl"))
    (home / "plan.yaml").write_text(PLAN)
    with ModelServer(racing) as server:
        yield server


def asking(server: ModelServer) -> tuple[str, ...]:
    return ("--model", "test-model", "--base-url", server.base_url)


def asked(server: ModelServer) -> Counter[str]:
    return Counter(json.dumps(one.json["messages"]) for one in server.requests)


def ended(out: str) -> dict[str, Any]:
    last: dict[str, Any] = json.loads(out.splitlines()[-1])
    assert last["type"] == "sweep_ended"
    return last


def test_a_sweep_compares_what_its_plan_multiplies_and_buys_nothing_twice(
    shell: Shell, sums: ModelServer, home: Path
) -> None:
    words = ("sweep", "plan.yaml", *asking(sums))
    said = shell(*words, "--estimate")
    assert said.code == exit_codes.OK
    assert said.out.startswith(f"Expected: {RUNS} runs: at most about ")
    assert not sums.requests
    said = shell(*words, "--report", "table.md")
    assert said.code == exit_codes.OK, said.err
    lines = said.out.splitlines()
    assert lines[0].split()[:4] == ["contender", "sums", "more", "macro"]
    assert {line.split("  ")[0] for line in lines[1:4]} == {"short, plain", "gradsum, plain", "short, wide"}
    assert "paired row by row within 2 tasks" in said.out
    duels = [line for line in lines if " against " in line]
    assert len(duels) == 3
    assert all("other tasks: " in line for line in duels)
    assert "| sums | short, plain |" in (home / "table.md").read_text()
    folder = SweepFolder(Workspace(home / "data" / "workspace"), "plan")
    assert len(folder.ended()) == RUNS
    assert f"plan/{next(iter(folder.ended()))}" in shell("list").out
    before = len(sums.requests)
    again = shell(*words, "--json")
    assert len(sums.requests) == before
    table = ended(again.out)["table"]
    standings = {one["contender"]: one for one in table["standings"]}
    assert {name: one["runs"] for name, one in standings.items()} == {
        "short, plain": 4,
        "short, wide": 4,
        "gradsum, plain": 3,
    }
    one = standings["short, plain"]
    assert one["macro"] == pytest.approx(sum(each["score"] for each in one["tasks"]) / 2)
    assert [each["rows"] for each in one["tasks"]] == [9, 7]  # each seed draws its own split
    # A grown plan runs what is new alone.
    (home / "plan.yaml").write_text(PLAN.replace("seeds: [0, 1]", "seeds: [0, 1, 2]"))
    grown = ended(shell(*words, "--json").out)
    assert (grown["reason"], grown["table"]["runs"]) == ("finished", RUNS + 6)
    (home / "plan.yaml").write_text(PLAN.replace("max_steps: 1", "max_steps: 2"))
    said = shell(*words)
    assert said.code == exit_codes.FAILED
    assert "was begun with other parameters, so it cannot be part of this sweep." in said.err


def test_contenders_with_the_same_score_stand_as_in_the_plan_whichever_ended_first(
    shell: Shell, sums: ModelServer, home: Path
) -> None:
    same = "{method: gpo, set: {max_steps: 1}}"
    words = ("sweep", "plan.yaml", *asking(sums), "--json")
    for methods in ("last",), ("first", "last"):
        listed = "".join(f"  {name}: {same}\n" for name in methods)
        (home / "plan.yaml").write_text(f"templates: [sums.yaml]\nmethods:\n{listed}seeds: [0]\n")
        table = ended(shell(*words).out)["table"]
    assert [one["contender"] for one in table["standings"]] == ["first", "last"]
    assert table["standings"][0]["macro"] == table["standings"][1]["macro"]


def test_one_budget_holds_over_all_runs_and_their_test(shell: Shell, sums: ModelServer, home: Path) -> None:
    words = ("sweep", "plan.yaml", *asking(sums), "--parallel", "3")
    said = shell(*words, "--json", "--budget-calls", "200")
    assert said.code == exit_codes.BUDGET
    assert ended(said.out)["reason"] == "budget"
    assert 60 <= len(sums.requests) <= 200
    table = ended(said.out)["table"]
    assert 0 < table["runs"] <= table["planned"] == RUNS
    # A larger one resumes, and the whole is what it would have been.
    said = shell(*words, "--json", "--budget-calls", "5000")
    assert said.code == exit_codes.OK, said.err
    assert ended(said.out)["table"]["runs"] == RUNS
    said = shell(*words, "--budget-calls", "20", "--name", "other")
    assert said.code == exit_codes.FAILED
    assert "testing the best prompts takes" in said.err


def test_many_runs_are_asked_about_and_a_wrong_plan_names_its_lines(
    shell: Shell, sums: ModelServer, home: Path
) -> None:
    text = "templates: sums.yaml\nmethods: [gpo, opro]\nseeds: [{}]\n"
    (home / "many.yaml").write_text(text.format(", ".join(map(str, range(5000)))))
    said = shell("sweep", "many.yaml", *asking(sums))
    assert said.code == exit_codes.FAILED
    assert "The plan has 10,000 runs to do, and none was started." in said.err
    assert "calls" in said.err
    assert "USD" in said.err or "$" in said.err
    (home / "wrong.yaml").write_text(
        "templates: [sums.yaml]\nmethods: [gpo]\nmodel: x\nsettings:\n  max_round: 3\n  base_url: http://a/v1\n"
        "  sample: none\nseeds: [-1]\nexclude:\n  - {methods: opro}\nbudget: {usd: -1}\n"
        "conditions: {a: {settings: {track: wandb}}}\n"
    )
    said = shell("sweep", "wrong.yaml", *asking(sums))
    assert said.code == exit_codes.FAILED
    for line, what in (
        (3, "`model` is not a key of a plan here. Did you mean `models`?"),
        (5, "max_round is not a setting. Did you mean max_rounds?"),
        (6, "A plan must not set base_url: it comes from whoever starts the sweep."),
        (7, "sample must be a whole number from 1 to 10000"),
        (8, "A seed must be a whole number, 0 or more"),
        (10, "opro is not among the plan's methods."),
        (11, "usd must be an amount in USD, more than 0"),
        (12, "A plan must not set track: it comes from whoever starts the sweep."),
    ):
        assert f"Line {line}: {what}" in said.err
    (home / "plain.yaml").write_text("templates: [sums.yaml]\nmethods: [gpo, anealing, gpoo]\n")
    said = shell("sweep", "plain.yaml", *asking(sums))
    assert "plain.yaml" in said.err
    assert "Line 2: Unknown method 'gpoo'. Did you mean 'gpo'?" in said.err
    assert "Unknown method 'anealing'." in said.err
    (home / "mine.py").write_text("def right(answer, row):\n    return 1.0\n")
    (home / "sums.yaml").write_text(template(metric="mine:right"))
    (home / "plain.yaml").write_text("templates: [sums.yaml]\nmethods: [gpo]\n")
    assert "you have not trusted" in shell("sweep", "plain.yaml", *asking(sums)).err
    assert not sums.requests
