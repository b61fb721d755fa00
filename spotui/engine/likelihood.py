"""Judge by likelihood: how much more probable the requirements make each answer."""

import math

import msgspec

from spotui.engine.asking import together, user
from spotui.engine.context import Context
from spotui.engine.count import Count
from spotui.engine.task import Duel, Trial
from spotui.events import Likelihood
from spotui.judging.ballots import alternating
from spotui.judging.likelihoods import compare_likelihoods
from spotui.judging.majority import Majority
from spotui.llm.gate import Halted
from spotui.llm.local.forced import literal_grammar
from spotui.workspace.lines import CallKey, VoteRecord

MARGIN = 1.0
"""The mean difference up to which two sets of answers are equal: what three pairs of equally good answers
differ by at random, with models of 0.5 to 1.5 billion parameters."""


class LikelihoodJudge:
    """The evaluator's own probability of the answers decides; there is no order and nothing to vote on.

    An answer's evidence is the gain in its log-probability when the evaluator reads the requirements before
    the question, against the question alone. The probability itself would favour whatever is typical: a
    refusal is probable under any requirements, and that is why it gains nothing. The gain is divided by the
    root of the number of tokens, as the noise of a sum grows with that: no length is favoured.

    It is a judge of its own kind, for models too small to reason, and overlooks wrong facts.

    Args:
        context: What it works with; the evaluator must take grammars and return log-probabilities.
    """

    def __init__(self, context: Context) -> None:
        self._context = context
        self._measured: dict[tuple[str, int, int], float] = {}

    async def duel(self, best: Trial, candidate: Trial, *, held_out: bool = False) -> Duel:
        """Measure every answer once in its life and compare; a person's vote weighs as much as that."""
        one_vote = Majority(alternating(1))
        count = Count(candidate.round, one_vote, None if held_out else self._context.emit)
        if held_out:
            count.add(await self._compare(best, candidate, "held_out_vote"), 0)
        else:
            with self._context.decisions.duel(candidate.round) as inbox:
                count.add(await self._compare(best, candidate, "vote"), 0)
                count.add_all(inbox)
        return count.duel()

    async def _compare(self, best: Trial, candidate: Trial, purpose: str) -> VoteRecord:
        old, new = await together([self._measure(best, purpose), self._measure(candidate, purpose)])
        reason = (
            f"the requirements make its answers more likely by {sum(new) / len(new):.2f} on average, "
            f"the best's by {sum(old) / len(old):.2f}"
        )
        return VoteRecord(choice=compare_likelihoods(old, new, MARGIN), reason=reason, voter="likelihood")

    async def _measure(self, trial: Trial, purpose: str) -> list[float]:
        return await together([self._evidence(trial, index, purpose) for index in range(len(trial.answers))])

    async def _evidence(self, trial: Trial, index: int, purpose: str) -> float:
        place = purpose, trial.round, index
        if place not in self._measured:
            self._measured[place] = await self._weigh(trial, index, purpose)
            if purpose == "vote":
                self._context.emit(Likelihood(round=trial.round, index=index, value=self._measured[place]))
        return self._measured[place]

    async def _weigh(self, trial: Trial, index: int, purpose: str) -> float:
        record = trial.answers[index]
        required = self._context.meta["judge_likelihood"].render(
            requirements=self._context.task.requirements, question=record.question
        )
        informed, uninformed = await together(
            [
                self._logprobs(CallKey(trial.round, f"{purpose}_likelihood", index), required, record.answer),
                self._logprobs(
                    CallKey(trial.round, f"{purpose}_typicality", index), record.question, record.answer
                ),
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
        reply = await self._context.asker.ask(key, request)
        if not reply.logprobs:
            raise Halted(
                "failed", f"{request.model} returns no log-probabilities, so it cannot be the judge."
            )
        return reply.logprobs
