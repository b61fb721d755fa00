"""show, diff, best, export, locate: what is read back from a project without running anything."""

import json
import os
import pty
import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.cli.conftest import Shell
from tests.command_line import places

SEED, BEST = "Answer the question.", "Answer in style 2, with reasons."

pytestmark = pytest.mark.usefixtures("workspace")


def test_show_has_a_line_for_each_round_and_marks_the_best(shell: Shell) -> None:
    lines = shell("show", "why").out.splitlines()
    assert lines[0] == "why: finished"
    assert [line.split()[:2] for line in lines[2:5]] == [["1", "seed"], ["2", "win"], ["3*", "win"]]
    assert lines[4].endswith("Ask for style 2.")
    assert "On 1 held-out question: win against the seed." in lines
    assert "Judge: balanced (reasoned votes, three of four in both orders)." in lines
    assert "The order changed 0 of 2 pairs of votes: 0% (95% CI 0% to 66%)." in lines
    assert any(
        line.startswith("Final check of round 3: Improvement: better than the seed on 4 of 4")
        for line in lines
    )
    assert any(line.startswith("Ranking by all votes") and line.endswith("seed +0.00.") for line in lines)


def test_show_one_round_has_everything_that_was_said(shell: Shell) -> None:
    said = shell("show", "why", "2").out
    assert "It wins 100% of the votes that chose a side (44% to 100%)." in said
    assert re.search(r"Its answers are \d\.\d\d times as long", said)
    for part in ("win, from round 1", "Ask for style 1.", "Style 0 leaves room.", "Why is the sky blue?"):
        assert part in said
    assert said.count("In style 1: ") == 3
    assert "Vote (model AB): win\nStyle 1 is better." in said


@pytest.mark.parametrize("name", ["seed", "best", "last", "1", "3"])
def test_a_round_has_a_name_or_a_number(shell: Shell, name: str) -> None:
    prompt = SEED if name in {"seed", "1"} else BEST
    assert f"Prompt:\n{prompt}\n" in shell("show", "why", name).out


@pytest.mark.parametrize("name", ["4", "0", "-1", "first", "1.5"])
def test_a_round_that_is_not_there_is_an_error_that_lists_those_that_are(shell: Shell, name: str) -> None:
    said = shell("show", "why", "--", name)
    assert said.code == 1
    assert "1, 2, 3" in said.err


def test_show_as_json(shell: Shell) -> None:
    everything = json.loads(shell("show", "why", "--json").out)
    assert [one["prompt"] for one in everything["rounds"]][::2] == [SEED, BEST]
    assert json.loads(shell("show", "why", "best", "--json").out)["prompt"] == BEST


def test_diff_marks_what_came_and_what_went(shell: Shell) -> None:
    said = shell("diff", "why")
    assert said.out.startswith("round 1 to round 3: ")
    assert said.out.splitlines()[1] == "Answer [-the question.-]{+in style 2, with reasons.+}"
    assert "\x1b" not in said.out


def test_diff_between_any_two_rounds(shell: Shell) -> None:
    assert shell("diff", "why", "3", "seed").out.startswith("round 3 to round 1: ")
    same = shell("diff", "why", "2", "2").out
    assert same == "round 2 to round 2: 0 words added, 0 removed\nAnswer in style 1, with reasons.\n"


def on_a_terminal(*words: str, env: dict[str, str]) -> str:
    ours, theirs = pty.openpty()
    subprocess.run([sys.executable, "-m", "spotui", *words], env=env, stdout=theirs, check=True)
    os.close(theirs)
    said = b""
    try:
        while data := os.read(ours, 65536):
            said += data
    except OSError:  # the other side is closed
        pass
    os.close(ours)
    return said.decode()


def test_diff_has_colours_on_a_terminal_unless_they_are_not_wanted(home: Path) -> None:
    assert "\x1b[32m{+in style 2, with reasons.+}\x1b[0m" in on_a_terminal("diff", "why", env=places(home))
    assert "\x1b" not in on_a_terminal("diff", "why", env=places(home, NO_COLOR="1"))
    assert "\x1b" not in on_a_terminal("diff", "why", env=places(home, TERM="dumb"))


def test_best_prints_the_prompt_alone(shell: Shell) -> None:
    said = shell("best", "why")
    assert (said.out, said.err) == (BEST + "\n", "")


def test_export_by_format_and_by_the_file_s_ending(shell: Shell, home: Path) -> None:
    assert shell("export", "why").out.rstrip("\n") == BEST
    assert json.loads(shell("export", "why", "--format", "json").out)
    file = home / "report.md"
    said = shell("export", "why", "--output", str(file))
    assert str(file) in said.out
    assert file.read_text() == shell("export", "why", "--format", "markdown").out
    assert BEST in file.read_text()


def test_export_into_a_folder_that_is_not_there_is_an_error(shell: Shell, home: Path) -> None:
    said = shell("export", "why", "-o", str(home / "nowhere" / "x.txt"))
    assert said.code == 1
    assert "nowhere" in said.err


def test_locate_names_every_place_and_what_moved_it(shell: Shell, home: Path) -> None:
    said = shell("locate").out
    rows = {line.partition("  ")[0].strip(): line for line in said.splitlines()}
    assert str(home / "data" / "workspace") in rows["workspace"]
    assert "SPOTUI_DATA_DIR is set" in rows["workspace"]
    assert all(str(home) in row for name, row in rows.items() if name != "sockets")


def test_a_project_without_a_finished_round_says_so(shell: Shell, template: str) -> None:
    shell(
        "run", template, "--name", "new", "--model", "m", "--base-url", "http://127.0.0.1:1", "--tries", "1"
    )
    said = shell("show", "new")
    assert said.code == 0
    assert said.out.startswith("new: failed\nNo round has ended yet.\nStopped: failed.")
    assert re.search(r"^new +failed .*:\d\d$", shell("list").out, re.MULTILINE)  # when it was made
    assert shell("best", "new").code == 1
