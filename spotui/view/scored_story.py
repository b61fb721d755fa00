"""Calls of one kind that stand in the log as one line: rows, proposals, gradients."""

from dataclasses import dataclass, field
from typing import Final

from spotui.domain.events import (
    BeamChosen,
    CallDelta,
    CallDropped,
    CallFinished,
    CallRetried,
    CallStarted,
    CandidateProposed,
    CandidateScored,
    Event,
    NoteWritten,
    PastPrompt,
    PastShown,
    RoundStarted,
    ScoringStarted,
)
from spotui.domain.figures import count, duration, plural, points
from spotui.domain.records import CallKey
from spotui.domain.text import short
from spotui.view.log import TAIL_KEPT, Entry, Log

_NOUNS: Final = {
    "propose": "proposal",
    "reflect": "reflection",
    "gradient": "gradient",
    "summarize": "summary",
    "score": "row",
    "mark": "mark",
}
_PLURALS: Final = {"summary": "summaries"}


def noun_of(purpose: str) -> str:
    """What a call brings."""
    head, _, rest = purpose.partition("_")
    split = {"eval": "eval ", "test": "test ", "train": "train "}.get(rest, "")
    return split + _NOUNS.get(head, head)


def nouns(number: int, noun: str) -> str:
    """A count with its noun: 1 summary, 3 summaries."""
    return f"{number:,} {noun if number == 1 else _PLURALS.get(noun, f'{noun}s')}"


@dataclass
class Batch:
    """Calls that belong together; the line is there once the first of them has gone out.

    Attributes:
        log: Where the line is.
        round: The round it belongs to.
        noun: What a call brings.
        title: What the line says; empty for the number of calls.
        wanted: How many calls there will be; 0 where nobody knows.
        place: Where the line is, or None as long as there is none.
    """

    log: Log
    round: int
    noun: str
    title: str = ""
    wanted: int = 0
    place: int | None = None
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
        """Whether no call has been told of yet."""
        return not self._asked

    def take(self, event: CallStarted | CallRetried | CallFinished | CallDropped) -> None:
        """Let something about one of the calls change the line."""
        key = _first_try(event.key)
        if not _is_mark(key):
            self._asked.add(key)
        match event:
            case CallStarted():
                self._began = self._began or event.at
                self._live[event.key] = event.at
                self._troubles.pop(event.key, None)
                if self.place is None:
                    self.place = self.log.add(Entry(self.round, "calls", ""))
            case CallRetried():
                self._troubles[event.key] = event.error, event.at + event.wait
            case CallFinished():
                self._end(event.key, event.at)
                (self._marked if _is_mark(key) else self._done).add(key)
                if not event.recorded:
                    self._tokens += event.prompt_tokens + event.completion_tokens
                    self._estimated = self._estimated or event.estimated
                self._recorded += event.recorded
            case CallDropped():
                self._end(event.key, event.at)
                if event.failed:
                    title = f"{noun_of(key.purpose)} {key.index + 1} failed"
                    self.log.add(Entry(self.round, "trouble", title, text=event.why, tone="error"))
        self._write()

    def stream(self, key: CallKey, text: str) -> None:
        """Take a piece of a reply; of several that are being written one is shown."""
        if self.place is None:
            return
        entry = self.log.entry(self.place)
        if self._lead not in self._live:
            self._lead, entry.streamed = key, ""
        if key == self._lead:
            entry.streamed = (entry.streamed + text)[-TAIL_KEPT:]

    def end(self) -> None:
        """No call is under way any more: the run or its process has ended."""
        if self._live:
            self._live.clear()
            self._troubles.clear()
            self._write()
            if self.place is not None:
                self.log.change(self.place).facts += ", not finished"

    def _end(self, key: CallKey, at: float) -> None:
        self._live.pop(key, None)
        self._troubles.pop(key, None)
        self._last = at

    def _write(self) -> None:
        if self.place is None or self.place < self.log.first:
            return
        entry = self.log.change(self.place)
        wanted = max(self.wanted, len(self._asked))
        entry.title = self.title or nouns(wanted, self.noun)
        entry.facts = ", ".join(self._counts(wanted))
        entry.began = min(self._live.values(), default=None)
        if entry.began is None:
            entry.streamed = ""
        entry.text, entry.tone, entry.retry_at = "", "plain", 0.0
        if self._troubles:
            text, entry.retry_at = max(self._troubles.values(), key=lambda one: one[1])
            entry.text = f"{nouns(len(self._troubles), 'call')} to try again: {text}"
            entry.tone = "error"

    def _counts(self, wanted: int) -> list[str]:
        told = []
        if self._live or len(self._done) < wanted:
            told.append(f"{len(self._done):,} of {wanted:,}")
        if self._marked:
            told.append(f"{len(self._marked):,} marked")
        if self._recorded:
            told.append(f"{self._recorded:,} recorded")
        if self._tokens:
            told.append(f"{count(self._tokens, estimated=self._estimated)} tok")
        if not self._live and self._last > self._began > 0:
            told.append(duration(self._last - self._began))
        return told


def _first_try(key: CallKey) -> CallKey:
    return CallKey(key.round, key.purpose, key.index)


def _is_mark(key: CallKey) -> bool:
    return key.purpose.startswith("mark_")


_BATCHED = {"score", "mark", "gradient", "summarize", "reflect"}
_PAST_SHOWN = 90
"""Characters of a past prompt in the log; all of it is on the screen of the round's rows."""


@dataclass
class ScoredStory:
    """The part of a log that is about scores; it takes the events that it knows how to tell.

    Args:
        log: Where entries are put.
    """

    log: Log
    _scores: bool = False
    _now: int = 0
    _seed: str = ""
    _known: set[str] = field(default_factory=set)
    _budget: int | None = None
    _batches: dict[str, Batch] = field(default_factory=dict)
    _candidates: dict[str, int] = field(default_factory=dict)
    _gradients: dict[str, tuple[int, dict[int, str]]] = field(default_factory=dict)

    @property
    def live(self) -> list[int]:
        """The positions of lines whose calls are under way."""
        return [one.place for one in self._batches.values() if one.is_live and one.place is not None]

    def end_calls(self) -> None:
        """Nothing is under way any more."""
        for one in self._batches.values():
            one.end()

    def takes(self, event: Event) -> bool:
        """Let an event write, if it is about scores; whether it was."""
        match event:
            case CallStarted() | CallRetried() | CallFinished() | CallDropped() if self._is_batched(
                event.key.purpose
            ):
                self._batch(event.key.round, event.key.purpose).take(event)
            case CallDelta() if self._is_batched(event.key.purpose):
                self._batch(event.key.round, event.key.purpose).stream(
                    event.key, event.text + event.reasoning
                )
            case ScoringStarted():
                self._begin_scoring(event)
            case PastShown():
                self._budget = event.edit_budget
                self.log.add(_shown(event))
            case NoteWritten():
                self._note(event)
            case CandidateProposed() if self._scores:
                self._propose(event)
            case CandidateScored():
                self._score(event)
            case BeamChosen():
                lines = [
                    f"{_interval(one.score, one.low, one.high)}   {short(one.prompt, _PAST_SHOWN)}"
                    for one in event.members
                ]
                title = "beam: " + plural(len(event.members), "prompt")
                self.log.add(Entry(event.round, "beam", f"{title} for the next round", text="\n".join(lines)))
            case _:
                return False
        return True

    def begin_round(self, event: RoundStarted) -> None:
        """What belongs to a round begins anew."""
        self._now, self._budget = event.round, None
        self._batches.clear()
        self._candidates.clear()
        self._gradients.clear()

    def _is_batched(self, purpose: str) -> bool:
        return purpose.partition("_")[0] in _BATCHED or (self._scores and purpose == "propose")

    def _batch(self, number: int, purpose: str) -> Batch:
        name = purpose.replace("mark_", "score_")
        if name not in self._batches:
            self._batches[name] = Batch(self.log, self._now or number, noun_of(name))
        return self._batches[name]

    def _begin_scoring(self, event: ScoringStarted) -> None:
        self._scores = True
        name, wanted = f"score_{event.split}", event.prompts * event.rows
        before = self._batches.get(name)
        if before is not None and before.is_fresh:  # asked for at the same time: one line for all
            wanted += before.wanted
        prompts = wanted // event.rows if event.rows else event.prompts
        noun = f"{event.split} row"
        title = f"{plural(prompts, 'prompt')} on {plural(event.rows, noun)}" + (
            " each" if prompts > 1 else ""
        )
        self._batches[name] = Batch(self.log, self._now or event.round, noun, title, wanted)

    def _propose(self, event: CandidateProposed) -> None:
        title = f"candidate {event.index + 1}" + (", edited by hand" if event.edited else "")
        text = "" if event.edited else event.modification
        entry = Entry(
            event.round,
            "proposal",
            title,
            text=text or short(event.prompt, _PAST_SHOWN),
            aside=event.reasoning,
        )
        entry.facts = _changed(event.words_changed, self._budget)
        self._candidates[event.prompt] = self.log.add(entry)

    def _score(self, event: CandidateScored) -> None:
        if event.split == "test":
            return  # the test as a whole says more
        self._scores = True
        place = self._candidates.get(event.prompt)
        if place is None:
            self._seed = event.prompt if event.round == 1 else self._seed
            title = "prompt of an earlier round" if event.prompt in self._known else "prompt"
            title = "seed prompt" if event.prompt == self._seed else title
            text = short(event.prompt, _PAST_SHOWN)
            place = self.log.add(Entry(event.round, "proposal", title, text=text))
            self._candidates[event.prompt] = place
        self._known.add(event.prompt)
        entry = self.log.change(place)
        name = entry.title.partition(":")[0]
        entry.title = (
            f"{name}: {_interval(event.score, event.low, event.high)}" if event.rows else f"{name}: no score"
        )
        errored = f"{event.left_out} errored" if event.left_out else ""
        rows = plural(event.rows, f"{event.split} row")
        entry.facts = ", ".join(filter(None, (rows, errored, _changed(event.words_changed, self._budget))))
        entry.tone = "warning" if event.left_out else "plain"

    def _note(self, event: NoteWritten) -> None:
        text = event.text or "Nothing was written."
        if event.what != "gradient":
            facts = f"on: {short(event.prompt, 40)}" if event.prompt else ""
            self.log.add(Entry(event.round, "note", event.what, facts, aside=text))
            return
        if event.prompt not in self._gradients:
            place = self.log.add(Entry(event.round, "note", "", f"on: {short(event.prompt, 40)}"))
            self._gradients[event.prompt] = place, {}
        place, texts = self._gradients[event.prompt]
        texts[event.index] = text
        entry = self.log.change(place)
        entry.title = plural(len(texts), "gradient")
        entry.aside = "\n".join(text for _, text in sorted(texts.items()))


def _shown(event: PastShown) -> Entry:
    budget = (
        "no edit budget" if event.edit_budget is None else f"edit budget {plural(event.edit_budget, 'word')}"
    )
    lines = [past_line(one) + f"   {short(one.text, _PAST_SHOWN)}" for one in event.past]
    seen = plural(len(event.past), "earlier prompt") if event.past else "no earlier prompt"
    current = "the seed" if event.current == 1 else f"round {event.current}"
    return Entry(event.round, "past", f"optimizer sees {current} and {seen}", budget, "\n".join(lines))


def past_line(one: PastPrompt) -> str:
    """What is known of something of an earlier round."""
    score = "" if one.score is None else f"   {points(one.score):>5}"
    alike = "" if one.similarity is None else f"   alike {one.similarity:.2f}"
    return f"round {one.round}{score}{alike}"


def _interval(score: float, low: float, high: float) -> str:
    return f"{points(score)} ({points(low)} to {points(high)})"


def _changed(words: int | None, budget: int | None) -> str:
    if words is None:
        return ""
    return f"{words} of {budget} words" if budget is not None else f"{plural(words, 'word')} changed"
