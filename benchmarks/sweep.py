"""Sweeps on a cluster: `python -m benchmarks.sweep` prints time, CPU, and what kills and many runs cost.

The model server, the scheduler and the workers are separate processes on this machine. The critical path is
that of the runs on as many slots: one run's time, measured alone, times the runs that a slot has after each
other. CPU is that of the home and all workers between the sweep's first and last event; that of a single run
is measured the same way.
"""

import argparse
import json
import os
import random
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from hashlib import sha256
from pathlib import Path
from typing import Any, NamedTuple

from tests.command_line import ROOT, places
from tests.model_server import JsonObject, ModelServerProcess, Scripted, conversation
from tests.row_model import adding, kind_of, rows, template

ROWS = 60


def steady(request: JsonObject) -> str | Scripted:
    """A model whose replies depend on what is asked and on nothing else."""
    if kind_of(request) != "propose":
        return adding(request)
    text = conversation(request)
    mark = sha256(text.encode()).hexdigest()[:6]
    return (
        "<analyse>Too low.</analyse>\n<modification>Style 4.</modification>\n"
        f"<prompt>Add in style {int(mark, 16) % 5}, way {mark}.</prompt>"
    )


class Took(NamedTuple):
    """What a sweep took between its first and its last event."""

    seconds: float
    cpu: float
    table: dict[str, Any]
    lost: int


class Dask:
    """A scheduler and its workers.

    Args:
        folder: For their logs.
        workers: How many.
    """

    def __init__(self, folder: Path, workers: int) -> None:
        self._folder = folder
        file = folder / "scheduler.json"
        self._scheduler = self._begin(
            "scheduler", "--host", "127.0.0.1", "--port", "0", "--no-dashboard", "--scheduler-file", str(file)
        )
        while not (file.exists() and file.stat().st_size):
            time.sleep(0.05)
        self.address: str = json.loads(file.read_text())["address"]
        self.workers = [self.add() for _ in range(workers)]
        from distributed import Client

        with Client(self.address, set_as_default=False) as client:
            client.wait_for_workers(workers, timeout=300)

    def add(self) -> "subprocess.Popen[bytes]":
        """One more worker."""
        words = ("--nthreads", "1", "--no-nanny", "--no-dashboard", "--host", "127.0.0.1")
        return self._begin("worker", self.address, *words)

    def stop(self) -> None:
        """End all of them."""
        for one in [*self.workers, self._scheduler]:
            one.kill()
            one.wait()

    def _begin(self, what: str, *words: str) -> "subprocess.Popen[bytes]":
        with (self._folder / f"{what}.log").open("ab") as log:
            command = [sys.executable, "-m", f"distributed.cli.dask_{what}", *words]
            env = {**os.environ, "PYTHONPATH": str(ROOT)}
            return subprocess.Popen(command, env=env, stdout=log, stderr=log, cwd=self._folder)


@contextmanager
def dask(folder: Path, workers: int) -> Iterator[Dask]:
    """A cluster that ends with the block."""
    folder.mkdir(exist_ok=True)
    one = Dask(folder, workers)
    try:
        yield one
    finally:
        one.stop()


def cpu_of(processes: list[int]) -> float:
    """Seconds of CPU of some processes."""
    ticks = 0
    for one in processes:
        with suppress(OSError):
            fields = Path(f"/proc/{one}/stat").read_text().rpartition(")")[2].split()
            ticks += int(fields[11]) + int(fields[12])
    return ticks / os.sysconf("SC_CLK_TCK")


def plan(home: Path, name: str, runs: int, calls: int) -> None:
    """A plan of so many runs with about so many calls each, on rows of their own."""
    (home / "rows.jsonl").write_text(rows(ROWS))
    (home / "sums.yaml").write_text(template())
    (home / f"{name}.yaml").write_text(
        "templates: [sums.yaml]\n"
        "methods:\n  gpo: {set: {max_steps: 40, candidates_per_step: 4, task_examples: 0}}\n"
        f"seeds: [{', '.join(map(str, range(runs)))}]\n"
        f"settings: {{racing: none, budget_calls: {calls}}}\n"
    )


def sweep(
    home: Path,
    name: str,
    url: str,
    *words: str,
    workers: list[int],
    on_event: Callable[[int], None],
) -> Took:
    """Run a sweep to its end."""
    command = [sys.executable, "-m", "spotui", "sweep", f"{name}.yaml", "--json", "--yes"]
    command += ["--model", "test-model", "--base-url", url, "--concurrency", "64", *words]
    process = subprocess.Popen(command, cwd=home, env=places(home), stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    watched = [process.pid, *workers]
    began = cpu = 0.0
    table: dict[str, Any] = {}
    lost = number = 0
    for line in process.stdout:
        event, number = json.loads(line), number + 1
        lost += event["type"] == "run_lost"
        if event["type"] == "sweep_opened":
            began, cpu = time.monotonic(), cpu_of(watched)
        elif event["type"] == "sweep_ended":
            seconds, cpu = time.monotonic() - began, cpu_of(watched) - cpu
            table = event["table"]
        on_event(number)
    code = process.wait()
    if code:
        raise SystemExit(f"spotui sweep ended with {code}")
    return Took(seconds, cpu, table, lost)


def ignore(_number: int) -> None:
    """Nothing is to be done on an event."""


def calls_in(home: Path, name: str) -> tuple[int, int]:
    """Calls and bytes of the runs of a sweep, those of the test left out of the bytes."""
    workspace = home / "data" / "workspace"
    journals = [
        *workspace.glob(f"{name}/*/journal.jsonl"),
        *workspace.glob(f".scores/{name}/*/journal.jsonl"),
    ]
    calls = sum(line.count(b'"kind":"call"') for path in journals for line in [path.read_bytes()])
    size = sum(one.stat().st_size for one in workspace.glob(f"{name}/**/*") if one.is_file())
    return calls, size


def speed(home: Path, url: str, runs: int, calls: int, workers: int) -> None:
    """Time against the critical path, and CPU a call against a single run's."""
    plan(home, "one", 1, calls)
    single = sweep(home, "one", url, workers=[], on_event=ignore)
    asked, _size = calls_in(home, "one")
    print(
        f"one run alone: {asked} calls, {single.seconds:.1f} s, {1000 * single.cpu / asked:.2f} ms CPU a call"
    )
    plan(home, "many", runs, calls)
    with dask(home / "dask", workers) as cluster:
        processes = [one.pid for one in cluster.workers]
        on = ("--on", cluster.address.replace("tcp://", "dask://"))
        many = sweep(home, "many", url, *on, workers=processes, on_event=ignore)
    all_asked, size = calls_in(home, "many")
    path = single.seconds * -(-runs // workers)
    print(
        f"{runs} runs on {workers} workers: {all_asked} calls, {many.seconds:.1f} s, "
        f"{many.seconds / path:.2f} x the critical path of {path:.1f} s; "
        f"{1000 * many.cpu / all_asked:.2f} ms CPU a call, "
        f"{many.cpu / all_asked / (single.cpu / asked):.2f} x a single run's; "
        f"{size / runs / 1e6:.2f} MB a run"
    )


def kills(
    home: Path, url: str, log: Path, runs: int, calls: int, workers: int, moments: int, seed: int
) -> None:
    """A worker killed in each of some random moments: what is bought twice, and the same table or not."""
    plan(home, "calm", runs, calls)
    with dask(home / "dask", workers) as cluster:
        on = ("--on", cluster.address.replace("tcp://", "dask://"))
        calm = sweep(home, "calm", url, *on, workers=[], on_event=ignore)
        before = log.stat().st_size
        plan(home, "killed", runs, calls)
        rng = random.Random(seed)
        total = runs * calls
        due = sorted(rng.randrange(total // 20, total) for _ in range(moments))
        done = 0

        def kill() -> None:
            nonlocal done
            while done < moments:
                if answered_in(log, before) >= due[done]:
                    victim = cluster.workers.pop(rng.randrange(len(cluster.workers)))
                    victim.kill()
                    cluster.workers.append(cluster.add())
                    done += 1
                time.sleep(0.2)

        threading.Thread(target=kill, daemon=True).start()
        killed = sweep(home, "killed", url, *on, workers=[], on_event=ignore)
    again = repeated(home, "killed", log, before)
    print(
        f"{done} of {moments} kills, {killed.lost} runs lost their worker: "
        f"{again[0]} completed calls bought again, {again[1]} calls in flight asked again; table "
        f"{'identical' if figures(calm.table) == figures(killed.table) else 'DIFFERENT'}"
    )


def figures(table: dict[str, Any]) -> object:
    """The scores of a table, without times and what calls in flight cost."""
    return [
        (one["contender"], one["tasks"], one["macro"], one["gain"], one["runs"], one["improved"])
        for one in table["standings"]
    ]


def repeated(home: Path, name: str, log: Path, before: int) -> tuple[int, int]:
    """Completed calls that a second worker bought again, and calls that were in flight and asked again.

    Journals keep every finished call under its key: a key that was bought twice has two lines.
    """
    workspace = home / "data" / "workspace"
    twice = lines = 0
    for path in [
        *workspace.glob(f"{name}/*/journal.jsonl"),
        *workspace.glob(f".scores/{name}/*/journal.jsonl"),
    ]:
        keys = set()
        for line in map(json.loads, path.read_bytes().splitlines()):
            if line["kind"] == "call":
                key = json.dumps([line["key"], line["digest"]])
                twice += key in keys
                keys.add(key)
                lines += 1
    return twice, answered_in(log, before) - lines


def answered_in(log: Path, start: int) -> int:
    """Requests that the server answered, from a place in its log on."""
    with log.open("rb") as file:
        file.seek(start)
        return file.read().count(b'"event": "completed"')


def overhead(home: Path, url: str, sizes: list[int], calls: int) -> None:
    """Time, CPU and bytes a run at home, for more and more short runs."""
    for runs in sizes:
        name = f"runs{runs}"
        plan(home, name, runs, calls)
        took = sweep(home, name, url, "--parallel", "8", workers=[], on_event=ignore)
        again = sweep(home, name, url, "--parallel", "8", workers=[], on_event=ignore)
        _asked, size = calls_in(home, name)
        print(
            f"{runs:5} runs of {calls} calls: {1000 * took.cpu / runs:.0f} ms CPU and "
            f"{size / runs / 1e6:.3f} MB a run; once they have ended, {1000 * again.cpu / runs:.0f} ms a run"
        )


def main() -> None:
    """Measure what was asked for."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.sweep", description=__doc__)
    parser.add_argument("what", nargs="*", default=["speed", "kills", "overhead"])
    parser.add_argument("--runs", type=int, default=40)
    parser.add_argument("--calls", type=int, default=200)
    parser.add_argument("--delay", type=float, default=0.1)
    parser.add_argument("--workers", type=int, default=4)
    parser.add_argument("--moments", type=int, default=10)
    parser.add_argument("--many", type=int, nargs="*", default=[500, 1000, 2000], help="runs of the overhead")
    parser.add_argument("--seed", type=int, default=0)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="sweep-") as folder:
        home, log = Path(folder), Path(folder) / "requests.jsonl"
        words = ("--delay", str(given.delay), "--reply", "benchmarks.sweep:steady")
        with ModelServerProcess(log, *words) as server:
            if "speed" in given.what:
                speed(home, server.base_url, given.runs, given.calls, given.workers)
            if "kills" in given.what:
                kills(
                    home,
                    server.base_url,
                    log,
                    given.runs,
                    given.calls,
                    given.workers,
                    given.moments,
                    given.seed,
                )
        if "overhead" in given.what:
            with ModelServerProcess(None, "--reply", "benchmarks.sweep:steady") as server:
                overhead(home, server.base_url, given.many, 20)


if __name__ == "__main__":
    main()
