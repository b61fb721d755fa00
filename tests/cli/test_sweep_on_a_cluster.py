"""Sweeps on a real Dask cluster of processes, whose workers are killed."""

import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from spotui.cli import exit_codes
from spotui.runs.sweep.cluster import workers
from spotui.wire.tracking import TrackedEnd, TrackedRound, TrackedRun
from spotui.workspace.projects import Workspace
from spotui.workspace.sweep_file import SweepFolder
from tests.cli.conftest import Shell
from tests.command_line import ROOT
from tests.model_server import ModelServer
from tests.row_model import racing, rows, template
from tests.tracked.noting import NOTES

pytest.importorskip("distributed", reason="a cluster needs distributed: pip install 'spotui[cluster]'")

PLAN = """\
templates: [sums.yaml]
methods:
  gpo: {set: {max_steps: 2, candidates_per_step: 2}}
  opro: {set: {max_steps: 2, candidates_per_step: 2}}
seeds: [0, 1]
"""


class Cluster:
    """A scheduler and its workers, each a process."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.address = ""
        self.workers: list[subprocess.Popen[bytes]] = []
        self._scheduler: subprocess.Popen[bytes] | None = None

    def start(self, workers: int) -> None:
        file = self.folder / "scheduler.json"
        words = [
            "scheduler",
            "--host",
            "127.0.0.1",
            "--port",
            "0",
            "--no-dashboard",
            "--scheduler-file",
            str(file),
        ]
        self._scheduler = self._begin("scheduler", *words[1:])
        while not (file.exists() and file.stat().st_size):
            time.sleep(0.05)
        self.address = json.loads(file.read_text())["address"]
        for _worker in range(workers):
            self.add()
        if workers:
            from distributed import Client

            with Client(self.address, set_as_default=False) as client:
                client.wait_for_workers(workers, timeout=120)

    def add(self, **env: str) -> "subprocess.Popen[bytes]":
        worker = self._begin(
            "worker",
            self.address,
            "--nthreads",
            "1",
            "--no-nanny",
            "--no-dashboard",
            "--host",
            "127.0.0.1",
            **env,
        )
        self.workers.append(worker)
        return worker

    def stop(self) -> None:
        for one in [*self.workers, self._scheduler]:
            if one is not None:
                one.kill()
                one.wait()

    def _begin(self, what: str, *words: str, **env: str) -> "subprocess.Popen[bytes]":
        with (self.folder / f"{what}.log").open("ab") as log:
            return subprocess.Popen(
                [sys.executable, "-m", f"distributed.cli.dask_{what}", *words],
                env={**os.environ, "PYTHONPATH": str(ROOT), **env},
                stdout=log,
                stderr=log,
                cwd=self.folder,
            )


@contextmanager
def cluster(folder: Path, workers: int) -> Iterator[Cluster]:
    folder.mkdir()
    one = Cluster(folder)
    try:
        one.start(workers)
        yield one
    finally:
        one.stop()


@pytest.fixture
def sums(home: Path) -> Iterator[ModelServer]:
    (home / "rows.jsonl").write_text(rows(20))
    (home / "sums.yaml").write_text(template())
    (home / "plan.yaml").write_text(PLAN)
    with ModelServer(racing, delay=0.02) as server:
        yield server


def events(out: str, kind: str) -> list[dict[str, Any]]:
    return [one for one in map(json.loads, out.splitlines()) if one["type"] == kind]


def bought(folder: SweepFolder) -> dict[str, float]:
    """When each call was at home, by what was asked."""
    found: dict[str, float] = {}
    for path in folder.workspace.root.glob("**/journal.jsonl"):
        for line in map(json.loads, path.read_bytes().splitlines()):
            if line["kind"] == "call":
                found[json.dumps([path.parent.name, line["key"], line["digest"]])] = 1
    return found


@pytest.mark.filterwarnings("ignore")
def test_a_sweep_survives_the_workers_that_are_killed_and_buys_nothing_twice(
    shell: Shell, sums: ModelServer, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asking = ("--model", "test-model", "--base-url", sums.base_url, "--concurrency", "5")
    monkeypatch.syspath_prepend(str(ROOT / "tests" / "tracked"))  # the workers know nothing of this tracker
    NOTES.clear()
    words = ("sweep", "plan.yaml", *asking, "--json", "--budget-calls", "2000")
    with cluster(home / "dask", 2) as dask:
        on = ("--on", dask.address.replace("tcp://", "dask://"))
        over = threading.Event()
        kills = threading.Thread(target=kill_some, args=(dask, sums, (20, 60), over))
        kills.start()
        said = shell(*words, *on, "--track", "adding")
        over.set()
        kills.join()
    assert said.code == exit_codes.OK, said.err
    table = events(said.out, "sweep_ended")[0]["table"]
    assert (table["runs"], table["planned"]) == (4, 4)
    assert events(said.out, "run_lost")
    assert all(one["where"].startswith("tcp://") for one in events(said.out, "run_started"))
    assert_reported_once(4)
    assert sums.peak_open <= 5  # one endpoint's limit over all workers
    # What was asked again was in flight when its worker was killed: at most all places, twice.
    calls = len(bought(SweepFolder(Workspace(home / "data" / "workspace"), "plan")))
    assert calls <= len(sums.requests) <= calls + 2 * 5
    # Here, the same journals give the same table, and ask nobody.
    before = len(sums.requests)
    again = shell(*words)
    assert again.code == exit_codes.OK, again.err
    assert events(again.out, "sweep_ended")[0]["table"] == table
    assert len(sums.requests) == before
    name = "plan/" + events(said.out, "run_ended")[0]["run"]
    assert "Add in style" in shell("best", name).out
    assert (home / "data" / "workspace" / name / "prompts" / "results.json").exists()


def assert_reported_once(runs: int) -> None:
    """Each run was reported as one, with each round once, although its worker may have been lost."""
    assert sum(isinstance(one, TrackedRun) for one in NOTES) == 1 + runs
    tuples = [one for one in NOTES if isinstance(one, tuple)]
    rounds = Counter((name, one.round) for name, one, *_more in tuples if isinstance(one, TrackedRound))
    assert {*rounds.values()} == {1}
    assert len(rounds) == runs * 3
    assert sum(isinstance(one[1], TrackedEnd) for one in tuples) == 1 + runs


def kill_some(dask: Cluster, server: ModelServer, moments: tuple[int, ...], over: threading.Event) -> None:
    """Kill a worker once so many requests came, and start another."""
    for number, moment in enumerate(moments):
        while len(server.requests) < moment:
            if over.wait(0.005):
                return
        dask.workers[number].send_signal(signal.SIGKILL)
        dask.add()


@pytest.mark.filterwarnings("ignore")
def test_a_cluster_that_cannot_be_used_says_what_to_do_before_anything_is_bought(
    shell: Shell, sums: ModelServer, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    words = ("sweep", "plan.yaml", "--model", "test-model", "--base-url", sums.base_url)
    said = shell(*words, "--on", "8.8.8.8")
    assert "Write dask://HOST:PORT" in said.err
    said = shell(*words, "--send-keys")
    assert said.code == exit_codes.USAGE
    with cluster(home / "dask", 0) as dask:
        on = ("--on", dask.address.replace("tcp://", "dask://"))
        said = shell(*words, *on)
        assert "has no workers." in said.err
        old = home / "old" / "spotui" / "domain"
        old.mkdir(parents=True)
        for folder in (old, old.parent):
            (folder / "__init__.py").touch()
        (old / "version.py").write_text('VERSION = "0.0.1"\n')
        (home / "none" / "spotui").mkdir(parents=True)
        (home / "none" / "spotui" / "__init__.py").touch()
        for path, what in (
            (home / "old", "has spotui 0.0.1, and this machine has"),
            (home / "none", "is not installed on"),
        ):
            worker = dask.add(PYTHONPATH=str(path))
            deadline = time.monotonic() + 60
            while "has no workers" in (said := shell(*words, *on)).err and time.monotonic() < deadline:
                time.sleep(0.2)
            assert what in said.err
            assert "pip install spotui==" in said.err
            worker.kill()
            worker.wait()
            while "has no workers" not in shell(*words, *on).err and time.monotonic() < deadline:
                time.sleep(0.2)
    assert said.code == exit_codes.FAILED
    monkeypatch.setattr(workers, "_CONNECT_SECONDS", 1.0)
    said = shell(*words, *on)
    assert "cannot be reached" in said.err
    assert not sums.requests
