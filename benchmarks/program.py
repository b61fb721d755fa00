"""What a program in place of a model costs us: `python -m benchmarks.program`.

A no-op program answers 500 rows in 16 processes, through the door and into the journal. Beside it, in the
same run, a bare loop writes the same lines to 16 processes of the same program and reads what they answer.
The figure is the processor time of our own process, without that of the program. At the end a run is killed
(kill -9) half-way and resumed: the program keeps a list of what it was asked.
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
from pathlib import Path
from typing import NamedTuple

from spotui.domain.events import Event
from spotui.domain.records import CallLine
from spotui.runs.launch import Launcher
from spotui.runs.score import open_ruler
from spotui.settings.resolve import Flags
from spotui.workspace.journal_reader import read_lines
from tests.command_line import places

ROWS, WORKERS = 500, 16
GOAL_MS = 2.0

PROGRAM = """\
import json, os, sys, time
seconds = float(os.environ.get("PROGRAM_SECONDS", "0"))
for line in sys.stdin:
    asked = json.loads(line)
    if seconds:
        time.sleep(seconds)
        with open("asked", "a") as file:
            file.write(json.dumps([asked["prompt"], asked["question"]]) + "\\n")
    print('{"id": %d, "answer": "yes", "cost_usd": 0}' % asked["id"])
"""
TEMPLATE = """\
prompt: Answer yes or no.
requirements: The right answer.
qa: []
data: {{path: rows.jsonl, split: {{train: 1, eval: {evals}, test: {tests}}}}}
metric: yes_no
method: gpo
parameters: {{max_steps: 1, candidates_per_step: 1}}
models: {{executor: {{command: [{python}, program.py], timeout: 60}}}}
"""


class Figures(NamedTuple):
    """Processor time of our process and wall time, in seconds."""

    cpu: float
    wall: float


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=5)
    runs = parser.parse_args().runs
    ours, bare = [], []
    for _ in range(runs):
        with tempfile.TemporaryDirectory() as scratch:
            folder = Path(scratch)
            _write(folder, evals=1, tests=ROWS)
            for name, value in places(folder).items():
                os.environ[name] = value
            lines, figures = asyncio.run(_ours(folder))
            ours.append(figures)
            bare.append(asyncio.run(_bare(folder, lines)))
    cpu, beside = (statistics.median(one.cpu for one in figures) for figures in (ours, bare))
    wall, beside_wall = (statistics.median(one.wall for one in figures) for figures in (ours, bare))
    more = (cpu - beside) / ROWS * 1000
    print(f"{ROWS} rows, {WORKERS} processes, medians of {runs} runs on {os.cpu_count()} cores")
    print(f"spotui: {cpu:.2f} s of processor time, {wall:.2f} s in all")
    print(f"bare loop: {beside:.2f} s of processor time, {beside_wall:.2f} s in all")
    print(
        f"per row: {cpu / ROWS * 1000:.2f} ms, {more:.2f} ms more than the bare loop (goal: {GOAL_MS:g} ms)"
    )
    answered, again = _killed()
    print(f"kill -9 with {answered} answers in the journal: {again} of them asked again (goal: 0)")
    sys.exit(more > GOAL_MS or again > 0)


def _write(folder: Path, *, evals: int, tests: int) -> None:
    rows = (f'{{"question": "Is {number} even?", "answer": "yes"}}\n' for number in range(1 + evals + tests))
    (folder / "rows.jsonl").write_text("".join(rows))
    (folder / "program.py").write_text(PROGRAM)
    text = TEMPLATE.format(evals=evals, tests=tests, python=sys.executable)
    (folder / "even.yaml").write_text(text)


async def _ours(folder: Path) -> tuple[list[bytes], Figures]:
    """Measure the rows through everything that is ours; the lines that were sent, and what it took."""
    launcher, path = Launcher(), folder / "even.yaml"
    os.environ["SPOTUI_TRUST"] = str((folder / "program.py").resolve())
    flags = Flags(concurrency=WORKERS, opt_model="none/none", eval_model="none/none")
    prepared = launcher.prepare(path, flags, purpose="score")
    kept = folder / "kept"
    connections = launcher.connections(prepared.settings)
    began, cpu = time.perf_counter(), time.process_time()
    async with open_ruler(prepared, kept, connections, _ignore) as ruler:
        (scored,) = await ruler.measure([(prepared.template.prompt, ruler.layout)], "test")
    figures = Figures(time.process_time() - cpu, time.perf_counter() - began)
    assert scored.score.rows == ROWS
    calls = [line for line in read_lines(kept / "journal.jsonl", CallLine) if isinstance(line, CallLine)]
    given = [json.loads(bytes(line.request))["given"] for line in calls]
    return [b'{"id":%d,%s\n' % (at, one.encode()[1:]) for at, one in enumerate(given)], figures


def _ignore(_event: Event) -> None:
    pass


async def _bare(folder: Path, lines: list[bytes]) -> Figures:
    """The same lines, written to as many processes and answered, and nothing else."""
    left = iter(lines)
    pipe = asyncio.subprocess.PIPE

    async def work() -> None:
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-u", str(folder / "program.py"), stdin=pipe, stdout=pipe, cwd=folder
        )
        assert process.stdin is not None
        assert process.stdout is not None
        for line in left:
            process.stdin.write(line)
            await process.stdin.drain()
            await process.stdout.readline()
        process.stdin.close()
        await process.wait()

    began, cpu = time.perf_counter(), time.process_time()
    await asyncio.gather(*[work() for _ in range(WORKERS)])
    return Figures(time.process_time() - cpu, time.perf_counter() - began)


def _killed() -> tuple[int, int]:
    """How many answers were in the journal when a run was killed, and how many of these were asked again."""
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        _write(folder, evals=ROWS, tests=1)
        env = {**places(folder), "PROGRAM_SECONDS": "0.02", "SPOTUI_TRUST": str(folder / "program.py")}
        command = [sys.executable, "-m", "spotui"]
        words = ["run", str(folder / "even.yaml"), "--model", "none/none", "--concurrency", str(WORKERS)]
        nowhere = subprocess.DEVNULL
        child = subprocess.Popen([*command, *words], env=env, stdin=nowhere, stdout=nowhere, stderr=nowhere)
        while len(_asked(folder)) < ROWS // 2 and child.poll() is None:
            time.sleep(0.01)
        child.kill()
        child.wait()
        journal = folder / "data" / "workspace" / "even" / "journal.jsonl"
        answered = set()
        for line in read_lines(journal, CallLine):
            if isinstance(line, CallLine) and (given := json.loads(bytes(line.request)).get("given")):
                one = json.loads(given)
                answered.add((one["prompt"], one["question"]))
        before = len(_asked(folder))
        subprocess.run(
            [*command, "resume", "even", "--budget-calls", str(ROWS + 50)],
            env=env,
            check=False,
            stdin=nowhere,
            stdout=nowhere,
            stderr=nowhere,
        )
        assert len(_asked(folder)) > before, "the run was not resumed"
        return len(answered), len(answered & {*_asked(folder)[before:]})


def _asked(folder: Path) -> list[tuple[str, str]]:
    path = folder / "asked"
    lines = path.read_text().splitlines() if path.exists() else []
    return [(one[0], one[1]) for one in map(json.loads, lines)]


if __name__ == "__main__":
    main()
