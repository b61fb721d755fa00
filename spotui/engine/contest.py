"""Several candidates of one round: executed and judged at once, and the one with the best record is found."""

from collections.abc import Sequence
from itertools import combinations
from typing import Final

import msgspec

from spotui.domain.answer_cost import Prefer
from spotui.domain.records import Rival
from spotui.domain.text import estimate_tokens
from spotui.domain.verdicts import Choice, Outcome
from spotui.engine.asking import together
from spotui.engine.execute import Executor, NoAnswer
from spotui.engine.judge import Judge, Rivals
from spotui.engine.task import Candidate, Duel, Question, Trial, answered_by_both
from spotui.judging.decision import share
from spotui.judging.reliability import length_ratio
from spotui.lang import _

MOST_COMPARED: Final = 3
"""Candidates with the same record that are compared with each other: more would take many votes."""

PROVEN_PAIR: Final = MOST_COMPARED + 1
"""The number of a comparison with the last prompt that won, after those of a round's candidates."""

_POINTS: Final[dict[Choice, float]] = {"win": 1.0, "tie": 0.5, "void": 0.5, "loss": 0.0}


class Entry(msgspec.Struct, frozen=True):
    """A candidate and how it did against the best.

    Attributes:
        candidate: The candidate.
        trial: Its answers; None when one is missing.
        duel: How it compares with the best.
        note: Why it is void.
        length_ratio: Characters of its answers over those of the best's.
    """

    candidate: Candidate
    trial: Trial | None = None
    duel: Duel = Duel("void")
    note: str = ""
    length_ratio: float | None = None

    @property
    def share(self) -> float:
        """Its share of the votes, a tie counted half."""
        return share(vote.choice for vote in self.duel.votes)

    @property
    def record(self) -> str:
        """Its votes in a few words."""
        choices = [vote.choice for vote in self.duel.votes]
        return f"{choices.count('win')}:{choices.count('loss')}" if choices else _("void")

    def rival(self) -> Rival:
        """The candidate as the record of a round that keeps another one has it."""
        return Rival(
            number=self.candidate.number,
            outcome=self.duel.outcome,
            prompt=self.candidate.prompt,
            parent=self.candidate.parent,
            modification=self.candidate.modification,
            reasoning=self.candidate.reasoning,
            answers=self.trial.answers if self.trial is not None else (),
            votes=self.duel.votes,
            by_question=self.duel.by_question,
            length_ratio=self.length_ratio,
            note=self.note,
            per_answer=self.trial.cost if self.trial is not None else None,
        )


class Contest:
    """The candidates of one round against the best.

    Each is executed and judged without waiting for the others, until more votes than the first ones would be
    needed: by then it is known what the others have reached, and who cannot reach it any more is left.

    Args:
        executor: Brings answers.
        judge: Brings verdicts.
        questions: The question set.
        best: The trial to beat.
        prefer: What decides between candidates with the same record.
    """

    def __init__(
        self,
        executor: Executor,
        judge: Judge,
        questions: Sequence[Question],
        best: Trial,
        prefer: Prefer = "none",
    ) -> None:
        self._executor = executor
        self._judge = judge
        self._questions = questions
        self._best = best
        self._preference = prefer

    async def hold(self, candidates: Sequence[Candidate]) -> tuple[Entry, list[Entry], str]:
        """Find the candidate that the round keeps, the others, and why it is that one, in a sentence.

        Args:
            candidates: Two or more.
        """
        rivals = Rivals(len(candidates))
        entries = await together([self._enter(one, rivals) for one in candidates])
        kept, why = await self._choose(entries)
        return kept, [one for one in entries if one is not kept], why

    async def _enter(self, candidate: Candidate, rivals: Rivals) -> Entry:
        entry = Entry(candidate)
        try:
            entry = await self._judged(candidate, rivals)
        finally:
            rivals.leave(entry.share if entry.duel.outcome == "win" else None)
        return entry

    async def _judged(self, candidate: Candidate, rivals: Rivals) -> Entry:
        trial = await self._executor.execute(candidate, self._questions)
        if isinstance(trial, NoAnswer):
            why = _("question {number} got no answer: {why}", number=trial.number, why=trial.why)
            return Entry(candidate, note=why)
        old, new = answered_by_both(self._best, trial)
        if not new.answers:
            return Entry(candidate, trial, note=_("no question was answered with both prompts"))
        duel = await self._judge.duel(old, new, rivals)
        ratio = length_ratio((one.answer for one in old.answers), (one.answer for one in new.answers))
        return Entry(candidate, trial, duel, length_ratio=ratio)

    async def _choose(self, entries: Sequence[Entry]) -> tuple[Entry, str]:
        """The entry with the best record; several winners with the same one are compared with each other."""
        ranked = sorted(entries, key=self._rank)
        first = ranked[0]
        records = ", ".join(
            _("candidate {number}: {record}", number=one.candidate.number, record=one.record)
            for one in entries
        )
        number = first.candidate.number
        if first.duel.outcome != "win":
            return first, _(
                "No candidate wins, and candidate {number} comes closest ({records})",
                number=number,
                records=records,
            )
        equal = [one for one in ranked if one.duel.outcome == "win" and one.share == first.share]
        if len(equal) == 1:
            return first, _(
                "Candidate {number} has the best votes ({records})", number=number, records=records
            )
        points = await self._compared(equal[:MOST_COMPARED])
        kept = min(equal[:MOST_COMPARED], key=lambda one: (-points[one.candidate.number], *self._rank(one)))
        why = _(
            "Several candidates have the best votes ({records}); compared with each other, candidate "
            "{number} is the best, or the shortest of the best",
            number=kept.candidate.number,
            records=records,
        )
        return kept, why

    def _rank(self, entry: Entry) -> tuple[int, float, float, int]:
        """The best record first; of the same ones the preferred or the shortest prompt, then the first."""
        candidate = entry.candidate
        return _ORDER.index(entry.duel.outcome), -entry.share, self._size(entry), candidate.number

    def _size(self, entry: Entry) -> float:
        if self._preference == "shorter":
            return estimate_tokens(entry.candidate.prompt)
        if (
            self._preference == "cheaper"
            and entry.trial is not None
            and (cost := entry.trial.cost) is not None
        ):
            return cost.usd or cost.prompt_tokens + cost.completion_tokens
        return len(entry.candidate.prompt)

    async def _compared(self, equal: Sequence[Entry]) -> dict[int, float]:
        """Copeland's points: one for each other candidate that is beaten, half of one for a tie."""
        pairs = list(combinations(equal, 2))
        choices = await together(
            [self._prefer(one, other, pair) for pair, (one, other) in enumerate(pairs, 1)]
        )
        points = {one.candidate.number: 0.0 for one in equal}
        for (one, other), choice in zip(pairs, choices, strict=True):
            points[other.candidate.number] += _POINTS[choice]
            points[one.candidate.number] += 1.0 - _POINTS[choice]
        return points

    async def _prefer(self, left: Entry, right: Entry, pair: int) -> Choice:
        if left.trial is None or right.trial is None:
            return "tie"
        first, second = answered_by_both(left.trial, right.trial)
        return await self._judge.prefer(first, second, pair) if first.answers else "tie"


_ORDER: Final[tuple[Outcome, ...]] = ("win", "undecided", "tie", "loss", "void")
