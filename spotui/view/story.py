"""A run as a log to read: an entry for every proposal, answer, vote and verdict, round by round.

Like the picture it is a fold over events and knows no screen. An entry is made when its call begins and
filled as the reply comes in, so entries stand in the order in which they were begun.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import chain
from typing import Literal

import msgspec

from spotui.domain.events import (
    Answered,
    CallDelta,
    CallDropped,
    CallFinished,
    CallRetried,
    CallStarted,
    CandidateProposed,
    CandidateRefused,
    CommandRefused,
    Event,
    FinalCheckFinished,
    FinalCheckSkipped,
    FinalTest,
    HeldOutFinished,
    Likelihood,
    LimitsChanged,
    Noticed,
    RoundFinished,
    RoundStarted,
    RunOpened,
    RunStopped,
    StateChanged,
    VerdictOverridden,
    VoteCast,
)
from spotui.domain.figures import count, duration, limit, plural, points, usd
from spotui.domain.verdicts import Outcome
from spotui.view.log import TAIL_KEPT, Entry, Kind, Log, Tone
from spotui.view.picture import test_result
from spotui.view.scored_story import ScoredStory
from spotui.view.tried import CUTS

UNLIKE_LENGTH = 1.5
"""Answers that are so many times as long may win, or lose, by their length alone; then the log says so."""

ENTRIES_KEPT = 4000
"""Entries of a log, some 300 rounds of five questions; then the oldest give way, which the journal has."""

_TONES: dict[Outcome, Tone] = {
    "seed": "best",
    "win": "win",
    "loss": "loss",
    "tie": "tie",
    "undecided": "tie",
    "void": "void",
}
_KINDS: dict[str, Kind] = {"propose": "proposal", "execute": "answer", "held_out": "answer"}
_TITLES = {
    "execute": "question",
    "held_out": "held-out question",
    "held_out_vote": "held-out vote",
    "check_vote": "vote of the final check",
}


@dataclass
class Story(Log):
    """The log of one run."""

    _places: dict[tuple[int, str, int], int] = field(default_factory=dict)
    _live: dict[tuple[int, str, int], int] = field(default_factory=dict)
    _questions: tuple[str, ...] = ()
    _now: int = 0

    def __post_init__(self) -> None:
        self._scored = ScoredStory(self)

    @property
    def live(self) -> Iterator[int]:
        """The positions of entries whose call is under way; their clocks run."""
        return chain(self._live.values(), self._scored.live)

    def end_calls(self) -> None:
        """Nothing is under way any more: the run or its process has ended."""
        for place in self._live.values():
            entry = self.entry(place)
            entry.began, entry.streamed, entry.retry_at, entry.facts = None, "", 0.0, "not finished"
            self.changed.add(place)
        self._live.clear()
        self._scored.end_calls()

    def apply(self, event: Event) -> None:
        """Let an event write in the log."""
        if self._scored.takes(event):
            return
        match event:
            case CallDelta():
                self._stream(event)
            case CallStarted() | CallRetried() | CallFinished() | CallDropped():
                self._call(event)
            case RunOpened():
                self._questions = event.questions
            case RunStopped():
                self.end_calls()
                self.add(
                    Entry(self._now, "verdict", f"Stopped: {event.reason}", text=event.cause, tone="heading")
                )
            case StateChanged(state="paused"):
                self.add(Entry(self._now, "trouble", "Paused", text=event.cause, tone="warning"))
            case StateChanged(state="running"):
                self.add(Entry(self._now, "notice", "Running again"))
            case LimitsChanged():
                changes = (f"{key} {limit(value)}" for key, value in event.changes.items())
                self.add(Entry(self._now, "notice", "Limits changed", text=", ".join(changes)))
            case Noticed():
                tone: Tone = "plain" if event.level == "info" else event.level
                self.add(Entry(self._now, "notice", "Notice", text=event.text, tone=tone))
            case CommandRefused():
                self.add(
                    Entry(self._now, "trouble", f"Refused: {event.command}", text=event.why, tone="warning")
                )
            case _:
                self._round(event)

    def _round(self, event: Event) -> None:
        match event:
            case RoundStarted():
                self._now = event.round
                self._scored.begin_round(event)
                origin = f"from round {event.best}" if event.best else "the seed prompt"
                self.add(Entry(event.round, "round", f"Round {event.round}", facts=origin, tone="heading"))
                self._give_way()
            case CandidateProposed():
                entry = self._slot(event.round, "propose", 0)
                entry.title = "candidate, edited by hand" if event.edited else "candidate"
                entry.text, entry.aside, entry.tone = event.modification, event.reasoning, "plain"
            case CandidateRefused():
                then = "The round is void." if event.final else "It is asked again."
                title = "proposal refused"
                tone: Tone = "void" if event.final else "warning"
                self.add(Entry(event.round, "trouble", title, text=f"{event.why} {then}", tone=tone))
            case Answered():
                entry = self._slot(event.round, "execute", event.index)
                entry.text, entry.aside = event.answer or f"No answer: {event.error}", event.question
            case Likelihood():
                entry = self._slot(event.round, "vote_likelihood", event.index)
                entry.title = f"likelihood of answer {event.index + 1}"
                entry.text = f"{event.value:.3f} nats a token"
            case VoteCast():
                self._vote(event)
            case RoundFinished():
                self.add(_verdict(event))
            case VerdictOverridden():
                text = f"It counts from round {event.before_round} on."
                title = f"Your verdict on round {event.round}: {event.outcome}"
                self.add(Entry(event.round, "verdict", title, text=text, tone=_TONES[event.outcome]))
            case FinalCheckFinished():
                title = f"Final check on {plural(event.questions, 'question')}: {event.outcome}"
                self.add(Entry(self._now, "verdict", title, text=event.headline, tone="best"))
            case FinalCheckSkipped():
                self.add(Entry(self._now, "verdict", "No final check", text=event.why, tone="warning"))
            case FinalTest():
                title = f"Test of round {event.best} on {plural(event.rows, 'test row')}"
                rows = f"{event.wins} rows won, {event.losses} lost"
                self.add(Entry(self._now, "verdict", title, rows, test_result(event), tone="best"))
            case HeldOutFinished():
                votes = f"{plural(event.wins, 'vote')} for it, {event.losses} against"
                text = f"{votes}, {plural(event.ties, 'tie')}."
                questions = plural(event.questions, "held-out question")
                title = f"Best against seed on {questions}: {event.outcome}"
                self.add(Entry(event.best, "verdict", title, text=text, tone="best"))
            case _:
                pass

    def _vote(self, event: VoteCast) -> None:
        purpose = "human" if event.voter == "human" else "vote"
        entry = self._slot(event.round, purpose, event.index)
        whose = {"human": "your vote", "likelihood": "likelihood"}.get(event.voter, "vote")
        where = "" if event.question is None else f" on question {event.question + 1}"
        by = f" of {event.model}" if event.model else ""
        entry.title = f"{whose} {event.order}".strip() + f"{by}{where}: {event.choice}"
        entry.text, entry.tone = event.reason, event.choice

    def _call(self, event: CallStarted | CallRetried | CallFinished | CallDropped) -> None:
        key = event.key
        entry = self._slot(key.round, key.purpose, key.index)
        slot = (key.round, key.purpose, key.index)
        match event:
            case CallStarted():
                self._live[slot] = self._places[slot]
                entry.began, entry.retry_at, entry.streamed, entry.facts = event.at, 0.0, "", ""
            case CallRetried():
                entry.retry_at, entry.text, entry.tone = event.at + event.wait, event.error, "error"
            case CallDropped():
                self._live.pop(slot, None)
                entry.began, entry.streamed, entry.retry_at = None, "", 0.0
                entry.facts = "failed" if event.failed else "not needed any more"
                entry.text, entry.tone = (event.why, "error") if event.failed else ("", "plain")
            case CallFinished():
                self._live.pop(slot, None)
                entry.began, entry.streamed, entry.retry_at = None, "", 0.0
                if entry.tone == "error":
                    entry.text, entry.tone = "", "plain"
                entry.facts = _facts(event)

    def _stream(self, event: CallDelta) -> None:
        place = self._places.get((event.key.round, event.key.purpose, event.key.index))
        if place is not None:
            entry = self.entry(place)
            entry.streamed = (entry.streamed + event.text + event.reasoning)[-TAIL_KEPT:]

    def _slot(self, number: int, purpose: str, index: int) -> Entry:
        """The entry of a call, made when there is none; it counts as changed."""
        slot = (number, purpose, index)
        if slot not in self._places:
            name = _TITLES.get(purpose, purpose.replace("_", " "))
            title = "proposal" if purpose == "propose" else f"{name} {index + 1}"
            kind = _KINDS.get(purpose, "vote")
            aside = self._question(index) if purpose == "execute" else ""
            self._places[slot] = self.add(Entry(number, kind, title, aside=aside))
        place = self._places[slot]
        self.changed.add(place)
        return self.entry(place)

    def _question(self, index: int) -> str:
        return self._questions[index] if 0 <= index < len(self._questions) else ""

    def _give_way(self) -> None:
        """Let the oldest rounds go, whole ones, half of what is kept at once."""
        if len(self.entries) <= ENTRIES_KEPT:
            return
        cut = len(self.entries) - ENTRIES_KEPT // 2
        while cut < len(self.entries) and self.entries[cut].kind != "round":
            cut += 1
        self.drop(cut)
        for places in (self._places, self._live):
            for slot in [slot for slot, place in places.items() if place < self.first]:
                del places[slot]


def _facts(event: CallFinished) -> str:
    tokens = event.prompt_tokens + event.completion_tokens
    facts = [f"{count(tokens, estimated=event.estimated)} tok", duration(event.seconds)]
    if event.recorded:
        facts.append("recorded")
    if event.finish_reason in CUTS:
        facts.append("cut by length" if event.finish_reason == "length" else "cut by a filter")
    return ", ".join(facts)


def _verdict(event: RoundFinished) -> Entry:
    votes = f"{event.wins}:{event.losses}, " if event.wins or event.losses or event.ties else ""
    if event.score is not None and event.score_interval is not None:
        votes = "{} ({} to {}), ".format(*map(points, (event.score, *event.score_interval)))
    tokens = count(event.prompt_tokens + event.completion_tokens, estimated=event.estimated)
    cost = usd(event.cost_usd, estimated=event.estimated)
    facts = f"{votes}{tokens} tok, {cost}, {duration(event.seconds)}"
    title = {"seed": "The seed is the best so far", "win": "Win: the new best"}.get(
        event.outcome, f"{event.outcome.capitalize()}: round {event.best} stays the best"
    )
    told = [event.note] if event.note else []
    if event.judged is not None:
        title = f"{title} (your verdict)"
        told.append(f"The judge's verdict was {event.judged}.")
    if event.flipped:
        told.append("The order of the answers changed the vote.")
    if event.length_ratio is not None and not 1 / UNLIKE_LENGTH < event.length_ratio < UNLIKE_LENGTH:
        told.append(f"The candidate's answers are {event.length_ratio:.1f} times as long as the best's.")
    return Entry(event.round, "verdict", title, facts, " ".join(told), tone=_TONES[event.outcome])


Show = Literal["everything", "verdicts", "trouble"]

_CHOICES = {"verdicts": {"proposal", "verdict"}, "trouble": {"trouble"}}
_TROUBLED = {"warning", "error", "void"}


class Choice(msgspec.Struct, frozen=True):
    """What somebody wants to see of a log.

    Attributes:
        show: everything; verdicts: proposals and what became of them; trouble: errors, refusals, voids.
        text: Only entries that hold this, upper or lower case; empty for all.
        folded: Rounds of which only the heading and the verdict are shown.
    """

    show: Show = "everything"
    text: str = ""
    folded: frozenset[int] = frozenset()

    def of(self, story: Story) -> Sequence[int]:
        """The positions of the chosen entries, each below the heading of its round."""
        if self == Choice():
            return range(story.first, story.end)
        return list(self._of(story))

    def _of(self, story: Story) -> Iterator[int]:
        heading: int | None = None
        needle = self.text.casefold()
        for position, entry in enumerate(story.entries, story.first):
            if entry.kind == "round":
                heading = position
                if self.show != "trouble" and not needle:
                    yield position
                    heading = None
            elif self._takes(entry, needle):
                if heading is not None:
                    yield heading
                    heading = None
                yield position

    def _takes(self, entry: Entry, needle: str) -> bool:
        if entry.round in self.folded and entry.kind != "verdict":
            return False
        if self.show != "everything" and entry.kind not in _CHOICES[self.show]:
            is_trouble = self.show == "trouble" and entry.tone in _TROUBLED
            if not is_trouble:
                return False
        return not needle or any(needle in text.casefold() for text in _texts(entry))


def _texts(entry: Entry) -> Iterator[str]:
    yield entry.title
    yield entry.text
    yield entry.aside
    yield entry.streamed
