"""The source of spotui, parsed."""

import ast
import gc
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.command_line import ROOT

FILES = sorted((ROOT / "spotui").rglob("*.py"))


def parsed(path: Path) -> ast.Module:
    """The tree of a module."""
    return ast.parse(path.read_text(encoding="utf-8"))


@contextmanager
def without_collecting() -> Iterator[None]:
    """Look for no garbage: a half of the time goes to it while hundreds of thousands of nodes are made."""
    gc.disable()
    try:
        yield
    finally:
        gc.enable()
