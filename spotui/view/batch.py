"""Calls of one kind that stand in the log as one line: rows, proposals, gradients."""

from dataclasses import dataclass, field
from typing import Final

from spotui.events import CallDropped, CallFinished, CallRetried, CallStarted
from spotui.view.entry import TAIL_KEPT, Entry
from spotui.view.figures import count, duration
from spotui.view.log import Log
from spotui.workspace.lines import CallKey

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
