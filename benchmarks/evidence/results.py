"""What was tested, a line each, for the tables and for the next machine."""

from collections.abc import Sequence
from pathlib import Path
from typing import Final

import msgspec

FILE: Final = Path(__file__).with_name("results.jsonl")
"""In the repository: runs are long, and the machines that they run on come and go."""


class Result(msgspec.Struct, frozen=True):
    """What one method found on one task with one seed.

    Attributes:
        executor: The model that answered.
        writer: The model that proposed and judged.
        has_grammar: Whether its replies in a form were bound to it.
        task: The task.
        seed: The seed.
        name: The method, or the probes.
        calls: Model calls over all roles.
        prompt: The best prompt.
        seed_marks: One for each test row, for the answer to the seed prompt.
        best_marks: The same for the best prompt.
    """

    executor: str
    writer: str
    has_grammar: bool
    task: str
    seed: int
    name: str
    calls: int
    prompt: str
    seed_marks: tuple[float | None, ...]
    best_marks: tuple[float | None, ...]


def read_results(path: Path = FILE) -> list[Result]:
    """All of them, in the order of the file."""
    lines = path.read_bytes().splitlines() if path.exists() else []
    return [msgspec.json.decode(line, type=Result) for line in lines]


def keep(result: Result, path: Path = FILE) -> None:
    """Add one."""
    with path.open("ab") as file:
        file.write(msgspec.json.encode(result) + b"\n")


def of_models(results: Sequence[Result], models: Sequence[object]) -> list[Result]:
    """Those of some models."""
    return [one for one in results if (one.executor, one.writer, one.has_grammar) == tuple(models)]
