"""What GPO costs: `python -m benchmarks.gpo` prints the table for the method's standard task.

48 rows to write prompts from, 48 to choose by, 144 to test on; 18 steps of 8 candidates. Every figure is of a
whole command in a process of its own, against a real HTTP server; medians of `--runs`.
"""

import argparse
import json
import os
import signal
import statistics
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import NamedTuple

from benchmarks.spent import PROGRAM, spend
from benchmarks.table import Row, show
from tests.model_server import ModelServerProcess, Recorded
from tests.row_model import kind_of, rows, template

ROWS, STEPS, CANDIDATES, PARALLEL = 240, 18, 8, 32
EVAL, TEST = 48, 144
DELAY = 0.1
BARE_REQUESTS = 1600
REPLY = ("--reply", "tests.row_model:unending", "--chunks", "3")


class Figures(NamedTuple):
    """One whole command."""

    wall: float
    cpu: float
    seen: list[Recorded]

    @property
    def span(self) -> float:
        """From the first request to the end of the last."""
        first = min(one.received_at for one in self.seen)
        return max(one.ended_at or one.received_at for one in self.seen) - first


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--runs", type=int, default=3)
    runs = parser.parse_args().runs
    os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
    with tempfile.TemporaryDirectory() as folder:
        scratch = Path(folder)
        (scratch / "rows.jsonl").write_text(rows(ROWS))
        (scratch / "sums.yaml").write_text(template(method="gpo"))
        table = [*standard(scratch, runs), overhead(scratch, runs), killed(scratch)]
    sys.exit(0 if show(table, runs) else 1)


def bare(scratch: Path) -> float:
    """How many times its critical path a bare client takes: what the machine allows now."""
    with ModelServerProcess(scratch / "bare.log", *REPLY, "--delay", str(DELAY)) as model:
        code = f"import asyncio, benchmarks.gpo as b; asyncio.run(b.bare_client({model.base_url!r}))"
        done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
        return float(done.stdout) / (BARE_REQUESTS / PARALLEL * DELAY)


async def bare_client(base_url: str) -> None:
    """Send the requests with aiohttp and nothing else, and print the seconds it took.

    It is the faster of those that could stand beside: httpx with httpx-sse takes 3.5 times its CPU time.
    """
    import asyncio

    import aiohttp

    text = "What is 3 plus 21?\n\nAdd in style 0."
    body = {"model": "m", "stream": True, "messages": [{"role": "user", "content": text}]}
    left = iter(range(BARE_REQUESTS))

    async def work(client: aiohttp.ClientSession) -> None:
        for _ in left:
            async with client.post(f"{base_url}/chat/completions", json=body) as response:
                async for _line in response.content:
                    pass

    began = time.perf_counter()
    async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0)) as client:
        await asyncio.gather(*(work(client) for _ in range(PARALLEL)))
    print(time.perf_counter() - began)


def critical_path() -> float:
    """Seconds that nothing can be faster than with so many calls at once."""
    waves = -(-EVAL // PARALLEL) + STEPS * (1 + -(-CANDIDATES * EVAL // PARALLEL)) + -(-2 * TEST // PARALLEL)
    return waves * DELAY


def standard(scratch: Path, runs: int) -> list[Row]:
    """The whole task at 100 ms a reply."""
    taken = [spotui(scratch, f"paced-{number}", "--delay", str(DELAY)) for number in range(runs)]
    span, path = median(one.span for one in taken), critical_path()
    seen, cpu = taken[-1].seen, median(one.cpu for one in taken)
    kinds = Counter(kind_of(one.json) for one in seen)
    twice = max(Counter(str(one.json["messages"]) for one in seen if kind_of(one.json) == "execute").values())
    tested = test_calls(scratch, f"paced-{runs - 1}")
    return [
        Row(
            "standard task (48/48/144, 18 steps, 8 candidates), 100 ms a reply, 32 at once",
            f"{span:.1f} s, {span / path:.2f} x the critical path of {path:.1f} s",
            f"bare aiohttp, as many at once: {median(bare(scratch) for _ in range(runs)):.2f} x its own",
            "1.15 x",
            span <= 1.15 * path,
        ),
        Row(
            "CPU time of that run",
            f"{cpu:.1f} s for {len(seen):,} calls, {cpu / path:.0%} of one core on the critical path",
            "",
            "below 100%",
            cpu < path,
        ),
        Row("optimizer completions", str(kinds["propose"]), "", "144", kinds["propose"] == 144),
        Row("times that one prompt is asked one row, at most", str(twice), "", "1", twice == 1),
        Row(
            "test rows asked, of 144",
            f"{tested}, {tested / TEST:g} times each",
            "",
            "2 times",
            tested == 2 * TEST,
        ),
    ]


def overhead(scratch: Path, runs: int) -> Row:
    """CPU time a call at zero delay; what starting takes is measured apart and left out."""
    costs = []
    for number in range(runs):
        long = spotui(scratch, f"long-{number}", steps=6)
        short = spotui(scratch, f"short-{number}", steps=1)
        costs.append((long.cpu - short.cpu) / (len(long.seen) - len(short.seen)))
    cost = median(costs) * 1000
    return Row(f"CPU a call at zero delay, {len(long.seen)} calls", f"{cost:.2f} ms", "", "3 ms", cost <= 3)


def killed(scratch: Path) -> Row:
    """A run that is killed in the seed round, in proposals, in scores and in the test, and goes on."""
    kills = (20, 52, 200, 460, 900)
    with ModelServerProcess(scratch / "killed.log", *REPLY, "--delay", "0.02") as server:
        words = ["run", "sums.yaml", "--name", "killed"]
        for requests in kills:
            killed_after(
                scratch, [*PROGRAM, *command(scratch, words, server.base_url, steps=2)], server, requests
            )
            words = ["resume", "killed"]
        last = [*PROGRAM, *command(scratch, words, "", steps=2)]
        subprocess.run(last, cwd=scratch, check=True, capture_output=True)
        kept = journal(scratch, "killed")
        sent = Counter(message_of(one.json) for one in server.requests if kind_of(one.json) == "execute")
    known = Counter(kept)
    # A request in flight at a kill is sent again, as nobody has its reply: at most so many as were in flight.
    again = sum(count - 1 for text, count in sent.items() if count > 1)
    completed_twice = sum(count - 1 for count in known.values() if count > 1)
    in_flight = len(kills) * PARALLEL
    return Row(
        f"kill -9 in {len(kills)} places: completed calls that were bought again",
        f"{completed_twice} ({again} of those in flight were, of at most {in_flight})",
        "",
        "0",
        completed_twice == 0 and again <= in_flight,
    )


def killed_after(scratch: Path, words: list[str], server: ModelServerProcess, requests: int) -> None:
    """Start a command and kill it once the server has seen so many requests in all."""
    process = subprocess.Popen(words, cwd=scratch, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    wait_until(lambda: len(server.requests) >= requests or process.poll() is not None)
    process.send_signal(signal.SIGKILL)
    process.wait()


def spotui(scratch: Path, name: str, *server: str, steps: int = STEPS) -> Figures:
    """A run of its own, from the command line."""
    with ModelServerProcess(scratch / f"{name}.log", *REPLY, *server) as model:
        words = ["run", "sums.yaml", "--name", name]
        spent = spend(command(scratch, words, model.base_url, steps=steps), cwd=scratch)
        return Figures(spent.wall, spent.cpu, model.requests)


def command(scratch: Path, words: list[str], base_url: str, *, steps: int) -> list[str]:
    """The words of a command; a run that goes on keeps what it was started with."""
    more = ["--workspace", str(scratch / "workspace"), "--plain"]
    if words[0] == "run":
        more += ["--base-url", base_url, "--model", "test-model", "--concurrency", str(PARALLEL)]
        more += ["--set", f"max_steps={steps}"]
    return [*words, *more]


def journal(scratch: Path, name: str) -> list[str]:
    """What every call in a journal asked, with what it was filed under."""
    lines = (scratch / "workspace" / name / "journal.jsonl").read_bytes().splitlines()
    found = [json.loads(line) for line in lines]
    return [
        f"{one['key']} {message_of(one['request'])}"
        for one in found
        if one["kind"] == "call" and one["key"]["purpose"] != "propose"
    ]


def test_calls(scratch: Path, name: str) -> int:
    lines = (scratch / "workspace" / name / "journal.jsonl").read_bytes().splitlines()
    return sum(b'"purpose":"score_test"' in line for line in lines)


def message_of(request: dict[str, object]) -> str:
    return json.dumps(request["messages"], sort_keys=True)


def wait_until(condition: Callable[[], bool], *, seconds: float = 120.0) -> None:
    deadline = time.monotonic() + seconds
    while not condition() and time.monotonic() < deadline:
        time.sleep(0.005)


def median(values: Iterable[float]) -> float:
    return statistics.median(values)


if __name__ == "__main__":
    main()
