"""Judge by one token: how probable the evaluator finds A against B, summed over both orders."""

import math
from collections.abc import Sequence
from itertools import product

import msgspec

from spotui.engine.asking import together, user
from spotui.engine.context import Context
from spotui.engine.count import Count
from spotui.engine.judge import CannotJudgeError
from spotui.engine.opening import open_duel
from spotui.engine.task import Duel, RowVotes, Trial
from spotui.engine.wording import Texts, Wording
from spotui.events import Noticed
from spotui.judging.ballots import Order
from spotui.judging.majority import Weighed
from spotui.judging.odds import compare_odds, for_candidate, read_odds
from spotui.judging.votes import Choice
from spotui.llm.errors import RequestRefusedError
from spotui.settings.run_settings import Unit
from spotui.workspace.lines import CallKey, VoteRecord

ALTERNATIVES = 20
"""Likeliest tokens to ask for: the most that OpenAI's endpoints tell."""

ORDERS: tuple[Order, ...] = ("AB", "BA")


class LogprobJudge:
    """The evaluator's probabilities of its first token decide; it writes no more than that.

    Two calls a comparison, and what a taste for a position adds in one order it takes in the other. Without
    reasoning the evaluator overlooks what has to be worked out.

    Args:
        context: What it works with; the evaluator must report its likeliest first tokens, or a duel raises
            CannotJudgeError.
        unit: Whether all answers are compared at once, or each question's alone.
    """

    def __init__(self, context: Context, unit: Unit) -> None:
        self._context = context
        self._unit = unit
        self._wording = Wording(context.task, context.meta["judge_token"])

    async def duel(self, best: Trial, candidate: Trial) -> Duel:
        """Weigh both orders; a person's vote counts as much as that."""
        asked = self._wording.of(best, candidate, self._unit)
        with open_duel(self._context, best, candidate) as inbox:
            choice, records = await self._compare(candidate.round, "vote", asked)
            count = Count(
                candidate.round, Weighed(choice), len(self._context.task.questions), self._context.emit
            )
            for index, record in enumerate(records):
                count.add(record, index)
            count.add_all(inbox)
        return count.duel()

    async def compare_rows(self, seed: Trial, best: Trial) -> list[RowVotes]:
        """Weigh both orders on every question."""
        texts = self._wording.of_rows(seed, best)
        found = await together(
            [self._compare(best.round, "check_vote", [one], row) for row, one in enumerate(texts)]
        )
        return [RowVotes(choice, tuple(records)) for choice, records in found]

    async def _compare(
        self, number: int, purpose: str, asked: Sequence[Texts], first: int = 0
    ) -> tuple[Choice, list[VoteRecord]]:
        """The verdict over both orders, and what each order says alone."""
        places = list(product(range(len(asked)), ORDERS))
        found = await together(
            [
                self._odds(CallKey(number, purpose, len(ORDERS) * first + index), asked[row][order], order)
                for index, (row, order) in enumerate(places)
            ]
        )
        of_orders: dict[Order, list[float]] = {
            order: [
                odds
                for (_, one), odds in zip(places, found, strict=True)
                if one == order and odds is not None
            ]
            for order in ORDERS
        }
        return compare_odds(of_orders), [_record(order, odds) for order, odds in of_orders.items()]

    async def _odds(self, key: CallKey, text: str, order: Order) -> float | None:
        request = self._context.asker.request("evaluator", [user(text)], temperature=0.0)
        request = msgspec.structs.replace(request, max_tokens=1, alternatives=ALTERNATIVES)
        try:
            reply = await self._context.asker.ask(key, request, may_be_refused=True)
        except RequestRefusedError as error:
            text = f"Round {key.round}, vote {key.index + 1}: {error.what} It does not count."
            self._context.emit(Noticed(text=text, level="warning"))
            return None
        if not reply.alternatives:
            raise CannotJudgeError(f"{request.model} does not report how probable its tokens are.")
        odds = read_odds(reply.alternatives)
        return None if odds is None else for_candidate(odds, order)


def _record(order: Order, odds: Sequence[float]) -> VoteRecord:
    if not odds:
        return VoteRecord(choice="void", order=order, reason="neither letter is likely", voter="logprob")
    mean = sum(odds) / len(odds)
    choice: Choice = "win" if mean > 0 else "loss" if mean < 0 else "tie"
    reason = f"the candidate's letter is {(1 + math.tanh(mean / 2)) / 2:.0%} of both"
    return VoteRecord(choice=choice, order=order, reason=reason, voter="logprob")
