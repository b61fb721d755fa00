"""The command line as a whole: help, wrong usage, exit codes, output that cannot be written."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

from spotui.cli import VERBS, exit_codes
from spotui.domain.version import VERSION
from tests.cli.conftest import Shell
from tests.command_line import places


def test_help_names_every_verb_and_every_exit_code(shell: Shell) -> None:
    said = shell("--help")
    assert said.code == 0
    assert [verb for verb in VERBS if not re.search(rf"^    {verb} ", said.out, re.MULTILINE)] == []
    codes = {value for name, value in vars(exit_codes).items() if name.isupper() and isinstance(value, int)}
    listed = said.out.partition("exit codes:")[2]
    assert {int(number) for number in re.findall(r"^  (\d+)", listed, re.MULTILINE)} == codes


def test_no_verb_at_all_shows_the_help(shell: Shell) -> None:
    assert shell() == shell("--help")


@pytest.mark.parametrize("verb", VERBS)
def test_every_verb_explains_itself(shell: Shell, verb: str) -> None:
    said = shell(verb, "--help")
    assert said.code == 0
    assert said.out.startswith(f"usage: spotui {verb} ")


def test_the_version(shell: Shell) -> None:
    assert shell("--version").out.startswith(f"spotui {VERSION} (Python 3.")


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["frob"], "There is no verb 'frob'"),
        (["exprt"], "'export'"),
        (["run", "poem", "--frob"], "--frob"),
        (["run"], "Which template?"),
        (["run", "poem", "--template", "navigate"], "Two templates"),
        (["run", "poem", "--initial-round", "0"], "--initial-round"),
        (["run", "poem", "--model", "m", "--max-rounds", "many"], "--max-rounds"),
        (["run", "poem", "--model", "m", "--opt-temp", "9"], "--opt-temp"),
        (["estimate", "poem", "--judge", "me"], "--judge"),
        (["export", "why", "--format", "pdf"], "--format"),
        (["replay", "why", "--speed", "-1"], "speed"),
        (["attach", "why", "--send", "frob"], "'frob'"),
        (["test", "why", " "], "question is empty"),
        (["models"], "WHAT"),
        (["diff"], "NAME"),
    ],
)
@pytest.mark.usefixtures("workspace")
def test_wrong_usage_has_a_code_of_its_own_and_says_what_is_wrong(
    shell: Shell, words: list[str], told: str
) -> None:
    said = shell(*words)
    assert said.code == exit_codes.USAGE
    assert told in said.err
    assert said.err.startswith("spotui: ")
    assert said.out == ""


def test_a_run_that_cannot_be_begun_leaves_no_project(shell: Shell) -> None:
    shell("run", "poem", "--model", "m", "--max-rounds", "many")
    assert shell("list", "--json").out == ""


@pytest.mark.parametrize("verb", ["show", "diff", "best", "export", "resume", "attach", "branch", "replay"])
def test_a_project_that_is_not_there_is_an_error_that_names_the_nearest(
    shell: Shell, workspace: Path, verb: str
) -> None:
    said = shell(verb, "wy")
    assert said.code == exit_codes.FAILED
    assert "There is no project 'wy'" in said.err
    assert "Did you mean 'why'?" in said.err
    assert said.out == ""


def run_into(pipe: str, *words: str, home: Path) -> "subprocess.CompletedProcess[str]":
    command = f"{sys.executable} -m spotui {' '.join(words)} {pipe}"
    return subprocess.run(
        ["bash", "-c", command], check=False, env=places(home), capture_output=True, text=True
    )


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="this system has no full device")
@pytest.mark.usefixtures("workspace")
def test_an_output_that_is_full_is_an_error_in_one_line(home: Path) -> None:
    done = run_into("> /dev/full", "best", "why", home=home)
    assert done.returncode == exit_codes.FAILED
    assert done.stderr == "spotui: The output cannot be read or written: No space left on device.\n"


@pytest.mark.usefixtures("workspace")
def test_a_reader_that_leaves_early_is_no_error(home: Path) -> None:
    done = run_into("| true; exit ${PIPESTATUS[0]}", "export", "why", "--format", "json", home=home)
    assert (done.returncode, done.stderr) == (0, "")


def test_a_terminal_without_a_character_shows_something_else(workspace: Path, home: Path) -> None:
    for path in (workspace / "why").glob("journal.jsonl"):
        path.write_text(path.read_text().replace("Answer the question.", "Réponds à la question…"))
    command = [sys.executable, "-m", "spotui", "show", "why", "1"]
    env = places(home, PYTHONIOENCODING="ascii")
    done = subprocess.run(command, check=False, env=env, capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (0, "")
    assert "R?ponds ? la question?" in done.stdout
