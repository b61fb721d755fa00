"""Races on rows: who is dropped, and when."""

import random
from collections import Counter
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from spotui.domain.events import CallFinished, CandidateProposed, CandidateScored, ScoringStarted
from spotui.engine.racing import (
    FEWEST_ROWS,
    LEVEL,
    MOST_BLOCKS,
    Standing,
    checkpoints,
    left_in_race,
    most_saved,
)
from spotui.runs.estimate import estimate
from spotui.runs.snapshots import reopen
from spotui.settings.table import BudgetSettings
from spotui.settings.values import Racing
from spotui.view.telling import tell
from spotui.workspace.history import read_history
from spotui.workspace.projects import Project
from spotui.workspace.snapshot import read_snapshot, write_snapshot
from tests.methods.scored import scored_project
from tests.model_server import JsonObject, ModelServer, Persona, conversation
from tests.row_model import answer, kind_of
from tests.runs.starting import Stage, Told
from tests.runs.test_estimate import a_connector

MARKS = st.sampled_from([0.0, 0.5, 1.0, None])
RULES = st.sampled_from(["paired", "halving"])


@st.composite
def standings(draw: st.DrawFn) -> list[Standing]:
    """Candidates on the same rows."""
    rows = draw(st.integers(1, 30))
    marks = draw(st.lists(st.tuples(*[MARKS] * rows), min_size=1, max_size=8))
    return [Standing(place, draw(st.integers(0, 3)), one) for place, one in enumerate(marks)]


@given(standings(), RULES, st.integers(1, 9), st.integers(0, 40), st.randoms())
def test_no_order_of_arrival_decides_and_the_first_are_never_dropped(
    field: list[Standing], rule: Racing, keep: int, more: int, rng: random.Random
) -> None:
    rows = len(field[0].marks) + more
    left = left_in_race(rule, field, keep, rows)
    shuffled = list(field)
    rng.shuffle(shuffled)
    assert left_in_race(rule, shuffled, keep, rows) == left == sorted(left)
    best = sorted(field, key=lambda one: one.rank)
    assert {one.position for one in best[:keep]} <= {*left}
    # Rows in another order say the same: what counts is the pairs.
    order = list(range(len(field[0].marks)))
    rng.shuffle(order)
    turned = [Standing(one.position, one.length, tuple(one.marks[at] for at in order)) for one in field]
    assert left_in_race(rule, turned, keep, rows) == left


@given(
    st.sampled_from(["paired", "halving", "none"]), st.integers(1, 40), st.integers(1, 9), st.integers(1, 500)
)
def test_blocks_are_large_enough_and_end_with_the_last_row(
    rule: Racing, candidates: int, keep: int, rows: int
) -> None:
    ends = list(checkpoints(rule, candidates, keep, rows))
    assert ends == sorted({*ends})
    assert ends[-1] == rows
    assert len(ends) <= MOST_BLOCKS
    assert all(end >= FEWEST_ROWS for end in ends[:-1])
    if rule == "none" or candidates <= keep:
        assert ends == [rows]


@given(RULES, st.integers(1, 12), st.integers(1, 4), st.integers(1, 100), st.randoms())
def test_no_race_saves_more_than_was_said(
    rule: Racing, candidates: int, keep: int, rows: int, rng: random.Random
) -> None:
    marks = [tuple(float(rng.random() < place / 12) for _ in range(rows)) for place in range(candidates)]
    left, saved = list(range(candidates)), 0
    for end in checkpoints(rule, candidates, keep, rows):
        field = [Standing(place, 1, marks[place][:end]) for place in left]
        stay = left_in_race(rule, field, keep, rows) if end < rows else left
        saved += (len(left) - len(stay)) * (rows - end)
        left = stay
    most = most_saved(rule, candidates, keep, rows)
    assert 0 <= saved <= most <= (candidates - min(keep, candidates)) * rows


@pytest.mark.parametrize("halves", [True, False])
def test_equal_candidates_are_seldom_dropped_by_a_block_and_worse_ones_often(halves: bool) -> None:
    """The level that is stated is kept on the smallest block, and later ones find what is clearly worse."""
    rng = random.Random(7)
    marks = (0.0, 0.5, 1.0) if halves else (0.0, 1.0)

    def is_behind(worse: float, asked: int) -> bool:
        mine = tuple(0.0 if rng.random() < worse else rng.choice(marks) for _ in range(asked))
        other = tuple(rng.choice(marks) for _ in range(asked))
        return Standing(1, 1, mine).is_behind(Standing(0, 1, other), 10_000)

    trials = 2000
    assert sum(is_behind(0.0, FEWEST_ROWS) for _ in range(trials)) / trials <= LEVEL
    assert sum(is_behind(0.0, 24) for _ in range(trials)) / trials <= LEVEL * 1.2
    assert sum(is_behind(0.6, 24) for _ in range(trials)) / trials >= 0.7


def test_one_that_cannot_catch_up_is_dropped_with_the_last_rows_open() -> None:
    behind, leader = (0.0,) * 3 + (1.0,) * 37, (1.0,) * 40
    assert left_in_race("paired", [Standing(0, 1, leader), Standing(1, 1, behind)], 1, 41) == [0]
    assert left_in_race("paired", [Standing(0, 1, leader), Standing(1, 1, leader)], 1, 41) == [0, 1]


def test_one_without_any_mark_is_dropped() -> None:
    field = [Standing(0, 1, (0.0,) * 8), Standing(1, 1, (None,) * 8)]
    assert left_in_race("paired", field, 1, 48) == [0]


class Uneven:
    """An optimizer whose proposals are good and bad by turns, each in words of its own."""

    def __init__(self) -> None:
        self.calls = 0

    def __call__(self, _: JsonObject) -> str:
        self.calls += 1
        style = (0, 6, 1, 0)[self.calls % 4]
        return (
            f"<analyse>Guess.</analyse><modification>Style {style}.</modification>"
            f"<prompt>Add in style {style}, way {self.calls}.</prompt>"
        )


ROWS = 24
GPO = {"max_steps": 2, "task_examples": 0}


def race_of_gpo(stage: Stage, **changes: Any) -> Project:
    options: dict[str, Any] = {"parameters": GPO, "final_check": False, "few_tested": True, **changes}
    return scored_project(stage, "gpo", count=ROWS * 5, **options)


def marks(end: Told, number: int) -> dict[str, tuple[float | None, ...]]:
    return {one.prompt: one.marks for one in scored(end, number)}


def scored(end: Told, number: int) -> list[CandidateScored]:
    return [one for one in end.of(CandidateScored) if one.round == number and one.split == "eval"]


def test_the_dropped_have_partial_scores_and_the_chosen_a_whole_one(tmp_path: Path) -> None:
    with ModelServer(Persona(kind_of, propose=Uneven(), execute=answer)) as server:
        stage = Stage(tmp_path, server)
        end = stage.go(project := race_of_gpo(stage))
        before = len(server.requests)
        again = stage.go(project)
        assert len(server.requests) == before
        unraced = stage.go(race_of_gpo(stage, name="unraced", racing="none"))
        old = race_of_gpo(stage, name="old")
        write_snapshot(old.snapshot, msgspec.structs.replace(read_snapshot(old.snapshot), edition=5))
        earlier = stage.go(old)
    for number in (2, 3):
        found = scored(end, number)
        dropped = [one for one in found if one.unasked]
        assert dropped
        assert all(len(one.marks) + one.unasked == ROWS for one in found)
        assert all(len(one.marks) == len(one.positions) for one in dropped)
        assert not any("style 6" in one.prompt for one in dropped)
        assert any("style 6" in one.prompt and not one.unasked for one in found)
        assert marks(again, number) == marks(end, number)
    for run in (unraced, earlier):
        assert not any(one.unasked for one in run.of(CandidateScored))
        assert len(run.of(ScoringStarted)) < len(end.of(ScoringStarted))
    best = read_history(project).rounds[-1]
    assert len(best.marks) == ROWS
    entry = tell(next(one for one in scored(end, 2) if one.unasked))
    assert entry is not None
    assert "of 24 eval rows, dropped" in entry.facts


def test_a_budget_that_pays_for_more_candidates_brings_them(tmp_path: Path) -> None:
    with ModelServer(Persona(kind_of, propose=Uneven(), execute=answer)) as server:
        stage = Stage(tmp_path, server)
        cheaper = stage.go(race_of_gpo(stage, name="cheaper"))
        end = stage.go(project := race_of_gpo(stage, budget=BudgetSettings(calls=1500)))
        bought = len(server.requests)
        again = stage.go(project, changes={"calls": 9000})  # what comes later decides nothing
        assert len(server.requests) == bought
        small = stage.go(race_of_gpo(stage, name="small", budget=BudgetSettings(calls=400)))
    assert cheaper.stopped.reason == end.stopped.reason == small.stopped.reason == "finished"
    for number in (2, 3):
        proposed = [one for one in end.of(CandidateProposed) if one.round == number]
        assert len(proposed) > 8 >= sum(one.round == number for one in cheaper.of(CandidateProposed))
        assert len({one.index for one in proposed}) == len({one.prompt for one in proposed}) == len(proposed)
        assert step_calls(end, number) <= 8 * (1 + ROWS)
        assert marks(again, number) == marks(end, number)
    # A share of a budget that is too small for that is spent on the steps alone.
    assert len(small.of(CandidateProposed)) < len(end.of(CandidateProposed))


def step_calls(end: Told, number: int) -> int:
    purposes = {"propose", "score_eval"}
    found = {one.key for one in end.of(CallFinished) if one.key.purpose in purposes}
    return sum(one.round == number for one in found)


def test_an_estimate_is_a_range_where_racing_may_save_calls(tmp_path: Path) -> None:
    with ModelServer(Persona(kind_of, propose=Uneven(), execute=answer)) as server:
        stage = Stage(tmp_path, server)
        raced, unraced = (reopen(race_of_gpo(stage, name=rule, racing=rule)) for rule in ("paired", "none"))
        expected, most = (estimate(one, a_connector(one.settings)) for one in (raced, unraced))
        end = stage.go(race_of_gpo(stage))
    assert expected is not None
    assert most is not None
    assert expected.calls == most.calls
    fewest = expected.calls - 2 * 7 * (ROWS - FEWEST_ROWS)
    assert expected.line.startswith(f"about {fewest} to {expected.calls} calls")
    assert most.line.startswith(f"about {most.calls} calls")
    made = sum(not one.recorded for one in end.of(CallFinished))
    assert fewest <= made < expected.calls


@pytest.mark.parametrize("calls", [37, 60, 95])
def test_a_race_that_was_cut_short_buys_nothing_twice_and_ends_as_it_would_have(
    tmp_path: Path, calls: int
) -> None:
    with ModelServer(Persona(kind_of, propose=Uneven(), execute=answer)) as server:
        stage = Stage(tmp_path, server)
        project = race_of_gpo(stage, budget=BudgetSettings(calls=calls))
        first = stage.go(project)
        assert first.stopped.reason == "budget"
        end = stage.go(project, changes={"calls": None})
        assert end.stopped.reason == "finished"
        bought = len(server.requests)
        again = stage.go(project)
        assert len(server.requests) == bought
    asked = Counter(conversation(one.json) for one in server.requests if kind_of(one.json) == "execute")
    assert {*asked.values()} == {1}
    for number in (2, 3):
        assert marks(again, number) == marks(end, number)
