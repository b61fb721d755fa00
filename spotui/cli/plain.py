"""A run as plain lines: for pipes, logs and screen readers."""

from spotui.events import (
    Answered,
    BeamChosen,
    CallDropped,
    CallRetried,
    CandidateProposed,
    CandidateRefused,
    CandidateScored,
    CommandRefused,
    Event,
    FinalCheckFinished,
    FinalCheckSkipped,
    FinalTest,
    HeldOutFinished,
    JudgeMeasured,
    Likelihood,
    LimitsChanged,
    NoteWritten,
    Noticed,
    PastShown,
    RoundFinished,
    RoundStarted,
    RunOpened,
    StateChanged,
    VerdictOverridden,
    VoteCast,
)
from spotui.view.figures import count, duration, plural, points, usd, verdict
from spotui.view.short import short
from spotui.view.worth import test_result
from spotui.workspace.lines import CallKey


def line(event: Event) -> str | None:
    """What a line of the log says about an event; None when it is not worth a line."""
    match event:
        case RunOpened():
            return _opened(event)
        case StateChanged():
            return f"{event.state}" + (f": {event.cause}" if event.cause else "")
        case RoundStarted():
            return f"round {event.round}" + (
                f": starts from round {event.best}" if event.best else ": the seed prompt"
            )
        case CandidateProposed():
            what = "edited by hand" if event.edited else event.modification or "a new prompt"
            return f"round {event.round}: candidate: {short(what)}"
        case CandidateRefused():
            then = "the round is void" if event.final else "asked again"
            return f"round {event.round}: candidate refused: {event.why} ({then})"
        case Answered() if event.error:
            return f"round {event.round}: question {event.index + 1} has no answer: {short(event.error)}"
        case Answered():
            return f"round {event.round}: question {event.index + 1} answered: {short(event.answer)}"
        case Likelihood():
            return (
                f"round {event.round}: answer {event.index + 1}: "
                f"the requirements make it more likely by {event.value:.2f}"
            )
        case VoteCast():
            order = f" {event.order}" if event.order else ""
            return f"round {event.round}: {event.voter} votes{order} {event.choice}: {short(event.reason)}"
        case RoundFinished():
            return _finished(event)
        case CandidateScored() | PastShown() | NoteWritten() | BeamChosen() | FinalTest():
            return _scored(event)
        case _:
            return _aside(event)


def _aside(event: Event) -> str | None:
    match event:
        case CallRetried():
            return f"{_call(event.key)}: {event.error} Try {event.tries + 1} in {duration(event.wait)}."
        case CallDropped():
            return f"{_call(event.key)}: {event.why if event.failed else 'cancelled in flight'}"
        case JudgeMeasured(pairs=0):
            return None
        case JudgeMeasured():
            void = f", {plural(event.voids, 'void vote')}" if event.voids else ""
            agreed = f", judges agreed {event.agreed} of {event.compared} times" if event.compared else ""
            return f"judge: {event.flips} of {plural(event.pairs, 'pair')} of votes flipped{void}{agreed}"
        case VerdictOverridden():
            return f"round {event.round}: your verdict: {event.outcome}"
        case HeldOutFinished():
            return (
                f"{plural(event.questions, 'held-out question')}: round {event.best} against the seed: "
                f"{event.outcome} ({event.wins} for, {event.losses} against, {event.ties} ties)"
            )
        case FinalCheckFinished():
            return f"final check: {event.headline}"
        case FinalCheckSkipped():
            return f"final check: skipped: {event.why}"
        case LimitsChanged():
            return "limits: " + ", ".join(f"{key} {value}" for key, value in event.changes.items())
        case Noticed():
            return ("" if event.level == "info" else f"{event.level}: ") + event.text
        case CommandRefused():
            return f"{event.command}: refused: {event.why}"
        case _:
            return None


def _scored(event: Event) -> str | None:
    match event:
        case CandidateScored():
            errored = f", {plural(event.left_out, 'row')} errored" if event.left_out else ""
            changed = (
                "" if event.words_changed is None else f", {plural(event.words_changed, 'word')} changed"
            )
            return (
                f"round {event.round}: prompt {event.index + 1} scores {points(event.score)} "
                f"({points(event.low)} to {points(event.high)}) on {plural(event.rows, f'{event.split} row')}"
                f"{errored}{changed}: {short(event.modification or event.prompt)}"
            )
        case PastShown():
            budget = "no edit budget" if event.edit_budget is None else f"at most {event.edit_budget} words"
            past = [
                f"round {one.round}"
                + ("" if one.score is None else f" ({points(one.score)})")
                + ("" if one.similarity is None else f" alike {one.similarity:.2f}")
                for one in event.past
            ]
            return (
                f"round {event.round}: {budget}; the optimizer sees {', '.join(past) or 'no earlier round'}"
            )
        case NoteWritten():
            return f"round {event.round}: {event.what}: {short(event.text)}"
        case BeamChosen():
            beam = ", ".join(points(one.score) for one in event.members)
            return f"round {event.round}: a beam of {len(event.members)} goes on: {beam}"
        case FinalTest():
            return f"test of round {event.best}: {test_result(event)}"
        case _:
            return None


def _opened(event: RunOpened) -> str:
    models = dict.fromkeys(filter(None, [*event.models.values(), event.embedding_model]))
    held_out = f", {event.held_out} held out" if event.held_out else ""
    recorded = f", {plural(event.recorded, 'call')} recorded" if event.recorded else ""
    judge = f"judge {event.judge}{_unit(event)}"
    asked = f"{plural(len(event.questions), 'question')}{held_out}{recorded}, {judge}"
    if event.rows:
        sizes = " + ".join(f"{rows} {split}" for split, rows in event.rows.items())
        how = f"metric {event.metric}" if event.metric else judge
        asked = f"{sizes} rows{recorded}, {how}"
    return f"{event.project}: {event.method}, {plural(event.rounds, 'round')}, {asked}, {' + '.join(models)}"


def _unit(event: RunOpened) -> str:
    unit = " question by question" if event.judge_unit == "row" else ""
    return unit + (" as JSON" if event.judge_json else "")


def _call(key: CallKey) -> str:
    return f"round {key.round}: {key.purpose.replace('_', ' ')} {key.index + 1}"


def _finished(event: RoundFinished) -> str:
    votes = f", votes {event.wins}:{event.losses}" if event.wins or event.losses else ""
    if event.score is not None and event.score_interval is not None:
        low, high = map(points, event.score_interval)
        votes = f", score {points(event.score)} ({low} to {high})"
    note = f" ({event.note})" if event.note else ""
    return (
        f"round {event.round}: {verdict(event.outcome, event.judged)}{note}{votes}; "
        f"best is round {event.best}; "
        f"{count(event.prompt_tokens + event.completion_tokens, estimated=event.estimated)} tokens, "
        f"{usd(event.cost_usd, estimated=event.estimated)}, {duration(event.seconds)}"
    )
