"""The engine's figures: `python -m benchmarks.engine` prints them as a table.

Every figure stands beside one that is measured in the same run: a bare HTTP client that makes the same
calls in the same order, or a bare interpreter. Figures are medians of `--runs`.
"""

import argparse
import asyncio
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import NamedTuple

from benchmarks import installed
from benchmarks.spent import of_checkout, spend
from benchmarks.table import Row, against, show
from tests.model_server import ModelServerProcess

TEMPLATE = "prompt: Answer in style 0.\nrequirements: A higher style is better.\nqa:\n"
ROUNDS, QUESTIONS, VOTES = 10, 3, 4
WIDTH = 3
LONG_ROUNDS, LONG_QUESTIONS = 35, 5
DELAY = 0.2
PIECES = 20


class Figures(NamedTuple):
    """One run of a command against the server."""

    wall: float
    cpu: float
    megabytes: float
    to_first_request: float
    rounds: float
    requests: int


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--before", type=Path, help="a checkout of an earlier commit, to be measured beside")
    arguments = parser.parse_args()
    runs, before = arguments.runs, arguments.before
    os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        rows = [
            *_paced(folder, runs),
            *_default(folder, runs),
            *_unpaced(folder, runs),
            *_light(folder, runs),
            *(_against(folder, runs, before) if before is not None else ()),
        ]
    rows.append(_installed())
    sys.exit(0 if show(rows, runs) else 1)


def _paced(scratch: Path, runs: int) -> list[Row]:
    """10 rounds, 3 questions, every reply after 200 ms."""
    ours, bare, path = [], [], 1 + 3 * (ROUNDS - 1)
    for number in range(runs):
        arguments = ("--delay", str(DELAY), "--chunks", str(PIECES))
        ours.append(_measure(scratch, f"paced-{number}", QUESTIONS, ROUNDS, arguments))
        bare.append(_bare(scratch, f"bare-{number}", QUESTIONS, ROUNDS, arguments))
    rounds, path_seconds = _median(one.rounds for one in ours), path * DELAY
    resumed = [_resume(scratch, f"paced-{number}") for number in range(runs)]
    start = _median(one.to_first_request for one in ours)
    interpreter = _median(_wall([sys.executable, "-c", ""]) for _ in range(runs))
    requests = max(one.requests for one in ours)
    cpu, memory = _median(one.cpu for one in ours), _median(one.megabytes for one in ours)
    again, more = _median(one.wall for one in resumed), max(one.requests for one in resumed)
    return [
        Row(
            "10 rounds, 3 questions, 200 ms a reply",
            f"{rounds:.2f} s, {rounds / path_seconds:.3f} x the critical path",
            f"critical path {path_seconds:.1f} s; bare aiohttp in the same order {_median(bare):.2f} s",
            "1.08 x",
            rounds <= 1.08 * path_seconds,
        ),
        Row("requests of that run", str(requests), "3 + 9 x 8", "75", requests == 75),
        Row(
            "process start to the first request",
            f"{start:.2f} s",
            f"bare interpreter {interpreter:.3f} s ({start / interpreter:.0f} x)",
            "0.9 s",
            start <= 0.9,
        ),
        Row("CPU time of that run", f"{cpu:.2f} s", f"{cpu / 75 * 1000:.1f} ms a call", "1.5 s", cpu <= 1.5),
        Row("peak memory", f"{memory:.0f} MB", "", "90 MB", memory <= 90),
        Row(
            "resume of that run, finished",
            f"{more} requests, {again:.2f} s",
            f"bare interpreter {interpreter:.3f} s",
            "0 requests, 1 s",
            more == 0 and again <= 1.0,
        ),
    ]


def _default(scratch: Path, runs: int) -> list[Row]:
    """The same with the default rule, which asks at once the votes that are likely to be needed, and wider.

    Beside it is the path of a rule that asks only what is needed in any case: it waits twice for votes.
    """
    arguments = ("--delay", str(DELAY), "--chunks", str(PIECES))
    waits, candidates = 1 + 3 * (ROUNDS - 1), ROUNDS - 1
    rule = ("--no-final-check", "--judge", "balanced")
    one, three = [], []
    for number in range(runs):
        one.append(_measure(scratch, f"one-{number}", QUESTIONS, ROUNDS, arguments, rule=rule))
        wide = (*rule, "--width", str(WIDTH), "--concurrency", "8")
        rounds = 1 + candidates // WIDTH
        three.append(
            _measure(scratch, f"three-{number}", QUESTIONS, rounds, arguments, rule=wide, reply="widening")
        )
    alone, wide_seconds = _median(each.rounds for each in one), _median(each.rounds for each in three)
    calls, wide_calls = max(each.requests for each in one), max(each.requests for each in three)
    path, before = waits * DELAY, (waits + candidates) * DELAY
    slower = f"waiting twice for votes: {before:.1f} s"
    return [
        Row(
            f"seed and {candidates} candidates, default rule, 200 ms a reply",
            f"{alone:.2f} s, {calls} calls",
            f"{slower} ({alone / before:.2f} x), critical path {path:.1f} s",
            "5.9 s",
            alone <= 5.9,
        ),
        Row(
            f"the same candidates with --width {WIDTH}",
            f"{wide_seconds:.2f} s, {wide_calls} calls ({wide_calls / calls:.2f} x)",
            f"{slower} ({wide_seconds / before:.2f} x), one at a time ({wide_seconds / alone:.2f} x)",
            "3.0 s, calls 1.10 x",
            wide_seconds <= 3.0 and wide_calls <= 1.1 * calls,
        ),
    ]


def _unpaced(scratch: Path, runs: int) -> list[Row]:
    """345 streamed calls at zero delay; what starting and ending takes is measured apart and left out."""
    per_call, per_call_bare = [], []
    for number in range(runs):
        arguments = ("--chunks", str(PIECES))
        long = _measure(scratch, f"long-{number}", LONG_QUESTIONS, LONG_ROUNDS, arguments)
        short = _measure(scratch, f"short-{number}", LONG_QUESTIONS, 1, arguments)
        per_call.append((long.rounds - short.rounds) / (long.requests - short.requests))
        per_call_bare.append(
            _bare(scratch, f"bare-long-{number}", LONG_QUESTIONS, LONG_ROUNDS, arguments) / long.requests
        )
    here, beside = _median(per_call) * 1000, _median(per_call_bare) * 1000
    return [
        Row(
            f"own cost a call at zero delay, {long.requests} calls, streamed",
            f"{here:.2f} ms",
            f"bare aiohttp {beside:.2f} ms ({here / beside:.2f} x)",
            "5 ms",
            here <= 5,
        )
    ]


def _against(scratch: Path, runs: int, before: Path) -> list[Row]:
    """Beside an earlier commit: a run of one round, a run of many, and what a call costs between the two."""
    taken: list[list[tuple[float, float, float, float]]] = [[], []]
    for number in range(runs):
        for which, environ in enumerate(({}, of_checkout(before))):
            arguments = ("--chunks", str(PIECES))
            name = f"against-{number}-{which}"
            long = _measure(scratch, name, LONG_QUESTIONS, LONG_ROUNDS, arguments, environ=environ)
            short = _measure(scratch, f"{name}-short", LONG_QUESTIONS, 1, arguments, environ=environ)
            a_call = (long.cpu - short.cpu) / (long.requests - short.requests) * 1000
            taken[which].append((short.to_first_request, short.cpu, long.megabytes, a_call))
    here, there = ([_median(column) for column in zip(*one, strict=True)] for one in taken)
    figures = (
        ("start to the first request", "s", 2),
        ("CPU time of one round", "s", 2),
        ("peak memory", "MB", 0),
        ("own CPU time a call", "ms", 2),
    )
    return [
        against(what, new, old, unit, digits=digits)
        for (what, unit, digits), new, old in zip(figures, here, there, strict=True)
    ]


def _light(scratch: Path, runs: int) -> list[Row]:
    rows = []
    interpreter = _median(_wall([sys.executable, "-c", ""]) for _ in range(runs))
    workspace = ["--workspace", str(scratch / "workspace")]
    for verb, command in (("spotui --help", ["--help"]), ("spotui list", ["list", *workspace])):
        seconds = _median(_wall([sys.executable, "-m", "spotui", *command]) for _ in range(runs))
        beside = f"bare interpreter {interpreter:.3f} s ({seconds / interpreter:.1f} x)"
        rows.append(Row(verb, f"{seconds:.3f} s", beside, "0.15 s", seconds <= 0.15))
    return rows


def _installed() -> Row:
    found = installed.measure()
    return Row(
        "default install with all it needs",
        f"{found.megabytes:.0f} MB, {found.packages} packages",
        f"the heaviest, in MB: {found.heaviest}",
        "reported; the reference takes 1400 MB, 210 packages",
        found.megabytes < 1400 and found.packages < 210,
    )


def _measure(
    scratch: Path,
    name: str,
    questions: int,
    rounds: int,
    server: tuple[str, ...],
    *,
    rule: tuple[str, ...] = ("--judge", "reference"),
    reply: str = "climbing",
    environ: Mapping[str, str] | None = None,
) -> Figures:
    template = scratch / f"{name}.yaml"
    template.write_text(TEMPLATE + "".join(f"  - question: Question {n}?\n" for n in range(questions)))
    log = scratch / f"{name}.log"
    with ModelServerProcess(log, "--reply", f"tests.spo_model:{reply}", *server) as model:
        command = ["run", str(template), "--base-url", model.base_url, "--model", "test-model"]
        command += ["--workspace", str(scratch / "workspace"), *rule]
        command += ["--sample", str(questions), "--max-rounds", str(rounds)]
        spent = spend(command, environ=environ)
        seen = model.requests
    first = min(one.received_at for one in seen)
    last = max(one.ended_at or one.received_at for one in seen)
    return Figures(spent.wall, spent.cpu, spent.memory, first - spent.began, last - first, len(seen))


def _resume(scratch: Path, name: str) -> Figures:
    log = scratch / f"{name}-again.log"
    with ModelServerProcess(log, "--reply", "tests.spo_model:climbing") as model:
        spent = spend(["resume", name, "--workspace", str(scratch / "workspace")])
        return Figures(spent.wall, spent.cpu, spent.memory, 0.0, 0.0, len(model.requests))


def _bare(scratch: Path, name: str, questions: int, rounds: int, server: tuple[str, ...]) -> float:
    """Seconds a bare aiohttp client needs for the same calls in the same order."""
    with ModelServerProcess(scratch / f"{name}.log", *server) as model:
        code = f"import asyncio, benchmarks.engine as b; asyncio.run(b.bare_client({model.base_url!r}, "
        code += f"{questions}, {rounds}))"
        done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
        return float(done.stdout)


async def bare_client(base_url: str, questions: int, rounds: int) -> None:
    """Make a run's calls with aiohttp and nothing else, and print the seconds it took."""
    import aiohttp

    body = {"model": "m", "stream": True, "messages": [{"role": "user", "content": "word " * 300}]}
    async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=16)) as client:

        async def call() -> str:
            async with client.post(f"{base_url}/chat/completions", json=body) as response:
                text = ""
                async for line in response.content:
                    data = line.removeprefix(b"data: ").strip()
                    if data and data != b"[DONE]":
                        choices = json.loads(data)["choices"]
                        text += choices[0]["delta"].get("content") or "" if choices else ""
                return text

        began = time.perf_counter()
        await asyncio.gather(*(call() for _ in range(questions)))
        for _ in range(rounds - 1):
            await call()
            await asyncio.gather(*(call() for _ in range(questions)))
            await asyncio.gather(*(call() for _ in range(VOTES)))
        print(time.perf_counter() - began)


def _wall(command: list[str]) -> float:
    began = time.perf_counter()
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
    return time.perf_counter() - began


def _median(values: Iterable[float]) -> float:
    return statistics.median(values)


if __name__ == "__main__":
    main()
