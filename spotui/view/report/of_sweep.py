"""The report of a sweep: contenders, every task with its interval, who is ahead of whom, and every run."""

import shlex
from collections import defaultdict
from collections.abc import Iterator, Sequence
from typing import Final

import msgspec

from spotui.domain.figures import clock, count, duration, gained, points, state_in_words, usd
from spotui.domain.statistics import Interval
from spotui.lang import _, ngettext
from spotui.runs.sweep.table import Standing, Table
from spotui.view.report import document
from spotui.view.report.document import Block, Chart, Paragraph, Part, Point, Report, Section, Tone
from spotui.view.sweep import compared_lines, standing_rows, task_rows
from spotui.workspace.record_folder import words_to_pass_on
from spotui.workspace.sweep_file import EndedRun, SweepError, SweepFolder, SweepRecord

_MOST_RUNS: Final = 500
"""Runs that are listed; a report of more would only be long."""

_OF_RUNS: Final = frozenset({3, 4, 5, 6, 7})
_OF_TASKS: Final = frozenset({2, 3, 4, 5, 6})


def report_of_sweep(folder: SweepFolder) -> Report:
    """The report of a sweep.

    Args:
        folder: Where it is kept.

    Raises:
        SweepError: It is damaged.
    """
    record, ended = folder.read(), list(folder.ended().values())
    table = _table(folder, record)
    parts: list[Part] = [Paragraph(_headline(record, table, ended), is_headline=True)]
    if table is not None:
        parts += _compared(table)
    parts += [*_cost(record, ended), *_runs(ended), *_reproduce(folder.name, record, ended)]
    return Report(folder.name, _("Sweep of {plan}, by spotui.", plan=record.plan), parts)


def _table(folder: SweepFolder, record: SweepRecord) -> Table | None:
    if record.table is None:
        return None
    try:
        return msgspec.convert(record.table, Table)
    except msgspec.ValidationError as error:
        raise SweepError(
            _("The table of {name} is damaged: {error}.", name=folder.name, error=error),
            _("Repeat the command of the sweep: it buys nothing twice."),
        ) from None


def _headline(record: SweepRecord, table: Table | None, ended: Sequence[EndedRun]) -> str:
    if table is None or not table.standings:
        return ngettext(
            "The sweep has no table yet: {ended:,} of {n:,} run has ended.",
            "The sweep has no table yet: {ended:,} of {n:,} runs have ended.",
            record.runs,
            ended=len(ended),
        )
    first = table.standings[0]
    lead = next((one for one in table.duels if one.one == first.contender), None)
    if lead is None:
        return _(
            "{first}: macro mean {macro}, {gain} on the seed.",
            first=first.contender,
            macro=points(first.macro),
            gain=_gained(first.gain.difference, first.gain.over_rows),
        )
    figures = {
        "first": first.contender,
        "macro": points(first.macro),
        "second": lead.other,
        "gain": _gained(lead.gain.difference, lead.gain.over_rows),
    }
    if lead.gain.is_settled:
        return _("{first} leads with {macro}: {gain} against {second}.", **figures)
    return _("No winner beyond chance: {first} has {macro}, {gain} against {second}.", **figures)


def _gained(difference: float, interval: Interval) -> str:
    return gained(difference, (interval.low, interval.high))


def _compared(table: Table) -> Iterator[Part]:
    title = _("Score of each contender, the mean over its tasks; with one task also its 95% interval.")
    shown = [_point(one, is_first=not at) for at, one in enumerate(table.standings)]
    yield Chart(title, shown, is_trend=False)
    head, *rows = standing_rows(table)
    tones: list[Tone] = ["best", *[""] * (len(rows) - 1)]  # type: ignore[list-item]
    yield document.Table(head, rows, frozenset(range(1, len(head))), tones)
    if table.runs < table.planned:
        yield Paragraph(
            _("{runs:,} of {planned:,} runs are in this table.", runs=table.runs, planned=table.planned)
        )
    if lines := compared_lines(table):
        yield Section(_("Contenders against each other"))
        yield Paragraph("\n".join(lines))
    yield Section(_("Tasks"))
    head, *rows = task_rows(table)
    yield document.Table(head, rows, _OF_TASKS)


def _point(standing: Standing, *, is_first: bool) -> Point:
    interval = standing.tasks[0].interval if len(standing.tasks) == 1 else None
    low, high = (None, None) if interval is None else (interval.low, interval.high)
    return Point(standing.contender, standing.macro, low, high, "best" if is_first else "")


def _cost(record: SweepRecord, ended: Sequence[EndedRun]) -> Iterator[Part]:
    """What the runs took, by how they ended."""
    by_reason: dict[str, list[EndedRun]] = defaultdict(list)
    for one in ended:
        by_reason[one.reason].append(one)
    yield Section(_("Cost"))
    yield Paragraph(
        _(
            "Of the runs, without the test of their best prompts. The sweep was worked on for {time}.",
            time=duration(record.seconds),
        )
    )
    rows = [_spent(state_in_words(reason), some) for reason, some in sorted(by_reason.items())]
    head = (_("Ended"), _("Runs"), _("Calls"), _("Tokens"), _("Cost"), _("Time of all"))
    tones: list[Tone] = [*([""] * len(rows)), "best"]  # type: ignore[list-item]
    yield document.Table(head, [*rows, _spent(_("all"), ended)], frozenset({1, 2, 3, 4, 5}), tones)


def _spent(name: str, runs: Sequence[EndedRun]) -> list[str]:
    estimated = any(one.estimated for one in runs)
    cost, unpriced = sum(one.cost_usd for one in runs), sum(one.unpriced for one in runs)
    tokens = sum(one.prompt_tokens + one.completion_tokens for one in runs)
    return [
        name,
        f"{len(runs):,}",
        f"{sum(one.calls for one in runs):,}",
        count(tokens, estimated=estimated),
        usd(cost, unpriced, estimated=estimated),
        clock(sum(one.seconds for one in runs)),
    ]


def _runs(ended: Sequence[EndedRun]) -> Iterator[Part]:
    yield Section(_("Runs"))
    shown = sorted(ended, key=lambda one: one.name)[:_MOST_RUNS]
    if len(shown) < len(ended):
        yield Paragraph(_("The first {n:,} of {all:,}.", n=len(shown), all=len(ended)))
    figures = (_("Rounds"), _("Calls"), _("Tokens"), _("Cost"), _("Time"))
    head = (_("Run"), _("Ended"), _("Better prompt"), *figures)
    yield document.Table(head, [_run(one) for one in shown], _OF_RUNS)


def _run(ended: EndedRun) -> list[str]:
    return [
        ended.name,
        ended.cause if ended.reason == "failed" else state_in_words(ended.reason),
        _("yes") if ended.improved else _("no"),
        str(ended.rounds),
        f"{ended.calls:,}",
        count(ended.prompt_tokens + ended.completion_tokens, estimated=ended.estimated),
        usd(ended.cost_usd, ended.unpriced, estimated=ended.estimated),
        clock(ended.seconds),
    ]


def _reproduce(name: str, record: SweepRecord, ended: Sequence[EndedRun]) -> Iterator[Part]:
    yield Section(_("How to reproduce"))
    yield Paragraph(
        _("This command resumes the sweep and buys nothing twice; with another --name it starts a new one.")
    )
    words = words_to_pass_on(record.words, record.plan)
    yield Block(" ".join(["spotui", *map(shlex.quote, words)]))
    if ended:
        run = shlex.quote(f"{name}/{min(one.name for one in ended)}")
        yield Paragraph(
            _("Each run has a report with its rounds and settings, e.g. 'spotui report {run}'.", run=run)
        )
