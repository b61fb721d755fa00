"""A run as a log to read: its events as blocks, round by round.

Like the picture it is a fold over events and knows no screen. A block is put down when its call begins and
filled as the reply comes in, so blocks are in the order in which they were begun. Where prompts are scored on
rows, hundreds of calls of one kind are one block that counts them.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import chain
from typing import Final, Literal

import msgspec

from spotui.domain.declared import Note
from spotui.domain.events import (
    CallDelta,
    CallDropped,
    CallFinished,
    CallRetried,
    CallStarted,
    CandidateProposed,
    CandidateScored,
    Event,
    NoteWritten,
    RoundStarted,
    RunOpened,
    RunStopped,
    ScoringStarted,
)
from spotui.domain.figures import clock, count
from spotui.domain.records import CallKey
from spotui.domain.text import short
from spotui.lang import N_, _, ngettext
from spotui.view.log import TAIL_KEPT, Batch, Entry, Kind, call_in_words, lane, purpose_of
from spotui.view.telling import tell

ENTRIES_KEPT = 4000
"""Entries of a log, some 300 rounds of five questions; then the oldest give way, which the journal has."""

_ALONE: Final[dict[str, Kind]] = {
    "execute": "answer",
    "held_out": "answer",
    "vote": "vote",
    "playoff": "vote",
    "vote_likelihood": "vote",
    "vote_typicality": "vote",
    "held_out_vote": "vote",
    "held_out_vote_likelihood": "vote",
    "held_out_vote_typicality": "vote",
    "check_vote": "vote",
}
"""Calls that each have an entry of their own."""

Slot = tuple[int, str, int | str]


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
    _places: dict[Slot, int] = field(default_factory=dict)
    _live: dict[Slot, int] = field(default_factory=dict)
    _batches: dict[str, Batch] = field(default_factory=dict)
    _prompts: dict[str, int] = field(default_factory=dict)
    _names: dict[str, str] = field(default_factory=dict)
    _notes: dict[Slot, dict[int, str]] = field(default_factory=dict)
    _scored: set[str] = field(default_factory=set)
    _seed: str = ""
    _questions: tuple[str, ...] = ()
    _kinds: tuple[Note, ...] = ()
    _is_scored: bool = False
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
        batches = (
            self._places.get(self._slot_of(name)) for name, one in self._batches.items() if one.is_live
        )
        return chain(self._live.values(), (place for place in batches if place is not None))

    def end_calls(self) -> None:
        """Nothing is under way any more: the run or its process has ended."""
        for place in self._live.values():
            entry = self._change(place)
            entry.began, entry.streamed, entry.retry_at, entry.facts = None, "", 0.0, _("not finished")
        self._live.clear()
        for name, batch in self._batches.items():
            if batch.is_live:
                batch.cut_off()
                if (slot := self._slot_of(name)) in self._places:
                    batch.write(entry := self._change(self._places[slot]))
                    entry.facts += _(", not finished")

    def apply(self, event: Event) -> None:
        """Let an event write in the log."""
        match event:
            case CallStarted() | CallRetried() | CallFinished() | CallDropped():
                if self._is_alone(event.key):
                    self._call(event)
                else:
                    self._count(event)
                return
            case CallDelta():
                self._stream(event)
                return
            case RunOpened():
                self._questions, self._kinds = event.questions, event.notes
            case RunStopped():
                self.end_calls()
            case RoundStarted():
                self._begin_round(event.round)
            case ScoringStarted():
                self._begin_scoring(event)
            case _:
                pass
        if (entry := tell(event)) is not None:
            entry.round = entry.round or self._now
            match event:
                case CandidateProposed() if self._is_scored:
                    self._prompts[event.prompt] = self._add(entry)
                    self._names[event.prompt] = entry.title
                case CandidateScored():
                    self._score(event, entry)
                case NoteWritten():
                    self._note(event, entry)
                case _:
                    self._put(entry)
        if isinstance(event, RoundStarted):
            self._give_way()

    def _add(self, entry: Entry) -> int:
        """Put an entry at the end; returns its position."""
        position = self.end
        self.changed.add(position)
        self.entries.append(entry)
        return position

    def _change(self, position: int) -> Entry:
        """The entry at a position, which counts as changed."""
        self.changed.add(position)
        return self.entry(position)

    def _put(self, entry: Entry) -> None:
        """Put an entry down, or fill in the one that its call began."""
        if entry.fills is None:
            self._add(entry)
            return
        slot: Slot = (entry.round, *entry.fills)
        if slot not in self._places:
            self._places[slot] = self._add(entry)
            return
        begun = self._change(self._places[slot])
        begun.title, begun.text, begun.aside, begun.tone = entry.title, entry.text, entry.aside, entry.tone

    def _begin_round(self, number: int) -> None:
        self._now = number
        self._batches.clear()
        self._prompts.clear()
        self._names.clear()
        self._notes.clear()

    def _begin_scoring(self, event: ScoringStarted) -> None:
        self._is_scored = True
        name, wanted = f"score_{event.split}", event.prompts * event.rows
        before = self._batches.get(name)
        if before is not None and before.is_fresh:  # asked for at the same time: one line for all
            wanted += before.wanted
        prompts = wanted // event.rows if event.rows else event.prompts
        if prompts > 1:
            title = ngettext(
                "{prompts:,} prompts on {n:,} {split} row each",
                "{prompts:,} prompts on {n:,} {split} rows each",
                event.rows,
                prompts=prompts,
                split=event.split,
            )
        else:
            title = ngettext(
                "1 prompt on {n:,} {split} row",
                "1 prompt on {n:,} {split} rows",
                event.rows,
                split=event.split,
            )
        self._batches[name] = Batch(purpose_of(name), title, wanted)
        self._places.pop(self._slot_of(name), None)

    def _score(self, event: CandidateScored, entry: Entry) -> None:
        """Put a score beside the prompt, which has a name in its round."""
        self._is_scored = True
        if event.prompt not in self._prompts:
            if event.round == 1:
                self._seed = event.prompt
            name = _("prompt of an earlier round") if event.prompt in self._scored else _("prompt")
            name = _("seed prompt") if event.prompt == self._seed else name
            begun = Entry(entry.round, entry.kind, name, text=short(event.prompt, 90))
            self._prompts[event.prompt] = self._add(begun)
            self._names[event.prompt] = name
        begun = self._change(self._prompts[event.prompt])
        self._scored.add(event.prompt)
        begun.title, begun.facts, begun.tone = (
            _("{name}: {text}", name=self._names[event.prompt], text=entry.title),
            entry.facts,
            entry.tone,
        )

    def _note(self, event: NoteWritten, entry: Entry) -> None:
        """Put a note down; several of one kind about one prompt are one entry."""
        slot: Slot = (entry.round, f"note {event.what}", event.prompt)
        notes = self._notes.setdefault(slot, {})
        notes[event.index] = entry.aside
        if len(notes) > 1:
            kind = next((one for one in self._kinds if one.name == event.what), Note(event.what))
            entry.title = _("{n} {notes}", n=len(notes), notes=_(kind.several))
            entry.aside = "\n".join(text for _index, text in sorted(notes.items()))
        self._put(entry)

    def _is_alone(self, key: CallKey) -> bool:
        return key.purpose in _ALONE or (key.purpose == "propose" and not self._is_scored)

    def _call(self, event: CallStarted | CallRetried | CallFinished | CallDropped) -> None:
        key = event.key
        slot: Slot = (key.round, lane(key.purpose, key.candidate), key.index)
        if slot not in self._places:
            is_proposal = key.purpose == "propose"
            title = _("proposal") if is_proposal else call_in_words(key)
            kind = _ALONE.get(key.purpose, "proposal")
            aside = self._question(key.index) if key.purpose == "execute" else ""
            self._places[slot] = self._add(Entry(key.round, kind, title, aside=aside))
        entry = self._change(self._places[slot])
        match event:
            case CallStarted():
                self._live[slot] = self._places[slot]
                entry.began, entry.retry_at, entry.streamed, entry.facts = event.at, 0.0, "", ""
            case CallRetried():
                entry.retry_at, entry.text, entry.tone = event.at + event.wait, event.error, "error"
            case CallDropped():
                self._live.pop(slot, None)
                entry.began, entry.streamed, entry.retry_at = None, "", 0.0
                entry.facts = _("failed") if event.failed else _("not needed any more")
                entry.text, entry.tone = (event.why, "error") if event.failed else ("", "plain")
            case CallFinished():
                self._live.pop(slot, None)
                entry.began, entry.streamed, entry.retry_at = None, "", 0.0
                if entry.tone == "error":
                    entry.text, entry.tone = "", "plain"
                entry.facts = _facts(event)

    def _count(self, event: CallStarted | CallRetried | CallFinished | CallDropped) -> None:
        """Count a call in the entry of its kind, which is there once the first of them has gone out."""
        name, number = event.key.purpose.replace("mark_", "score_"), self._now or event.key.round
        batch, slot = (
            self._batches.setdefault(name, Batch(purpose_of(name, self._kinds))),
            self._slot_of(name),
        )
        batch.take(event)
        if isinstance(event, CallStarted) and slot not in self._places:
            self._places[slot] = self._add(Entry(number, "calls", ""))
        if isinstance(event, CallDropped) and event.failed:
            title = _("{call} failed", call=call_in_words(event.key, self._kinds))
            self._add(Entry(number, "trouble", title, text=event.why, tone="error"))
        if (place := self._places.get(slot)) is not None:
            batch.write(self._change(place))

    def _slot_of(self, batch: str) -> Slot:
        return self._now, "batch", batch

    def _stream(self, event: CallDelta) -> None:
        key, text = event.key, event.text + event.reasoning
        if self._is_alone(key):
            if (
                place := self._places.get((key.round, lane(key.purpose, key.candidate), key.index))
            ) is not None:
                entry = self.entry(place)
                entry.streamed = (entry.streamed + text)[-TAIL_KEPT:]
            return
        name = key.purpose.replace("mark_", "score_")
        if (place := self._places.get(self._slot_of(name))) is not None:
            self._batches[name].stream(key, text, self.entry(place))

    def _question(self, index: int) -> str:
        return self._questions[index] if 0 <= index < len(self._questions) else ""

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


_CUTS: Final = {
    "length": N_("cut by length"),
    "content_filter": N_("cut by a filter"),
    "loop": N_("cut in a loop"),
}


def _facts(event: CallFinished) -> str:
    tokens = event.prompt_tokens + event.completion_tokens
    facts = [_("{tokens} tok", tokens=count(tokens, estimated=event.estimated)), clock(event.seconds)]
    if event.recorded:
        facts.append(_("recorded"))
    if event.finish_reason in _CUTS:
        facts.append(_(_CUTS[event.finish_reason]))
    return ", ".join(facts)


Show = Literal["everything", "verdicts", "trouble"]
SHOWS: Final = (N_("everything"), N_("verdicts"), N_("trouble"))
"""The words for them."""

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
