"""How a run is shown while it goes on: live on a terminal, plain lines elsewhere."""

import os
import sys
from types import TracebackType
from typing import Protocol, Self

from spotui.cli.summary import how_to_continue, summary
from spotui.cli.terminal import Output
from spotui.domain.events import (
    Answered,
    BeamChosen,
    CallDropped,
    CallFinished,
    CallRetried,
    CallStarted,
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
    RunStopped,
    StateChanged,
    VerdictOverridden,
    VoteCast,
)
from spotui.domain.figures import count, duration, plural, points, usd, verdict
from spotui.domain.records import CallKey
from spotui.domain.text import short
from spotui.view.picture import Picture, test_result


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


_STEPS = (RoundStarted, CandidateProposed, CandidateRefused, Answered, Likelihood, VoteCast)


class Display(Protocol):
    """Shows one run.

    Attributes:
        wants_deltas: Whether it shows replies while they arrive.
    """

    wants_deltas: bool

    def __enter__(self) -> Self:
        """Begin to show."""
        ...

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Leave the terminal as it was."""
        ...

    def show(self, event: Event) -> None:
        """Show what happened."""
        ...

    def say(self, text: str) -> None:
        """Say something that is no event."""
        ...

    def let_go(self) -> None:
        """The terminal is gone: show nothing any more."""
        ...

    def farewell(self) -> None:
        """After the end: what the run is worth, and how to take it along."""
        ...


def display_for(project: str, *, plain: bool) -> Display:
    """The display that suits standard output.

    Args:
        project: The project's name, for hints; empty when there is nothing to go on with.
        plain: Plain lines even on a terminal.
    """
    if plain or not sys.stdout.isatty() or os.environ.get("TERM") == "dumb":
        return PlainDisplay(project)
    from spotui.cli.live import LiveDisplay
    from spotui.settings.config_file import load_config
    from spotui.settings.themes import DEFAULT_THEME, ThemeError, load_theme

    chosen = load_config().config.theme or DEFAULT_THEME
    try:
        theme = load_theme(chosen)
    except ThemeError as error:
        print(f"spotui: {error}", file=sys.stderr)
        theme = load_theme(DEFAULT_THEME)
    return LiveDisplay(project, theme)


class PlainDisplay:
    """One line for each thing worth one; of rounds that the journal has whole, only how they ended.

    Args:
        project: The project's name.
    """

    wants_deltas = False

    def __init__(self, project: str) -> None:
        self._project = project
        self._output = Output()
        self._picture = Picture()
        self._recorded = False
        self._held_back: list[Event] = []

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        pass

    def show(self, event: Event) -> None:
        """Write the event's line."""
        self._picture.apply(event)
        match event:
            case CallFinished():  # most events are, and what a call brought is told by the next one
                return
            case RunOpened():
                self._recorded = event.recorded > 0
            case CallStarted() | RunStopped():
                self._recorded = False
                self._let_out()
            case RoundFinished():
                self._held_back.clear()
            case _ if self._recorded and isinstance(event, _STEPS):
                self._held_back.append(event)
                return
            case _:
                pass
        self._write(event)
        if isinstance(event, StateChanged) and event.state == "paused" and self._project:
            self._output.line(f"Continue: {how_to_continue(self._project)}")

    def _let_out(self) -> None:
        for event in self._held_back:
            self._write(event)
        self._held_back.clear()

    def _write(self, event: Event) -> None:
        if (text := line(event)) is None:
            return
        if self._recorded:  # thousands of them come at once
            self._output.add(f"{text}\n".encode("utf-8", "replace"))
        else:
            self._output.line(text)

    def say(self, text: str) -> None:
        """Write a line."""
        self._output.line(text)

    def let_go(self) -> None:
        """Write nothing any more."""
        self._output.close()

    def farewell(self) -> None:
        """Write the summary."""
        for text in summary(self._project, self._picture):
            self._output.line(text)
