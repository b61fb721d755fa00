"""What is made once for all workers of a test run, as it takes seconds and is the same for each."""

import os
from collections.abc import Callable
from pathlib import Path

import pytest
from filelock import FileLock

PATIENCE_SECONDS = 200.0


def made_once(factory: pytest.TempPathFactory, name: str, make: Callable[[Path], None]) -> Path:
    """A folder and what is in it; whoever comes first fills it, and the others wait for that.

    Args:
        factory: Knows the folder of the test run.
        name: What is in it.
        make: Fills the folder. When it raises, the next one tries again, with another folder.
    """
    shared = factory.getbasetemp().parent if "PYTEST_XDIST_WORKER" in os.environ else factory.getbasetemp()
    with FileLock(shared / f"{name}.lock", timeout=PATIENCE_SECONDS):
        done = shared / f"{name}.done"
        if not done.exists():
            folder = factory.mktemp(name)
            make(folder)
            done.write_text(str(folder))
        return Path(done.read_text())
