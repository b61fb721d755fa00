"""Score: what a prompt is worth on some rows."""

from collections.abc import Mapping, Sequence
from itertools import product
from typing import Final

import msgspec

from spotui.domain.events import CandidateScored, Level, Noticed, ScoringStarted
from spotui.domain.records import CallKey
from spotui.domain.rows import Row, SplitName
from spotui.domain.statistics import score
from spotui.engine.asking import each
from spotui.engine.context import Context
from spotui.engine.execute import conversation, converse, is_cut, missing
from spotui.engine.layout import Layout
from spotui.engine.marking import Marker
from spotui.engine.propose import fold
from spotui.engine.task import Candidate, RowOutcome, RowSet, Scored, Splits
from spotui.lang import _
from spotui.llm.protocol import RequestRefusedError, lacks_answer, why_missing

SAMPLE: Final = 100
"""Answers of one prompt that are kept in memory; all of them are in the journal."""


class _Place(msgspec.Struct, frozen=True):
    """What the calls of one prompt on one split are filed under, wherever the prompt turns up again."""

    round: int
    first: int


class Scorer:
    """Asks every row with a prompt in front and marks the answers.

    A prompt's calls are filed under the round that scored it first, and a call that the journal holds is
    never made again: so no answer is bought twice, and none has to be held in memory.

    Args:
        context: What it works with.
        marker: What an answer is worth.
        layout: How prompt and row become a message.
        splits: All rows.
        seed: The run's, for intervals.

    Attributes:
        layout: How prompt and row become a message.
        splits: All rows.
    """

    def __init__(self, context: Context, marker: Marker, layout: Layout, splits: Splits, seed: int) -> None:
        self.splits = splits
        self.layout = layout
        self._asker = context.asker
        self._repair = context.meta["execute_repair"]
        self._emit = context.emit
        self._marker = marker
        self._seed = seed
        self._places: dict[tuple[str, SplitName], _Place] = {}
        self._taken: dict[tuple[int, SplitName], int] = {}
        self._told: set[_Place] = set()
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
        ways = [fold(one.prompt) for one in candidates]
        positions = tuple(rows.positions)
        new: dict[str, Candidate] = {}
        for way, candidate in zip(ways, candidates, strict=True):
            if (way, rows.split, positions) not in self._known:
                new.setdefault(way, candidate)
                self._place(number, way, rows)
        if new:
            self._begin(number, len(new), rows)
        found = await self._score(number, list(new.values()), rows)
        for way, scored in zip(new, found, strict=True):
            self._known[way, rows.split, positions] = msgspec.structs.replace(scored, sample=())
        fresh = dict(zip(new, found, strict=True))
        return [
            msgspec.structs.replace(
                fresh.get(way) or self._known[way, rows.split, positions], candidate=candidate
            )
            for way, candidate in zip(ways, candidates, strict=True)
        ]

    async def outcomes(self, number: int, prompt: str, rows: RowSet) -> list[RowOutcome]:
        """What became of each row, with its answer; rows that were asked before cost nothing.

        Args:
            number: The round that asks.
            prompt: The prompt.
            rows: The rows; their answers are all held in memory.

        Raises:
            Halted: The run ends here.
        """
        place = self._place(number, fold(prompt), rows)
        self._begin(number, 1, rows)
        found: dict[int, RowOutcome] = {}

        async def keep(position: int) -> None:
            found[position] = await self._outcome(place, prompt, rows, position)

        await each(rows.positions, keep, self._at_once)
        return [found[position] for position in rows.positions]

    async def _score(self, number: int, candidates: Sequence[Candidate], rows: RowSet) -> list[Scored]:
        """Scores of prompts that have none yet; each is reported as soon as its last row is marked."""
        sampled = set(rows.positions[:SAMPLE])
        places = [self._place(number, fold(one.prompt), rows) for one in candidates]
        marks: list[dict[int, float | None]] = [{} for _ in candidates]
        samples: list[dict[int, RowOutcome]] = [{} for _ in candidates]
        found: dict[int, Scored] = {}

        async def mark(job: tuple[int, int]) -> None:
            index, position = job
            outcome = await self._outcome(places[index], candidates[index].prompt, rows, position)
            marks[index][position] = outcome.mark
            if position in sampled:
                samples[index][position] = outcome
            if len(marks[index]) == len(rows):
                found[index] = self._scored(candidates[index], rows, marks[index], samples[index])
                self._tell(number, index, found[index], places[index], rows)

        await each(product(range(len(candidates)), rows.positions), mark, self._at_once)
        return [found[index] for index in range(len(candidates))]

    def _scored(
        self,
        candidate: Candidate,
        rows: RowSet,
        marks: Mapping[int, float | None],
        sample: Mapping[int, RowOutcome],
    ) -> Scored:
        ordered = tuple(marks[position] for position in rows.positions)
        return Scored(
            candidate=candidate,
            split=rows.split,
            score=score(ordered, seed=self._seed),
            marks=ordered,
            sample=tuple(sample[position] for position in sorted(sample)),
        )

    def close(self) -> None:
        """Let go of what marks the answers."""
        self._marker.close()

    def _at_once(self) -> int:
        return self._asker.at_once(("executor", *self._marker.asks))

    async def _outcome(self, place: _Place, prompt: str, rows: RowSet, position: int) -> RowOutcome:
        row = rows.row(position)
        key = CallKey(place.round, f"score_{rows.split}", place.first + position)
        try:
            replies = await converse(
                self._asker,
                self._repair,
                key,
                prompt,
                row,
                self.layout.messages(prompt, row),
                lambda text, level: self._notice(place.round, row, text, level),
                missing,
            )
        except RequestRefusedError as error:
            self._notice(
                place.round,
                row,
                _("{error} It counts neither as right nor as wrong.", error=error.what),
                "warning",
            )
            return RowOutcome(position, "", None, error.what)
        reply = replies[-1]
        if lacks_answer(reply):
            why = why_missing(reply)
            self._notice(
                place.round, row, _("{why} It counts neither as right nor as wrong.", why=why), "warning"
            )
            return RowOutcome(position, reply.text, None, why)
        if is_cut(reply) and place not in self._told:
            self._told.add(place)
            text = _("It was cut by the length limit, and is marked as it is, as all such answers are.")
            self._notice(place.round, row, text, "warning")
        text = conversation(replies, row.turns) if self._marker.reads_conversation else reply.answer
        outcome = await self._marker.mark(key, position, row, text)
        if outcome.mark is None:
            self._notice(
                place.round,
                row,
                _("{note} It counts neither as right nor as wrong.", note=outcome.note),
                "warning",
            )
        return outcome

    def _place(self, number: int, way: str, rows: RowSet) -> _Place:
        """Where the prompt's calls on this split are filed; settled when it is first asked."""
        if (way, rows.split) not in self._places:
            before = self._taken.get((number, rows.split), 0)
            self._taken[number, rows.split] = before + 1
            self._places[way, rows.split] = _Place(number, before * rows.size)
        return self._places[way, rows.split]

    def _notice(self, number: int, row: Row, text: str, level: Level) -> None:
        self._emit(Noticed(text=f"Round {number}, {row.place}: {text}", level=level))

    def _begin(self, number: int, prompts: int, rows: RowSet) -> None:
        self._emit(ScoringStarted(round=number, split=rows.split, prompts=prompts, rows=len(rows)))

    def _tell(self, number: int, index: int, scored: Scored, place: _Place, rows: RowSet) -> None:
        found = scored.score
        self._emit(
            CandidateScored(
                round=number,
                index=index,
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
                asked=place.round,
                first=place.first,
                positions=() if len(rows) == rows.size else tuple(rows.positions),
            )
        )
