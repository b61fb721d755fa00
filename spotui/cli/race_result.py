"""The end of a race: the test of every method's best prompt, printed, written down and reported."""

import argparse
import asyncio
import sys
from typing import TYPE_CHECKING

from spotui.cli import exit_codes
from spotui.domain.answer_cost import latency, price
from spotui.domain.figures import clock, count, floor_points, gained, points, span, usd
from spotui.lang import _, as_english, ngettext

if TYPE_CHECKING:
    from contextlib import AbstractAsyncContextManager

    from spotui.cli.tracking import GroupReports
    from spotui.llm.limits import Halted
    from spotui.runs.race import Entry, Pair
    from spotui.runs.score import Ruler
    from spotui.workspace.projects import Project
    from spotui.workspace.race_file import RaceFolder, RaceRecord


def judge(
    parsed: argparse.Namespace,
    folder: "RaceFolder",
    record: "RaceRecord",
    opened: "AbstractAsyncContextManager[Ruler]",
    projects: "dict[str, Project]",
    reports: "GroupReports",
    *,
    seed: int,
) -> int:
    """Ask the test rows, write down what they say, print it, report it, and return the exit code.

    Args:
        parsed: What was typed.
        folder: Where the race is kept; its lock is held.
        record: What is written down of it.
        opened: Measures prompts.
        projects: Each method's project; its run has ended.
        reports: Tells trackers.
        seed: That of the comparison.
    """
    from spotui.llm.limits import Halted
    from spotui.runs.race import judge_race, pairs, race_rows, recorded_race
    from spotui.workspace.race_rows import write_race_rows

    async def ask() -> "list[Entry]":
        async with opened as ruler:
            places = await judge_race(ruler, projects)
            write_race_rows(folder, await race_rows(ruler, projects, places))
            return places

    try:
        places = asyncio.run(ask())
    except Halted as halt:
        return halted(halt)
    compared = pairs(places, seed=seed)
    folder.write(recorded_race(record, places, compared))
    _print(parsed, record, places, compared)
    if reports.is_wanted:
        _report(reports, folder, projects, places, compared)
    if not any(place.score.rows for place in places):
        print(_("spotui: No test row could be marked, so nothing can be compared."), file=sys.stderr)
        return exit_codes.UNMARKED
    return exit_codes.OK


def _report(
    reports: "GroupReports",
    folder: "RaceFolder",
    projects: "dict[str, Project]",
    places: "list[Entry]",
    compared: "list[Pair]",
) -> None:
    """Report what the test says to the trackers."""
    from spotui.view.report.html import as_html
    from spotui.view.report.of_race import report_of_race
    from spotui.wire.tracking.tables import race_end, test_figures

    for place in places:
        reports.add(projects[place.method].name, test_figures(place))
    reports.end(race_end(places, compared), places[0].prompt, lambda: as_html(report_of_race(folder)))


def halted(halt: "Halted") -> int:
    """Say why a race ended early, and the exit code."""
    print(_("spotui: {cause} The same command resumes.", cause=halt.cause), file=sys.stderr)
    return exit_codes.UNMARKED if halt.reason == "unmarked" else exit_codes.CALL_FAILED


def _print(
    parsed: argparse.Namespace, record: "RaceRecord", places: "list[Entry]", compared: "list[Pair]"
) -> None:
    if parsed.json:
        import msgspec

        data = {"places": places, "pairs": compared, "continued": record.continued}
        print(msgspec.json.encode(data, enc_hook=as_english).decode())
        return
    from spotui.view.race import continued_in_words

    width = max(len(one.method) for one in places)
    print(
        f"{'method':{width}}  {'score':>5}  {'interval':14}  {'gain on the seed':24}  {'floor':>6}  "
        f"{'calls':>6}  {'tokens':>7}  {'cost':>9}  {'time':>7}  {'$/answer':>10}  {'s/answer':>8}  rounds"
    )
    for one in places:
        low, high = one.score.interval.low, one.score.interval.high
        gain: str = _("no better prompt")
        if one.improved:
            gain = gained(one.gain.difference, (one.gain.interval.low, one.gain.interval.high))
        spent = one.spending
        cost = usd(spent.cost_usd, spent.unpriced, estimated=spent.estimated)
        print(
            f"{one.method:{width}}  {points(one.score.mean):>5}  {span(points(low), points(high)):14}  "
            f"{gain:24}  {floor_points(one.gain.floor):>6}  {spent.calls:>6}  "
            f"{count(spent.tokens, estimated=spent.estimated):>7}  {cost:>9}  {clock(one.seconds):>7}  "
            f"{price(one.per_answer):>10}  {latency(one.per_answer):>8}  {one.rounds}"
        )
    if record.continued is not None:
        print(f"\n{continued_in_words(record.continued)}")
    print(
        ngettext("\nRow by row on {n:,} test row:", "\nRow by row on {n:,} test rows:", len(places[0].marks))
    )
    for pair in compared:
        found = pair.comparison
        line = _(
            "{one} against {other}: {gained}, {wins} rows won, {losses} lost",
            one=pair.one,
            other=pair.other,
            gained=gained(found.difference, (found.interval.low, found.interval.high), found.floor),
            wins=found.wins,
            losses=found.losses,
        )
        print(line if found.is_settled else _("{line}; that may be chance", line=line))
