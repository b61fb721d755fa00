"""One run of thousands of rounds: `python -m benchmarks.long_run` prints how it ends and what it takes.

Memory is that of the run's process, after its first rounds and at its peak; the resume is that of the
finished run, which goes through every round again from the journal.
"""

import argparse
import itertools
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

from benchmarks.spent import PROGRAM, spend
from tests.model_server import JsonObject, ModelServerProcess, Persona
from tests.spo_model import execute, role_of

TEMPLATE = """\
prompt: Answer in style 0.
requirements: A higher style is better.
qa:
  - question: What is a tide?
  - question: Why is the sea salty?
  - question: How deep is it?
"""
WARM_UP_ROUNDS = 20
MOST_MEGABYTES = 40
MOST_RESUME_SECONDS = 5.0
_PAGE = os.sysconf("SC_PAGE_SIZE")


_numbers = itertools.count(1)


def _propose(_request: JsonObject) -> str:
    number = next(_numbers)
    return (
        f"<analyse>Way {number - 1} leaves room.</analyse>\n"
        f"<modification>Ask for way {number}.</modification>\n"
        f"<prompt>Answer in way {number}, with reasons.</prompt>"
    )


never_alike = Persona(role_of, propose=_propose, execute=execute)
"""A model whose proposals all differ, and whose votes look like chance."""


class Watched(NamedTuple):
    """What was seen of a run.

    Attributes:
        stopped: Its last event.
        seconds: From its first event to its last.
        at_start: Megabytes after the first rounds.
        peak: The most megabytes from then on.
    """

    stopped: dict[str, Any]
    seconds: float
    at_start: float
    peak: float


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=3000)
    rounds = parser.parse_args().rounds
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        (folder / "long.yaml").write_text(TEMPLATE)
        workspace = ["--workspace", str(folder / "workspace")]
        with ModelServerProcess(None, "--reply", "benchmarks.long_run:never_alike") as server:
            words = ["run", "long.yaml", "--base-url", server.base_url, "--model", "test-model", "--yes"]
            seen = watch([*words, "--max-rounds", str(rounds), "--json", *workspace], folder)
            resumed = spend(["resume", "long", *workspace], cwd=folder)
        journal = (folder / "workspace" / "long" / "journal.jsonl").stat().st_size / 1e6
    grown = seen.peak - seen.at_start
    print(f"{rounds:,} rounds: {seen.stopped['reason']}, {seen.stopped['rounds']:,} rounds ended")
    print(f"{seen.seconds:.0f} s, {seen.seconds / rounds * 1000:.1f} ms a round; journal {journal:.0f} MB")
    print(f"memory {seen.at_start:.0f} MB after {WARM_UP_ROUNDS} rounds, {grown:+.1f} MB at the peak")
    print(
        f"resume of the finished run: {resumed.wall:.1f} s, {resumed.cpu:.1f} s of processor time, "
        f"{resumed.memory:.0f} MB"
    )
    holds = (
        seen.stopped["reason"] == "finished"
        and seen.stopped["rounds"] == rounds
        and grown <= MOST_MEGABYTES
        and resumed.wall <= MOST_RESUME_SECONDS
    )
    sys.exit(0 if holds else 1)


def watch(words: list[str], folder: Path) -> Watched:
    """Run `spotui` with these words, and look at its memory at the end of every tenth round."""
    with subprocess.Popen([*PROGRAM, *words], cwd=folder, stdout=subprocess.PIPE) as process:
        began, at_start, peak = time.monotonic(), 0.0, 0.0
        stopped: dict[str, Any] = {}
        for event in _events(process):
            if event["event"] == "round_finished" and event["round"] % 10 == 0:
                now = _megabytes(process.pid)
                at_start = now if event["round"] == WARM_UP_ROUNDS else at_start
                peak = max(peak, now)
                if event["round"] % 500 == 0:
                    print(
                        f"  {event['round']:,}: {now:.0f} MB, {time.monotonic() - began:.0f} s",
                        file=sys.stderr,
                    )
            elif event["event"] == "run_stopped":
                stopped = event
        return Watched(stopped, time.monotonic() - began, at_start, peak)


def _events(process: "subprocess.Popen[bytes]") -> Iterator[dict[str, Any]]:
    assert process.stdout is not None
    for line in process.stdout:
        if line.startswith((b'{"event":"round_finished"', b'{"event":"run_stopped"')):
            yield json.loads(line)


def _megabytes(pid: int) -> float:
    return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * _PAGE / 1e6


if __name__ == "__main__":
    main()
