"""What a command took."""

import os
import subprocess
import sys
import time
from collections.abc import Collection, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

PROGRAM = (sys.executable, "-m", "spotui")


def of_checkout(checkout: Path) -> dict[str, str]:
    """The environment in which the program of another checkout runs, whatever folder it is started in.

    The libraries that it needs have to be installed beside those of this one.
    """
    return {"PYTHONPATH": str(checkout), "PYTHONSAFEPATH": "1"}


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
    words: Sequence[str],
    *,
    cwd: Path | None = None,
    environ: Mapping[str, str] | None = None,
    codes: Collection[int] = (0, 3),
) -> Spent:
    """Run `spotui` with these words, in a process of its own.

    Args:
        words: The verb and what it takes.
        cwd: Where.
        environ: Variables on top of this process's own.
        codes: The exit codes with which it may end: an improvement or none, unless others are given.

    Raises:
        SystemExit: It ended with another.
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
    if process.returncode not in codes:
        raise SystemExit(f"spotui {' '.join(words)} ended with {process.returncode}: {said}")
    return Spent(began, wall, usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024)
