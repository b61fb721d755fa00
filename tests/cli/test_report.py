"""Reports and receipts from the command line, and what verify says of them."""

import json
import time
from pathlib import Path

import msgspec
import pytest

from spotui.cli import exit_codes
from spotui.domain.records import JournalLine, RoundLine, SessionLine, StopLine
from spotui.domain.statistics import score
from spotui.workspace.projects import Project, Workspace
from tests.cli.conftest import Shell
from tests.tui import scored_projects
from tests.view.test_retell import FROM_SPO
from tests.workspace.journal_lines import AT, a_call


@pytest.fixture
def sums(home: Path) -> Project:
    """A run of GPO with a test, the best prompt in round 2."""
    return scored_projects.gpo(Workspace(home / "data" / "workspace"))


def test_a_report_tells_the_whole_run(shell: Shell, home: Path, sums: Project) -> None:
    assert shell("report", "sums").out == ""
    page = (home / "sums.html").read_text()
    for said in (
        "On 4 test rows: 100.0 against the seed&#x27;s 50.0",
        '<td data-figure="test_score">100.0 (51.0 to 100.0)</td>',
        "<svg ",
        "<ins>",
        "seed → round 2",
        "2 won, 0 lost, 2 alike, 0 without a mark.",
        "What is 30 plus 4?",
        "spotui replay sums",
        "prompt: Add the numbers.",
    ):
        assert said in page, said
    assert shell("report", "sums", "--md", "-o", "-").out.startswith("<!-- spotui report -->\n\n# sums\n")
    assert "Difference" not in shell("report", "sums", "--round", "seed", "-o", "-").out
    assert shell("report", "sums", "--round", "9").code == exit_codes.FAILED


def test_a_report_of_duels_has_the_judge_and_the_final_check(
    shell: Shell, home: Path, workspace: Path
) -> None:
    assert shell("report", "why").code == exit_codes.OK
    page = (home / "why.html").read_text()
    assert "Questions won and lost against the seed" in page
    assert "Win rate of each candidate" in page
    assert "<h2>Judge</h2>" in page
    assert shell("verify", "why.html").code == exit_codes.OK


def test_a_report_of_a_race_compares_its_methods(shell: Shell, home: Path) -> None:
    scored_projects.race(Workspace(home / "data" / "workspace"))
    assert shell("report", "sums-race").code == exit_codes.OK
    page = (home / "sums-race.html").read_text()
    assert "Winner: gpo, +40.0" in page
    assert "gpo against spo: +40.0" in page
    assert "<h2>Best prompt of gradsum</h2>" in page
    assert "spotui race sums.yaml" in page
    assert "**Winner: gpo" in shell("report", "sums-race", "--md", "-o", "-").out
    assert shell("report", "sums-race", "--round", "2").code == exit_codes.USAGE
    # The winner's prompt has a receipt, which is that of its run.
    said = shell("verify", "sums-race.html")
    assert said.code == exit_codes.OK, said.err
    assert "against the journal of sums-race/gpo, round 2" in said.out


def test_a_project_of_spo_s_own_tool_has_a_report_and_claims_to_know_no_cost(
    shell: Shell, home: Path
) -> None:
    results = Workspace(home / "data" / "workspace").project("poem").results
    results.parent.mkdir(parents=True)
    results.write_text(FROM_SPO)
    assert shell("report", "poem").code == exit_codes.OK
    page = (home / "poem.html").read_text()
    assert "own tool ran this project; its calls and their cost are unknown." in page
    assert "<h2>Cost</h2>" not in page
    assert 'data-figure="calls"' not in page
    assert shell("verify", "poem.html").code == exit_codes.OK


def test_a_file_that_is_no_report_is_left_as_it_is(shell: Shell, home: Path, sums: Project) -> None:
    (home / "sums.html").write_text("mine")
    said = shell("report", "sums")
    assert said.code == exit_codes.FAILED
    assert "is not a report of spotui, so it is left as it is" in said.err
    assert (home / "sums.html").read_text() == "mine"
    assert shell("report", "sums", "-o", "other.md").code == exit_codes.OK
    assert shell("report", "sums", "-o", "other.md", "--html").code == exit_codes.OK
    assert (home / "other.md").read_text().startswith("<!doctype html>")


@pytest.mark.parametrize(
    ("words", "name"),
    [
        (("report", "sums", "--html"), "sums.html"),
        (("report", "sums", "--md"), "sums.md"),
        (("export", "sums", "--to", "receipt", "-o", "sums.json"), "sums.json"),
        (("export", "sums", "--to", "json", "-o", "all.json"), "all.json"),
        (("export", "sums", "-o", "sums.txt"), "sums.txt"),
    ],
)
def test_a_file_that_says_what_the_journal_says_is_verified(
    shell: Shell, home: Path, sums: Project, words: tuple[str, ...], name: str
) -> None:
    assert shell(*words).code == exit_codes.OK
    said = shell("verify", name)
    assert said.code == exit_codes.OK, said.out
    assert "The file says what the journal says." in said.out
    changed = (home / name).read_bytes().replace(scored_projects.STEPS.encode(), b"Add the numbers fast.")
    (home / name).write_bytes(changed)
    said = shell("verify", name, "--project", "sums", "--annotate")
    assert said.code == exit_codes.DIFFERS
    assert "it is not that of round 2" in said.out
    assert f"::error file={name}" in said.out


@pytest.mark.parametrize(
    ("name", "old", "new", "what"),
    [
        ("sums.html", ">100.0 (51.0", ">99.0 (51.0", "figures shown"),
        ("sums.html", '"test_score": 1.0', '"test_score": 0.9', "test"),
        ("sums.html", 'data-figure="prompt">\n', 'data-figure="prompt">\nNever. ', "prompt shown"),
        ("sums.md", "| 100.0 (51.0", "| 98.0 (51.0", "figures shown"),
        ("sums.md", '"cost_usd": 0.', '"cost_usd": 1.', "cost"),
        ("sums.json", '"prompt_sha256": "', '"prompt_sha256": "0', "prompt hash"),
        ("sums.json", '"calls": ', '"calls": 9', "calls"),
        ("sums.json", '"round": 2', '"round": "2"', "run"),
    ],
)
def test_what_differs_is_named(
    shell: Shell, home: Path, sums: Project, name: str, old: str, new: str, what: str
) -> None:
    shell("report", "sums", *(["--md"] if name.endswith(".md") else []))
    shell("export", "sums", "--to", "receipt", "-o", "sums.json")
    text = (home / name).read_text()
    assert old in text
    (home / name).write_text(text.replace(old, new, 1))
    said = shell("verify", name, "--json")
    assert said.code == exit_codes.DIFFERS
    found = json.loads(said.out)
    assert [one["name"] for one in found["checks"] if not one["agrees"]] == [what]
    assert found["differences"] == 1


def test_a_journal_that_was_changed_is_found_out(shell: Shell, home: Path, sums: Project) -> None:
    lines = sums.journal.read_bytes().splitlines(keepends=True)
    for number, line in enumerate(lines):
        if b'"kind":"round"' in line and b'"round":2,' in line:
            one = msgspec.json.decode(line)
            lines[number] = msgspec.json.encode({**one, "score": 0.99}) + b"\n"
    sums.journal.write_bytes(b"".join(lines))
    shell("export", "sums", "--to", "receipt", "-o", "sums.json")
    said = shell("verify", "sums.json")
    assert said.code == exit_codes.DIFFERS
    assert "marks in the journal" in said.out


def test_a_file_that_names_no_project_or_a_strange_one_is_refused(
    shell: Shell, home: Path, sums: Project
) -> None:
    (home / "mine.txt").write_text(scored_projects.STEPS + "\r\n")
    said = shell("verify", "mine.txt")
    assert (said.code, "--project sums" in said.err) == (exit_codes.USAGE, True)
    assert shell("verify", "mine.txt", "--project", "sums").code == exit_codes.OK
    assert shell("verify", "nothing.txt").code == exit_codes.FAILED
    for project in ("../../etc", "/etc/passwd", "x" * 300, "other"):
        (home / "r.json").write_text(json.dumps({"receipt": 1, "project": project, "prompt": "x"}))
        assert shell("verify", "r.json").code == exit_codes.FAILED
    (home / "r.json").write_text(json.dumps({"receipt": 99, "project": "sums"}))
    assert "newer spotui" in shell("verify", "r.json").err
    for strange in (
        {"receipt": 1, "project": "sums", "score": [{}], "models": 3, "cost_usd": "x" * 999, "rounds": None},
    ):
        (home / "r.json").write_text(json.dumps(strange))
        assert shell("verify", "r.json").code == exit_codes.DIFFERS


def test_a_run_of_300_rounds_is_reported_quickly_and_small(shell: Shell, home: Path, sums: Project) -> None:
    marks = (1.0, 0.0, 1.0, 1.0, 0.0, 1.0)
    scored = score(marks, seed=0)
    found = [JournalLine(at=AT, version=2, run="0" * 32), SessionLine(at=AT, pid=1, host="h", spotui="1")]
    found += [
        line
        for number in range(1, 301)
        for line in (
            *(a_call("An answer. " * 40, round=number, index=index) for index in range(24)),
            RoundLine(
                at=AT,
                round=number,
                outcome="seed" if number == 1 else "lead",
                prompt=f"Prompt {number}. " + "Be right, be brief, and show each step. " * 40,
                parent=max(0, number - 1),
                modification="Asks for one more step. " * 4,
                reasoning="Why. " * 100,
                score=scored.mean,
                score_interval=msgspec.structs.astuple(scored.interval),
                marks=marks,
                cost_usd=0.01,
            ),
        )
    ]
    found.append(
        StopLine(
            at=AT, reason="finished", calls=7200, prompt_tokens=7200, completion_tokens=14400, unpriced=7200
        )
    )
    encoder = msgspec.json.Encoder()
    sums.journal.write_bytes(b"".join(encoder.encode(line) + b"\n" for line in found))
    begun = time.process_time()
    assert shell("report", "sums").code == exit_codes.OK
    seconds = time.process_time() - begun
    assert (home / "sums.html").stat().st_size < 3_000_000
    assert seconds < 2
    assert shell("verify", "sums.html").code == exit_codes.OK
