"""The app as a person has it: in a terminal of its own, with a model behind HTTP."""

import os
import signal
import sys
import termios
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from spotui.workspace.history import read_history
from spotui.workspace.projects import Workspace
from tests.command_line import places, spotui, write_template
from tests.end_to_end.aftermath import journalled
from tests.end_to_end.conftest import KEY
from tests.model_server import ModelServer, conversation
from tests.spo_model import climbing
from tests.terminal import Terminal

LEFT = "\x1b[?1049l"
PATIENCE = 30.0

FAULTY = """
import sys
from collections import Counter
from spotui.tui.home.screen import HomeScreen

def fault(self):
    key = "sk-in-a-variable"
    raise RuntimeError("the tour has a fault")

HomeScreen.action_tour = fault
sys.argv = ["spotui"]
from spotui.__main__ import main
main()
"""

SIGNALS = [signal.SIGTERM, signal.SIGHUP, signal.SIGQUIT, signal.SIGABRT]

SLOW_IMPORT = """
import builtins
import sys
import time

imported = builtins.__import__

def slowly(name, *more):
    if name == "spotui.tui.start":
        time.sleep(60)
    return imported(name, *more)

builtins.__import__ = slowly
sys.argv = ["spotui"]
from spotui.__main__ import main
main()
"""

LIMITED = """
import os
import sys
os.execlp("bash", "bash", "-c", f'ulimit {sys.argv[1]}; exec "$0" -m spotui', sys.executable)
"""


class Recorded(Terminal):
    """A terminal that keeps what was written to it."""

    raw = b""

    def _feed(self, data: bytes) -> None:
        self.raw += data
        super()._feed(data)

    def look_anew(self) -> None:
        """Forget what is on the screen."""
        with self._changed:
            self._screen.reset()


@pytest.fixture
def model() -> Iterator[ModelServer]:
    """A model whose every proposal is better than the last, a little at a time."""
    with ModelServer(climbing, delay=0.02) as server:
        yield server


@contextmanager
def opened(
    home: Path, *, command: tuple[str, ...] = ("-m", "spotui"), size: tuple[int, int] = (120, 40)
) -> Iterator[Recorded]:
    """The app, in a terminal."""
    environ = {
        **places(home, OPENAI_API_KEY=KEY),
        "COLUMNS": "80",
        "LINES": "24",
        "SPOTUI_TEMPLATES_DIR": str(home),
    }
    columns, rows = size
    with Recorded([sys.executable, *command], columns=columns, rows=rows, environ=environ) as terminal:
        yield terminal


def start_run(home: Path, path: str, model: ModelServer, *options: str) -> None:
    """From the command line."""
    words = ("run", path, "--model", "test-model", "--base-url", model.base_url, *options)
    assert spotui(*words, env=places(home, OPENAI_API_KEY=KEY)).code == 0


def is_as_it_was(terminal: Recorded) -> bool:
    """Whether the terminal echoes, takes lines, and shows its cursor."""
    flags = termios.tcgetattr(terminal.descriptor)[3]
    shows_cursor = terminal.raw.rfind(b"\x1b[?25h") > terminal.raw.rfind(b"\x1b[?25l")
    return bool(flags & termios.ECHO and flags & termios.ICANON) and shows_cursor


def finished_rounds(home: Path) -> int:
    """Of the project `why`."""
    return len(read_history(Workspace(home / "data" / "workspace").project("why")).rounds)


def loads_tls(terminal: Recorded) -> bool:
    maps = Path(f"/proc/{terminal.process.pid}/maps")
    return maps.exists() and "_ssl" in maps.read_text()


@pytest.mark.real_interpreter
def test_from_a_template_to_an_exported_prompt(home: Path, model: ModelServer) -> None:
    """Type, run, see the diff, take the prompt along, quit."""
    write_template(home)
    with opened(home, size=(80, 24)) as terminal:
        terminal.wait_for("A model", seconds=PATIENCE)
        terminal.press("escape")
        terminal.wait_for("No projects yet", "why")
        terminal.press("enter")
        terminal.wait_for("New run of", "Expected:", seconds=PATIENCE)
        # Between the model of all roles and the endpoint, each role has a field of its own.
        terminal.press("tab", "test-model", *["tab"] * 4, model.base_url, "tab", "4")
        terminal.wait_for("Expected: about", "Executor           test-model", seconds=PATIENCE)
        terminal.press("enter")
        terminal.wait_for("finished", "Best: round 4", seconds=PATIENCE)
        terminal.press("3")
        terminal.wait_for("Answer in style 2, 3, with reasons.")
        terminal.press("d")
        terminal.wait_for("Answer the question. in style 3, with")
        terminal.press("x")
        terminal.wait_for("Export")
        terminal.press("p")
        terminal.wait_for("Write to", "why.txt")
        terminal.press("enter")
        terminal.wait_for("Wrote")
        assert not loads_tls(terminal), "the screen opens no connection, and its start paid for that"
        terminal.press("ctrl+q")
        assert terminal.wait_exit() == 0
        assert terminal.raw.rstrip().endswith(b"\x1b[?25h") or LEFT.encode() in terminal.raw
    assert (home / "why.txt").read_text() == "Answer in style 3, with reasons.\n"
    assert finished_rounds(home) == 4


def test_a_run_outlives_the_screen_and_is_taken_up_again(home: Path, model: ModelServer) -> None:
    """Quit in the middle, see it go on, stop it, leave, come back, go on to the end."""
    path = write_template(home)
    model.pause = 0.008
    start_run(home, path, model, "--max-rounds", "99", "--detach")
    with opened(home) as terminal:
        terminal.wait_for("running", "why", seconds=PATIENCE)
        terminal.press("enter")
        terminal.wait_for("of 99  running", "Round ", seconds=PATIENCE)
        terminal.press("ctrl+q")
        terminal.wait_for("why is running")
        terminal.press("l")
        assert terminal.wait_exit() == 0
    with opened(home) as terminal:
        terminal.wait_for("running", "why", seconds=PATIENCE)
        terminal.press("enter")
        terminal.wait_for("of 99  running", seconds=PATIENCE)
        terminal.press("s")
        terminal.wait_for("Stop why?")
        terminal.press("y")
        terminal.wait_for("stopped", seconds=PATIENCE)
        before = len(model.requests)
        terminal.press("l")
        terminal.wait_for("Limits of why")
        ended = finished_rounds(home)
        terminal.press("backspace", "backspace", str(ended + 1), "enter")
        terminal.wait_for(f"All {ended + 1} rounds are done", seconds=PATIENCE)
        terminal.press("ctrl+q")
        assert terminal.wait_exit() == 0
    assert len(model.requests) > before
    asked = Counter(conversation(request.json) for request in model.requests)
    assert asked == journalled(home), "something was bought twice, or its reply was lost"


@pytest.mark.parametrize("number", SIGNALS)
def test_a_signal_leaves_the_terminal_as_it_was(home: Path, number: signal.Signals) -> None:
    with opened(home) as terminal:
        terminal.wait_for("A model", seconds=PATIENCE)
        terminal.settle()
        terminal.process.send_signal(number)
        assert terminal.wait_exit() == 128 + number
        assert terminal.raw.endswith(LEFT.encode()) or LEFT.encode() in terminal.raw[-200:]
        assert is_as_it_was(terminal)


def stop(terminal: Recorded) -> None:
    """Stop the app as another program may, without a word to it."""
    terminal.process.send_signal(signal.SIGSTOP)
    os.waitid(os.P_PID, terminal.process.pid, os.WSTOPPED | os.WNOWAIT)


def suspend(terminal: Recorded) -> None:
    """Suspend the app with its key."""
    terminal.press("ctrl+z")
    os.waitid(os.P_PID, terminal.process.pid, os.WSTOPPED | os.WNOWAIT)


def test_stopped_and_continued_it_shows_all_and_reads_keys_once(home: Path) -> None:
    with opened(home) as terminal:
        terminal.wait_for("A model", seconds=PATIENCE)
        terminal.settle()
        threads = Path(f"/proc/{terminal.process.pid}/task")
        before = len(list(threads.iterdir()))
        for way in (stop, stop, stop, suspend):
            way(terminal)
            terminal.look_anew()
            terminal.process.send_signal(signal.SIGCONT)
            terminal.wait_for("A model", "A run makes a prompt better", seconds=PATIENCE)
            terminal.settle()
        assert len(list(threads.iterdir())) == before
        terminal.press("ctrl+c")
        terminal.wait_for("Press ^q to quit.", seconds=PATIENCE)
        terminal.press("ctrl+q")
        assert terminal.wait_exit() == 0
        assert is_as_it_was(terminal)


def test_a_terminal_that_goes_away_while_it_is_stopped_ends_it(home: Path) -> None:
    with opened(home) as terminal:
        terminal.wait_for("A model", seconds=PATIENCE)
        terminal.settle()
        stop(terminal)
        terminal.hang_up()
        terminal.process.send_signal(signal.SIGCONT)
        assert terminal.process.wait(PATIENCE) != 0


@pytest.mark.parametrize("number", SIGNALS)
def test_so_does_one_that_comes_before_the_app_is_there(home: Path, number: signal.Signals) -> None:
    with opened(home, command=("-c", SLOW_IMPORT)) as terminal:
        terminal.wait_for("spotui", seconds=PATIENCE)
        terminal.process.send_signal(number)
        assert terminal.wait_exit() == 128 + number
        assert LEFT.encode() in terminal.raw[-200:]
        assert is_as_it_was(terminal)


@pytest.mark.parametrize("limit", ["-n 5", "-n 7", "-n 12", "-v 60000", "-v 200000"])
def test_a_low_limit_is_named_and_the_terminal_is_as_it_was(home: Path, limit: str) -> None:
    with opened(home, command=("-c", LIMITED, limit)) as terminal:
        assert terminal.wait_exit() == 1
        _, _, after = terminal.raw.rpartition(LEFT.encode())
        assert f"(ulimit {limit[:2]})" in " ".join(after.decode().split())
        assert "Traceback" not in terminal.raw.decode()
        assert is_as_it_was(terminal)


def test_a_fault_of_the_screen_is_told_and_costs_nothing(home: Path) -> None:
    with opened(home, command=("-c", FAULTY)) as terminal:
        terminal.wait_for("A model", seconds=PATIENCE)
        terminal.press("escape")
        terminal.wait_for("No projects yet")
        terminal.press("t")
        assert terminal.wait_exit() == 1
        _, _, after = terminal.raw.rpartition(LEFT.encode())
        said = " ".join(after.decode().split())
        assert "because of an error in spotui (RuntimeError: the tour has a fault)" in said
        assert "No run is lost" in said
        assert "Traceback" not in said
    [log] = (home / "log").glob("crash-*.log")
    assert "the tour has a fault" in log.read_text()
    assert "sk-in-a-variable" not in log.read_text().replace('key = "sk-in-a-variable"', "")


FAULTY_BEHIND = FAULTY.replace(
    "HomeScreen.action_tour = fault",
    """
async def behind(self):
    fault(self)

HomeScreen.action_tour = lambda self: self.run_worker(behind(self))
""",
)


def test_a_fault_in_the_background_is_told_and_closes_nothing(home: Path) -> None:
    with opened(home, command=("-c", FAULTY_BEHIND)) as terminal:
        terminal.wait_for("A model", seconds=PATIENCE)
        terminal.press("escape")
        terminal.wait_for("No projects yet")
        terminal.press("t")
        terminal.wait_for("an error in spotui", "RuntimeError: the tour has a fault")
        terminal.press("ctrl+q")
        assert terminal.wait_exit() == 0


def test_it_follows_the_terminal_s_size_while_a_run_goes_on(home: Path, model: ModelServer) -> None:
    path = write_template(home)
    start_run(home, path, model, "--max-rounds", "3")
    with opened(home) as terminal:
        terminal.wait_for("finished", seconds=PATIENCE)
        terminal.press("enter")
        panels = ("─ Best prompt", "─ Log", "─ Progress", "─ Rounds")
        terminal.wait_for(*panels, "All 3 rounds are done", seconds=PATIENCE)
        terminal.resize(80, 24)
        terminal.wait_gone("─ Progress")
        terminal.wait_for("1 Template   2 Log   3 Diff   4 Rounds")
        terminal.resize(120, 40)
        terminal.wait_for(*panels)
