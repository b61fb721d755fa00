"""What every verb works with: roles, limits, people's decisions, and marks that were given before."""

import asyncio
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from hashlib import blake2b
from typing import Protocol

import msgspec

from spotui.domain.declared import Declared
from spotui.domain.events import Event, Noticed
from spotui.domain.records import (
    AnyLine,
    EditLine,
    HintLine,
    Line,
    MarkLine,
    OverrideLine,
    VoteLine,
    VoteRecord,
)
from spotui.domain.rows import Row
from spotui.domain.verdicts import Outcome, Side
from spotui.engine.asking import Asker
from spotui.engine.meta_prompts import MetaPrompts
from spotui.engine.task import Task
from spotui.lang import _
from spotui.llm.limits import Gate

Inbox = asyncio.Queue[tuple[VoteRecord, int]]
"""Where the votes of a duel arrive, each with its number."""


class Decisions:
    """Human decisions, those in the journal and those that arrive while the run goes on.

    Args:
        lines: The journal's lines of an earlier session.

    Attributes:
        pause_at_candidate: Whether to wait for a person once the next candidate is there.
        edits: A person's text for a round's candidate.
    """

    def __init__(self, lines: Iterable[AnyLine] = ()) -> None:
        self.pause_at_candidate = False
        self.edits: dict[int, str] = {}
        self._votes: defaultdict[int, list[VoteRecord]] = defaultdict(list)
        self._overrides: list[OverrideLine] = []
        self._hints: list[HintLine] = []
        self._open: dict[int, Inbox] = {}
        self._left: dict[int, Side] = {}
        for line in lines:
            self.take(line)
        self._recorded_hints = tuple(self._hints)

    def take(self, line: AnyLine) -> None:
        """Take a decision in; lines of another kind are none."""
        match line:
            case EditLine():
                self.edits[line.round] = line.prompt
            case OverrideLine():
                self._overrides.append(line)
            case HintLine():
                self._hints.append(line)
            case VoteLine():
                vote = VoteRecord(
                    choice=line.choice, voter="human", question=line.question, outranks=line.outranks
                )
                self._votes[line.round].append(vote)
                if line.round in self._open:
                    self._open[line.round].put_nowait((vote, len(self._votes[line.round]) - 1))

    def overrides_before(self, number: int) -> dict[int, Outcome]:
        """The verdicts people gave that are in force when round `number` begins."""
        return {line.round: line.outcome for line in self._overrides if line.before_round <= number}

    def override_of(self, number: int) -> OverrideLine | None:
        """The last verdict that a person gave a round."""
        return next((line for line in reversed(self._overrides) if line.round == number), None)

    def hint_for(self, number: int) -> str:
        """The last hint that is in force for the candidates of a round; empty without one."""
        hints = [line.text for line in self._hints if line.before_round <= number]
        return hints[-1] if hints else ""

    def recorded_hints(self, number: int) -> list[HintLine]:
        """The hints of earlier sessions that came into force with a round."""
        return [line for line in self._recorded_hints if line.before_round == number]

    @contextmanager
    def duel(self, number: int, left: Side) -> Iterator[Inbox]:
        """While a round's duel is open: where votes arrive, a person's that are there already first.

        Args:
            number: The round.
            left: Whose answers a person sees on the left.
        """
        inbox: Inbox = asyncio.Queue()
        for index, vote in enumerate(self._votes[number]):
            inbox.put_nowait((vote, index))
        self._open[number] = inbox
        self._left[number] = left
        try:
            yield inbox
        finally:
            self.close_duel(number)

    def close_duel(self, number: int) -> None:
        """Take no more votes for a round; safe to call twice."""
        self._open.pop(number, None)

    def left_in(self, number: int) -> Side:
        """Whose answers are on the left in the open duel of a round."""
        return self._left[number]

    def in_duel(self, number: int) -> bool:
        """Whether a round's duel is open for votes."""
        return number in self._open


class MarkJournal(Protocol):
    """Where marks are kept; a project's journal is one."""

    def lines(self) -> Iterator[AnyLine]:
        """Every line from the first to the last."""
        ...

    def append(self, line: Line) -> None:
        """Keep a line for good."""
        ...


class RecordedMarks:
    """Marks by what they were given for.

    Args:
        journal: Where they are kept; None keeps them for as long as this lives.
        with_failures: Whether a failure of the metric is kept like a mark, so that a resumed run goes the
            same way; otherwise the metric is asked again in the next session.
    """

    def __init__(self, journal: MarkJournal | None = None, *, with_failures: bool = True) -> None:
        self._journal = journal
        self._with_failures = with_failures
        self._marks: dict[str, MarkLine] | None = None

    def find(self, of: str, metric: str | None) -> MarkLine | None:
        """The mark that was given before.

        Args:
            of: What it was given for, as `mark_id` says it.
            metric: The SHA-256 of the metric's file; None takes the mark of any version of it.
        """
        line = self._known.get(of)
        return line if line is not None and metric in (None, line.metric) else None

    def keep(self, line: MarkLine) -> None:
        """Keep a mark.

        Raises:
            JournalError: It cannot be written.
        """
        if self._journal is not None and (self._with_failures or line.mark is not None):
            self._journal.append(line)
        self._known[line.of] = line

    @property
    def _known(self) -> dict[str, MarkLine]:
        if self._marks is None:
            lines = () if self._journal is None else self._journal.lines()
            self._marks = {line.of: line for line in lines if isinstance(line, MarkLine)}
        return self._marks


def mark_id(name: str, answer: str, row: Row) -> str:
    """A hash of everything that a custom metric sees.

    Args:
        name: The metric in the template.
        answer: What it marks.
        row: The row; where it is in its file makes no difference.
    """
    seen = msgspec.json.encode([name, row.question, row.references, sorted(row.slots.items()), answer])
    return blake2b(seen, digest_size=16).hexdigest()


@dataclass(frozen=True)
class Context:
    """The surroundings of one run's verbs.

    Attributes:
        task: What the run works on.
        meta: The meta-prompts.
        asker: The way to the models.
        gate: Where the run pauses.
        decisions: What people decided, and where their votes arrive.
        emit: Told what happens.
        marks: The marks that a custom metric gave before.
        declared: What the method's rounds show.
    """

    task: Task
    meta: MetaPrompts
    asker: Asker
    gate: Gate
    decisions: Decisions
    emit: Callable[[Event], None]
    marks: RecordedMarks = field(default_factory=RecordedMarks)
    declared: Declared = field(default_factory=Declared)
    _failed: set[str] = field(default_factory=set)

    @contextmanager
    def statistic(self, name: str) -> Iterator[None]:
        """Compute a figure that no decision depends on: a fault in it is noticed once, and the run continues.

        Args:
            name: The figure, as the subject of a sentence.
        """
        try:
            yield
        except (ArithmeticError, ValueError) as error:
            if name not in self._failed:
                self._failed.add(name)
                text = _(
                    "{name} could not be computed: {error}. The run continues without it.",
                    name=name,
                    error=error,
                )
                self.emit(Noticed(text=text, level="warning"))
