"""What an installation takes: every distribution that spotui needs, and its files."""

import importlib.metadata as metadata
from pathlib import Path
from typing import NamedTuple

from packaging.requirements import Requirement

import spotui


class Installed(NamedTuple):
    """The default install, without extras."""

    packages: int
    megabytes: float
    heaviest: str


def measure() -> Installed:
    """Walk the requirements of spotui as they are installed here, and add up what they put on the disk."""
    sizes = {"spotui": _folder(Path(spotui.__file__).parent)}
    waiting = [("spotui", frozenset[str]())]
    seen: set[tuple[str, frozenset[str]]] = set()
    while waiting:
        name, extras = one = waiting.pop()
        if one in seen:
            continue
        seen.add(one)
        found = metadata.distribution(name)
        if name not in sizes:
            sizes[name] = sum(_size(Path(str(file.locate()))) for file in found.files or ())
        waiting += [
            (need.name.lower().replace("_", "-"), frozenset(need.extras))
            for need in map(Requirement, found.requires or ())
            if _applies(need, extras)
        ]
    heaviest = sorted(sizes, key=lambda name: -sizes[name])[:4]
    return Installed(
        len(sizes),
        sum(sizes.values()) / 1e6,
        ", ".join(f"{name} {sizes[name] / 1e6:.0f}" for name in heaviest),
    )


def _applies(need: Requirement, extras: frozenset[str]) -> bool:
    return need.marker is None or any(need.marker.evaluate({"extra": extra}) for extra in extras | {""})


def _folder(folder: Path) -> int:
    return sum(_size(path) for path in folder.rglob("*"))


def _size(path: Path) -> int:
    return path.stat().st_size if path.is_file() else 0
