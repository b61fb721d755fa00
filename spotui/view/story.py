"""A run as a log to read: an entry for every proposal, answer, vote and verdict, round by round.

Like the picture it is a fold over events and knows no screen. An entry is made when its call begins and
filled as the reply comes in, so entries stand in the order in which they were begun.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Literal

from spotui.events import (
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
from spotui.view.figures import count, duration, limit, plural, usd
from spotui.workspace.lines import Outcome

Kind = Literal["round", "proposal", "answer", "vote", "verdict", "trouble", "notice"]
Tone = Literal["plain", "heading", "best", "win", "loss", "tie", "void", "warning", "error"]

TAIL_KEPT = 400
"""Characters of a reply under way that are kept to be shown; the whole reply comes with its event."""

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
}


@dataclass(slots=True)
class Entry:
    """One thing in the log.

    Attributes:
        round: The round it belongs to, or in which it happened; 0 before the first.
        kind: What it is.
        title: What it is, in a word or two.
        facts: Tokens, seconds and the like.
        text: The modification, the answer, the reason.
        aside: What is worth less attention: the question, the optimizer's reasoning.
        tone: How it went.
        began: When its call went out, seconds since 1970; None once nothing is under way.
        retry_at: When the next try will be made; 0 when none is due.
        streamed: The last characters of the reply under way.
    """

    round: int
    kind: Kind
    title: str
    facts: str = ""
    text: str = ""
    aside: str = ""
    tone: Tone = "plain"
    began: float | None = None
    retry_at: float = 0.0
    streamed: str = ""


@dataclass
class Story:
    """The log of one run.

    Attributes:
        entries: In the order they began, without those that gave way.
        first: The position of the first of them, counted from the run's first entry.
        changed: Positions of entries that changed since somebody last took them away with `take_changes`.
    """

    entries: list[Entry] = field(default_factory=list)
    first: int = 0
    changed: set[int] = field(default_factory=set)
    _places: dict[tuple[int, str, int], int] = field(default_factory=dict)
    _live: dict[tuple[int, str, int], int] = field(default_factory=dict)
    _questions: tuple[str, ...] = ()
    _now: int = 0

    def take_changes(self) -> set[int]:
        """The positions of entries that are new or changed since the last time."""
        taken, self.changed = self.changed, set()
        return {position for position in taken if position >= self.first}

    @property
    def end(self) -> int:
        """The position after the last entry."""
        return self.first + len(self.entries)

    def entry(self, position: int) -> Entry:
        """The entry at a position."""
        return self.entries[position - self.first]

    @property
    def live(self) -> Iterator[int]:
        """The positions of entries whose call is under way; their clocks run."""
        return iter(self._live.values())

    def end_calls(self) -> None:
        """Nothing is under way any more: the run or its process has ended."""
        for place in self._live.values():
            entry = self.entry(place)
            entry.began, entry.streamed, entry.retry_at, entry.facts = None, "", 0.0, "not finished"
            self.changed.add(place)
        self._live.clear()

    def apply(self, event: Event) -> None:
        """Let an event write in the log."""
        match event:
            case CallDelta():
                self._stream(event)
            case CallStarted() | CallRetried() | CallFinished() | CallDropped():
                self._call(event)
            case RunOpened():
                self._questions = event.questions
            case RunStopped():
                self.end_calls()
                self._add(
                    Entry(self._now, "verdict", f"Stopped: {event.reason}", text=event.cause, tone="heading")
                )
            case StateChanged(state="paused"):
                self._add(Entry(self._now, "trouble", "Paused", text=event.cause, tone="warning"))
            case StateChanged(state="running"):
                self._add(Entry(self._now, "notice", "Running again"))
            case LimitsChanged():
                changes = (f"{key} {limit(value)}" for key, value in event.changes.items())
                self._add(Entry(self._now, "notice", "Limits changed", text=", ".join(changes)))
            case Noticed():
                tone: Tone = "plain" if event.level == "info" else event.level
                self._add(Entry(self._now, "notice", "Notice", text=event.text, tone=tone))
            case CommandRefused():
                self._add(
                    Entry(self._now, "trouble", f"Refused: {event.command}", text=event.why, tone="warning")
                )
            case _:
                self._round(event)

    def _round(self, event: Event) -> None:
        match event:
            case RoundStarted():
                self._now = event.round
                origin = f"from round {event.best}" if event.best else "the seed prompt"
                self._add(Entry(event.round, "round", f"Round {event.round}", facts=origin, tone="heading"))
                self._give_way()
            case CandidateProposed():
                entry = self._slot(event.round, "propose", 0)
                entry.title = "candidate, edited by hand" if event.edited else "candidate"
                entry.text, entry.aside, entry.tone = event.modification, event.reasoning, "plain"
            case CandidateRefused():
                then = "The round is void." if event.final else "It is asked again."
                title = "proposal refused"
                tone: Tone = "void" if event.final else "warning"
                self._add(Entry(event.round, "trouble", title, text=f"{event.why} {then}", tone=tone))
            case Answered():
                entry = self._slot(event.round, "execute", event.index)
                entry.text, entry.aside = event.answer, event.question
            case Likelihood():
                entry = self._slot(event.round, "vote_likelihood", event.index)
                entry.title = f"likelihood of answer {event.index + 1}"
                entry.text = f"{event.value:.3f} nats a token"
            case VoteCast():
                self._vote(event)
            case RoundFinished():
                self._add(_verdict(event))
            case VerdictOverridden():
                text = f"It holds from round {event.before_round} on."
                title = f"Round {event.round} overridden by hand: {event.outcome}"
                self._add(Entry(event.round, "verdict", title, text=text, tone=_TONES[event.outcome]))
            case HeldOutFinished():
                votes = f"{plural(event.wins, 'vote')} for it, {event.losses} against"
                text = f"{votes}, {plural(event.ties, 'tie')}."
                questions = plural(event.questions, "held-out question")
                title = f"Best against seed on {questions}: {event.outcome}"
                self._add(Entry(event.best, "verdict", title, text=text, tone="best"))
            case _:
                pass

    def _vote(self, event: VoteCast) -> None:
        purpose = "human" if event.voter == "human" else "vote"
        entry = self._slot(event.round, purpose, event.index)
        whose = {"human": "your vote", "likelihood": "likelihood"}.get(event.voter, "vote")
        entry.title = f"{whose} {event.order}".strip() + f": {event.choice}"
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
            self._places[slot] = self._add(Entry(number, kind, title, aside=aside))
        place = self._places[slot]
        self.changed.add(place)
        return self.entry(place)

    def _question(self, index: int) -> str:
        return self._questions[index] if 0 <= index < len(self._questions) else ""

    def _add(self, entry: Entry) -> int:
        position = self.end
        self.changed.add(position)
        self.entries.append(entry)
        return position

    def _give_way(self) -> None:
        """Let the oldest rounds go, whole ones, half of what is kept at once."""
        if len(self.entries) <= ENTRIES_KEPT:
            return
        cut = len(self.entries) - ENTRIES_KEPT // 2
        while cut < len(self.entries) and self.entries[cut].kind != "round":
            cut += 1
        del self.entries[:cut]
        self.first += cut
        for places in (self._places, self._live):
            for slot in [slot for slot, place in places.items() if place < self.first]:
                del places[slot]


def _facts(event: CallFinished) -> str:
    tokens = event.prompt_tokens + event.completion_tokens
    facts = [f"{'~' if event.estimated else ''}{count(tokens)} tok", duration(event.seconds)]
    if event.recorded:
        facts.append("recorded")
    if event.finish_reason == "length":
        facts.append("cut by length")
    return ", ".join(facts)


def _verdict(event: RoundFinished) -> Entry:
    votes = f"{event.wins}:{event.losses}, " if event.wins or event.losses or event.ties else ""
    tokens = count(event.prompt_tokens + event.completion_tokens)
    facts = f"{votes}{tokens} tok, {usd(event.cost_usd)}, {duration(event.seconds)}"
    title = {"seed": "The seed is the best so far", "win": "Win: the new best"}.get(
        event.outcome, f"{event.outcome.capitalize()}: round {event.best} stays the best"
    )
    return Entry(event.round, "verdict", title, facts, event.note, tone=_TONES[event.outcome])
