"""Compares a prompt with shorter forms of it: on rows, block by block, or by duels on questions."""

import random
from collections.abc import Sequence
from typing import Final, Literal, NamedTuple, Protocol
from zlib import crc32

from spotui.domain.statistics import Comparison, compare, most_ahead
from spotui.engine import Candidate, RowSet, Splits, Trial, together
from spotui.engine.context import Context
from spotui.engine.execute import Executor, NoAnswer
from spotui.engine.marking import Marker
from spotui.engine.racing import LEVEL, checkpoints
from spotui.engine.score import Scorer
from spotui.engine.task import Question, answered_by_both
from spotui.judging.final_check import paired
from spotui.lang import _
from spotui.llm.limits import Halted
from spotui.runs.prepare import Prepared
from spotui.runs.verbs import make_judge

MOST_ROWS: Final = 48
"""Rows that the search compares on at most: the final comparison has the others."""

ROUND: Final = 1
"""The round that calls for rows are filed under: what they ask tells them apart."""


class Confirmed(NamedTuple):
    """The final comparison.

    Attributes:
        paired: The shorter prompt against the full one.
        rows: Rows or questions that both have.
        is_unseen: Whether the search has not seen them.
    """

    paired: Comparison
    rows: int
    is_unseen: bool


class Comparer(Protocol):
    """Compares shorter forms with the full prompt; what was asked before costs nothing."""

    by: Literal["rows", "duels"]

    @property
    def searched(self) -> int:
        """Rows or questions that the search compares on."""
        ...

    async def screen(self, prompts: Sequence[str]) -> list[float | None]:
        """How far each shorter form is ahead, all at once; None for one that loses.

        Raises:
            Halted: A call failed for good, or the budget is spent.
        """
        ...

    async def confirm(self, prompt: str) -> Confirmed:
        """Compare one with the full prompt, on what the search has not seen where there is any.

        Raises:
            Halted: As `screen`.
        """
        ...


class RowComparer:
    """Compares on marked rows; a form that has fallen too far behind is asked no more of them.

    Args:
        prepared: The run, with its rows.
        context: What calls are made with.
        marker: Marks the answers.
        full: The full prompt.
        margin: The loss that counts as none, 0..1.
    """

    by: Literal["rows", "duels"] = "rows"

    def __init__(
        self, prepared: Prepared, context: Context, marker: Marker, full: str, margin: float
    ) -> None:
        assert prepared.rows is not None  # noqa: S101 - it is marked, so it has rows
        self._prepared = prepared
        self._context = context
        self._marker = marker
        self._full = full
        self._margin = margin
        self._splits = Splits(prepared.rows)
        self._rows = self._splits.eval if len(self._splits.eval) else self._splits.train
        self._order = search_order(self._rows, prepared.settings.seed)
        self._scorers: dict[str, Scorer] = {}
        self._marks: dict[tuple[str, str, int], float | None] = {}

    @property
    def searched(self) -> int:
        """Rows that the search compares on."""
        return len(self._order)

    async def screen(self, prompts: Sequence[str]) -> list[float | None]:
        """See `Comparer.screen`: a form may lose half the margin on the rows of the search."""
        racing, begin = list(range(len(prompts))), 0
        for end in checkpoints("paired", len(prompts) + 1, 1, len(self._order)):
            asked = self._order[begin:end]
            texts = [self._full, *(prompts[number] for number in racing)]
            await together([self._ask(text, self._rows, asked) for text in texts])
            racing = [number for number in racing if not self._is_hopeless(prompts[number], end)]
            begin = end
        found: list[float | None] = [None] * len(prompts)
        for number in racing:
            paired = self._compared(prompts[number], self._rows, self._order)
            if paired.wins + paired.losses + paired.ties and paired.difference >= -self._margin / 2:
                found[number] = paired.difference
        return found

    async def confirm(self, prompt: str) -> Confirmed:
        """See `Comparer.confirm`."""
        test = self._splits.test
        rows, is_unseen = (test, True) if len(test) else (self._rows, False)
        await together([self._ask(text, rows, rows.positions) for text in (self._full, prompt)])
        paired = self._compared(prompt, rows, rows.positions)
        if not paired.wins + paired.losses + paired.ties:
            raise Halted("unmarked", _("No row could be marked with both prompts."))
        return Confirmed(paired, paired.wins + paired.losses + paired.ties, is_unseen)

    def _is_hopeless(self, prompt: str, end: int) -> bool:
        """Whether a one-sided test finds it behind by more than the margin."""
        pairs = self._pairs(prompt, self._rows, self._order[:end])
        differences = [new - old for old, new in pairs if old is not None and new is not None]
        return not differences or most_ahead(differences, LEVEL, len(self._order)) < -self._margin

    def _compared(self, prompt: str, rows: RowSet, positions: Sequence[int]) -> Comparison:
        old, new = zip(*self._pairs(prompt, rows, positions), strict=True)
        return compare(old, new, seed=self._prepared.settings.seed)

    def _pairs(
        self, prompt: str, rows: RowSet, positions: Sequence[int]
    ) -> list[tuple[float | None, float | None]]:
        return [
            (self._marks[self._full, rows.split, at], self._marks[prompt, rows.split, at]) for at in positions
        ]

    async def _ask(self, prompt: str, rows: RowSet, positions: Sequence[int]) -> None:
        missing = [at for at in positions if (prompt, rows.split, at) not in self._marks]
        if not missing:
            return
        if prompt not in self._scorers:  # one for each: where calls are filed must not depend on the others
            self._scorers[prompt] = Scorer(
                self._context,
                self._marker,
                self._prepared.layout,
                self._splits,
                self._prepared.settings.seed,
            )
        outcomes = await self._scorers[prompt].outcomes(ROUND, prompt, rows.at(sorted(missing)), tells=False)
        self._marks |= {(prompt, rows.split, one.position): one.mark for one in outcomes}


def search_order(rows: RowSet, seed: int) -> list[int]:
    """The rows that the search compares on, in the order in which they are asked."""
    order = list(rows.positions)
    random.Random(f"{seed}/prune").shuffle(order)  # noqa: S311 - reproducible on purpose
    return order[:MOST_ROWS]


class DuelComparer:
    """Lets the judge compare the answers with those of the full prompt.

    Args:
        prepared: The run.
        context: What calls are made with.
        full: The full prompt.
    """

    by: Literal["rows", "duels"] = "duels"

    def __init__(self, prepared: Prepared, context: Context, full: str) -> None:
        self._context = context
        self._full = full
        self._executor = Executor(context)
        self._judge = make_judge(context, prepared.settings)
        self._trials: dict[str, Trial | None] = {}

    @property
    def searched(self) -> int:
        """Questions that the search compares on."""
        return len(self._context.task.questions)

    async def screen(self, prompts: Sequence[str]) -> list[float | None]:
        """See `Comparer.screen`: a form loses with its duel."""
        if await self._answers(self._full) is None:
            raise Halted("failed", _("A question gets no answer with the full prompt."))
        return await together([self._lead(one) for one in prompts])

    async def confirm(self, prompt: str) -> Confirmed:
        """See `Comparer.confirm`: question by question, each in both orders."""
        task = self._context.task
        is_unseen = bool(task.held_out)
        sides = await together([self._asked(text, is_unseen=is_unseen) for text in (self._full, prompt)])
        old, new = sides
        if old is None or new is None:
            raise Halted("failed", _("A question gets no answer with one of the prompts."))
        old, new = answered_by_both(old, new)
        rows = await self._judge.compare_rows(old, new) if new.answers else []
        choices = [row.choice for row in rows]
        compared = len(choices) - choices.count("void")
        if not compared:
            raise Halted("unmarked", _("No question could be compared with both prompts."))
        return Confirmed(paired(choices), compared, is_unseen)

    async def _lead(self, prompt: str) -> float | None:
        full, trial = await self._answers(self._full), await self._answers(prompt)
        if full is None or trial is None:
            return None
        old, new = answered_by_both(full, trial)
        if len(new.answers) < len(full.answered.answers):  # a question that it cannot answer any more
            return None
        duel = await self._judge.duel(old, new)
        votes = [vote.choice for vote in duel.votes]
        lead = (votes.count("win") - votes.count("loss")) / max(1, len(votes))
        return None if duel.outcome in {"loss", "void"} else lead

    async def _answers(self, prompt: str) -> Trial | None:
        if prompt not in self._trials:
            self._trials[prompt] = await self._asked(prompt, is_unseen=False)
        return self._trials[prompt]

    async def _asked(self, prompt: str, *, is_unseen: bool) -> Trial | None:
        task = self._context.task
        questions: Sequence[Question] = task.held_out if is_unseen else task.questions
        candidate = Candidate(round=number_of(prompt), prompt=prompt)
        trial = await self._executor.execute(candidate, questions, held_out=is_unseen)
        return None if isinstance(trial, NoAnswer) else trial


def number_of(prompt: str) -> int:
    """The number that calls of a prompt are filed under, whatever else is tried."""
    return 2 + crc32(prompt.encode("utf-8", "replace"))
