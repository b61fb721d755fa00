"""A pseudo-terminal with a command in it, as a person has it in front of them."""

import fcntl
import os
import pty
import select
import struct
import subprocess
import sys
import termios
import time
from types import TracebackType
from typing import Self

from tests.fork_server import take_terminal

_PATIENCE = 120.0


class Terminal:
    """Runs a command; leaving the block hangs up.

    Args:
        words: The command.
        env: Its environment.
        rows: The terminal's height.
        columns: Its width.

    Attributes:
        text: Everything that was written so far, control sequences and all.
    """

    def __init__(self, *words: str, env: dict[str, str], rows: int = 24, columns: int = 80) -> None:
        self.text = ""
        self._ours, theirs = pty.openpty()
        fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))
        command = [sys.executable, "-m", "spotui", *words]
        env = {name: value for name, value in env.items() if name not in {"COLUMNS", "LINES"}}
        self.process = subprocess.Popen(
            command,
            env=env,
            stdin=theirs,
            stdout=theirs,
            stderr=theirs,
            start_new_session=True,
            preexec_fn=take_terminal,  # noqa: PLW1509 - it makes one system call and nothing else
        )
        os.close(theirs)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.hang_up()
        try:
            self.process.wait(_PATIENCE)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
            raise

    def type(self, text: str) -> None:
        """Type something; `\\x03` is Ctrl-C."""
        os.write(self._ours, text.encode())

    def read_until(self, wanted: str) -> None:
        """Wait until something has been written."""
        deadline = time.monotonic() + _PATIENCE
        while wanted not in self.text:
            assert self._read(deadline), f"{wanted!r} was not written, but {self.text!r}"

    def wait(self) -> int:
        """Read on to the end, and return the exit code."""
        deadline = time.monotonic() + _PATIENCE
        while self._read(deadline):
            pass
        return self.process.wait(_PATIENCE)

    def hang_up(self) -> None:
        """Close the terminal, as a lost connection does."""
        if self._ours >= 0:
            os.close(self._ours)
            self._ours = -1

    def _read(self, deadline: float) -> bool:
        ready, _, _ = select.select([self._ours], [], [], max(0.0, deadline - time.monotonic()))
        if not ready:
            return False
        try:
            data = os.read(self._ours, 65536)
        except OSError:  # nobody has the other side open any more
            return False
        self.text += data.decode(errors="replace")
        return bool(data)
