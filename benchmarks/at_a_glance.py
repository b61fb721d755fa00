"""Figures of the Run screen with its chart, its grid of questions and its lineage shown.

Beside the load stands, where a checkout of an earlier commit is given, what the screen does there, as a
ratio: with the panels that it has, and a run that it started itself, for which its libraries have to be
installed.
"""

import os
import statistics
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import NamedTuple

from benchmarks.spent import of_checkout
from benchmarks.table import Row
from benchmarks.watching import QUIET, Watched, run_screen, streaming
from spotui.domain.records import AnswerRecord, Line, RoundLine, SessionLine, VoteRecord
from spotui.runs.launch import Launcher
from spotui.settings import locations
from spotui.settings.resolve import Flags
from spotui.workspace.moving import create_project
from spotui.workspace.projects import Workspace
from spotui.workspace.snapshot import read_snapshot

ROUNDS, QUESTIONS = 300, 30
PRESSES = 40
SSH: dict[str, str | None] = {"SSH_CONNECTION": "10.0.0.1 1 10.0.0.2 22"}
LARGE = 200, 60
"""A terminal that shows the chart, the grid and the log at once."""
LOCAL: dict[str, str | None] = {"SSH_CONNECTION": None}
CHART = """
import resource, sys, time
import textual.widgets, textual.scroll_view
began = time.process_time()
from spotui.tui.chart import PlotChart
from spotui.tui.canvas import Plot, Point, draw_plot
points = tuple(Point(x, x % 90, x % 90 - 9, x % 90 + 9, "o", "faint", str(x)) for x in range({points}))
draw_plot(Plot(points, steps=((0, 1), ({points} / 2, 60))), 110, 30)
print((time.process_time() - began) * 1000)
"""


def rows_at_a_glance(folder: Path, runs: int, before: Path | None) -> Iterator[Row]:
    """The rows of the table, each as soon as it is known.

    Args:
        folder: For everything that is written.
        runs: How often what is short is measured.
        before: A checkout of an earlier commit.
    """
    for points in (40, 2000):
        yield _first_paint(points, runs)
    yield from _loaded(folder, before)
    yield from _long(folder)


def _first_paint(points: int, runs: int) -> Row:
    """From nothing imported to the lines of a chart, in processor time, as the machine may be busy."""
    command = [sys.executable, "-c", CHART.format(points=points)]
    found = [
        float(subprocess.run(command, check=True, capture_output=True, text=True).stdout)
        for _ in range(runs + 1)
    ][1:]
    milliseconds = statistics.median(found)
    what = f"a chart of {points:,} points: import and first drawing, processor time"
    return Row(what, f"{milliseconds:.0f} ms", "", "60 ms", milliseconds <= 60)


def _loaded(folder: Path, before: Path | None) -> list[Row]:
    rows: list[Row] = []
    for name, environ in (("glance", LOCAL), ("glance-ssh", SSH)):
        rate, p95 = _in_load(folder, name, environ, ("7",), ("right", "left"))
        rate_before, p95_before = 0.0, 0.0
        if before is not None:
            there = environ | of_checkout(before)
            with suppress(subprocess.CalledProcessError):  # a library that it needs is not installed here
                rate_before, p95_before = _in_load(folder, f"{name}-before", there, (), ("v", "v"))
        over = " with SSH_CONNECTION" if environ is SSH else ""
        limit = 15.0 if environ is SSH else 30.0
        rows.append(
            Row(
                f"bytes to the terminal, 8 streams, log, chart and grid on 200x60{over}",
                f"{rate:.1f} kB/s",
                _beside(rate, rate_before, "kB/s"),
                f"{limit:.0f} kB/s",
                rate <= limit,
            )
        )
        if environ is LOCAL:
            what = "key press to repaint in that load, p95"
            rows.append(Row(what, f"{p95:.0f} ms", _beside(p95, p95_before, "ms"), "60 ms", p95 <= 60))
    return rows


def _in_load(
    folder: Path, name: str, environ: dict[str, str | None], shown: tuple[str, ...], keys: tuple[str, str]
) -> tuple[float, float]:
    """Kilobytes a second, and milliseconds to the answer of a key."""
    with streaming(folder, name, environ), _listed_first(name), run_screen(name, environ, LARGE) as terminal:
        time.sleep(1)
        for key in shown:
            terminal.press(key)
        time.sleep(2)
        received, began = terminal.received, time.perf_counter()
        time.sleep(8)
        rate = (terminal.received - received) / (time.perf_counter() - began) / 1000
        times = []
        for number in range(PRESSES):
            times.append(terminal.answer_time(keys[number % 2]))
            time.sleep(0.13)
    return rate, statistics.quantiles(times, n=20)[-1]


def _long(folder: Path) -> list[Row]:
    _long_project(folder)
    what = f"{ROUNDS} rounds x {QUESTIONS} questions"
    with _listed_first("many"), run_screen("many", LOCAL) as terminal:
        terminal.settle(QUIET)
        start = terminal.memory
        lineage = _keys(terminal, "8", ("up", "down"))
        grid = _keys(terminal, "7", ("pageup", "pagedown"))
        grown = terminal.memory - start
        rounds = _keys(terminal, "4", ("up", "down"))
    return [
        Row(f"{what}: grid, page to repaint, p95", str(grid), "", "60 ms", grid.p95 <= 60),
        Row(f"{what}: lineage, key to repaint, p95", str(lineage), "", "60 ms", lineage.p95 <= 60),
        Row(
            f"{what}: table of rounds, key to repaint, p95",
            str(rounds),
            "",
            "60 ms",
            rounds.p95 <= 60,
        ),
        Row(
            f"{what}: memory of grid and lineage, above the screen before them",
            f"{grown:.0f} MB above {start:.0f} MB",
            "",
            "40 MB",
            grown <= 40,
        ),
    ]


class Keys(NamedTuple):
    """What keys took, in milliseconds: until the first byte of the answer, and processor time for each."""

    p95: float
    processor: float

    def __str__(self) -> str:
        return f"{self.p95:.0f} ms, {self.processor:.0f} ms of processor time a key"


def _keys(terminal: Watched, panel: str, keys: tuple[str, str]) -> Keys:
    """Go to a panel, and press two keys in turn, of which each changes something."""
    terminal.press(panel)
    time.sleep(1)
    terminal.settle(QUIET)
    times, before = [], terminal.cpu
    for number in range(PRESSES):
        times.append(terminal.answer_time(keys[number % 2]))
        time.sleep(0.1)
    spent = (terminal.cpu - before) / PRESSES * 1000
    return Keys(statistics.quantiles(times, n=20)[-1], spent)


def _long_project(folder: Path) -> None:
    """A project whose rounds are written down at once: what is measured is the screen."""
    path = folder / "many.yaml"
    questions = "".join(
        f"  - question: Question {n}, which is as long as one usually is?\n" for n in range(QUESTIONS)
    )
    path.write_text(f"prompt: Answer in style 0.\nrequirements: Long.\nqa:\n{questions}")
    launcher, workspace = Launcher(), Workspace(locations.workspace_dir())
    prepared = launcher.prepare(path, Flags(model="test-model", base_url="http://127.0.0.1:9/v1"))
    snapshot = read_snapshot(launcher.new_project(workspace, "many-seed", prepared).snapshot)
    create_project(workspace, "many", snapshot, lines=_lines(), rows=None, files=None)


def _lines() -> Iterator[Line]:
    yield SessionLine(pid=1, host="h", spotui="1")
    best = 1
    for number in range(1, ROUNDS + 1):
        wins = number > 1 and number % 12 == 0
        yield RoundLine(
            round=number,
            outcome="seed" if number == 1 else "win" if wins else "loss",
            prompt=f"Answer in style {number}, with an example for each claim that you make.",
            parent=0 if number == 1 else best,
            modification=f"Ask for style {number}.",
            answers=tuple(
                AnswerRecord(f"Question {n}?", f"An answer in style {number} to question {n}. " * 6)
                for n in range(QUESTIONS)
            ),
            votes=()
            if number == 1
            else tuple(
                VoteRecord("win" if wins else "loss", order, f"It names an example in round {number}.")
                for order in ("AB", "BA")
            ),
            seconds=8.0,
            calls=QUESTIONS + 3,
            prompt_tokens=3000,
            completion_tokens=900,
            opponent=0 if number == 1 else best,
            win_rate=None if number == 1 else float(wins),
            win_interval=None if number == 1 else (0.3, 1.0) if wins else (0.0, 0.7),
            by_question=()
            if number == 1
            else tuple(("win", "tie", "loss")[(n * number) % 3] for n in range(QUESTIONS)),
        )
        best = number if wins else best


@contextmanager
def _listed_first(name: str) -> Iterator[None]:
    """Make a project the newest, so that it is the one under the cursor on Home."""
    folder = Workspace(locations.workspace_dir()).project(name).folder
    now = time.time() + 5
    for path in (folder, *folder.iterdir()):
        os.utime(path, (now, now))
    yield


def _beside(now: float, before: float, unit: str) -> str:
    return f"{now / before:.2f} x the {before:.0f} {unit} before" if before else ""
