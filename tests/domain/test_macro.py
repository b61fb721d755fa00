"""Macro means over tasks: what their intervals promise, on rows and tasks whose truth is known."""

import random

import pytest

from spotui.domain.macro import macro_gain
from spotui.domain.statistics import compare


def test_one_task_is_compared_row_by_row() -> None:
    rows = [1.0, 0.0, -1.0, 1.0, 0.0, 0.0, 1.0]
    found = macro_gain([rows])
    assert found.over_tasks is None
    assert found.over_rows == compare([0.0] * len(rows), rows).interval
    assert found.difference == pytest.approx(sum(rows) / len(rows))
    assert macro_gain([]).tasks == macro_gain([[], []]).tasks == 0


def test_every_task_counts_the_same_however_many_rows_it_has() -> None:
    found = macro_gain([[1.0] * 100, [0.0] * 4, [-1.0]])
    assert found.difference == pytest.approx(0.0)
    assert (found.tasks, found.won, found.lost) == (3, 1, 1)
    assert not found.is_settled


@pytest.mark.parametrize("tasks", [2, 3, 8])
def test_the_intervals_cover_what_they_are_about(tasks: int) -> None:
    rng = random.Random(tasks)
    over_rows = over_tasks = 0
    for _trial in range(300):
        truths = [0.1 + rng.gauss(0, 0.15) for _task in range(tasks)]
        drawn = [
            [float(rng.random() < max(0.0, min(1.0, 0.5 + one))) - 0.5 for _ in range(40)] for one in truths
        ]
        found = macro_gain(drawn)
        assert found.over_tasks is not None
        over_rows += sum(truths) / tasks in found.over_rows
        over_tasks += 0.1 in found.over_tasks
    assert over_rows >= 0.92 * 300
    assert over_tasks >= 0.92 * 300


def test_tasks_that_agree_by_chance_prove_nothing() -> None:
    found = macro_gain([[1.0, 0.0, 0.0, 0.0]] * 3)
    assert found.over_tasks is not None
    assert 0 in found.over_tasks
    assert found.over_tasks.high - found.over_tasks.low > found.over_rows.high - found.over_rows.low
