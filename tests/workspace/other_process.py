"""Another process that runs a piece of code and talks over its standard streams."""

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def other_process(code: str, *arguments: str | Path) -> Iterator["subprocess.Popen[str]"]:
    """A Python process that runs `code` with these arguments; it is gone at the end of the block."""
    child = subprocess.Popen(
        [sys.executable, "-c", code, *map(str, arguments)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    with child:
        try:
            yield child
        finally:
            child.kill()


def heard(child: "subprocess.Popen[str]") -> str:
    """The next line that the process writes; it waits for it."""
    assert child.stdout is not None
    return child.stdout.readline().rstrip("\n")


def tell(child: "subprocess.Popen[str]", line: str = "go") -> None:
    """Write a line to the process."""
    assert child.stdin is not None
    child.stdin.write(f"{line}\n")
    child.stdin.flush()
