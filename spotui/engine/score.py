"""Score: what a prompt is worth on some rows."""

from collections.abc import Mapping, Sequence
from itertools import product
from typing import Final

import msgspec

from spotui.domain.answer_cost import Taken, cost_of
from spotui.domain.answer_cost import together as as_one
from spotui.domain.events import CandidateScored, Level, Noticed, ScoringStarted
from spotui.domain.records import CallKey
from spotui.domain.rows import Row, SplitName
from spotui.domain.statistics import score
from spotui.engine.asking import each
from spotui.engine.context import Context
from spotui.engine.execute import conversation, converse, is_cut, missing
from spotui.engine.grading import Grader
from spotui.engine.layout import Layout
from spotui.engine.marking import Marker
from spotui.engine.propose import fold
from spotui.engine.task import Candidate, RowOutcome, RowSet, Scored, Splits
from spotui.lang import _
from spotui.llm.protocol import RequestRefusedError, lacks_answer, why_missing
from spotui.settings.values import Racing

SAMPLE: Final = 100
"""Answers of one prompt that are kept in memory; all of them are in the journal."""


class _Filing(msgspec.Struct, frozen=True):
    """What the calls of one prompt on one split are filed under, wherever the prompt turns up again."""

    round: int
    first: int


class Sheet:
    """A prompt with its marks on some rows, as far as they were asked.

    Args:
        candidate: The prompt.
        filing: Where its calls are filed.
        index: Which of the prompts that have no score yet.
        scored: Its score, once it has one.

    Attributes:
        marks: By the row's position, in the order in which answers came.
        grades: The same, of answers that have one.
        sample: The outcomes that are kept, by the row's position.
        taken: What each answer took.
    """

    __slots__ = ("candidate", "filing", "grades", "index", "marks", "sample", "scored", "taken")

    def __init__(self, candidate: Candidate, filing: _Filing, index: int, scored: Scored | None) -> None:
        self.candidate = candidate
        self.filing = filing
        self.index = index
        self.scored = scored
        self.marks: dict[int, float | None] = {}
        self.grades: dict[int, float | None] = {}
        self.sample: dict[int, RowOutcome] = {}
        self.taken: list[Taken] = []

    def grade(self, position: int) -> float | None:
        """What a row counts where prompts are chosen: its grade, or the mark where it has none."""
        return self.grades.get(position, self.marks[position])


class Scorer:
    """Asks every row with a prompt in front and marks the answers.

    A prompt's calls are filed under the round that scored it first, and a call that the journal holds is
    never made again: so no answer is bought twice, and none has to be held in memory.

    Args:
        context: What it works with.
        marker: What an answer is worth.
        layout: How prompt and row become a message.
        splits: All rows.
        seed: The run's, for intervals and the order of races.
        racing: The rule that ends the race of a prompt.
        grader: Grades answers to eval rows, where prompts are chosen by grades.

    Attributes:
        layout: How prompt and row become a message.
        splits: All rows.
        seed: The run's.
        racing: The rule that ends the race of a prompt.
    """

    def __init__(
        self,
        context: Context,
        marker: Marker,
        layout: Layout,
        splits: Splits,
        seed: int,
        racing: Racing = "none",
        grader: Grader | None = None,
    ) -> None:
        self.splits = splits
        self.layout = layout
        self.seed = seed
        self.racing: Racing = racing
        self._asker = context.asker
        self._repair = context.meta["execute_repair"]
        self._emit = context.emit
        self._marker = marker
        self._grader = grader
        self._filings: dict[tuple[str, SplitName], _Filing] = {}
        self._taken: dict[tuple[int, SplitName], int] = {}
        self._told: set[_Filing] = set()
        self._known: dict[tuple[str, SplitName, tuple[int, ...]], Scored] = {}

    async def score(self, number: int, candidates: Sequence[Candidate], rows: RowSet) -> list[Scored]:
        """Score several prompts on the same rows, all at once; those that are alike count as one.

        Args:
            number: The round that asks.
            candidates: The prompts.
            rows: The rows.

        Returns:
            One a candidate, in their order; a score that is known already costs nothing.

        Raises:
            Halted: The run ends here.
        """
        sheets = self.enter(number, candidates, rows)
        await self.fill(number, [one for one in sheets.values() if one.scored is None], rows, rows.positions)
        return read_sheets(sheets, candidates)

    def enter(self, number: int, candidates: Sequence[Candidate], rows: RowSet) -> dict[str, Sheet]:
        """A sheet for each of some prompts, by the folded prompt; one whose score is known is filled in.

        Args:
            number: The round that asks.
            candidates: The prompts; those that are alike have one sheet.
            rows: The rows.
        """
        positions = tuple(rows.positions)
        sheets: dict[str, Sheet] = {}
        new = 0
        for candidate in candidates:
            way = fold(candidate.prompt)
            if way in sheets:
                continue
            known = self._known.get((way, rows.split, positions))
            sheets[way] = sheet = Sheet(candidate, self._filing(number, way, rows), new, known)
            if known is None:
                new += 1
            else:
                sheet.marks.update(zip(positions, known.marks, strict=True))
                sheet.grades.update(zip(positions, known.grades, strict=False))
        return sheets

    async def fill(
        self, number: int, sheets: Sequence[Sheet], rows: RowSet, positions: Sequence[int]
    ) -> None:
        """Ask some of the rows with every prompt; one that has all marks then has its score.

        Args:
            number: The round that asks.
            sheets: The prompts, without those that have a score.
            rows: All rows that the prompts are compared on.
            positions: Those that are asked now.

        Raises:
            Halted: The run ends here.
        """
        if not sheets:
            return
        self._begin(number, len(sheets), rows.split, len(positions))
        sampled = set(rows.positions[:SAMPLE])

        async def mark(job: tuple[Sheet, int]) -> None:
            sheet, position = job
            outcome = await self._outcome(sheet.filing, sheet.candidate.prompt, rows, position, sheet.taken)
            sheet.marks[position] = outcome.mark
            if outcome.grade is not None:
                sheet.grades[position] = outcome.grade
            if position in sampled:
                sheet.sample[position] = outcome
            if len(sheet.marks) == len(rows):
                self.close_sheet(number, sheet, rows)

        await each(product(sheets, positions), mark, self._at_once)

    def close_sheet(self, number: int, sheet: Sheet, rows: RowSet) -> None:
        """Give a prompt its score on the rows that it was asked, and tell it.

        Args:
            number: The round that asks.
            sheet: The prompt.
            rows: All rows that the prompts are compared on; the score is partial where some were not asked.
        """
        positions = tuple(one for one in rows.positions if one in sheet.marks)
        marks = tuple(sheet.marks[position] for position in positions)
        unasked = len(rows) - len(positions)
        sheet.scored = scored = Scored(
            candidate=sheet.candidate,
            split=rows.split,
            score=score(marks, seed=self.seed),
            marks=marks,
            sample=tuple(sheet.sample[position] for position in sorted(sheet.sample)),
            positions=positions if unasked else (),
            unasked=unasked,
            grades=tuple(map(sheet.grade, positions)) if sheet.grades else (),
            cost=cost_of(sheet.taken, is_timed=self._asker.is_timed),
        )
        if not unasked:
            known = msgspec.structs.replace(scored, sample=())
            self._known[fold(scored.prompt), rows.split, positions] = known
        self._tell(number, sheet, scored, rows, positions)

    async def outcomes(
        self, number: int, prompt: str, rows: RowSet, *, tells: bool = True
    ) -> list[RowOutcome]:
        """What became of each row, with its answer; rows that were asked before cost nothing.

        Args:
            number: The round that asks.
            prompt: The prompt.
            rows: The rows; their answers are all held in memory.
            tells: Whether listeners hear that these rows are asked.

        Raises:
            Halted: The run ends here.
        """
        filing = self._filing(number, fold(prompt), rows)
        if tells:
            self._begin(number, 1, rows.split, len(rows))
        found: dict[int, RowOutcome] = {}

        async def keep(position: int) -> None:
            found[position] = await self._outcome(filing, prompt, rows, position)

        await each(rows.positions, keep, self._at_once)
        return [found[position] for position in rows.positions]

    def file(self, number: int, prompt: str, rows: RowSet, first: int) -> None:
        """Settle where the calls of a prompt on a split are filed, if no one has asked it before.

        Args:
            number: The round.
            prompt: The prompt.
            rows: Rows of the split.
            first: The number of the call for its first row.
        """
        self._filings.setdefault((fold(prompt), rows.split), _Filing(number, first))

    def close(self) -> None:
        """Let go of what marks the answers."""
        self._marker.close()

    def _at_once(self) -> int:
        return self._asker.at_once(("executor", *self._marker.asks))

    async def _outcome(
        self, filing: _Filing, prompt: str, rows: RowSet, position: int, taken: list[Taken] | None = None
    ) -> RowOutcome:
        row = rows.row(position)
        key = CallKey(filing.round, f"score_{rows.split}", filing.first + position)
        calls: list[Taken] = []
        try:
            replies = await converse(
                self._asker,
                self._repair,
                key,
                prompt,
                row,
                self.layout.messages(prompt, row),
                lambda text, level: self._notice(filing.round, row, text, level),
                missing,
                self._watched(rows, row),
                calls,
            )
        except RequestRefusedError as error:
            self._notice(
                filing.round,
                row,
                _("{error} It counts neither as right nor as wrong.", error=error.what),
                "warning",
            )
            return RowOutcome(position, "", None, error.what)
        reply = replies[-1]
        if lacks_answer(reply):
            why = why_missing(reply)
            self._notice(
                filing.round, row, _("{why} It counts neither as right nor as wrong.", why=why), "warning"
            )
            return RowOutcome(position, reply.text, None, why)
        if taken is not None:
            taken.append(as_one(calls))
        if is_cut(reply) and filing not in self._told:
            self._told.add(filing)
            text = _("It was cut by the length limit, and is marked as it is, as all such answers are.")
            self._notice(filing.round, row, text, "warning")
        text = conversation(replies, row.turns) if self._marker.reads_conversation else reply.answer
        outcome = await self._marker.mark(key, position, row, text)
        if outcome.mark is None:
            self._notice(
                filing.round,
                row,
                _("{note} It counts neither as right nor as wrong.", note=outcome.note),
                "warning",
            )
        if self._grader is None or not self._watched(rows, row):
            return outcome
        return msgspec.structs.replace(outcome, grade=self._grader.grade(row, outcome, reply))

    def _watched(self, rows: RowSet, row: Row) -> tuple[str, ...]:
        """The words that a grade is read from: only what prompts are chosen by is graded."""
        return self._grader.watched(row) if self._grader is not None and rows.split == "eval" else ()

    def _filing(self, number: int, folded: str, rows: RowSet) -> _Filing:
        """Where the prompt's calls on this split are filed; settled when it is first asked."""
        if (folded, rows.split) not in self._filings:
            before = self._taken.get((number, rows.split), 0)
            self._taken[number, rows.split] = before + 1
            self._filings[folded, rows.split] = _Filing(number, before * rows.size)
        return self._filings[folded, rows.split]

    def _notice(self, number: int, row: Row, text: str, level: Level) -> None:
        self._emit(Noticed(text=f"Round {number}, {row.where}: {text}", level=level))

    def _begin(self, number: int, prompts: int, split: SplitName, rows: int) -> None:
        self._emit(ScoringStarted(round=number, split=split, prompts=prompts, rows=rows))

    def _tell(
        self, number: int, sheet: Sheet, scored: Scored, rows: RowSet, positions: tuple[int, ...]
    ) -> None:
        found = scored.score
        self._emit(
            CandidateScored(
                round=number,
                index=sheet.index,
                prompt=scored.prompt,
                split=scored.split,
                score=found.mean,
                low=found.interval.low,
                high=found.interval.high,
                rows=found.rows,
                left_out=found.left_out,
                marks=scored.marks,
                modification=scored.candidate.modification,
                words_changed=scored.candidate.words_changed,
                asked=sheet.filing.round,
                first=sheet.filing.first,
                positions=() if len(positions) == rows.size else positions,
                unasked=scored.unasked,
                per_answer=scored.cost,
            )
        )


def read_sheets(sheets: Mapping[str, Sheet], candidates: Sequence[Candidate]) -> list[Scored]:
    """The scores on some sheets, one a candidate, in their order."""
    found = [sheets[fold(one.prompt)].scored for one in candidates]
    return [
        msgspec.structs.replace(scored, candidate=candidate)
        for scored, candidate in zip(found, candidates, strict=True)
        if scored is not None
    ]
