"""Conversations of several turns: `python -m benchmarks.conversations` prints their wall time.

Every turn of a conversation waits for the one before, and conversations do not wait for each other. So the
critical path is the number of turns, times the delay of a reply.
"""

import argparse
import os
import platform
import statistics
import sys
import tempfile
from pathlib import Path

import msgspec

from benchmarks.spent import spend
from tests.model_server import ModelServerProcess

ROWS, TURNS, DELAY = 50, 6, 0.5
GOAL = 1.1


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=3)
    runs = parser.parse_args().runs
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        write(folder)
        one, many = (statistics.median(wall(folder, turns, runs)) for turns in (1, TURNS))
    path = (TURNS - 1) * DELAY
    ratio = (many - one) / path
    machine = f"{platform.platform()}, {os.cpu_count()} cores, Python {platform.python_version()}"
    print(f"{machine}, medians of {runs}\n")
    print(f"{ROWS} rows of 1 turn: {one:.2f} s; of {TURNS} turns: {many:.2f} s")
    print(f"{TURNS - 1} more turns: {many - one:.2f} s, {ratio:.3f} x the critical path of {path:g} s")
    print(f"goal {GOAL} x: {'reached' if ratio <= GOAL else 'MISSED'}")
    sys.exit(ratio > GOAL)


def write(folder: Path) -> None:
    """Templates that differ in their turns."""
    for turns in (1, TURNS):
        rows = (
            {
                "question": f"Hello from {n}",
                "turns": [f"Turn {turn}" for turn in range(1, turns)],
                "answer": "ok",
            }
            for n in range(ROWS + 2)
        )
        lines = b"".join(msgspec.json.encode(one) + b"\n" for one in rows)
        (folder / f"rows-{turns}.jsonl").write_bytes(lines)
        (folder / f"talk-{turns}.yaml").write_text(
            "prompt: Say ok.\nposition: system\nrequirements: Friendly.\nmetric: contains\n"
            f"data: {{path: rows-{turns}.jsonl, split: {{train: 1, eval: 1, test: {ROWS}}}}}\n"
        )


def wall(folder: Path, turns: int, runs: int) -> list[float]:
    """Seconds of scoring the prompt on all rows."""
    found = []
    for number in range(runs):
        with ModelServerProcess(None, "--delay", str(DELAY)) as server:
            asking = ("--base-url", server.base_url, "--model", "test-model", "--concurrency", str(ROWS))
            environ = {"SPOTUI_DATA_DIR": str(folder / f"data-{turns}-{number}")}
            spent = spend(("score", f"talk-{turns}.yaml", *asking), cwd=folder, environ=environ)
            found.append(spent.wall)
    return found


if __name__ == "__main__":
    main()
