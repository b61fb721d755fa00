"""What a command took."""

import os
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

PROGRAM = (sys.executable, "-m", "spotui")


class Spent(NamedTuple):
    """What one `spotui` command took.

    Attributes:
        began: Seconds since 1970.
        wall: Seconds it took.
        cpu: Seconds of processor time.
        memory: Megabytes at its peak.
    """

    began: float
    wall: float
    cpu: float
    memory: float


def spend(
    words: Sequence[str], *, cwd: Path | None = None, environ: Mapping[str, str] | None = None
) -> Spent:
    """Run `spotui` with these words, in a process of its own.

    Args:
        words: The verb and what it takes.
        cwd: Where.
        environ: Variables on top of this process's own.

    Raises:
        SystemExit: It ended otherwise than with an improvement or without one.
    """
    began = time.time()
    process = subprocess.Popen(
        [*PROGRAM, *words],
        cwd=cwd,
        env={**os.environ, **(environ or {})},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
    )
    _, status, usage = os.wait4(process.pid, 0)
    wall = time.time() - began
    process.returncode = os.waitstatus_to_exitcode(status)
    assert process.stderr is not None
    said = process.stderr.read().decode()
    process.stderr.close()
    if process.returncode not in {0, 3}:
        raise SystemExit(f"spotui {' '.join(words)} ended with {process.returncode}: {said}")
    return Spent(began, wall, usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024)
