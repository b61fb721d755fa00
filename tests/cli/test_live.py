"""A run on a terminal: drawn in place, stopped by Ctrl-C, and not ended by a terminal that goes away."""

import os
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from spotui.cli import exit_codes
from spotui.workspace.history import read_history
from spotui.workspace.lock import ProjectLock
from spotui.workspace.projects import Project
from tests.cli.terminal import Terminal
from tests.command_line import PATIENCE_SECONDS, places, spotui
from tests.model_server import ModelServer
from tests.spo_model import climbing

COLOUR = re.compile(r"\x1b\[[0-9;]*(3[0-7]|9[0-7]|38;)[0-9;]*m")
CTRL_BACKSLASH = "\x1c"
CONTROL = re.compile(r"\x1b\[[0-9;?]*[a-zA-Z]")


@pytest.fixture
def slow() -> Iterator[ModelServer]:
    """A model that takes long enough to be interrupted."""
    with ModelServer(climbing, delay=0.4) as server:
        yield server


def words(server: ModelServer, template: str, rounds: int = 2) -> list[str]:
    return ["run", template, "--model", "m", "--base-url", server.base_url, "--max-rounds", str(rounds)]


@pytest.mark.parametrize(("rows", "columns"), [(24, 80), (10, 40)])
def test_the_picture_is_redrawn_and_the_summary_stays(
    home: Path, template: str, slow: ModelServer, rows: int, columns: int
) -> None:
    with Terminal(*words(slow, template), env=places(home), rows=rows, columns=columns) as terminal:
        terminal.read_until("answering question 1")
        terminal.read_until("proposing a prompt")
        terminal.read_until("judging, vote 1")
        assert terminal.wait() == exit_codes.OK
    assert "\x1b[?25h" in terminal.text  # the cursor is there again
    assert COLOUR.search(terminal.text)
    plain = CONTROL.sub("", terminal.text)
    assert "Best: round 2." in " ".join(plain.split())
    assert "Answer in style 1, with reasons." in " ".join(plain.split())
    shown = [line for line in plain.replace("\r", "\n").splitlines() if "win" in line]
    assert max(map(len, shown)) <= columns


def test_without_colours_nothing_else_is_missing(home: Path, template: str, slow: ModelServer) -> None:
    with Terminal(*words(slow, template), env=places(home, NO_COLOR="1")) as terminal:
        assert terminal.wait() == exit_codes.OK
    assert not COLOUR.search(terminal.text)
    assert "answering question 1" in terminal.text


@pytest.mark.parametrize("more", [{"TERM": "dumb"}, {}])
def test_a_dumb_terminal_and_plain_have_lines_and_no_control_sequence(
    home: Path, template: str, slow: ModelServer, more: dict[str, str]
) -> None:
    plain = [] if more else ["--plain"]
    with Terminal(*words(slow, template, 1), *plain, env=places(home, **more)) as terminal:
        assert terminal.wait() == exit_codes.NO_IMPROVEMENT
    assert "\x1b" not in terminal.text
    assert "round 1: question 3 answered: In style 0" in terminal.text


@pytest.mark.real_interpreter
def test_ctrl_c_once_lets_the_calls_in_flight_finish_and_says_how_to_go_on(
    home: Path, template: str, slow: ModelServer
) -> None:
    with Terminal(*words(slow, template), env=places(home)) as terminal:
        slow.wait_until(lambda: len(slow.requests) >= 3)
        terminal.type("\x03")
        assert terminal.wait() == exit_codes.STOPPED
    assert "Stopping: calls in flight have 15 seconds to finish." in terminal.text
    assert "spotui resume why" in terminal.text.partition("Stopped by the user.")[2]
    assert {one.outcome for one in slow.requests} == {"completed"}
    assert spotui("resume", "why", env=places(home, OPENAI_API_KEY="k")).code == exit_codes.OK
    assert len(slow.requests) <= 3 + 1 + 3 + 4 + 6  # the three answers were not bought again


def test_ctrl_c_twice_leaves_at_once_with_nothing_lost(home: Path, template: str) -> None:
    with ModelServer(climbing, delay=30.0) as stuck:
        with Terminal(*words(stuck, template), env=places(home)) as terminal:
            stuck.wait_until(lambda: len(stuck.requests) >= 3)
            terminal.type("\x03")
            terminal.read_until("Ctrl-C again")
            terminal.type("\x03")
            assert terminal.wait() == exit_codes.INTERRUPTED
        assert "Left at once; nothing is lost." in terminal.text
        assert "\x1b[?25h" in terminal.text
        stuck.wait_until(lambda: not stuck.connections)
        stuck.delay = 0.0
        assert spotui("resume", "why", env=places(home, OPENAI_API_KEY="k")).code == exit_codes.OK


@pytest.mark.parametrize(
    "how", [signal.SIGQUIT, signal.SIGABRT, CTRL_BACKSLASH], ids=["quit", "abort", "ctrl-backslash"]
)
def test_quit_and_abort_leave_at_once_and_give_the_terminal_back(
    home: Path, template: str, how: signal.Signals | str
) -> None:
    with ModelServer(climbing, delay=30.0) as stuck:
        with Terminal(*words(stuck, template), env=places(home)) as terminal:
            stuck.wait_until(lambda: len(stuck.requests) >= 3)
            terminal.read_until("answering question 1")
            if isinstance(how, str):
                terminal.type(how)
            else:
                terminal.process.send_signal(how)
            assert terminal.wait() == exit_codes.INTERRUPTED
        assert "Left at once; nothing is lost." in terminal.text
        assert terminal.text.rfind("\x1b[?25h") > terminal.text.rfind("\x1b[?25l")
        stuck.delay = 0.0
        assert spotui("resume", "why", env=places(home, OPENAI_API_KEY="k")).code == exit_codes.OK


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGQUIT, signal.SIGABRT])
def test_who_watches_gets_the_terminal_back_and_the_run_continues(
    home: Path, template: str, slow: ModelServer, number: signal.Signals
) -> None:
    begun = spotui(*words(slow, template, 500), "--detach", env=places(home, OPENAI_API_KEY="k"))
    assert begun.code == exit_codes.OK
    owner = ProjectLock(Project(home / "data" / "workspace" / "why", "why").lock, "why").living_owner()
    assert owner is not None
    try:
        with Terminal("attach", "why", env=places(home)) as terminal:
            terminal.read_until("of 500")
            terminal.process.send_signal(number)
            assert terminal.wait() == exit_codes.OK
        assert terminal.text.rfind("\x1b[?25h") > terminal.text.rfind("\x1b[?25l")
        assert "why is still running" in terminal.text
    finally:
        os.kill(owner.pid, signal.SIGTERM)


@pytest.mark.parametrize("how", [[], ["--plain"], ["--json"]])
def test_a_terminal_that_goes_away_does_not_end_the_run(
    home: Path, template: str, slow: ModelServer, how: list[str]
) -> None:
    with Terminal(*words(slow, template), *how, env=places(home)) as terminal:
        slow.wait_until(lambda: len(slow.requests) >= 3)
        terminal.hang_up()
        assert terminal.process.wait(PATIENCE_SECONDS) == exit_codes.OK
    assert_finished(home)


@pytest.mark.parametrize("how", [[], ["--plain"], ["--json"]])
def test_nor_does_one_that_goes_without_a_word(
    home: Path, template: str, slow: ModelServer, how: list[str]
) -> None:
    ours, theirs = os.openpty()  # nobody's own terminal: nobody is told that it hangs up, and writing fails
    process = subprocess.Popen(
        [sys.executable, "-m", "spotui", *words(slow, template), *how],
        env=places(home),
        stdin=theirs,
        stdout=theirs,
        stderr=theirs,
        start_new_session=True,
    )
    os.close(theirs)
    slow.wait_until(lambda: len(slow.requests) >= 3)
    os.close(ours)
    assert process.wait(PATIENCE_SECONDS) == exit_codes.OK
    assert_finished(home)


def assert_finished(home: Path) -> None:
    project = Project(home / "data" / "workspace" / "why", "why")
    history = read_history(project)
    assert history.stop is not None
    assert (history.stop.reason, len(history.rounds)) == ("finished", 2)
    assert ProjectLock(project.lock, "why").living_owner() is None


def test_show_fits_the_terminal_it_is_on(home: Path, workspace: Path) -> None:
    journal = workspace / "why" / "journal.jsonl"
    journal.write_text(
        journal.read_text().replace("Ask for style 1.", "Ask for style 1. " + "And so on. " * 30)
    )
    with Terminal("show", "why", env=places(home), columns=72) as terminal:
        assert terminal.wait() == 0
    rows = [line for line in terminal.text.splitlines() if "Ask for style 1." in line]
    assert [len(row) for row in rows] == [72]


def test_an_embedded_model_is_offered_and_a_no_is_taken(home: Path, template: str) -> None:
    with Terminal("run", template, env=places(home)) as terminal:
        terminal.read_until("Fetch it now? [Y/n] ")
        terminal.type("n\n")
        assert terminal.wait() == exit_codes.FAILED
    assert "was not fetched" in terminal.text
    assert "spotui models pull local/" in terminal.text
    assert not os.path.lexists(home / "data" / "workspace" / "why")
