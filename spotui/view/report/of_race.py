"""The report of a race: who won on unseen rows, each method's best prompt, and how to do it again."""

import shlex
from collections.abc import Iterator
from typing import Final

from spotui.domain.answer_cost import latency, price
from spotui.domain.errors import SpotuiError
from spotui.domain.figures import clock, count, gained, points, state_in_words, usd, with_interval
from spotui.lang import _
from spotui.view.race import Lane, Race, RaceReader, against_each_other, continued_in_words, winner
from spotui.view.report.document import (
    Block,
    Chart,
    Figures,
    Paragraph,
    Part,
    Point,
    Report,
    Section,
    Table,
    Tone,
)
from spotui.view.report.of_run import prompt_change
from spotui.view.report.receipt import Receipt, figures_of, receipt_of_best
from spotui.workspace.history import read_history
from spotui.workspace.race_file import RaceFolder
from spotui.workspace.record_folder import words_to_pass_on

_NUMBERS: Final = frozenset({2, 3, 4, 5, 6, 7, 8, 9})


def report_of_race(folder: RaceFolder) -> Report:
    """The report of a race.

    Args:
        folder: Where it is kept.

    Raises:
        SpotuiError: The race is damaged.
    """
    race = RaceReader(folder).read()
    parts: list[Part] = [Paragraph(_headline(race), is_headline=True)]
    if race.continued is not None:
        parts.append(Paragraph(continued_in_words(race.continued)))
    parts += _chart(race)
    parts.append(_lanes(race))
    if compared := against_each_other(race):
        parts += [Section(_("Row by row")), Paragraph("\n".join(compared))]
    receipt = None
    if race.lanes and race.lanes[0].tested is not None:
        receipt = receipt_of_best(folder.project(race.lanes[0].method))
    for number, lane in enumerate(race.lanes):
        parts += _prompts(folder, lane, receipt if not number else None)
    parts += [
        Section(_("How to reproduce")),
        Paragraph(_("This command resumes the race; with another --name it starts a new one.")),
        Block(" ".join(["spotui", *map(shlex.quote, words_to_pass_on(race.words, race.template))])),
        Paragraph(
            _(
                "Each run has a report with its rounds, cost and settings, e.g. 'spotui report {name}'.",
                name=shlex.quote(f"{race.name}/{race.lanes[0].method}") if race.lanes else race.name,
            )
        ),
    ]
    data = "" if receipt is None else receipt.as_json().decode()
    return Report(race.name, _("Race on {template}, by spotui.", template=race.template), parts, data)


def _headline(race: Race) -> str:
    return winner(race) or _("The race has no winner yet: {state}.", state=state_in_words(race.state))


def _chart(race: Race) -> Iterator[Part]:
    shown = [
        Point(lane.method, lane.tested.score, *lane.tested.interval, _tone(index))
        for index, lane in enumerate(race.lanes)
        if lane.tested is not None
    ]
    if shown:
        title = _(
            "Score of each method's best prompt on {n:,} test rows, with its 95% interval.", n=race.rows
        )
        yield Chart(title, shown, is_trend=False)


def _tone(index: int) -> Tone:
    return "best" if index == 0 else ""


def _lanes(race: Race) -> Table:
    head = (
        _("Method"),
        _("State"),
        _("Rounds"),
        _("Test score, 95% CI"),
        _("Gain on the seed"),
        _("Tokens"),
        _("Cost"),
        _("Time"),
        _("Price of an answer"),
        _("Seconds of an answer"),
    )
    rows = [_lane(lane) for lane in race.lanes]
    is_tested = any(lane.tested is not None for lane in race.lanes)
    return Table(head, rows, _NUMBERS, ["best"] if is_tested else [])


def _lane(lane: Lane) -> list[str]:
    tested, score, gain = lane.tested, "", ""
    if tested is not None:
        low, high = map(points, tested.interval)
        score = with_interval(points(tested.score), low, high)
        gain = (
            gained(tested.gain, tested.gain_interval, tested.floor)
            if tested.improved
            else _("no better prompt")
        )
    return [
        lane.method,
        state_in_words(lane.state),
        f"{lane.rounds:,}",
        score,
        gain,
        count(lane.tokens, estimated=lane.estimated),
        usd(lane.cost_usd, estimated=lane.estimated),
        clock(lane.seconds),
        price(tested.per_answer) if tested is not None else "",
        latency(tested.per_answer) if tested is not None else "",
    ]


def _prompts(folder: RaceFolder, lane: Lane, receipt: Receipt | None) -> Iterator[Part]:
    """The best prompt of a method, and what it changed; of the winner's, what `spotui verify` compares."""
    project = folder.project(lane.method)
    if not project.exists:
        return
    yield Section(_("Best prompt of {method}", method=lane.method))
    try:
        history = read_history(project)
    except SpotuiError as error:  # the others can still be read
        yield Paragraph(error.what)
        return
    best = history.best
    if best is None:
        yield Paragraph(_("No round has ended yet."))
        return
    if receipt is not None:
        yield Figures(figures_of(receipt))
    yield Block(best.prompt, is_prompt=receipt is not None)
    seed = history.rounds[0]
    if best.round != seed.round:
        yield from prompt_change(seed.prompt, best.prompt, _("What {method} changed", method=lane.method))[1:]
