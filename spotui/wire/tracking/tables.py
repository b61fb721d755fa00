"""What a race, a sweep, a migration and a score found, as trackers take it: figures, a table, and who won."""

from collections.abc import Mapping, Sequence
from typing import Final

from spotui.domain.answer_cost import AnswerCost
from spotui.domain.statistics import Comparison, compare, score
from spotui.domain.verdicts import StopReason
from spotui.engine.task import Scored
from spotui.lang import _
from spotui.runs.race import Entry, Pair
from spotui.runs.sweep.table import Measured, Table
from spotui.wire.tracking import TrackedEnd, TrackedTable
from spotui.workspace.migration_file import MigrationRecord, Tried

Cell = str | float | None

_UNDECIDED: Final = "undecided"
_RACE_COLUMNS: Final = (
    *("method", "test_score", "test_score_low", "test_score_high", "test_gain", "test_gain_low"),
    *("test_gain_high", "improved", "rounds", "calls", "tokens", "usd", "seconds", "usd_per_answer"),
    "seconds_per_answer",
)
_SWEEP_COLUMNS: Final = (
    *("contender", "method", "model", "condition", "macro", "gain", "gain_low", "gain_high", "runs"),
    *("improved", "calls", "tokens", "usd", "seconds"),
)
_MIGRATION_COLUMNS: Final = (
    *("tried", "model", "prompt", "finding", "score", "score_low", "score_high", "difference"),
    *("difference_low", "difference_high", "rows", "won", "lost", "usd_per_answer", "seconds_per_answer"),
)
_SCORE_COLUMNS: Final = (
    *("tried", "score", "score_low", "score_high", "rows", "left_out", "usd_per_answer"),
    "seconds_per_answer",
)
_GIVEN: Final = ("method", "contender", "model", "condition", "tried", "prompt", "finding")
"""Columns that are no figures."""


def race_end(places: Sequence[Entry], pairs: Sequence[Pair]) -> TrackedEnd:
    """The end of a race.

    Args:
        places: The best score first; at least one.
        pairs: Every method against every one behind it.
    """
    rows = [_race_row(one) for one in places]
    first = places[0].method
    settled = all(pair.comparison.is_settled for pair in pairs if pair.one == first)
    is_marked = any(one.score.rows for one in places)
    facts = {"first": first, "winner": first if settled else _UNDECIDED} if is_marked else {}
    cause = _("The best prompts are tested.") if is_marked else _("No test row could be marked.")
    return _end("finished" if is_marked else "unmarked", cause, _RACE_COLUMNS, rows, facts)


def test_figures(entry: Entry) -> dict[str, float]:
    """What the test of a race says of a method's best prompt, for its run."""
    return _figures(
        {
            "test_score": entry.score.mean,
            "test_score_low": entry.score.interval.low,
            "test_score_high": entry.score.interval.high,
            "test_gain": entry.gain.difference,
            "test_gain_low": entry.gain.interval.low,
            "test_gain_high": entry.gain.interval.high,
            **_per_answer(entry.per_answer),
        }
    )


def sweep_end(reason: StopReason, cause: str, table: Table | None) -> TrackedEnd:
    """The end of a session of a sweep.

    Args:
        reason: Why it ended.
        cause: The same in a sentence.
        table: What was found; None where nothing was tested.
    """
    if table is None or not table.standings:
        return TrackedEnd(reason, cause, reason == "failed", 0, {}, ())
    rows: list[tuple[Cell, ...]] = []
    for one in table.standings:
        scores = {task.task: task.score for task in one.tasks}
        row: tuple[Cell, ...] = (
            *(one.contender, one.method, one.model, one.condition, one.macro, one.gain.difference),
            *(one.gain.over_rows.low, one.gain.over_rows.high, one.runs, one.improved, one.calls, one.tokens),
            *(None if one.unpriced else one.cost_usd, one.seconds),
            *(scores.get(task) for task in table.tasks),
        )
        rows.append(row)
    first = table.standings[0].contender
    settled = all(duel.gain.is_settled for duel in table.duels if duel.one == first)
    facts = {"first": first, "winner": first if settled else _UNDECIDED}
    columns = (*_SWEEP_COLUMNS, *(f"score on {task}" for task in table.tasks))
    return _end(reason, cause, columns, rows, facts)


def measured_figures(one: Measured) -> dict[str, float]:
    """What the test of a sweep says of the best prompt of a run."""
    found, gain = score(one.marks), compare(one.seed_marks, one.marks, seed=one.cell.seed)
    return _figures(
        {
            "test_score": found.mean,
            "test_score_low": found.interval.low,
            "test_score_high": found.interval.high,
            "test_score_of_seed": score(one.seed_marks).mean,
            "test_gain": gain.difference,
            "test_gain_low": gain.interval.low,
            "test_gain_high": gain.interval.high,
        }
    )


def migration_end(record: MigrationRecord, advice: str) -> tuple[TrackedEnd, str]:
    """The end of a migration.

    Args:
        record: What is written down of it.
        advice: What to do, in words.

    Returns:
        The end, and the prompt that is recommended.
    """
    rows: list[tuple[Cell, ...]] = []
    if (old := record.incumbent) is not None:
        known = {"tried": "in use", "model": old.model, "prompt": "in use", "score": old.score}
        low, high = old.interval if old.interval is not None else (None, None)
        known |= {"score_low": low, "score_high": high, **_per_answer(old.cost)}
        rows.append(tuple(known.get(column) for column in _MIGRATION_COLUMNS))
    for one in record.tried:
        texts: dict[str, Cell] = {"model": one.model, "prompt": one.kind, "finding": one.finding}
        all_known = {"tried": f"{one.model}, {one.kind}", **texts, **tried_figures(one)}
        rows.append(tuple(all_known.get(column) for column in _MIGRATION_COLUMNS))
    facts, prompt = {"advice": advice}, record.prompt
    if (found := record.advice) is not None:
        facts |= {"action": found.action, "winner": record.old if found.action == "stay" else found.model}
        if found.action == "new" and (best := record.tried_with(found.model, "new")) is not None:
            prompt = best.prompt
    return _end("finished", advice, _MIGRATION_COLUMNS, rows, facts), prompt


def score_end(
    names: Sequence[str], scores: Sequence[Scored], compared: Comparison | None, passed: bool | None
) -> TrackedEnd:
    """The end of a measurement.

    Args:
        names: Of the prompts; the one that matters is the last.
        scores: One a prompt.
        compared: The last one against the first, where there are two.
        passed: Whether it passes the gates that were asked for; None without any.
    """
    every: list[dict[str, Cell]] = [
        {
            "score": one.score.mean if one.score.rows else None,
            "score_low": one.score.interval.low if one.score.rows else None,
            "score_high": one.score.interval.high if one.score.rows else None,
            "rows": one.score.rows,
            "left_out": one.score.left_out,
            **_per_answer(one.cost),
        }
        for one in scores
    ]
    rows = [
        (name, *(one.get(column) for column in _SCORE_COLUMNS[1:]))
        for name, one in zip(names, every, strict=True)
    ]
    figures = {name: float(value) for name, value in every[-1].items() if isinstance(value, int | float)}
    if compared is not None:
        low, high = compared.interval.low, compared.interval.high
        figures |= {"difference": compared.difference, "difference_low": low, "difference_high": high}
    is_marked = all(one.score.rows for one in scores)
    cause = _("The prompt is measured.") if is_marked else _("No row could be marked.")
    facts = {"measured": names[-1], **({"against": names[0]} if compared is not None else {})}
    if passed is not None:
        facts["gates"] = "passed" if passed else "failed"
    table = TrackedTable(_SCORE_COLUMNS, tuple(rows))
    return TrackedEnd(
        "finished" if is_marked else "unmarked", cause, not is_marked, 0, figures, (), facts, table
    )


def tried_figures(one: Tried) -> dict[str, float]:
    """What the comparison with the old model says of a prompt on a new one."""
    return _figures(
        {
            "score": one.score,
            "score_low": one.interval[0],
            "score_high": one.interval[1],
            "difference": one.difference,
            "difference_low": one.difference_interval[0],
            "difference_high": one.difference_interval[1],
            "rows": one.rows,
            "won": one.won,
            "lost": one.lost,
            **_per_answer(one.cost),
        }
    )


def _end(
    reason: StopReason,
    cause: str,
    columns: tuple[str, ...],
    rows: Sequence[tuple[Cell, ...]],
    facts: Mapping[str, str],
) -> TrackedEnd:
    """An end whose figures are those of the table, by column and row."""
    figures = {
        f"{column}/{row[0]}": float(cell)
        for row in rows
        for column, cell in zip(columns, row, strict=True)
        if column not in _GIVEN and cell is not None
    }
    table = TrackedTable(columns, tuple(rows))
    return TrackedEnd(reason, cause, reason in {"failed", "unmarked"}, 0, figures, (), facts, table)


def _race_row(one: Entry) -> tuple[Cell, ...]:
    spent, figures = one.spending, test_figures(one)
    cost = None if spent.unpriced else spent.cost_usd
    known: dict[str, Cell] = {
        **figures,
        "method": one.method,
        "improved": float(one.improved),
        "rounds": one.rounds,
        "calls": spent.calls,
        "tokens": spent.tokens,
        "usd": cost,
        "seconds": one.seconds,
    }
    return tuple(known.get(column) for column in _RACE_COLUMNS)


def _per_answer(cost: AnswerCost | None) -> dict[str, float | None]:
    if cost is None:
        return {}
    return {"usd_per_answer": cost.usd, "seconds_per_answer": cost.seconds}


def _figures(values: Mapping[str, float | None]) -> dict[str, float]:
    return {name: float(value) for name, value in values.items() if value is not None}
