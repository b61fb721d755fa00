"""What is known of a round of a method that scores prompts."""

from collections import deque
from dataclasses import dataclass, field
from typing import Literal

from spotui.domain.events import (
    Answered,
    BatchChanged,
    BlockShown,
    CallDelta,
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
    HintGiven,
    JudgeMeasured,
    LimitsChanged,
    MethodEvent,
    NoteWritten,
    Noticed,
    PastShown,
    RoundFinished,
    RoundStarted,
    RunOpened,
    RunState,
    RunStopped,
    SpendingChanged,
    StateChanged,
    VerdictOverridden,
    VoteCast,
)
from spotui.domain.figures import points
from spotui.domain.records import CallKey
from spotui.domain.verdicts import Outcome
from spotui.lang import _
from spotui.view.telling import test_result


@dataclass
class Scores:
    """What a round tried, what its prompts scored, and what the optimizer was shown for it.

    Attributes:
        proposed: The candidates by their prompts, in the order they were proposed.
        by_prompt: What each prompt scored on the rows that prompts are chosen by; of several scores the last.
        shown: What the optimizer saw of earlier rounds, and its edit budget.
        notes: What models wrote down.
        blocks: The lists that the method shows, by name.
    """

    proposed: dict[str, CandidateProposed] = field(default_factory=dict)
    by_prompt: dict[str, CandidateScored] = field(default_factory=dict)
    shown: PastShown | None = None
    notes: list[NoteWritten] = field(default_factory=list)
    blocks: dict[str, BlockShown] = field(default_factory=dict)

    @property
    def leading(self) -> CandidateScored | None:
        """The best score on the most rows; as every method has it, a shorter prompt wins a tie.

        A candidate that was dropped from a race leads nothing.
        """
        return max(
            (one for one in self.by_prompt.values() if not one.unasked),
            key=lambda one: (len(one.marks), one.score, -len(one.prompt)),
            default=None,
        )

    def apply(self, event: Event) -> None:
        """Let an event of this round change what is known."""
        match event:
            case CandidateProposed():
                self.proposed[event.prompt] = event
            case CandidateScored(split="eval"):
                self.by_prompt[event.prompt] = event
            case PastShown():
                self.shown = event
            case NoteWritten():
                self.notes.append(event)
            case BlockShown():
                self.blocks[event.name] = event
            case _:
                pass

    def candidate(self, prompt: str, number: int, parent: int) -> CandidateProposed:
        """The candidate with this prompt, or what stands for one that an earlier round proposed.

        Args:
            prompt: The prompt.
            number: This round.
            parent: The round it is compared with, if it was not proposed here.
        """
        if prompt in self.proposed:
            return self.proposed[prompt]
        known = self.by_prompt.get(prompt)
        return CandidateProposed(
            at=known.at if known is not None else 0.0,
            round=number,
            parent=parent,
            prompt=prompt,
            modification=known.modification if known is not None else "",
            words_changed=known.words_changed if known is not None else None,
        )


NOTICES_KEPT = 100
TAIL_KEPT = 200
"""Characters of a reply under way that are kept to be shown; the whole reply comes with its event."""


@dataclass
class CallPicture:
    """A call that is under way; `tail` is the end of its reply so far."""

    model: str
    since: float
    characters: int = 0
    tail: str = ""
    trouble: str = ""
    retry_at: float = 0.0


@dataclass
class EntryPicture:
    """The answers of one candidate, and the votes on it."""

    answers: dict[int, Answered] = field(default_factory=dict)
    votes: list[VoteCast] = field(default_factory=list)


@dataclass
class RoundPicture:
    """A round, under way or ended; of several candidates `candidate` is the best so far.

    Attributes:
        judged: The judge's verdict, where the user gave another one.
        entries: The candidates that are compared by votes, by number: 0 for one alone, several from 1.
    """

    number: int
    best: int = 0
    outcome: Outcome | None = None
    candidate: CandidateProposed | None = None
    end: RoundFinished | None = None
    judged: Outcome | None = None
    scores: Scores = field(default_factory=Scores)
    entries: dict[int, EntryPicture] = field(default_factory=dict)

    @property
    def shown(self) -> int:
        """The number of the candidate that is shown: the one that the round keeps, until then the first."""
        return self.end.candidate if self.end is not None else min(self.entries, default=0)

    @property
    def several(self) -> int:
        """How many candidates are compared by votes; 0 for one alone."""
        return len(self.entries) if self.shown else 0

    @property
    def answers(self) -> dict[int, Answered]:
        """The answers of the candidate that is shown."""
        return self._shown_entry.answers

    @property
    def votes(self) -> list[VoteCast]:
        """The votes on it."""
        return self._shown_entry.votes

    @property
    def _shown_entry(self) -> EntryPicture:
        return self.entries.get(self.shown) or EntryPicture()

    def entry(self, number: int) -> EntryPicture:
        """A candidate by its number."""
        return self.entries.setdefault(number, EntryPicture())


@dataclass
class Picture:
    """Everything a front end needs to show a run.

    Attributes:
        opened: What was opened; None before the first event.
        limits: Those in force, by their names on the wire; None for none.
        best: The round whose prompt is the best; 0 before the seed round has ended.
        rounds: By number.
        calls: Those under way.
        pace: How many calls of each purpose have finished, and their seconds together.
        tested: The test at the end, on rows that nothing has seen before.
        judge: What the votes so far say about the judge.
        check: What the final check found, or why there was none.
        hints: What a person told the optimizer, by the round from which on it holds.
        notices: The latest things worth a line.
        batches: Those that the run waits for, by name.
        refused: The last command that could not be carried out.
        stopped: The last event, once it came.
    """

    opened: RunOpened | None = None
    state: RunState | Literal["ended"] = "running"
    cause: str = ""
    rounds_wanted: int = 0
    limits: dict[str, float | int | None] = field(default_factory=dict)
    best: int = 0
    rounds: dict[int, RoundPicture] = field(default_factory=dict)
    calls: dict[CallKey, CallPicture] = field(default_factory=dict)
    pace: dict[str, tuple[int, float]] = field(default_factory=dict)
    spending: SpendingChanged | None = None
    held_out: HeldOutFinished | None = None
    tested: FinalTest | None = None
    judge: JudgeMeasured | None = None
    check: FinalCheckFinished | FinalCheckSkipped | None = None
    hints: dict[int, str] = field(default_factory=dict)
    notices: deque[Event] = field(default_factory=lambda: deque(maxlen=NOTICES_KEPT))
    batches: dict[str, BatchChanged] = field(default_factory=dict)
    refused: CommandRefused | None = None
    stopped: RunStopped | None = None

    @property
    def current(self) -> RoundPicture | None:
        """The newest round."""
        return self.rounds[max(self.rounds)] if self.rounds else None

    @property
    def is_scored(self) -> bool:
        """Whether prompts are scored on rows rather than compared by votes."""
        return any(
            one.scores.by_prompt or (one.end is not None and one.end.score is not None)
            for one in self.rounds.values()
        )

    def prompt_of(self, number: int) -> str:
        """The prompt of a round; empty when there is none."""
        if number == 1:
            return self.opened.prompt if self.opened is not None else ""
        one = self.rounds.get(number)
        return one.candidate.prompt if one is not None and one.candidate is not None else ""

    @property
    def hint(self) -> str:
        """The hint that is in force for the next candidates; empty without one."""
        return self.hints[max(self.hints)] if self.hints else ""

    def parent_of(self, number: int) -> int:
        """The round that a round's prompt was made from; the seed is its own."""
        one = self.rounds.get(number)
        return one.candidate.parent if one is not None and one.candidate is not None else 1

    @property
    def seconds_left(self) -> float | None:
        """Until the wanted rounds are done, judged by those that ended or by the calls so far.

        None when unknown: before the first call has finished.
        """
        ended = [one.end.seconds for one in self.rounds.values() if one.end is not None and one.number > 1]
        each = sum(ended) / len(ended) if ended else self._seconds_by_calls
        if each is None or self.stopped is not None:
            return None
        return max(0, self.rounds_wanted - 1 - len(ended)) * each

    @property
    def _seconds_by_calls(self) -> float | None:
        """A round's time as long as none has ended, where its calls wait for each other in a known way."""
        calls = sum(number for number, _ in self.pace.values())
        if not calls or (self.opened is not None and self.opened.rows):
            return None
        usual = sum(seconds for _, seconds in self.pace.values()) / calls

        def mean(purpose: str) -> float:
            number, seconds = self.pace.get(purpose, (1, usual))
            return seconds / number

        return mean("propose") + mean("execute") + mean("vote")

    def end_calls(self) -> None:
        """Nothing is under way any more: the run or its process has ended."""
        self.calls.clear()

    def apply(self, event: Event) -> None:
        """Let an event change the picture."""
        match event:
            case CallDelta():
                if call := self.calls.get(event.key):
                    call.characters += len(event.text) + len(event.reasoning)
                    call.tail = (call.tail + event.text)[-TAIL_KEPT:]
            case CallStarted():
                self.calls[event.key] = CallPicture(event.model, event.at)
            case CallRetried():
                if call := self.calls.get(event.key):
                    call.trouble, call.retry_at, call.tail = event.error, event.at + event.wait, ""
                self.notices.append(event)
            case CallFinished() | CallDropped():
                self.calls.pop(event.key, None)
                if isinstance(event, CallFinished) and not event.recorded:
                    number, seconds = self.pace.get(event.key.purpose, (0, 0.0))
                    self.pace[event.key.purpose] = number + 1, seconds + event.seconds
            case BatchChanged():
                self.batches[event.batch] = event
                if event.state == "collected":
                    del self.batches[event.batch]
                if event.state != "waiting":
                    self.notices.append(event)
            case SpendingChanged():
                self.spending = event
            case RunOpened():
                self.opened, self.rounds_wanted, self.limits = event, event.rounds, dict(event.limits)
            case StateChanged():
                self.state, self.cause = event.state, event.cause
            case LimitsChanged():
                self.limits |= event.changes
                if (rounds := event.changes.get("rounds")) is not None:
                    self.rounds_wanted = int(rounds)
            case HeldOutFinished():
                self.held_out = event
            case FinalTest():
                self.tested = event
            case HintGiven():
                self.hints[event.before_round] = event.text
            case FinalCheckFinished() | FinalCheckSkipped():
                self.check = event
            case JudgeMeasured():
                self.judge = event
            case RunStopped():
                self.stopped, self.state, self.cause = event, "ended", event.cause
                self.best = event.best
                self.end_calls()
            case CommandRefused():
                self.refused = event
                self.notices.append(event)
            case Noticed() | CandidateRefused():
                self.notices.append(event)
            case _:
                self._apply_to_round(event)

    def _apply_to_round(self, event: Event) -> None:
        match event:
            case RoundStarted():
                self.rounds[event.round] = RoundPicture(event.round, event.best)
                self.best = event.best
            case CandidateProposed():
                one = self._round(event.round)
                one.scores.apply(event)
                is_first = one.candidate is None or event.index == 0
                if not one.scores.by_prompt and (is_first or event.edited):
                    one.candidate = event
            case MethodEvent():
                one = self._round(event.round)
                one.scores.apply(event)
                if (leading := one.scores.leading) is not None:
                    self._keep(one, leading.prompt)
            case Answered():
                self._round(event.round).entry(event.candidate).answers[event.index] = event
            case VoteCast():
                self._round(event.round).entry(event.candidate).votes.append(event)
            case VerdictOverridden():
                one = self._round(event.round)
                one.judged = one.judged or one.outcome
                one.outcome = event.outcome
            case RoundFinished():
                one = self._round(event.round)
                one.end, one.outcome, one.judged, self.best = event, event.outcome, event.judged, event.best
                if event.prompt:
                    self._keep(one, event.prompt)
                elif event.candidate:
                    proposed = one.scores.proposed.values()
                    one.candidate = next(
                        (each for each in proposed if each.index == event.candidate - 1), one.candidate
                    )
            case _:
                pass

    def _keep(self, shown: RoundPicture, prompt: str) -> None:
        if shown.number > 1:
            shown.candidate = shown.scores.candidate(prompt, shown.number, shown.best or 1)

    def _round(self, number: int) -> RoundPicture:
        if (one := self.rounds.get(number)) is None:
            one = self.rounds[number] = RoundPicture(number)
        return one


def worth(picture: Picture, stopped: RunStopped) -> str:
    """What is known about the gain of a run that stopped."""
    if stopped.improved:
        return _("Best: round {best}. {tested}", best=stopped.best, tested=_tested(picture))
    best = picture.rounds.get(stopped.best)
    if stopped.lead and best is not None and best.end is not None and best.end.preferred:
        return _(
            "Best so far: round {best}, preferred to the seed: {note}. {tested}",
            best=stopped.best,
            note=best.end.note,
            tested=_tested(picture),
        )
    if stopped.lead:
        return _(
            "Best so far: round {best}, a lead that may be chance. {tested}",
            best=stopped.best,
            tested=_tested(picture),
        )
    if isinstance(picture.check, FinalCheckFinished) and picture.check.outcome in {"loss", "tie"}:
        return _("{headline} The seed prompt is kept.", headline=picture.check.headline)
    if stopped.rounds > 1:
        return _("No improvement: the seed prompt is still the best.")
    return _seed_alone(picture)


def _seed_alone(picture: Picture) -> str:
    """What is known when no round after the seed has ended."""
    seed = picture.rounds.get(1)
    if seed is None or seed.end is None or seed.end.score is None or seed.end.score_interval is None:
        return _("No round after the seed has ended yet.")
    low, high = map(points, seed.end.score_interval)
    return _(
        "The seed prompt scores {score} ({low} to {high}).", score=points(seed.end.score), low=low, high=high
    )


def _tested(picture: Picture) -> str:
    """What the end of the run says; how its rounds went is no measure of the gain.

    Each was won by a prompt that was chosen for winning it.
    """
    if picture.tested is not None:
        return test_result(picture.tested)
    best = picture.rounds.get(picture.best)
    if best is not None and best.end is not None and best.end.score is not None:
        return _(
            "It scores {score} on the rows it was chosen by; no other row has tested it.",
            score=points(best.end.score),
        )
    match picture.check:
        case FinalCheckFinished() as check:
            return check.headline
        case FinalCheckSkipped() as check:
            return _("It won its duel, and was not checked against the seed: {why}", why=check.why)
        case _:
            return _(
                "It won its duel on the questions it was chosen by; it was not checked against the seed."
            )
