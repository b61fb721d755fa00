"""The screen's figures: `python -m benchmarks.screen` prints them as a table.

Everything runs in a real pseudo-terminal of 120 by 40. What has to do with starting stands beside a bare
Textual app with four panels (`benchmarks.bare_app`), measured in turn with ours. Figures are medians of
`--runs`.
"""

import argparse
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from benchmarks.at_a_glance import LOCAL, rows_at_a_glance
from benchmarks.bare_app import MARKER
from benchmarks.spent import of_checkout
from benchmarks.table import Row, against, show
from benchmarks.watching import QUIET, Watched, places, run_screen, spotui, streaming, template
from spotui.runs.launch import Launcher
from spotui.settings import locations
from spotui.settings.resolve import Flags
from spotui.workspace.projects import Workspace
from tests.model_server import ModelServerProcess

PRESSES = 40
LONG_ROUNDS, LONG_SAMPLE, LONG_SECONDS = 300, 5, 300.0
LITELLM_SECONDS = 4.0


class Start(NamedTuple):
    """Milliseconds from the start of a program."""

    painted: float
    text: float
    settled: float


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--before", type=Path, help="a checkout of an earlier commit, to be measured beside")
    parser.add_argument("--only-glance", action="store_true", help="only charts, grid and lineage")
    arguments = parser.parse_args()
    runs = arguments.runs
    os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
    with tempfile.TemporaryDirectory(prefix="b-") as folder:
        os.environ.update(places(Path(folder)))
        _finished_run(Path(folder))
        rows = _rows(Path(folder), runs, arguments.before, is_all=not arguments.only_glance)
        all_hold = show(rows, runs)
    sys.exit(0 if all_hold else 1)


def _rows(folder: Path, runs: int, before: Path | None, *, is_all: bool) -> Iterator[Row]:
    """The rows of the table, each as soon as it is known."""
    if is_all:
        yield from _starting(runs, before)
        yield from _idle(runs, before)
        yield from _loaded(folder)
        yield _long_run(folder)
        yield _litellm_start(folder)
    yield from rows_at_a_glance(folder, runs, before)


def _finished_run(folder: Path) -> None:
    """A project to be shown."""
    path = folder / "shown.yaml"
    questions = "".join(f"  - question: Question {n}?\n" for n in range(3))
    path.write_text(f"prompt: Answer in style 0.\nrequirements: A higher style is better.\nqa:\n{questions}")
    with ModelServerProcess(folder / "shown.log", "--reply", "tests.spo_model:climbing") as model:
        command = ["run", str(path), "--base-url", model.base_url, "--model", "test-model"]
        subprocess.run(
            [sys.executable, "-m", "spotui", *command, "--max-rounds", "5"],
            check=True,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )


def _starting(runs: int, before: Path | None) -> list[Row]:
    bare_app, spotui_app = [sys.executable, "-m", "benchmarks.bare_app"], [sys.executable, "-m", "spotui"]
    programs = [(bare_app, MARKER, LOCAL), (spotui_app, "shown", LOCAL)]
    if before is not None:
        programs.append((spotui_app, "shown", {**LOCAL, **of_checkout(before)}))
    starts = [[_start(*program) for program in programs] for _ in range(runs + 1)]
    beside, here, *earlier = (
        Start(*map(statistics.median, zip(*column, strict=True)))
        for column in zip(*starts[1:], strict=True)  # the first of each fills the disk's cache
    )
    first, settled = here.text / beside.text, here.settled / beside.settled
    rows = [
        Row("something painted", f"{here.painted:.0f} ms", "", "60 ms", here.painted <= 60),
        Row(
            "first real text",
            f"{here.text:.0f} ms, {first:.2f} x the bare app",
            f"bare app {beside.text:.0f} ms",
            "1.1 x",
            first <= 1.1,
        ),
        Row(
            "settled screen",
            f"{here.settled:.0f} ms, {settled:.2f} x the bare app",
            f"bare app {beside.settled:.0f} ms",
            "1.25 x",
            settled <= 1.25,
        ),
    ]
    for once in earlier:
        rows.append(against("first real text", here.text, once.text, "ms"))
        rows.append(against("settled screen", here.settled, once.settled, "ms"))
    return rows


def _start(command: list[str], marker: str, environ: dict[str, str | None]) -> Start:
    with Watched(command, marker, environ) as terminal:
        terminal.wait_text()
        terminal.settle(QUIET)
        moments = (terminal.first_byte_at, terminal.text_at, terminal.last_byte_at)
        return Start(*((moment - terminal.started_at) * 1000 for moment in moments))


def _idle(runs: int, before: Path | None) -> list[Row]:
    with Watched([sys.executable, "-m", "benchmarks.bare_app"], MARKER, {}) as terminal:
        terminal.wait_text()
        terminal.settle(QUIET)
        bare = terminal.memory
    with run_screen("shown", LOCAL) as terminal:
        terminal.settle(QUIET)
        memory, cpu, received = terminal.memory, terminal.cpu, terminal.received
        time.sleep(10)
        share, written = (terminal.cpu - cpu) / 10 * 100, terminal.received - received
    rows = [
        Row("memory at idle on Run", f"{memory:.0f} MB", f"bare app {bare:.0f} MB", "60 MB", memory <= 60),
        Row(
            "at idle",
            f"{share:.1f} % CPU, {written} bytes written",
            "",
            "0.5 %, 0 bytes",
            share <= 0.5 and written == 0,
        ),
    ]
    if before is not None:
        here, earlier = (
            statistics.median(_home_memory(environ) for _ in range(runs))
            for environ in (LOCAL, {**LOCAL, **of_checkout(before)})
        )
        rows.append(against("memory at idle on Home", here, earlier, "MB"))
    return rows


def _home_memory(environ: dict[str, str | None]) -> float:
    with Watched([sys.executable, "-m", "spotui"], "shown", environ) as terminal:
        terminal.wait_text()
        terminal.settle(QUIET)
        return terminal.memory


def _loaded(folder: Path) -> list[Row]:
    rows = []
    for name, ssh, limit in (("local", None, 30.0), ("ssh", "10.0.0.1 1 10.0.0.2 22", 15.0)):
        with streaming(folder, name, {}), run_screen(name, {"SSH_CONNECTION": ssh}) as terminal:
            time.sleep(2)
            received, began = terminal.received, time.perf_counter()
            time.sleep(8)
            rate = (terminal.received - received) / (time.perf_counter() - began) / 1000
            what = "bytes to the terminal, 8 streams, 1,000 tokens/s in all"
            over = " with SSH_CONNECTION" if ssh else ""
            rows.append(Row(what + over, f"{rate:.1f} kB/s", "", f"{limit:.0f} kB/s", rate <= limit))
            if ssh is None:
                rows.append(_key_row(terminal))
    return rows


def _key_row(terminal: Watched) -> Row:
    times = []
    for _ in range(PRESSES):
        times.append(terminal.answer_time("v"))
        time.sleep(0.13)
    p95 = statistics.quantiles(times, n=20)[-1]
    what = "key press to repaint in that load, p95"
    return Row(what, f"{p95:.0f} ms", f"median {statistics.median(times):.0f} ms", "60 ms", p95 <= 60)


def _long_run(folder: Path) -> Row:
    """A run of 300 rounds, watched from its first round to its last."""
    with ModelServerProcess(folder / "long.log", "--reply", "tests.spo_model:climbing") as model:
        path = template(folder, "long", LONG_SAMPLE)
        limits = ["--max-rounds", str(LONG_ROUNDS), "--sample", str(LONG_SAMPLE)]
        spotui("run", str(path), "--base-url", model.base_url, "--model", "test-model", "--detach", *limits)
        with run_screen("long", {"SSH_CONNECTION": None}) as terminal:
            before = terminal.memory
            terminal.look_for(f"All {LONG_ROUNDS} rounds are done")
            terminal.wait_text(LONG_SECONDS)
            terminal.settle(QUIET)
            grown = terminal.memory - before
    what = f"memory after {LONG_ROUNDS} rounds of {LONG_SAMPLE} questions, above the start"
    return Row(what, f"{grown:.0f} MB", f"{before:.0f} MB at the start", "30 MB", grown <= 30)


def _litellm_start(folder: Path) -> Row:
    """Keys pressed while the run's own process imports litellm, which takes it more than a second.

    They go from one panel to another and back; so does Tab in the bare app.
    """
    with Watched([sys.executable, "-m", "benchmarks.bare_app"], MARKER, LOCAL) as terminal:
        terminal.wait_text()
        terminal.settle(QUIET)
        bare = _presses(terminal, "\t", "\t")
    path = template(folder, "litellm", 3)
    launcher = Launcher()
    prepared = launcher.prepare(path, Flags(model="anthropic/claude-3-5-haiku-latest"))
    launcher.new_project(Workspace(locations.workspace_dir()), "litellm", prepared)
    with run_screen("litellm", LOCAL | {"ANTHROPIC_API_KEY": "none"}) as terminal:
        terminal.settle(QUIET)
        before = _presses(terminal, "4", "2")
        terminal.press("space")
        times = _presses(terminal, "4", "2")
    spotui("attach", "litellm", "--send", "stop")
    p95 = statistics.quantiles(times, n=20)[-1]
    return Row(
        "key press to repaint while a run starts with a litellm model, p95",
        f"{p95:.0f} ms, median {statistics.median(times):.0f} ms",
        f"before the start {_p95_and_median(before)}; bare app {_p95_and_median(bare)}",
        "30 ms",
        p95 <= 30,
    )


def _p95_and_median(times: list[float]) -> str:
    return f"{statistics.quantiles(times, n=20)[-1]:.0f} and {statistics.median(times):.0f} ms"


def _presses(terminal: Watched, there: str, back: str) -> list[float]:
    """Milliseconds to the answer, going from one panel to another and back."""
    times: list[float] = []
    until = time.perf_counter() + LITELLM_SECONDS
    while time.perf_counter() < until:
        times.append(terminal.answer_time((there, back)[len(times) % 2]))
        time.sleep(0.1)
    return times


if __name__ == "__main__":
    main()
