"""A sweep in words: a line for everything that happens, and its table as text and as Markdown."""

from collections.abc import Sequence
from typing import Final

from spotui.domain.figures import aligned, clock, count, gained, points, span, state_in_words, usd
from spotui.domain.macro import MacroGain
from spotui.domain.statistics import Interval
from spotui.lang import _, ngettext
from spotui.runs.sweep.progress import (
    Noted,
    Progress,
    RunAdvanced,
    RunEnded,
    RunLost,
    RunStarted,
    SweepOpened,
    TestStarted,
)
from spotui.runs.sweep.table import Duel, Standing, Table

_MOST_COLUMNS: Final = 5
"""Tasks that have a column; of more, each contender has a list."""

_MOST_DUELS: Final = 15


def progress_line(event: Progress) -> str:
    """What happened, on one line; empty where it is worth none."""
    match event:
        case SweepOpened():
            return _(
                "{name}: {runs}, {ended} ended before, {workers} at a time.",
                name=event.name,
                runs=ngettext("{n:,} run", "{n:,} runs", event.runs),
                ended=event.ended,
                workers=event.workers,
            )
        case RunStarted(where=""):
            return _("{run}: started", run=event.label)
        case RunStarted():
            return _("{run}: started on {where}", run=event.label, where=event.where)
        case RunLost():
            return _(
                "{run}: the worker {where} was lost; it resumes elsewhere.",
                run=event.label,
                where=event.where,
            )
        case RunEnded():
            return _(
                "[{ended:,}/{runs:,}] {run}: {state}, {found}, {calls:,} calls, {cost}",
                ended=event.ended,
                runs=event.runs,
                run=event.label,
                state=event.cause if event.reason in {"failed", "unmarked"} else state_in_words(event.reason),
                found=_("a better prompt") if event.improved else _("no better prompt"),
                calls=event.calls,
                cost=usd(event.cost_usd),
            )
        case TestStarted():
            return _("Testing the best prompts on unseen rows.")
        case Noted():
            return event.text
        case RunAdvanced():
            return ""
    return ""


def table_lines(table: Table) -> list[str]:
    """The table as it is printed."""
    has_columns = len(table.tasks) <= _MOST_COLUMNS
    lines = aligned(standing_rows(table, with_tasks=has_columns))
    if not has_columns:
        for one in table.standings:
            lines += ["", one.contender]
            lines += aligned(
                [[f"  {each.task}", points(each.score), _interval(each.interval)] for each in one.tasks]
            )
    lines += ["", *compared_lines(table)]
    if table.runs < table.planned:
        lines.append(
            _("{runs:,} of {planned:,} runs are in this table.", runs=table.runs, planned=table.planned)
        )
    return lines


def table_markdown(name: str, table: Table) -> str:
    """The same as a report in Markdown, with every task of every contender."""
    parts = [
        f"# {_('Sweep {name}', name=name)}",
        _markdown(standing_rows(table)),
        _explained(table),
        "\n".join(f"- {line}" for line in compared_lines(table)[1:]),
        f"## {_('Tasks')}",
        _markdown(task_rows(table)),
    ]
    return "\n\n".join(part for part in parts if part) + "\n"


def standing_rows(table: Table, *, with_tasks: bool = True) -> list[list[str]]:
    """The contenders as a table, its head first.

    Args:
        table: The table.
        with_tasks: Whether each task has a column.
    """
    tasks = table.tasks if with_tasks else ()
    figures = (_("macro"), _("gain on the seed"), _("runs"), _("calls"), _("tokens"), _("cost"), _("time"))
    rows = [
        [one.contender, *(_of_tasks(one, table) if with_tasks else ()), *_cells(one)]
        for one in table.standings
    ]
    return [[_("contender"), *tasks, *figures], *rows]


def _cells(standing: Standing) -> list[str]:
    return [
        points(standing.macro),
        _gained(standing.gain, standing.gain.over_rows),
        str(standing.runs),
        f"{standing.calls:,}",
        count(standing.tokens, estimated=standing.estimated),
        usd(standing.cost_usd, standing.unpriced, estimated=standing.estimated),
        clock(standing.seconds),
    ]


def _of_tasks(standing: Standing, table: Table) -> list[str]:
    scores = {each.task: points(each.score) for each in standing.tasks}
    return [scores.get(task, "–") for task in table.tasks]


def task_rows(table: Table) -> list[list[str]]:
    """Every contender on every task with its interval, as a table, its head first."""
    head = [_("task"), _("contender"), _("score"), _("95% CI"), _("gain on the seed"), _("rows"), _("runs")]
    rows = [
        [
            each.task,
            one.contender,
            points(each.score),
            _interval(each.interval),
            f"{100 * each.gain:+.1f}",
            str(each.rows),
            str(each.runs),
        ]
        for task in table.tasks
        for one in table.standings
        for each in one.tasks
        if each.task == task
    ]
    return [head, *rows]


def compared_lines(table: Table) -> list[str]:
    """Who is ahead of whom, a sentence before it that says how; nothing for one contender alone."""
    if not table.duels:
        return []
    lines = [_explained(table), *map(_duel, table.duels[:_MOST_DUELS])]
    more = len(table.duels) - _MOST_DUELS
    if more > 0:
        lines.append(ngettext("{n:,} more pair is in --json.", "{n:,} more pairs are in --json.", more))
    return lines


def _explained(table: Table) -> str:
    if len(table.tasks) == 1:
        return _("Difference with its 95% CI, paired row by row:")
    return _(
        "Difference of macro means, paired row by row within {n} tasks, with the 95% CI for other rows of "
        "these tasks, and for other tasks like these:",
        n=len(table.tasks),
    )


def _duel(duel: Duel) -> str:
    gain = duel.gain
    line = _(
        "{one} against {other}: {gained}",
        one=duel.one,
        other=duel.other,
        gained=_gained(gain, gain.over_rows),
    )
    if gain.over_tasks is not None:
        low, high = 100 * gain.over_tasks.low, 100 * gain.over_tasks.high
        line = _(
            "{line}; other tasks: {low:+.1f} to {high:+.1f}; {won} of {tasks} tasks won",
            line=line,
            low=low,
            high=high,
            won=gain.won,
            tasks=gain.tasks,
        )
    return line if gain.is_settled else _("{line}; that may be chance", line=line)


def _gained(gain: MacroGain, interval: Interval) -> str:
    return gained(gain.difference, (interval.low, interval.high))


def _interval(interval: Interval) -> str:
    return span(points(interval.low), points(interval.high))


def _markdown(rows: Sequence[Sequence[str]]) -> str:
    head, *others = rows
    return "\n".join(map(_row, [head, ["---"] * len(head), *others]))


def _row(cells: Sequence[str]) -> str:
    return "| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |"
