"""Lets a judge decide what people decided, by any criteria."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Final, NamedTuple

import msgspec

from spotui.domain.records import AnswerRecord, CallKey
from spotui.domain.rows import Row
from spotui.engine import Candidate, Trial
from spotui.engine.asking import together
from spotui.engine.context import Context
from spotui.engine.marking import JudgeMarker, Scale
from spotui.engine.task import Question, RowVotes
from spotui.judging.agreement import Agreement, Decision, agreement, by_kind
from spotui.judging.reliability import Panel, casts
from spotui.runs.verbs import make_judge
from spotui.settings.table import RunSettings
from spotui.templates.data.labels_file import PASSES, Label, Preferred

_CHOICES: Final[dict[str, Preferred]] = {"win": "second", "loss": "first", "tie": "tie"}
VOID: Final = "void"


class Judged(NamedTuple):
    """A label with what the judge made of it.

    Attributes:
        label: The label.
        decision: What both decided.
        reason: Why, in the judge's words; may be empty.
        error: How far the judge's mark is from that of people, 0..1; None where there is none.
    """

    label: Label
    decision: Decision
    reason: str
    error: float | None = None


class Verdicts(msgspec.Struct, frozen=True):
    """What a judge made of some labels.

    Attributes:
        criteria: What it decided by.
        judged: One a label, in their order.
        panel: How often the order of two answers decided, and how far several judges agree.
    """

    criteria: str
    judged: tuple[Judged, ...]
    panel: Panel = Panel()

    @property
    def decisions(self) -> list[Decision]:
        """What both decided."""
        return [one.decision for one in self.judged]

    @property
    def agreement(self) -> Agreement:
        """How far the judge agrees with people."""
        return agreement(self.decisions)

    @property
    def by_kind(self) -> dict[str, Agreement]:
        """The same for each kind of case."""
        return by_kind(self.decisions)

    @property
    def mean_error(self) -> float | None:
        """How far its marks are from those of people on average, 0..1; None where answers are compared."""
        known = [one.error for one in self.judged if one.error is not None]
        return sum(known) / len(known) if known else None

    @property
    def is_fit(self) -> bool:
        """Whether it agrees with people beyond chance, and shows no fault."""
        return self.agreement.is_beyond_chance and not self.panel.faults

    def at(self, positions: Sequence[int]) -> "Verdicts":
        """The same on some of the labels; the record of the judge stays that of all."""
        return Verdicts(self.criteria, tuple(self.judged[position] for position in positions), self.panel)


class LabelJudge:
    """A judge that decides about labels.

    Args:
        context: What it works with.
        settings: Which judge.
        labels: All labels, of one form.
        scale: How marks are given.
    """

    def __init__(
        self, context: Context, settings: RunSettings, labels: Sequence[Label], scale: Scale
    ) -> None:
        self._context = context
        self._settings = settings
        self._labels = labels
        self._scale: Scale = scale

    async def judge(self, criteria: str, number: int, positions: Sequence[int] | None = None) -> Verdicts:
        """What the judge makes of labels by some criteria.

        Args:
            criteria: What it decides by.
            number: The number of the criteria, which calls are filed under; 1 for those of the template.
            positions: Which labels, or None for all.

        Raises:
            Halted: A call failed for good, or the budget is spent.
        """
        chosen = range(len(self._labels)) if positions is None else positions
        labels = [self._labels[position] for position in chosen]
        if labels[0].second is None:
            return await self._mark(criteria, number, list(zip(chosen, labels, strict=True)))
        return await self._compare(criteria, number, labels, tuple(chosen))

    async def _compare(
        self, criteria: str, number: int, labels: Sequence[Label], places: tuple[int, ...]
    ) -> Verdicts:
        task = msgspec.structs.replace(self._context.task, requirements=criteria)
        judge = make_judge(replace(self._context, task=task), self._settings)
        questions = tuple(map(_question, labels))
        first, second = (
            Trial(
                Candidate(round=number, prompt="", number=side),
                questions,
                tuple(AnswerRecord(label.row.asked, text) for label, text in zip(labels, texts, strict=True)),
                places,
            )
            for side, texts in enumerate(
                ([one.first for one in labels], [one.second or "" for one in labels]), 1
            )
        )
        rows = await judge.compare_rows(first, second)
        panel = Panel()
        for row in rows:
            panel = panel.after(casts(row.votes))
        judged = tuple(_compared(label, row) for label, row in zip(labels, rows, strict=True))
        return Verdicts(criteria, judged, panel)

    async def _mark(self, criteria: str, number: int, labels: Sequence[tuple[int, Label]]) -> Verdicts:
        marker = JudgeMarker(self._context.asker, self._context.meta, criteria, self._scale)
        found = await together(
            [
                marker.mark(CallKey(number, "score_label", place), place, label.row, label.first)
                for place, label in labels
            ]
        )
        judged = []
        for (_place, label), outcome in zip(labels, found, strict=True):
            theirs, mine = _passes(label.mark), _passes(outcome.mark)
            error = None if outcome.mark is None or label.mark is None else abs(outcome.mark - label.mark)
            judged.append(Judged(label, Decision(theirs, mine, label.kind), outcome.note, error))
        return Verdicts(criteria, tuple(judged))


def _question(label: Label) -> Question:
    return Question(label.row.asked, " | ".join(label.row.references), label.row, _context(label.row))


def _context(row: Row) -> str:
    return "\n".join(f"{name}: {text}" for name, text in row.slots.items())


def _compared(label: Label, row: RowVotes) -> Judged:
    mine: str = _CHOICES.get(row.choice, VOID)
    reason = next((vote.reason for vote in row.votes if vote.reason), "")
    return Judged(label, Decision(label.preferred or VOID, mine, label.kind), reason)


def _passes(mark: float | None) -> str:
    if mark is None:
        return VOID
    return "pass" if mark >= PASSES else "fail"
