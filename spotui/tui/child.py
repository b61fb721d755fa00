"""Asking spotui's own command line, so that nothing heavy is ever imported where the screen is."""

import asyncio
import subprocess
import sys
from collections.abc import Sequence
from typing import NamedTuple


class Told(NamedTuple):
    """What a command left behind.

    Attributes:
        code: Its exit code.
        out: Its standard output.
        err: Its standard error.
    """

    code: int
    out: bytes
    err: str

    @property
    def fault(self) -> str:
        """What it complained of, on one line and without its own name; empty when it worked."""
        if not self.code:
            return ""
        lines = [line.removeprefix("spotui:").strip() for line in self.err.splitlines()]
        return " ".join(line for line in lines if line) or f"It ended with exit code {self.code}."


async def ask(words: Sequence[str], stdin: str = "") -> Told:
    """Run `spotui WORDS` in a process of its own; it is killed when nobody waits any more.

    Args:
        words: What would be typed after `spotui`.
        stdin: What it reads; secrets go here, because a command line can be read by others.
    """
    process = _start(words)
    try:
        out, err = await asyncio.to_thread(process.communicate, stdin.encode())
    except asyncio.CancelledError:
        process.kill()  # the thread sees the end of its pipes then
        raise
    return Told(process.returncode, out, err.decode(errors="replace"))


def _start(words: Sequence[str]) -> "subprocess.Popen[bytes]":
    pipe = subprocess.PIPE
    command = [sys.executable, "-m", "spotui", *words]
    return subprocess.Popen(command, stdin=pipe, stdout=pipe, stderr=pipe, start_new_session=True)
