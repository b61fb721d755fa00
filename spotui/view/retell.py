"""What a project holds, told as the events that led to it."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Final

import msgspec

from spotui.domain.event_lines import WIRE_VERSION, decode_event
from spotui.domain.events import (
    Answered,
    CandidateProposed,
    Event,
    FinalCheckFinished,
    FinalCheckSkipped,
    HintGiven,
    JudgeMeasured,
    Noticed,
    RoundFinished,
    RoundStarted,
    RunOpened,
    RunStopped,
    SpendingChanged,
    VoteCast,
)
from spotui.domain.outcomes import (
    check_finished,
    event_of,
    held_out_finished,
    is_lead,
    round_finished,
    test_finished,
)
from spotui.domain.records import AS_PLANNED, Rival, RoundLine
from spotui.judging.reliability import judge_record, panel_of
from spotui.lang.recognition import recognized
from spotui.workspace.history import History, best_of, proven_of
from spotui.workspace.projects import Project
from spotui.workspace.rows_file import count_rows
from spotui.workspace.snapshot import Snapshot, read_snapshot
from spotui.workspace.stored_settings import settings_in

_SENTENCES: Final[Mapping[type[Event], str]] = {
    FinalCheckFinished: "headline",
    FinalCheckSkipped: "why",
    Noticed: "text",
    RunStopped: "cause",
    RoundFinished: "note",
    VoteCast: "reason",
}
"""The field of an event that a journal has in English."""

_WRITERS: Final = frozenset({"model", "human"})
"""Voters who write their reasons themselves, in whatever language."""


def retell(project: Project, history: History) -> Iterator[Event]:
    """The events a listener would have had, as far as finished rounds hold them.

    Args:
        project: The project.
        history: What it holds.
    """
    for event in _retell(project, history):
        name = _SENTENCES.get(type(event))
        if name is None or (isinstance(event, VoteCast) and event.voter in _WRITERS):
            yield event
        else:
            yield msgspec.structs.replace(event, **{name: recognized(getattr(event, name))})


def _retell(project: Project, history: History) -> Iterator[Event]:
    snapshot = read_snapshot(project.snapshot) if project.is_ours else None
    rounds, opened = history.rounds, _opened(project, history, snapshot)
    yield opened
    for count, line in enumerate(rounds, 1):
        before, after = best_of(rounds[: count - 1]), best_of(rounds[:count])
        for hint in history.hints:
            if hint.before_round == line.round:
                yield event_of(HintGiven, hint, at=hint.at.timestamp())
        yield from _round(line, before.round if before else 0, after.round if after else 0)
    for hint in history.hints:
        if hint.before_round > history.last_round:
            yield event_of(HintGiven, hint, at=hint.at.timestamp())
    if project.is_ours:  # SPO's reference wrote down no calls, and what is not known is not $0
        yield _spending(history)
    if (judge := _judge(rounds)) is not None:
        yield judge
    if history.held_out is not None:
        yield held_out_finished(history.held_out)
    if history.check is not None:
        yield check_finished(history.check)
    test = None
    if history.test is not None and snapshot is not None:
        test = test_finished(history.test, int(snapshot.settings.get("seed", 0)))
        yield test
    if history.stop is not None:
        best = history.best.round if history.best else 1
        proven = proven_of(rounds)
        leads = is_lead(proven.outcome if proven else None, best, test)
        yield RunStopped(
            at=history.stop.at.timestamp(),
            reason=history.stop.reason,
            cause=history.stop.cause,
            best=best,
            improved=best > 1 and not leads,
            lead=leads,
            rounds=len(rounds),
            prompt=history.best.prompt if history.best else opened.prompt,
            resumable=history.stop.reason not in AS_PLANNED,
        )


def _spending(history: History) -> SpendingChanged:
    """What was spent until the run stopped; of one that was cut off, what its rounds took."""
    stop = history.stop
    if stop is not None and stop.calls:
        return event_of(SpendingChanged, stop)
    rounds = history.rounds
    return SpendingChanged(
        calls=sum(line.calls for line in rounds),
        prompt_tokens=sum(line.prompt_tokens for line in rounds),
        completion_tokens=sum(line.completion_tokens for line in rounds),
        cost_usd=sum(line.cost_usd or 0.0 for line in rounds),
        unpriced=sum(line.calls for line in rounds if line.cost_usd is None),
        estimated=any(line.estimated for line in rounds),
        seconds=stop.seconds if stop else sum(line.seconds for line in rounds),
    )


def _opened(project: Project, history: History, snapshot: Snapshot | None) -> RunOpened:
    rounds = history.rounds
    opened = RunOpened(
        version=WIRE_VERSION,
        project=project.name,
        folder=str(project.folder),
        run="",
        method="",
        models={},
        rounds=len(rounds),
        questions=tuple(one.question for one in rounds[0].answers) if rounds else (),
        held_out=0,
        judge="",
        prompt=rounds[0].prompt if rounds else "",
    )
    if snapshot is None:
        return opened
    settings_in(snapshot, project)  # a damaged value is explained, not shown
    settings = snapshot.settings
    limits = {
        "rounds": settings.get("max_rounds"),
        **{name: settings.get(name) for name in ("concurrency", "patience", "target_wins")},
        **settings.get("budget", {}),
        **history.limits,
    }
    roles = settings.get("roles", {})
    return msgspec.structs.replace(
        opened,
        run=snapshot.run,
        method=snapshot.method,
        models={role: str(of.get("model", "")) for role, of in roles.items()},
        rounds=int(limits["rounds"] or len(rounds)),
        held_out=len(snapshot.held_out),
        judge=str(settings.get("judge", "")),
        prompt=opened.prompt or _seed_of(snapshot.template),
        limits=limits,
        parameters=snapshot.parameters,
        columns=tuple(dict.fromkeys(name for line in rounds for name in line.columns)),
        rows=(sizes := count_rows(project.rows)),
        metric=_metric_of(snapshot.template) if sizes else "",
    )


def _seed_of(template: str) -> str:
    from spotui.templates.model import TemplateError
    from spotui.templates.read import parse_template

    try:
        return parse_template(template).prompt
    except TemplateError:
        return ""


def _metric_of(template: str) -> str:
    """What marks the answers to rows: a metric's name, or `judge`."""
    from spotui.templates.model import TemplateError
    from spotui.templates.read import parse_template
    from spotui.templates.sections import metric_of

    try:
        choice = metric_of(parse_template(template))
    except TemplateError:
        return ""
    return choice.name if choice is not None else "judge"


def _judge(rounds: Sequence[RoundLine]) -> JudgeMeasured | None:
    panel = panel_of(rounds)
    return judge_record(panel, rounds[-1].round) if panel.records else None


def _round(line: RoundLine, best_before: int, best_after: int) -> Iterator[Event]:
    at = line.at.timestamp()
    # A verdict that was overridden later was the best until then; scored methods go on from others, too.
    best = best_before if line.score is not None else line.opponent or line.parent or best_before
    yield RoundStarted(at=at - line.seconds, round=line.round, best=best)
    if line.told:
        yield from filter(None, map(decode_event, line.told))
    else:
        yield from _proposed(line, at)
    if line.score is None:  # the answers to rows are a sample
        for number, entry in _entries(line):
            for index, one in enumerate(entry.answers):
                yield event_of(Answered, one, at=at, round=line.round, index=index, candidate=number)
    for number, entry in _entries(line):
        for index, vote in enumerate(entry.votes):
            yield event_of(VoteCast, vote, at=at, round=line.round, index=index, candidate=number)
    yield msgspec.structs.replace(round_finished(line, best_after), at=at)


def _entries(line: RoundLine) -> list[tuple[int, RoundLine | Rival]]:
    """The candidates of a round with their numbers, in the order they were proposed."""
    entries: list[tuple[int, RoundLine | Rival]] = [(line.candidate, line)]
    entries += [(one.number, one) for one in line.others]
    return sorted(entries, key=lambda entry: entry[0])


def _proposed(line: RoundLine, at: float) -> Iterator[Event]:
    if not line.prompt or line.round == 1:
        return
    for number, entry in _entries(line):
        index = max(0, number - 1)
        yield event_of(CandidateProposed, entry, at=at, round=line.round, index=index)
