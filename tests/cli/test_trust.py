"""Custom metrics from the command line: nothing that only looks runs them, and nothing else without a yes."""

import json
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from spotui.cli import exit_codes
from spotui.settings.trust import VARIABLE
from tests.cli.conftest import Shell
from tests.cli.terminal import Terminal
from tests.command_line import places
from tests.model_server import ModelServer
from tests.row_model import racing, rows, template

METRIC = """\
from pathlib import Path
with Path(__file__).with_name("ran").open("a") as file:
    file.write("imported\\n")

def right(answer, row):
    with Path(__file__).with_name("ran").open("a") as file:
        file.write(f"{row.line} {answer}\\n")
    print("looking at", row.line)
    return row.references[0] in answer
"""
GPO = "method: gpo\nparameters: {max_steps: 1, candidates_per_step: 2}\n"
SPLIT = "{path: rows.jsonl, split: {train: 2, eval: 4, test: 4}}"


@pytest.fixture
def sums(home: Path) -> Iterator[ModelServer]:
    """A template whose metric is a file beside it, and a model that adds."""
    (home / "rows.jsonl").write_text(rows(12))
    (home / "sums.yaml").write_text(template(data=SPLIT, metric="mine:right") + GPO)
    (home / "mine.py").write_text(METRIC)
    with ModelServer(racing) as server:
        yield server


def asking(server: ModelServer) -> tuple[str, ...]:
    return ("--model", "test-model", "--base-url", server.base_url)


def marked(home: Path) -> list[str]:
    """The answers that the metric saw."""
    lines = (home / "ran").read_text().splitlines() if (home / "ran").exists() else []
    return [line for line in lines if line != "imported"]


def test_nothing_runs_a_metric_that_nobody_trusted(shell: Shell, home: Path, sums: ModelServer) -> None:
    assert shell("check", "sums.yaml").code == exit_codes.OK
    assert shell("estimate", "sums.yaml", *asking(sums)).code == exit_codes.OK
    for verb in ("run", "score", "race"):
        methods = ("--methods", "gpo,gradsum") if verb == "race" else ()
        said = shell(verb, "sums.yaml", *methods, "--yes", *asking(sums))
        assert said.code == exit_codes.FAILED
        assert f"{home / 'mine.py'} is Python code that you have not trusted as it is now" in said.err
        assert f"--trust {home / 'mine.py'}" in said.err
    assert not (home / "ran").exists()
    assert sums.requests == []
    assert not (home / "data" / "workspace" / "sums").exists()


def test_a_yes_is_for_one_file_as_it_is(shell: Shell, home: Path, sums: ModelServer) -> None:
    score = ("score", "sums.yaml", *asking(sums))
    assert shell(*score, "--trust", "mine.py").code == exit_codes.OK
    assert shell(*score).code == exit_codes.OK
    assert (home / "config" / "trusted.json").stat().st_mode & 0o077 == 0
    copy = home / "copy"
    copy.mkdir()
    for name in ("sums.yaml", "rows.jsonl", "mine.py"):
        shutil.copy(home / name, copy)
    assert "copy/mine.py is Python code" in shell("score", "copy/sums.yaml", *asking(sums)).err
    (home / "mine.py").write_text(METRIC + "# changed\n")
    assert "not trusted as it is now" in shell(*score).err
    (home / "config" / "trusted.json").write_text("{")
    assert "trusted.json is damaged" in shell(*score).err


def test_a_variable_names_the_file_where_nobody_can_be_asked(
    shell: Shell, home: Path, sums: ModelServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(VARIABLE, f"/elsewhere/mine.py:{home / 'mine.py'}")
    assert shell("score", "sums.yaml", *asking(sums)).code == exit_codes.OK
    assert not (home / "config" / "trusted.json").exists()


def test_only_the_file_of_the_metric_can_be_trusted(shell: Shell, home: Path, sums: ModelServer) -> None:
    (home / "other.py").write_text(METRIC)
    said = shell("score", "sums.yaml", "--trust", "other.py", *asking(sums))
    assert said.code == exit_codes.USAGE
    assert f"--trust names other.py, but the files that need it are {home / 'mine.py'}." in said.err
    (home / "sums.yaml").write_text(template(data=SPLIT))
    said = shell("score", "sums.yaml", "--trust", "other.py", *asking(sums))
    assert said.code == exit_codes.USAGE
    assert "no file here needs it" in said.err


def test_an_answer_is_marked_once_and_what_is_printed_is_no_result(
    shell: Shell, home: Path, sums: ModelServer
) -> None:
    score = ("score", "sums.yaml", "--json", *asking(sums))
    said = shell(*score, "--trust", "mine.py")
    assert json.loads(said.out)["prompts"][0]["score"]["rows"] == 4
    assert said.err.count("looking at") == 4
    assert len(marked(home)) == 4
    assert shell(*score).out == said.out
    assert len(marked(home)) == 4, "marks are kept with the answers"


def test_a_run_is_resumed_with_its_marks_and_replayed_without_the_metric(
    shell: Shell, home: Path, sums: ModelServer
) -> None:
    said = shell("run", "sums.yaml", "--trust", "mine.py", *asking(sums))
    assert said.code in {exit_codes.OK, exit_codes.NO_IMPROVEMENT}
    seen = marked(home)
    assert len(seen) == len(set(seen))
    (home / "mine.py").write_text("raise SystemExit\n" + METRIC)
    replayed = shell("replay", "sums", "--speed", "0", "--plain")
    assert [line for line in replayed.out.splitlines() if "scores" in line] == [
        line for line in said.out.splitlines() if "scores" in line
    ]
    more = ("resume", "sums", "--max-rounds", "3")
    assert "not trusted as it is now" in shell(*more).err
    (home / "mine.py").unlink()
    assert "which does not exist" in shell(*more).err
    (home / "mine.py").write_text(METRIC)
    assert shell(*more).code in {exit_codes.OK, exit_codes.NO_IMPROVEMENT}
    assert len(marked(home)) == len(set(marked(home)))


def test_a_workspace_from_somebody_else_runs_no_code(shell: Shell, home: Path, sums: ModelServer) -> None:
    shell("run", "sums.yaml", "--trust", "mine.py", *asking(sums))
    (home / "ran").unlink()
    (home / "config" / "trusted.json").unlink()
    for verb in (("show", "sums"), ("replay", "sums", "--speed", "0"), ("list",), ("diff", "sums")):
        shell(*verb)
    said = shell("resume", "sums", "--max-rounds", "4", "--yes")
    assert said.code == exit_codes.FAILED
    assert "not trusted" in said.err
    assert not (home / "ran").exists()


def test_a_metric_inside_of_a_tag_is_asked_about_as_well(shell: Shell, home: Path, sums: ModelServer) -> None:
    text = template(data=SPLIT, metric="{name: tag, tag: sum, metric: {name: 'mine:right', timeout: 5}}")
    (home / "sums.yaml").write_text(text)
    said = shell("score", "sums.yaml", *asking(sums))
    assert "not trusted" in said.err
    assert not (home / "ran").exists()
    said = shell("score", "sums.yaml", "--trust", "mine.py", *asking(sums))
    assert said.out.startswith("seed: 0.0 "), "no answer has the tag"
    assert marked(home) == []


def test_no_mark_at_all_is_a_failure_of_its_own(shell: Shell, home: Path, sums: ModelServer) -> None:
    (home / "mine.py").write_text("async def right(answer, row):\n    raise SystemExit(3)\n")
    said = shell("score", "sums.yaml", "--json", "--trust", "mine.py", *asking(sums))
    assert said.code == exit_codes.UNMARKED
    found = json.loads(said.out)["prompts"][0]
    assert found["score"] == {"mean": None, "interval": None, "rows": 0, "left_out": 4}
    assert found["marks"] == [None] * 4
    assert said.err.count("The metric mine:right failed: SystemExit: 3 (line 2 of mine.py)") == 4
    said = shell("run", "sums.yaml", *asking(sums))
    assert said.code == exit_codes.UNMARKED
    assert "could be marked, so nothing can be compared. The metric mine:right failed: SystemExit" in said.err
    (home / "mine.py").write_text("import nothing_like_it\ndef right(answer, row): ...\n")
    said = shell("score", "sums.yaml", "--trust", "mine.py", *asking(sums))
    assert said.code == exit_codes.UNMARKED
    assert "No module named 'nothing_like_it' (line 1 of mine.py)" in said.err


@pytest.mark.parametrize("typed", ["y", "n", ""])
def test_a_person_is_asked_on_a_terminal(home: Path, sums: ModelServer, typed: str) -> None:
    words = ("score", "sums.yaml", "--yes", *asking(sums))
    with Terminal(*words, env=places(home, OPENAI_API_KEY="sk-the-key"), rows=40, columns=200) as terminal:
        terminal.read_until("Run it? [y/N] ")
        assert "mine.py" in terminal.text
        assert "SHA-256" in terminal.text
        assert not (home / "ran").exists()
        terminal.type(f"{typed}\n")
        terminal.read_until("on 4 test rows" if typed == "y" else "not trusted as it is now")
    assert (home / "ran").exists() == (typed == "y")
