"""Migrations from the command line: the archive, both prompts on new models, the receipt, bad input."""

import json
import os
import signal
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from spotui.cli import exit_codes
from spotui.wire.tracking import TrackedRun
from tests.cli.conftest import Shell
from tests.command_line import ROOT, begin, places
from tests.migration_model import Fleet
from tests.model_server import ModelServer
from tests.row_model import rows, template
from tests.tracked.noting import NOTES

QUESTIONS = 12
AT_ONCE, SAMPLE = 2, 3
ROUNDS = ("--max-rounds", "5")


def why(count: int = QUESTIONS) -> str:
    asked = "".join(f"  - question: Why is number {n} odd?\n    answer: None\n" for n in range(count))
    return f"prompt: Answer the question.\nrequirements: Be correct.\ncount: None\nqa:\n{asked}"


class Site:
    """A server with the models, and the command that moves to them."""

    def __init__(self, server: ModelServer, fleet: Fleet) -> None:
        self.server = server
        self.fleet = fleet

    def words(self, name: str, to: str = "weak,strong", *more: str) -> tuple[str, ...]:
        where = ("--model", "judge", "--base-url", self.server.base_url)
        return ("migrate", name, "--from", "old", "--to", to, *where, *more)

    def bought(self) -> Counter[str]:
        """How often each model was asked."""
        return Counter(str(one.json["model"]) for one in self.server.requests)

    def asked(self) -> Counter[str]:
        """How often each of the compared models was asked the same."""
        some = [one.json for one in self.server.requests if one.json["model"] != "judge"]
        return Counter(json.dumps([one["model"], one["messages"]]) for one in some)


@pytest.fixture
def site(home: Path) -> Iterator[Site]:
    """A template of questions, one with rows, and the models."""
    (home / "why.yaml").write_text(why())
    (home / "rows.jsonl").write_text(rows(60))
    (home / "sums.yaml").write_text(template())
    fleet = Fleet()
    with ModelServer(fleet) as server:
        yield Site(server, fleet)


def result(out: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(out)
    return found


def findings(found: dict[str, Any]) -> dict[tuple[str, str], str]:
    return {(one["model"], one["kind"]): one["finding"] for one in found["tried"]}


def assert_reported() -> None:
    """A tracker has the run that looked for a prompt in the group of the migration, and the table."""
    whole, run = (one for one in NOTES if isinstance(one, TrackedRun))
    assert (whole.kind, whole.project, run.project) == ("migration", "why-migration", "why-migration/weak")
    assert run.group == whole.group
    assert run.tags == {"template": "why.yaml", "model": "weak"}
    ending = next(one[1] for one in NOTES if isinstance(one, tuple) and one[0] == "why-migration")
    assert [row[0] for row in ending.table.rows] == ["in use", "weak, same", "strong, same", "weak, new"]
    assert (ending.facts["action"], ending.facts["winner"]) == ("new", "weak")
    figures = next(one[1] for one in NOTES if isinstance(one, tuple) and one[0] == run.run)
    assert figures["difference"] == ending.figures["difference/weak, new"] == 0.5


def test_models_that_nobody_names_are_the_new_ones_or_asked_for(shell: Shell, site: Site) -> None:
    where = ("--from", "old", "--to", "weak,strong", "--base-url", site.server.base_url)
    said = shell("migrate", "why.yaml", *where, "--yes")
    assert said.code == exit_codes.USAGE
    assert "No model is named to judge the answers." in said.err
    assert "--eval-model gpt-4.1" in said.err
    assert not site.server.requests
    few = ("--set", "max_steps=1", "--set", "candidates_per_step=1", "--yes")
    said = shell("migrate", "sums.yaml", *where, *few)  # rows are marked without a judge
    assert said.code == exit_codes.OK, said.err
    assert {*site.bought()} == {"old", "weak", "strong"}


def test_a_migration_buys_the_old_answers_once_and_tries_both_prompts_on_each_new_model(
    shell: Shell, site: Site, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.syspath_prepend(str(ROOT / "tests" / "tracked"))
    NOTES.clear()
    words = site.words("why.yaml", "weak,strong", *ROUNDS)
    said = shell(*words, "--estimate")
    assert said.out.startswith("Expected: about ")
    said = shell(*words)
    assert said.code == exit_codes.FAILED
    assert "The migration was not started, and nothing was bought." in said.err
    assert not site.server.requests
    said = shell(*words, "--yes", "--track", "adding")
    assert said.code == exit_codes.OK, said.err
    assert_reported()
    assert "weak with the same prompt: worse, -50.0 (-50.0 to -29.4) points on 12 rows" in said.err
    assert "Move to weak with the new prompt: it is better than old: +50.0" in said.out
    assert "strong: no new prompt was looked for, as the same one shows no loss." in said.out
    assert site.bought()["old"] == QUESTIONS
    assert (
        "weak: the new prompt was chosen by 3 of these 12 questions; the others were new to it." in said.out
    )
    # The run has seen what it must not lose to.
    snapshot = (home / "data" / "workspace" / "why-migration" / "weak" / "run.yaml").read_text()
    assert snapshot.count("In style 2: ") == QUESTIONS
    assert "The reference answers are those of the model in use today." in snapshot
    # Once more, and under another name when the old model is gone: its answers are there.
    before, site.fleet.gone = len(site.server.requests), {"old"}
    again = result(shell(*words, "--yes", "--json").out)
    assert len(site.server.requests) == before
    assert findings(again) == {
        ("weak", "same"): "worse",
        ("weak", "new"): "better",
        ("strong", "same"): "better",
    }
    assert again["advice"] == {"action": "new", "model": "weak", "kind": "new", "reason": "better"}
    assert again["spent"]["calls"] == before
    said = shell(*site.words("why.yaml", "strong", "--name", "second", "--yes"))
    assert (said.code, site.bought()["old"]) == (exit_codes.OK, QUESTIONS)
    assert "Move to strong with the same prompt" in said.out
    assert "why-migration/weak" in shell("list").out
    # The receipt.
    page = shell("report", "why-migration", "--md", "-o", "-").out
    for part in (
        "**Move to weak with the new prompt",
        "| weak | same | 0% (0% to 21%) | -50.0 (-50.0 to -29.4) | 0 | 12 |",
        "## What changed for weak",
        "{+in style 4, with reasons.+}",
        "| why-migration/weak | weak | 5 | finished | yes |",
        "spotui migrate why.yaml --from=old --to=weak,strong",
    ):
        assert part in page, part
    assert shell("report", "why-migration").code == exit_codes.OK
    assert "<svg " in (home / "why-migration.html").read_text()
    assert shell("verify", "why-migration.html").code == exit_codes.OK
    assert shell("report", "why-migration", "--round", "2").code == exit_codes.USAGE
    # A question more: the archive lacks it.
    (home / "why.yaml").write_text(why(QUESTIONS + 1))
    grown = site.words("why.yaml", "strong", "--name", "third", "--yes")
    said = shell(*grown)
    assert said.code == exit_codes.FAILED
    assert "old cannot be asked, and its archive has 12 of 13 answers: " in said.err
    assert "retired" in said.err
    assert "--archived-only to compare on those 12." in said.err
    found = result(shell(*grown, "--archived-only", "--json").out)
    assert found["tried"][0]["rows"] == QUESTIONS


def test_rows_are_compared_by_their_marks_within_one_budget(shell: Shell, site: Site) -> None:
    method = ("--set", "max_steps=2", "--yes", "--json")
    words = site.words("sums.yaml", "weak", *method)
    said = shell(*words, "--budget-calls", "60")
    assert said.code == exit_codes.BUDGET
    assert "The budget of the migration is spent. Everything is kept; the same command resumes" in said.err
    assert 36 < len(site.server.requests) <= 60
    said = shell(*words, "--budget-calls", "160")
    assert (said.code, len(site.server.requests) <= 160) == (exit_codes.OK, True), said.err
    small = result(said.out)
    assert small["runs"][0]["reason"] == "budget"
    said = shell(*words, "--budget-calls", "2000")
    assert said.code == exit_codes.OK, said.err
    found = result(said.out)
    assert (found["by"], found["runs"][0]["reason"]) == ("rows", "finished")
    assert found["incumbent"]["score"] == pytest.approx(22 / 36)
    assert findings(found)["weak", "same"] == "worse"
    assert found["tried"][0]["score"] < found["tried"][1]["score"]
    assert found["spent"]["calls"] == len(site.server.requests)
    assert max(site.asked().values()) == 1
    # A wider margin is another conclusion from the same answers.
    before = len(site.server.requests)
    wide = result(shell(*words, "--budget-calls", "2000", "--margin", "45").out)
    assert (len(site.server.requests), wide["advice"]["action"]) == (before, "same")


def test_what_cannot_be_moved_is_said_with_the_fix(shell: Shell, site: Site, home: Path) -> None:
    site.fleet.gone = {"old"}
    said = shell(*site.words("why.yaml", "weak", "--yes"))
    assert said.code == exit_codes.FAILED
    assert "old cannot be asked, and its archive has 0 of 12 answers: " in said.err
    assert "measure the new models alone: spotui score TEMPLATE --exec-model weak" in said.err
    site.fleet.gone = {"weak"}
    said = shell(*site.words("why.yaml", "weak", "--yes"))
    assert said.code == exit_codes.CALL_FAILED
    assert "retired" in said.err
    (home / "tested.yaml").write_text(template() + "split: {train: 20, eval: 20, test: 0}\n")
    (home / "plain.yaml").write_text("prompt: Add.\nrequirements: None\nqa: []\n")
    for words, code, what in (
        (site.words("why.yaml", "old"), exit_codes.USAGE, "old is the old model and a new one."),
        (("migrate", "why.yaml"), exit_codes.USAGE, "--to is missing"),
        (site.words("why.yaml", "weak", "--exec-model", "x"), exit_codes.USAGE, "--from and --to name"),
        (site.words("why.yaml", "weak", "--margin", "1x"), exit_codes.USAGE, "--margin takes points"),
        (site.words("why.yaml", "weak", "--archived-only", "--name", "n", "--yes"), exit_codes.OK, ""),
        (site.words("none.yaml", "weak"), exit_codes.FAILED, "none.yaml"),
    ):
        site.fleet.gone = set()
        said = shell(*words)
        assert (said.code, what in said.err) == (code, True), (words, said.err)
        assert "Traceback" not in said.err


def test_a_migration_that_is_killed_buys_nothing_twice(site: Site, home: Path) -> None:
    words = site.words("why.yaml", "weak,strong", *ROUNDS, "--yes", "--json", "--concurrency", str(AT_ONCE))
    site.server.delay = 0.01
    for calls in (5, 60):
        process = begin(*words, env=places(home, OPENAI_API_KEY="sk-the-key"))
        site.server.wait_until(lambda calls=calls: len(site.server.requests) >= calls)  # type: ignore[misc]
        os.kill(process.pid, signal.SIGKILL)
        process.communicate()
    process = begin(*words, env=places(home, OPENAI_API_KEY="sk-the-key"))
    out, err = process.communicate()
    assert process.returncode == exit_codes.OK, err
    assert result(out.decode())["advice"]["model"] == "weak"
    again = sum(count - 1 for count in site.asked().values())
    # What was in flight when it was killed, and the questions by which the new prompt was chosen: it has to
    # answer them anew, so that it is not measured by the luck that it was chosen for.
    assert again <= 2 * AT_ONCE + SAMPLE
    journals = (home / "data" / "workspace").rglob("journal.jsonl")
    kept = sum(line.startswith('{"kind":"call"') for one in journals for line in one.read_text().splitlines())
    assert len(site.server.requests) <= kept + 2 * AT_ONCE
