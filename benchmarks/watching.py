"""Watches the app in a pseudo-terminal: what it writes, how fast it answers keys, and what it takes."""

import os
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from tests.model_server import ModelServerProcess
from tests.terminal import Pty

QUIET = 0.4
TICKS_A_SECOND = os.sysconf("SC_CLK_TCK")
STREAMS, PAUSE = 8, 0.008


class Watched(Pty):
    """A terminal that notes when a text came."""

    def __init__(
        self,
        command: list[str],
        marker: str,
        environ: dict[str, str | None],
        size: tuple[int, int] = (120, 40),
    ) -> None:
        self.text_at = 0.0
        self._marker = marker.encode()
        self._tail = b""
        super().__init__(command, columns=size[0], rows=size[1], environ=environ)

    @property
    def memory(self) -> float:
        """Megabytes that the program holds now."""
        status = Path(f"/proc/{self.process.pid}/status").read_text()
        return next(int(line.split()[1]) for line in status.splitlines() if line.startswith("VmRSS")) / 1024

    @property
    def cpu(self) -> float:
        """Seconds of processor time so far."""
        fields = Path(f"/proc/{self.process.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / TICKS_A_SECOND

    def wait_text(self, seconds: float = 20.0) -> None:
        """Wait until the text has come."""
        deadline = time.perf_counter() + seconds
        while not self.text_at:
            if time.perf_counter() > deadline:
                raise SystemExit(f"{self._marker!r} did not come within {seconds} s")
            time.sleep(0.001)

    def look_for(self, marker: str) -> None:
        """Look for another text from now on."""
        self._marker, self._tail, self.text_at = marker.encode(), b"", 0.0

    def answer_time(self, *keys: str) -> float:
        """Milliseconds from a key press to the first byte after it."""
        before, pressed = self.received, time.perf_counter()
        self.press(*keys)
        while self.received == before:
            if time.perf_counter() - pressed > 5:
                raise SystemExit(f"{keys} changed nothing on the screen")
            time.sleep(0.0005)
        return (time.perf_counter() - pressed) * 1000

    def _feed(self, data: bytes) -> None:
        if not self.text_at:
            seen = self._tail + data
            if self._marker in seen:
                self.text_at = self.last_byte_at
            self._tail = seen[-len(self._marker) :]


def places(folder: Path) -> dict[str, str]:
    return {f"SPOTUI_{what}_DIR": str(folder / what.lower()) for what in ("CONFIG", "DATA", "LOG", "RUNTIME")}


@contextmanager
def run_screen(
    project: str, environ: dict[str, str | None], size: tuple[int, int] = (120, 40)
) -> Iterator[Watched]:
    """The Run screen of the only project, or of the first one listed."""
    with Watched([sys.executable, "-m", "spotui"], project, environ, size) as terminal:
        terminal.wait_text()
        terminal.settle(QUIET)
        terminal.look_for("Rounds")
        terminal.press("enter")
        terminal.wait_text()
        yield terminal


@contextmanager
def streaming(folder: Path, name: str, environ: Mapping[str, str | None]) -> Iterator[None]:
    """A run whose eight answers arrive a token at a time for a minute.

    Args:
        folder: For the template and the server's log.
        name: Of the run.
        environ: What runs it; another version could not follow it.
    """
    env = {key: value for key, value in (dict(os.environ) | dict(environ)).items() if value is not None}
    path = template(folder, name, STREAMS)
    arguments = ("--pause", str(PAUSE), "--chunks", "8000", "--reply", "tests.spo_model:long_winded")
    with ModelServerProcess(folder / f"{name}.log", *arguments) as model:
        run = ["run", str(path), "--base-url", model.base_url, "--model", "test-model", "--detach"]
        stop, spotui = ["attach", name, "--send", "stop"], [sys.executable, "-m", "spotui"]
        begin = [*spotui, *run, "--sample", str(STREAMS)]
        subprocess.run(begin, check=True, capture_output=True, env=env)
        yield
        subprocess.run([*spotui, *stop], check=False, capture_output=True, env=env)


def template(folder: Path, name: str, questions: int) -> Path:
    path = folder / f"{name}.yaml"
    rows = "".join(f"  - question: Question {n}?\n" for n in range(questions))
    path.write_text(f"prompt: Answer in style 0.\nrequirements: Long.\nqa:\n{rows}")
    return path


def spotui(*words: str) -> None:
    subprocess.run([sys.executable, "-m", "spotui", *words], check=True, capture_output=True)
