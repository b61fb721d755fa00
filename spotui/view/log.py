"""The blocks of a log: one for each thing that happens, or one for all calls of a kind, which counts them."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Final, Literal, NamedTuple

import msgspec

from spotui.domain.declared import Note
from spotui.domain.events import CallDropped, CallFinished, CallRetried, CallStarted
from spotui.domain.figures import clock, count
from spotui.domain.records import CallKey
from spotui.domain.text import short
from spotui.lang import N_, NN_, _, ngettext

Kind = Literal[
    "round", "proposal", "answer", "vote", "verdict", "trouble", "notice", "calls", "note", "block"
]
Tone = Literal["plain", "heading", "best", "win", "loss", "tie", "void", "warning", "error"]

TAIL_KEPT: Final = 400
"""Characters of a reply under way that are kept to be shown; the whole reply comes with its event."""


@dataclass(slots=True)
class Entry:
    """A block of a log, and the line that says the same.

    Attributes:
        round: The round it belongs to, or in which it happened; 0 where its event does not say.
        kind: What it is; `calls` is one line for all calls of a kind.
        title: What it is, in a word or two.
        facts: Tokens, seconds and others.
        text: The modification, the answer, the reason.
        aside: What is worth less attention: the question, the optimizer's reasoning.
        tone: How it went.
        said: What the line says where it is not the title and the text.
        fills: The entry of its round that it fills in: that of a call, by purpose and index, or of notes.
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
    said: str = ""
    fills: tuple[str, int | str] | None = None
    began: float | None = None
    retry_at: float = 0.0
    streamed: str = ""

    @property
    def line(self) -> str:
        """The same as one line."""
        text = self.text or self.aside
        said = self.said or (f"{self.title}: {short(text)}" if text else self.title)
        return _("round {number}: {said}", number=self.round, said=said) if self.round else said


class Purpose(NamedTuple):
    """What a call is for, as sentences for the catalogue.

    Attributes:
        numbered: It, with its `{number}` in its round.
        single: `{n:,}` of them, for 1.
        several: `{n:,}` of them.
        doing: What happens while it is under way.
        noun: What a method calls it, for the slot `{noun}`.
        nouns: Several of them, for the slot `{nouns}`.
    """

    numbered: str
    single: str
    several: str
    doing: str
    noun: str = ""
    nouns: str = ""

    def name(self, number: int) -> str:
        """One of them, counted from 1."""
        return _(self.numbered, noun=self.noun, number=number)

    def so_many(self, number: int) -> str:
        """So many of them."""
        return ngettext(self.single, self.several, number, noun=self.noun, nouns=self.nouns)

    def under_way(self, number: int) -> str:
        """What happens while one of them is under way, counted from 1."""
        return _(self.doing, noun=self.noun, number=number)


_OTHER: Final = Purpose(N_("{noun} {number}"), *NN_("{n:,} {noun}", "{n:,} {nouns}"), N_("{noun} {number}"))
_PURPOSES: Final = {
    "propose": Purpose(
        N_("proposal {number}"), *NN_("{n:,} proposal", "{n:,} proposals"), N_("proposing a prompt")
    ),
    "execute": Purpose(
        N_("question {number}"), *NN_("{n:,} question", "{n:,} questions"), N_("answering question {number}")
    ),
    "vote": Purpose(N_("vote {number}"), *NN_("{n:,} vote", "{n:,} votes"), N_("judging, vote {number}")),
    "playoff": Purpose(
        N_("comparison of two candidates, vote {number}"),
        *NN_("{n:,} vote on two candidates", "{n:,} votes on two candidates"),
        N_("comparing two candidates, vote {number}"),
    ),
    "vote_likelihood": Purpose(
        N_("likelihood {number}"),
        *NN_("{n:,} likelihood", "{n:,} likelihoods"),
        N_("measuring answer {number}"),
    ),
    "vote_typicality": Purpose(
        N_("plain likelihood {number}"),
        *NN_("{n:,} plain likelihood", "{n:,} plain likelihoods"),
        N_("measuring answer {number} without the requirements"),
    ),
    "held_out": Purpose(
        N_("held-out question {number}"),
        *NN_("{n:,} held-out question", "{n:,} held-out questions"),
        N_("answering held-out question {number}"),
    ),
    "held_out_vote": Purpose(
        N_("held-out vote {number}"),
        *NN_("{n:,} held-out vote", "{n:,} held-out votes"),
        N_("judging, held-out vote {number}"),
    ),
    "check_vote": Purpose(
        N_("vote of the final check {number}"),
        *NN_("{n:,} vote of the final check", "{n:,} votes of the final check"),
        N_("final check, vote {number}"),
    ),
    "score_train": Purpose(
        N_("train row {number}"),
        *NN_("{n:,} train row", "{n:,} train rows"),
        N_("answering train row {number}"),
    ),
    "score_eval": Purpose(
        N_("eval row {number}"), *NN_("{n:,} eval row", "{n:,} eval rows"), N_("answering eval row {number}")
    ),
    "score_test": Purpose(
        N_("test row {number}"), *NN_("{n:,} test row", "{n:,} test rows"), N_("answering test row {number}")
    ),
    "mark_train": Purpose(
        N_("train mark {number}"),
        *NN_("{n:,} train mark", "{n:,} train marks"),
        N_("marking the answer to train row {number}"),
    ),
    "mark_eval": Purpose(
        N_("eval mark {number}"),
        *NN_("{n:,} eval mark", "{n:,} eval marks"),
        N_("marking the answer to eval row {number}"),
    ),
    "mark_test": Purpose(
        N_("test mark {number}"),
        *NN_("{n:,} test mark", "{n:,} test marks"),
        N_("marking the answer to test row {number}"),
    ),
    "embed": Purpose(
        N_("embedding {number}"), *NN_("{n:,} embedding", "{n:,} embeddings"), N_("embedding text {number}")
    ),
}


def purpose_of(name: str, notes: Iterable[Note] = ()) -> Purpose:
    """What calls filed under a name are for.

    Args:
        name: The name.
        notes: The kinds of notes that the method declares.
    """
    for note in notes:
        if note.filed == name:
            return _OTHER._replace(doing=N_("writing {noun} {number}"), noun=note.name, nouns=note.several)
    noun = name.replace("_", " ")
    return _PURPOSES.get(name) or _OTHER._replace(noun=noun, nouns=f"{noun}s")


def call_in_words(key: CallKey, notes: Iterable[Note] = ()) -> str:
    """A call's name in its round; see `purpose_of`."""
    name = purpose_of(key.purpose, notes).name(key.index + 1)
    return name if key.purpose == "playoff" else of_candidate(key.candidate, name)


def of_candidate(number: int, what: str) -> str:
    """Something about a candidate, with its number where the round has several."""
    return _("candidate {number}, {what}", number=number, what=what) if number else what


def lane(purpose: str, candidate: int) -> str:
    """The key by which entries about one of several candidates are found."""
    return f"{purpose} {candidate}" if candidate else purpose


@dataclass
class Batch:
    """Calls that belong together, and the entry that tells of them.

    Attributes:
        purpose: What they are for.
        title: What the entry says; empty for the number of calls.
        wanted: How many calls there will be; 0 where that is unknown.
    """

    purpose: Purpose
    title: str = ""
    wanted: int = 0
    _asked: set[CallKey] = field(default_factory=set)
    _done: set[CallKey] = field(default_factory=set)
    _marked: set[CallKey] = field(default_factory=set)
    _live: dict[CallKey, float] = field(default_factory=dict)
    _troubles: dict[CallKey, tuple[str, float]] = field(default_factory=dict)
    _tokens: int = 0
    _estimated: bool = False
    _recorded: int = 0
    _lead: CallKey | None = None
    _began: float = 0.0
    _last: float = 0.0

    @property
    def is_live(self) -> bool:
        """Whether a call is under way."""
        return bool(self._live)

    @property
    def is_fresh(self) -> bool:
        """Whether no call has been reported yet."""
        return not self._asked

    def take(self, event: CallStarted | CallRetried | CallFinished | CallDropped) -> None:
        """Count something about one of the calls."""
        key = msgspec.structs.replace(event.key, attempt=1, turn=0)  # whichever attempt it is
        is_mark = key.purpose.startswith("mark_")
        if not is_mark:
            self._asked.add(key)
        match event:
            case CallStarted():
                self._began = self._began or event.at
                self._live[event.key] = event.at
                self._troubles.pop(event.key, None)
            case CallRetried():
                self._troubles[event.key] = event.error, event.at + event.wait
            case CallFinished():
                self._end(event.key, event.at)
                (self._marked if is_mark else self._done).add(key)
                if not event.recorded:
                    self._tokens += event.prompt_tokens + event.completion_tokens
                    self._estimated = self._estimated or event.estimated
                self._recorded += event.recorded
            case CallDropped():
                self._end(event.key, event.at)

    def stream(self, key: CallKey, text: str, entry: Entry) -> None:
        """Take a piece of a reply; of several that are being written one is shown."""
        if self._lead not in self._live:
            self._lead, entry.streamed = key, ""
        if key == self._lead:
            entry.streamed = (entry.streamed + text)[-TAIL_KEPT:]

    def cut_off(self) -> None:
        """No call is under way any more: the run or its process has ended."""
        self._live.clear()
        self._troubles.clear()

    def write(self, entry: Entry) -> None:
        """Bring the entry up to date."""
        wanted = max(self.wanted, len(self._asked))
        entry.title = self.title or self.purpose.so_many(wanted)
        entry.facts = ", ".join(self._counts(wanted))
        entry.began = min(self._live.values(), default=None)
        if entry.began is None:
            entry.streamed = ""
        entry.text, entry.tone, entry.retry_at = "", "plain", 0.0
        if self._troubles:
            text, entry.retry_at = max(self._troubles.values(), key=lambda one: one[1])
            entry.text = ngettext(
                "{n:,} call to try again: {text}",
                "{n:,} calls to try again: {text}",
                len(self._troubles),
                text=text,
            )
            entry.tone = "error"

    def _end(self, key: CallKey, at: float) -> None:
        self._live.pop(key, None)
        self._troubles.pop(key, None)
        self._last = at

    def _counts(self, wanted: int) -> list[str]:
        facts = []
        if self._live or len(self._done) < wanted:
            facts.append(_("{done:,} of {wanted:,}", done=len(self._done), wanted=wanted))
        if self._marked:
            facts.append(_("{number:,} marked", number=len(self._marked)))
        if self._recorded:
            facts.append(_("{number:,} recorded", number=self._recorded))
        if self._tokens:
            facts.append(_("{tokens} tok", tokens=count(self._tokens, estimated=self._estimated)))
        if not self._live and self._last > self._began > 0:
            facts.append(clock(self._last - self._began))
        return facts
