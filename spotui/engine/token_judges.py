"""Judges that are asked for probabilities: of two letters, or of the answers themselves."""

import asyncio
import math
from collections import defaultdict
from collections.abc import Sequence
from itertools import product

import msgspec

from spotui.domain.events import Likelihood, Noticed
from spotui.domain.messages import user
from spotui.domain.records import AnswerRecord, CallKey, VoteRecord
from spotui.domain.verdicts import Choice, Order
from spotui.engine.asking import together
from spotui.engine.ballots import Texts, Wording
from spotui.engine.context import Context
from spotui.engine.judge import CannotJudgeError, Count, Rivals, open_duel
from spotui.engine.task import Candidate, Duel, RowVotes, Trial
from spotui.judging.decision import (
    Majority,
    Weighed,
    compare_likelihoods,
    compare_odds,
    for_candidate,
    read_odds,
)
from spotui.judging.votes import alternating
from spotui.lang import _
from spotui.llm.limits import Halted
from spotui.llm.local.server import literal_grammar
from spotui.llm.protocol import RequestRefusedError
from spotui.settings.values import Unit

MARGIN = 1.0
"""The mean difference up to which two sets of answers are equal: what three pairs of equally good answers
differ by at random, with models of 0.5 to 1.5 billion parameters."""


class LikelihoodJudge:
    """The evaluator's own probability of the answers decides; there is no order and nothing to vote on.

    An answer's evidence is the gain in its log-probability when the evaluator reads the requirements before
    the question, against the question alone. The probability itself would favour whatever is typical: a
    refusal is probable under any requirements, and that is why it gains nothing. The gain is divided by the
    root of the number of tokens, as the noise of a sum grows with that: no length is favoured.

    It is a separate kind of judge, for models too small to reason, and overlooks wrong facts.

    Args:
        context: What it works with; the evaluator must take grammars and return log-probabilities.
    """

    def __init__(self, context: Context) -> None:
        self._context = context
        self._measured: dict[tuple[int, int, int], float] = {}
        self._locks: defaultdict[tuple[int, int, int], asyncio.Lock] = defaultdict(asyncio.Lock)

    async def duel(self, best: Trial, candidate: Trial, rivals: Rivals | None = None) -> Duel:
        """Measure every answer once in its life and compare; a person's vote weighs as much as that."""
        count = Count(
            candidate.round,
            Majority(alternating(1)),
            len(self._context.task.questions),
            self._context.emit,
            candidate.candidate.number,
        )
        with open_duel(self._context, best, candidate, rivals) as inbox:
            old, new = await together([self._measure(best), self._measure(candidate)])
            count.add(_compare(old, new), 0)
            count.add_all(inbox)
        rows = tuple(_compare([before], [after]).choice for before, after in zip(old, new, strict=True))
        return msgspec.structs.replace(count.duel(), by_question=rows)

    async def prefer(self, first: Trial, second: Trial, pair: int) -> Choice:  # noqa: ARG002 - both are measured
        """What the answers that were measured say; it takes no call."""
        old, new = await together([self._measure(first), self._measure(second)])
        return _compare(old, new).choice

    async def compare_rows(self, seed: Trial, best: Trial) -> list[RowVotes]:
        """The same for every question alone; answers that a round measured are not measured again."""
        old, new = await together([self._measure(seed), self._measure(best)])
        records = [_compare([before], [after]) for before, after in zip(old, new, strict=True)]
        return [RowVotes(record.choice, (record,)) for record in records]

    async def _measure(self, trial: Trial) -> list[float]:
        return await together([self._evidence(trial, index) for index in range(len(trial.answers))])

    async def _evidence(self, trial: Trial, index: int) -> float:
        number = trial.position_of(index)
        candidate = trial.candidate.number
        place = trial.round, candidate, number
        async with self._locks[place]:  # duels at once measure the best's answers once
            if place not in self._measured:
                found = await self._weigh(trial.answers[index], trial.candidate, number)
                self._measured[place] = found
                if number < len(self._context.task.questions):
                    self._context.emit(
                        Likelihood(round=trial.round, index=number, value=found, candidate=candidate)
                    )
        return self._measured[place]

    async def _weigh(self, record: AnswerRecord, candidate: Candidate, index: int) -> float:
        """The evidence for one answer; those to held-out questions follow the others."""
        asked = len(self._context.task.questions)
        purpose, index = ("vote", index) if index < asked else ("held_out_vote", index - asked)
        required = self._context.meta["judge_likelihood"].render(
            requirements=self._context.task.requirements, question=record.question
        )
        likelihood = CallKey(candidate.round, f"{purpose}_likelihood", index, candidate=candidate.number)
        typicality = msgspec.structs.replace(likelihood, purpose=f"{purpose}_typicality")
        informed, uninformed = await together(
            [
                self._logprobs(likelihood, required, record.answer),
                self._logprobs(typicality, record.question, record.answer),
            ]
        )
        # Both are of the same tokens; a budget may have cut one of the replies.
        gains = [known - unknown for known, unknown in zip(informed, uninformed, strict=False)]
        return sum(gains) / math.sqrt(len(gains))

    async def _logprobs(self, key: CallKey, text: str, answer: str) -> tuple[float, ...]:
        request = self._context.asker.request(
            "evaluator", [user(text)], temperature=0.0, grammar=literal_grammar(answer), logprobs=True
        )
        # The answer itself ends the reply, however long it is.
        request = msgspec.structs.replace(request, max_tokens=None)
        advice = _("Lower max_tokens of the executor, or use an evaluator with a longer context window.")
        reply = await self._context.asker.ask(key, request, advice=advice)
        if not reply.logprobs:
            raise Halted(
                "failed",
                _("{model} returns no log-probabilities, so it cannot be the judge.", model=request.model),
            )
        return reply.logprobs


def _compare(old: Sequence[float], new: Sequence[float]) -> VoteRecord:
    reason = _(
        "the requirements make its answers more likely by {sum:.2f} on average, the best's by {sum2:.2f}",
        sum=sum(new) / len(new),
        sum2=sum(old) / len(old),
    )
    return VoteRecord(choice=compare_likelihoods(old, new, MARGIN), reason=reason, voter="likelihood")


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

    async def duel(self, best: Trial, candidate: Trial, rivals: Rivals | None = None) -> Duel:
        """Weigh both orders; a person's vote counts as much as that."""
        asked, number = self._wording.of(best, candidate, self._unit), candidate.candidate.number
        with open_duel(self._context, best, candidate, rivals) as inbox:
            choice, records = await self._compare(candidate.round, "vote", asked, candidate=number)
            count = Count(
                candidate.round,
                Weighed(choice),
                len(self._context.task.questions),
                self._context.emit,
                number,
            )
            for index, record in enumerate(records):
                count.add(record, index)
            count.add_all(inbox)
        return count.duel()

    async def prefer(self, first: Trial, second: Trial, pair: int) -> Choice:
        """Weigh both orders."""
        asked = self._wording.of(first, second, self._unit)
        return (await self._compare(first.round, "playoff", asked, candidate=pair))[0]

    async def compare_rows(self, seed: Trial, best: Trial) -> list[RowVotes]:
        """Weigh both orders on every question."""
        texts = self._wording.of_rows(seed, best)
        found = await together(
            [self._compare(best.round, "check_vote", [one], row) for row, one in enumerate(texts)]
        )
        return [RowVotes(choice, tuple(records)) for choice, records in found]

    async def _compare(
        self, number: int, purpose: str, asked: Sequence[Texts], first: int = 0, candidate: int = 0
    ) -> tuple[Choice, list[VoteRecord]]:
        """The verdict over both orders, and what each order says alone."""
        places = list(product(range(len(asked)), ORDERS))
        found = await together(
            [
                self._odds(
                    CallKey(number, purpose, len(ORDERS) * first + index, candidate=candidate),
                    asked[row][order],
                    order,
                )
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
            reply = await self._context.asker.ask(key, request, "evaluator", may_be_refused=True)
        except RequestRefusedError as error:
            text = _(
                "Round {round}, vote {index}: {error} It does not count.",
                round=key.round,
                index=key.index + 1,
                error=error.what,
            )
            self._context.emit(Noticed(text=text, level="warning"))
            return None
        if not reply.alternatives:
            raise CannotJudgeError(
                _("{model} does not report how probable its tokens are.", model=request.model)
            )
        odds = read_odds(reply.alternatives)
        return None if odds is None else for_candidate(odds, order)


def _record(order: Order, odds: Sequence[float]) -> VoteRecord:
    if not odds:
        return VoteRecord(choice="void", order=order, reason=_("neither letter is likely"), voter="logprob")
    mean = sum(odds) / len(odds)
    choice: Choice = "win" if mean > 0 else "loss" if mean < 0 else "tie"
    reason = _("the candidate's letter is {tanh:.0%} of both", tanh=(1 + math.tanh(mean / 2)) / 2)
    return VoteRecord(choice=choice, order=order, reason=reason, voter="logprob")
