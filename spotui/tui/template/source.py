"""The file that a run's template came from."""

from pathlib import Path
from typing import NamedTuple

from spotui import locations
from spotui.resources import examples_dir


class Source(NamedTuple):
    """A template file, and whether it can only be read."""

    path: Path
    is_fixed: bool


def find_source(name: str) -> Source | None:
    """The file that a template of this name came from: one's own, one beside us, or a shipped one."""
    for folder, is_fixed in ((locations.templates_dir(), False), (Path.cwd(), False), (examples_dir(), True)):
        if (folder / name).is_file():
            return Source(folder / name, is_fixed)
    return None
