"""The command line as tests use it: in this process for speed, in one of its own where that matters."""

import atexit
import os
import shutil
import subprocess
import sys
import tempfile
import threading
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import pytest

from spotui.cli import main

ROOT = Path(__file__).parents[1]

TEMPLATE = """\
prompt: Answer the question.
requirements: Be correct, and give a reason.
count: None
qa:
  - question: Why is the sky blue?
    answer: None
  - question: Why do leaves fall?
    answer: None
  - question: Why does ice float?
    answer: None
"""
"""Three questions: every round asks all of them, and none is held out."""

HELD_OUT = "  - question: Why do cats purr?\n    answer: None\n"
"""A fourth question."""

PATIENCE_SECONDS = 200.0

SHORT = 64
"""Characters that leave room for the name of a socket."""

OURS = ("SPOTUI_", "OPENAI_", "ANTHROPIC_", "XDG_")


@dataclass(frozen=True)
class Outcome:
    """What a command left behind."""

    code: int
    out: str
    err: str


@cache
def _sockets() -> str:
    """A folder whose path is short enough for sockets, which that of a test seldom is."""
    folder = tempfile.mkdtemp(prefix="s-")
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    return folder


def places(folder: Path, **more: str) -> dict[str, str]:
    """An environment in which everything spotui writes is below a folder, with nothing of the user's own."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(OURS)}
    ours = str(Path(sys.executable).parent)  # a shim that looks for a Python takes longer than that Python
    if not kept.get("PATH", "").startswith(ours):
        kept["PATH"] = f"{ours}{os.pathsep}{kept.get('PATH', os.defpath)}"
    for unwanted in ("NO_COLOR", "SSH_CONNECTION", "PYTHONUNBUFFERED", "GITHUB_ACTIONS"):
        kept.pop(unwanted, None)
    own = {f"SPOTUI_{what}_DIR": str(folder / what.lower()) for what in ("CONFIG", "DATA", "LOG")}
    runtime = str(folder / "runtime")
    own["SPOTUI_RUNTIME_DIR"] = runtime if len(runtime) < SHORT else _sockets()
    return kept | own | {"PYTHONPATH": str(ROOT), "TERM": "xterm-256color"} | more


def move_in(monkeypatch: pytest.MonkeyPatch, folder: Path, **more: str) -> None:
    """Make such an environment this process's own."""
    wanted = places(folder, **more)
    for name in set(os.environ) - set(wanted):
        monkeypatch.delenv(name)
    for name, value in wanted.items():
        monkeypatch.setenv(name, value)


def type_in(capsys: pytest.CaptureFixture[str], *words: str) -> Outcome:
    """Run a command in this process."""
    capsys.readouterr()
    try:
        code = main(words)
    except SystemExit as left:
        code = left.code if isinstance(left.code, int) else 0
    said = capsys.readouterr()
    return Outcome(code, said.out, said.err)


def spotui(*words: str, env: dict[str, str], stdin: str = "") -> Outcome:
    """Run a command in a process of its own."""
    done = subprocess.run(
        [sys.executable, "-m", "spotui", *words],
        check=False,
        env=env,
        input=stdin,
        capture_output=True,
        text=True,
        timeout=PATIENCE_SECONDS,
    )
    return Outcome(done.returncode, done.stdout, done.stderr)


def begin(*words: str, env: dict[str, str]) -> "subprocess.Popen[bytes]":
    """Start a command in a process of its own, with pipes; it is killed when a test leaves it waiting."""
    pipe = subprocess.PIPE
    command = [sys.executable, "-m", "spotui", *words]
    process = subprocess.Popen(command, env=env, stdin=pipe, stdout=pipe, stderr=pipe, bufsize=0)
    watchdog = threading.Timer(PATIENCE_SECONDS, process.kill)
    watchdog.daemon = True
    watchdog.start()
    return process


def write_template(folder: Path, text: str = TEMPLATE, name: str = "why.yaml") -> str:
    """A template file's path."""
    path = folder / name
    path.write_text(text)
    return str(path)
