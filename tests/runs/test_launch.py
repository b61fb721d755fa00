import fcntl
import json
import os
import socket as sockets
import subprocess
import sys
import tempfile
import termios
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from spotui.domain.commands import Command, Pause, Resume, encode_command
from spotui.domain.event_lines import decode_event
from spotui.domain.events import Event, RoundFinished, RunOpened, RunStopped, StateChanged
from spotui.engine.meta_prompts import MetaPromptError
from spotui.runs.launch import Launcher
from spotui.settings.errors import SettingsError
from spotui.settings.resolve import Flags
from spotui.templates.read import parse_template
from spotui.workspace.projects import Project
from tests.command_line import TEMPLATE, begin, move_in, places, spotui, write_template
from tests.model_server import ModelServer
from tests.spo_model import climbing


@pytest.fixture(scope="module")
def server() -> Iterator[ModelServer]:
    with ModelServer(climbing, delay=0.05) as model:
        yield model


@pytest.fixture
def home() -> Iterator[Path]:
    """A folder whose path is short enough for a socket in it."""
    with tempfile.TemporaryDirectory(prefix="run-") as folder:
        yield Path(folder)


@pytest.fixture
def own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    move_in(monkeypatch, tmp_path)
    return tmp_path


class Watcher:
    """One that is attached to a run, as another process would be."""

    def __init__(self, folder: Path) -> None:
        self.socket = sockets.socket(sockets.AF_UNIX)
        self.socket.settimeout(20)
        runtime = folder / "runtime"
        deadline = time.monotonic() + 20
        while not self._reach(runtime):
            assert time.monotonic() < deadline, "no run can be reached"
            time.sleep(0.002)
        self.lines = self.socket.makefile("rb")

    def _reach(self, runtime: Path) -> bool:
        for path in runtime.glob("*.sock"):
            try:
                self.socket.connect(str(path))
            except OSError:
                continue
            return True
        return False

    def send(self, command: Command) -> None:
        self.socket.sendall(encode_command(command))

    def until(self, kind: type[Event], **fields: object) -> list[Event]:
        events: list[Event] = []
        for line in self.lines:
            event = decode_event(line)
            assert event is not None
            events.append(event)
            if isinstance(event, kind) and all(getattr(event, name) == want for name, want in fields.items()):
                return events
        raise AssertionError(f"the stream ended without {kind.__name__}")

    def close(self) -> None:
        self.lines.close()
        self.socket.close()


class OnTerminal:
    """A process that has a terminal of its own, which can be taken away."""

    def __init__(self, *words: str, env: dict[str, str]) -> None:
        self.terminal, inner = os.openpty()

        def take_terminal() -> None:
            fcntl.ioctl(0, termios.TIOCSCTTY, 0)

        self.process = subprocess.Popen(
            [sys.executable, "-m", "spotui", *words],
            stdin=inner,
            stdout=inner,
            stderr=inner,
            env=env,
            start_new_session=True,
            preexec_fn=take_terminal,  # noqa: PLW1509 - nothing else makes it the controlling terminal
        )
        os.close(inner)

    def hang_up(self) -> None:
        """Close the terminal: the system sends SIGHUP."""
        os.close(self.terminal)


@contextmanager
def running(folder: Path, server: ModelServer, rounds: int) -> Iterator[OnTerminal]:
    """A run that was started in a terminal."""
    template = write_template(folder)
    words = ("run", template, "--model", "m", "--base-url", server.base_url, "--max-rounds", str(rounds))
    one = OnTerminal(*words, env=places(folder))
    try:
        yield one
    finally:
        one.process.kill()
        one.process.wait()


def test_a_run_goes_on_without_its_terminal_and_can_be_watched_from_its_beginning(
    home: Path, server: ModelServer
) -> None:
    with running(home, server, rounds=8) as run:
        first = Watcher(home)
        first.send(Pause())
        run.hang_up()
        first.until(StateChanged, state="paused")
        first.send(Resume())
        later = Watcher(home)
        story = later.until(RunStopped)
        assert run.process.wait(120) == 0
        first.close()
        later.close()

    assert isinstance(story[0], RunOpened)
    assert [event.round for event in story if isinstance(event, RoundFinished)] == list(range(1, 9))
    assert Project(home / "data" / "workspace" / "why", "why").is_ours


def test_a_run_without_a_terminal_ends_when_a_watcher_says_so(home: Path, server: ModelServer) -> None:
    with running(home, server, rounds=200) as run:
        watcher = Watcher(home)
        run.hang_up()
        watcher.until(RoundFinished, round=2)
        told = spotui("attach", "why", "--send", "stop", env=places(home))
        assert told.code == 0, told.err
        stopped = watcher.until(RunStopped)[-1]
        assert run.process.wait(120) == 6
        watcher.close()

    assert isinstance(stopped, RunStopped)
    assert stopped.reason == "stopped"
    assert stopped.best >= 2


def test_a_detached_run_outlives_the_command_that_started_it(home: Path, server: ModelServer) -> None:
    words = ("--model", "m", "--base-url", server.base_url, "--max-rounds", "3")
    server.delay = 2.0  # so that the run is not over before anybody can watch it
    try:
        begun = spotui("run", write_template(home), "--detach", *words, env=places(home))
        assert begun.code == 0, begun.err
        watcher = begin("attach", "why", "--json", env=places(home))
        assert watcher.stdout is not None
        first = watcher.stdout.readline()
    finally:
        server.delay = 0.0
    rest, _ = watcher.communicate(timeout=120)

    names = [json.loads(line)["event"] for line in (first, *rest.splitlines())]
    assert (names[0], names[-1]) == ("run_opened", "run_stopped")
    assert watcher.returncode == 0


def test_limits_are_those_that_were_given_and_only_those(own: Path) -> None:
    assert Launcher({}).limits(Flags(max_rounds="5", budget_usd="none", budget_calls=7)) == {
        "rounds": 5,
        "usd": None,
        "calls": 7,
    }
    assert Launcher({}).limits(Flags(seed=3)) == {}
    with pytest.raises(SettingsError, match="--budget-usd"):
        Launcher({}).limits(Flags(budget_usd="much"))


def test_a_templates_models_are_used_unless_a_flag_says_otherwise(own: Path) -> None:
    text = TEMPLATE + "models:\n  optimizer: {model: openai/a}\n  evaluator: {model: openai/b}\n"
    template = parse_template(text, "why.yaml")

    roles = Launcher({}).settings(Flags(eval_model="openai/c"), template).settings.roles
    assert (roles.optimizer.model, roles.evaluator.model) == ("openai/a", "openai/c")


def test_the_config_file_is_read_once_at_the_start(own: Path) -> None:
    (own / "config").mkdir()
    (own / "config" / "config.yaml").write_text("theme: [")

    with pytest.raises(SettingsError, match=r"config\.yaml"):
        Launcher({})


def test_a_broken_meta_prompt_of_the_user_is_told_before_the_run_begins(own: Path) -> None:
    (own / "config" / "prompts").mkdir(parents=True)
    (own / "config" / "prompts" / "spo_propose.txt").write_text("No slot at all.")

    with pytest.raises(MetaPromptError, match="spo_propose"):
        Launcher({}).prepare(Path(write_template(own)), Flags())
