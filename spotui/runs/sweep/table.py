"""What a sweep found: scores of all contenders on all tasks, macro means, and who is ahead of whom."""

import math
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from statistics import fmean
from typing import Final, NamedTuple

import msgspec

from spotui.domain.macro import MacroGain, macro_gain
from spotui.domain.statistics import Interval, score
from spotui.runs.sweep.plan import Cell, Contender
from spotui.workspace.sweep_file import EndedRun

MOST_PAIRS: Final = 200
"""Contenders are compared with each other as long as that makes no more pairs; then each with the first."""


class Measured(NamedTuple):
    """A run whose best prompt was tested.

    Attributes:
        cell: Which.
        run: How it ended.
        rows: A mark for each test row, the same for the same row.
        marks: Of its best prompt, one a row.
        seed_marks: Of the seed prompt, asked as its method asks.
    """

    cell: Cell
    run: EndedRun
    rows: tuple[str, ...]
    marks: tuple[float | None, ...]
    seed_marks: tuple[float | None, ...]


class TaskScore(msgspec.Struct, frozen=True):
    """A contender on one task.

    Attributes:
        task: The label of the template.
        score: The mean over rows, each the mean over seeds, 0..1.
        interval: Its 95% interval.
        gain: On the seed prompt, -1..1.
        rows: How many test rows have a mark.
        runs: How many runs it is the mean of.
    """

    task: str
    score: float
    interval: Interval
    gain: float
    rows: int
    runs: int


class Standing(msgspec.Struct, frozen=True, kw_only=True):
    """A contender.

    Attributes:
        contender: Its label.
        method: Its method's label.
        model: Its models' label.
        condition: Its condition's label.
        tasks: One for each task on which it was measured.
        macro: The mean of its scores on these tasks.
        gain: On the seed prompt, on the same tasks.
        runs: Runs that were tested.
        improved: Those that found another prompt than the seed.
        calls: Of its runs, without the test.
        tokens: See `calls`.
        cost_usd: See `calls`.
        unpriced: Calls whose price is unknown.
        estimated: Whether any part of tokens and cost is an estimate.
        seconds: How long its runs worked, added up.
    """

    contender: str
    method: str
    model: str
    condition: str
    tasks: tuple[TaskScore, ...]
    macro: float
    gain: MacroGain
    runs: int
    improved: int
    calls: int
    tokens: int
    cost_usd: float
    unpriced: int
    estimated: bool
    seconds: float


class Duel(msgspec.Struct, frozen=True):
    """Two contenders on the tasks on which both were measured, from the side of the first."""

    one: str
    other: str
    gain: MacroGain


class Table(msgspec.Struct, frozen=True, kw_only=True):
    """What a sweep found.

    Attributes:
        tasks: The labels of the templates.
        standings: Those measured on most tasks first, the highest macro mean first among them, and the plan's
            order among equals.
        duels: Every contender against those behind it.
        runs: Runs that were tested.
        planned: Runs of the plan.
    """

    tasks: tuple[str, ...]
    standings: tuple[Standing, ...]
    duels: tuple[Duel, ...]
    runs: int
    planned: int


Marks = Mapping[tuple[int, str], float]
"""A mark for each seed and row."""


def make_table(measured: Iterable[Measured], tasks: Sequence[str], planned: int) -> Table:
    """Compare what was measured.

    Rows are paired: two contenders are compared on the rows and seeds that both have a mark for, and the
    difference on a row is the mean over these seeds.

    Args:
        measured: Every run that was tested, in the plan's order, which stays that of equals.
        tasks: The labels of the templates, in the plan's order.
        planned: How many runs the plan has.
    """
    runs: dict[Contender, list[Measured]] = defaultdict(list)
    for one in measured:
        runs[one.cell.contender].append(one)
    marks = {contender: _by_task(some) for contender, some in runs.items()}
    standings = [_standing(contender, some, marks[contender], tasks) for contender, some in runs.items()]
    standings.sort(key=lambda one: (-len(one.tasks), -one.macro))
    contenders = {one.contender: Contender(one.method, one.model, one.condition) for one in standings}
    names = [one.contender for one in standings]
    leaders = names if len(names) * (len(names) - 1) // 2 <= MOST_PAIRS else names[:1]
    duels = [
        Duel(one, other, _gain(marks[contenders[one]], marks[contenders[other]], tasks))
        for one in leaders
        for other in names[names.index(one) + 1 :]
    ]
    return Table(
        tasks=tuple(tasks),
        standings=tuple(standings),
        duels=tuple(duels),
        runs=sum(map(len, runs.values())),
        planned=planned,
    )


def _by_task(runs: Sequence[Measured], *, of_seed: bool = False) -> dict[str, Marks]:
    found: dict[str, dict[tuple[int, str], float]] = defaultdict(dict)
    for one in runs:
        for row, mark in zip(one.rows, one.seed_marks if of_seed else one.marks, strict=True):
            if mark is not None:
                found[one.cell.template][one.cell.seed, row] = mark
    return dict(found)


def _standing(
    contender: Contender, runs: Sequence[Measured], marks: Mapping[str, Marks], tasks: Sequence[str]
) -> Standing:
    seeds = _by_task(runs, of_seed=True)
    scores = []
    for task in tasks:
        if task in marks:
            rows = _rows(marks[task])
            found = score([fmean(some) for some in rows.values()])
            gain = _differences(marks[task], seeds.get(task, {}))
            count = sum(one.cell.template == task for one in runs)
            mean = math.fsum(gain) / len(gain) if gain else 0.0
            scores.append(TaskScore(task, found.mean, found.interval, mean, found.rows, count))
    ended = [one.run for one in runs]
    return Standing(
        contender=contender.label,
        method=contender.method,
        model=contender.model,
        condition=contender.condition,
        tasks=tuple(scores),
        macro=fmean(one.score for one in scores) if scores else 0.0,
        gain=_gain(marks, seeds, tasks),
        runs=len(runs),
        improved=sum(one.improved for one in ended),
        calls=sum(one.calls for one in ended),
        tokens=sum(one.prompt_tokens + one.completion_tokens for one in ended),
        cost_usd=math.fsum(one.cost_usd for one in ended),
        unpriced=sum(one.unpriced for one in ended),
        estimated=any(one.estimated for one in ended),
        seconds=math.fsum(one.seconds for one in ended),
    )


def _rows(marks: Marks) -> dict[str, list[float]]:
    found: dict[str, list[float]] = defaultdict(list)
    for (_seed, row), mark in marks.items():
        found[row].append(mark)
    return found


def _gain(first: Mapping[str, Marks], second: Mapping[str, Marks], tasks: Sequence[str]) -> MacroGain:
    return macro_gain([_differences(first.get(task, {}), second.get(task, {})) for task in tasks])


def _differences(first: Marks, second: Marks) -> list[float]:
    """The difference on every row that both have a mark for with the same seed."""
    found = _rows({key: mark - second[key] for key, mark in first.items() if key in second})
    return [fmean(some) for some in found.values()]
