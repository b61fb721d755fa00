"""What a budget keeps back: the calls of the test that a run ends with.

Without it a run that ends by its budget ends with a best prompt that nothing but its own choice speaks for.
"""

import math
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Final, NamedTuple

from spotui.domain.events import Event, Noticed
from spotui.domain.records import CallKey
from spotui.engine.task import Question
from spotui.lang import _, ngettext
from spotui.llm.door import Door
from spotui.llm.spending import NOTHING_KEPT, KeptBack, Spending
from spotui.runs.prepare import Prepared
from spotui.runs.task import is_judged

REPEATED: Final = 20
"""One call in so many is kept back on top: some replies have to be asked for again."""

_PROMPTS: Final = 2
_ORDERS: Final = 2


class TestCalls(NamedTuple):
    """Calls of the test that are alike.

    Attributes:
        seed: The calls about the seed prompt alone, which are made once in the life of a run.
        others: How many others there are: they are about the best prompt.
        like: Purposes of calls of the rounds that take about as much, the most alike first.
    """

    seed: tuple[CallKey, ...]
    others: int
    like: tuple[str, ...]

    @property
    def calls(self) -> int:
        """All of them."""
        return len(self.seed) + self.others


def test_calls(prepared: Prepared) -> list[TestCalls]:
    """The calls that compare best and seed once the rounds have ended; empty where nothing does.

    Args:
        prepared: The run.
    """
    settings = prepared.settings
    if settings.max_rounds <= 1:
        return []
    found: list[TestCalls] = []
    if settings.final_check and not prepared.method.scores:
        found += _of_the_check(prepared)
    if prepared.final_test and prepared.is_marked and prepared.rows is not None and prepared.rows.test:
        rows = prepared.rows.test
        asked = tuple(_keys("score_test", [len(row.turns) for row in rows]))
        found.append(TestCalls(asked, len(asked), ("score_eval", "execute")))
        if is_judged(prepared.template):
            marks = tuple(_keys("mark_test", [0] * len(rows)))
            found.append(TestCalls(marks, len(marks), ("mark_eval", "vote")))
    return [one for one in found if one.calls]


def _of_the_check(prepared: Prepared) -> Iterator[TestCalls]:
    settings, task = prepared.settings, prepared.task
    held_out = tuple(_keys("held_out", _turns(task.held_out)))
    yield TestCalls(held_out, len(held_out), ("execute",))
    if settings.judge == "likelihood":  # it has measured the answers of the rounds already
        measured = (
            *_keys("held_out_vote_likelihood", _turns(task.held_out), in_one=True),
            *_keys("held_out_vote_typicality", _turns(task.held_out), in_one=True),
        )
        yield TestCalls(measured, len(measured), ("vote_likelihood",))
        return
    questions = len(task.questions) + len(task.held_out)
    yield TestCalls((), _ORDERS * questions * len(settings.panel), ("vote",))


def _turns(questions: Sequence[Question]) -> list[int]:
    return [len(one.row.turns) if one.row is not None else 0 for one in questions]


def _keys(purpose: str, turns: Iterable[int], *, in_one: bool = False) -> Iterator[CallKey]:
    """The calls about the seed: one for each question and for each turn after it."""
    for index, more in enumerate(turns):
        for turn in range(1 if in_one else 1 + more):
            yield CallKey(1, purpose, index, turn=turn)


class Reserve:
    """Keeps the calls of the test back for as long as a run has rounds, and gives them to the test.

    Args:
        prepared: The run.
        door: Its door, with the budget.
        emit: Told what is kept back.
    """

    def __init__(self, prepared: Prepared, door: Door, emit: Callable[[Event], None]) -> None:
        # Runs of earlier editions spend all of their budget on rounds, as they did when they began.
        self._calls = test_calls(prepared) if prepared.edition > 5 else []
        self._bought = [sum(map(door.holds, one.seed)) for one in self._calls]
        self._door = door
        self._emit = emit
        self._is_told = False

    @property
    def is_wanted(self) -> bool:
        """Whether there is a test to keep anything back for."""
        return bool(self._calls)

    def renew(self) -> None:
        """Keep back what the test takes, judged by what the rounds took so far."""
        if not self._calls or self._door.budget.is_testing:
            return
        budget = self._door.budget
        kept = self._kept()
        spare = -(-kept.calls // REPEATED)
        grown = 1 + spare / kept.calls if kept.calls else 1.0
        budget.kept_back = KeptBack(kept.calls + spare, math.ceil(kept.tokens * grown), kept.usd * grown)
        limits = budget.limits
        has_limit = (limits.calls, limits.tokens, limits.usd) != (None, None, None)
        if has_limit and not self._is_told:
            self._is_told = True
            self._tell(budget.kept_back.calls, limits.calls)

    def release(self) -> None:
        """Give what is kept back to the test, also where the budget has ended the rounds."""
        if not self._calls:
            return
        self._door.budget.begin_test(self._kept())
        if self._door.budget.seconds_left != 0:  # once the time is over, only what is recorded is shown again
            self._door.gate.reopen(_("The best prompt is tested with the calls that were kept back."))

    def _kept(self) -> KeptBack:
        """What the test of another best prompt than before would take, without repeated calls."""
        kept, free_tokens, free_usd = NOTHING_KEPT, 0, 0.0
        for one, bought in zip(self._calls, self._bought, strict=True):
            seed = len(one.seed) - bought
            tokens, usd = self._measured(one, seed)
            kept = KeptBack(kept.calls + seed + one.others, kept.tokens + tokens, kept.usd + usd)
            for purpose in one.like:  # the last call of the test must have room to begin
                least_tokens, least_usd = self._door.budget.needed.get(purpose, (0, 0.0))
                free_tokens, free_usd = max(free_tokens, least_tokens), max(free_usd, least_usd)
        return KeptBack(kept.calls, kept.tokens + free_tokens, kept.usd + free_usd)

    def _measured(self, calls: TestCalls, seed: int) -> tuple[int, float]:
        """Tokens and USD of some calls: the best prompt may be the dearest, the seed is what it is."""
        limits = self._door.budget.limits
        if limits.tokens is None and limits.usd is None:
            return 0, 0.0
        rounds = self._rounds(calls.like)
        if not rounds:
            return 0, 0.0
        first = rounds.get(1) or next(iter(rounds.values()))
        tokens = max(spent.tokens / spent.calls for spent in rounds.values())
        usd = max(spent.cost_usd / spent.calls for spent in rounds.values())
        return (
            math.ceil(calls.others * tokens + seed * first.tokens / first.calls),
            calls.others * usd + seed * first.cost_usd / first.calls,
        )

    def _rounds(self, like: Sequence[str]) -> dict[int, Spending]:
        """What the most alike calls took, by round."""
        measured = self._door.budget.by_round
        for purpose in like:
            rounds = {number: spent for (name, number), spent in measured.items() if name == purpose}
            if rounds:
                return rounds
        return {}

    def _tell(self, reserve: int, limit: int | None) -> None:
        left = None if limit is None else limit - self._door.budget.spending.calls
        if limit is not None and left is not None and left <= reserve:
            text = _(
                "The budget of {limit:,} calls leaves none for another round: {kept:,} are kept back for the "
                "test of the best prompt. Set it to more than {least:,}.",
                limit=limit,
                kept=reserve,
                least=limit - left + reserve,
            )
            self._emit(Noticed(text=text, level="warning"))
            return
        self._emit(
            Noticed(
                text=ngettext(
                    "{n:,} call is kept back for the test of the best prompt.",
                    "{n:,} calls are kept back for the test of the best prompt.",
                    reserve,
                )
            )
        )
