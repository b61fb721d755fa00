"""What many rows take: `python -m benchmarks.rows` prints the peak memory of whole commands.

10,000 rows of some 900 characters each, against the same commands with 50 of them: reading and checking them,
and scoring a prompt on nearly all of them.
"""

import os
import platform
import random
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from benchmarks.spent import spend
from tests.model_server import ModelServerProcess

MANY, FEW = 10_000, 50
GOAL_MEGABYTES = 80
WORDS = ("river", "stone", "lantern", "harvest", "copper", "meadow", "signal", "winter", "garden", "marble")


class Command(NamedTuple):
    """One command with many rows and with few."""

    what: str
    many: float
    few: float


def main() -> None:
    with tempfile.TemporaryDirectory() as folder, ModelServerProcess(Path(folder) / "log") as server:
        for count in (MANY, FEW):
            write(Path(folder) / str(count), count)
        asking = ("--base-url", server.base_url, "--model", "test-model", "--concurrency", "32", "--plain")
        found = [
            measure(Path(folder), "check", ("check", "story.yaml")),
            measure(
                Path(folder),
                f"run that scores the seed prompt on {MANY - 100:,} rows",
                ("run", "story.yaml", "--method", "gpo", "--set", "only_evaluate=true", *asking),
            ),
        ]
    machine = f"{platform.platform()}, {os.cpu_count()} cores, Python {platform.python_version()}"
    print(f"\n{machine}\n\n| command | {MANY:,} rows | {FEW} rows | above | goal | holds |")
    print("|---|---|---|---|---|---|")
    for one in found:
        above = one.many - one.few
        holds = "yes" if above <= GOAL_MEGABYTES else "NO"
        print(
            f"| {one.what} | {one.many:.0f} MB | {one.few:.0f} MB | {above:.0f} MB | "
            f"{GOAL_MEGABYTES} MB | {holds} |"
        )
    if any(one.many - one.few > GOAL_MEGABYTES for one in found):
        sys.exit(1)


def measure(folder: Path, what: str, words: Sequence[str]) -> Command:
    return Command(what, *(peak(folder / str(count), words) for count in (MANY, FEW)))


def peak(folder: Path, words: Sequence[str]) -> float:
    """The most megabytes that a command holds."""
    return spend(words, cwd=folder, environ={"SPOTUI_WORKSPACE": str(folder / "workspace")}).memory


def write(folder: Path, count: int) -> None:
    """A template with so many rows."""
    folder.mkdir()
    rng = random.Random(0)
    with (folder / "rows.jsonl").open("w") as file:
        for number in range(count):
            text = " ".join(rng.choices(WORDS, k=130))
            file.write(f'{{"question": "Story {number}: {text}", "answer": "{rng.choice(WORDS)}"}}\n')
    few = count // 200 or 10
    (folder / "story.yaml").write_text(
        "prompt: Which word comes first?\nrequirements: One word.\nmetric: contains\n"
        f"data: {{path: rows.jsonl, split: {{train: {few}, eval: {count - 2 * few}}}}}\n"
    )


if __name__ == "__main__":
    main()
