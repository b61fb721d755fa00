"""Judge by likelihood: how much more probable the requirements make each answer."""

import math
from collections.abc import Sequence

import msgspec

from spotui.engine.asking import together, user
from spotui.engine.context import Context
from spotui.engine.count import Count
from spotui.engine.opening import open_duel
from spotui.engine.task import Duel, RowVotes, Trial
from spotui.events import Likelihood
from spotui.judging.ballots import alternating
from spotui.judging.likelihoods import compare_likelihoods
from spotui.judging.majority import Majority
from spotui.llm.gate import Halted
from spotui.llm.local.forced import literal_grammar
from spotui.workspace.lines import AnswerRecord, CallKey, VoteRecord

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
        self._measured: dict[tuple[int, int], float] = {}

    async def duel(self, best: Trial, candidate: Trial) -> Duel:
        """Measure every answer once in its life and compare; a person's vote weighs as much as that."""
        one_vote = Majority(alternating(1))
        count = Count(candidate.round, one_vote, len(self._context.task.questions), self._context.emit)
        with open_duel(self._context, best, candidate) as inbox:
            old, new = await together([self._measure(best), self._measure(candidate)])
            count.add(_compare(old, new), 0)
            count.add_all(inbox)
        return count.duel()

    async def compare_rows(self, seed: Trial, best: Trial) -> list[RowVotes]:
        """The same for every question alone; answers that a round measured are not measured again."""
        old, new = await together([self._measure(seed), self._measure(best)])
        records = [_compare([before], [after]) for before, after in zip(old, new, strict=True)]
        return [RowVotes(record.choice, (record,)) for record in records]

    async def _measure(self, trial: Trial) -> list[float]:
        return await together([self._evidence(trial, index) for index in range(len(trial.answers))])

    async def _evidence(self, trial: Trial, index: int) -> float:
        number = trial.place(index)
        place = trial.round, number
        if place not in self._measured:
            self._measured[place] = await self._weigh(trial.answers[index], trial.round, number)
            if number < len(self._context.task.questions):
                self._context.emit(Likelihood(round=trial.round, index=number, value=self._measured[place]))
        return self._measured[place]

    async def _weigh(self, record: AnswerRecord, number: int, index: int) -> float:
        """The evidence for one answer; those to held-out questions follow the others."""
        asked = len(self._context.task.questions)
        purpose, index = ("vote", index) if index < asked else ("held_out_vote", index - asked)
        required = self._context.meta["judge_likelihood"].render(
            requirements=self._context.task.requirements, question=record.question
        )
        informed, uninformed = await together(
            [
                self._logprobs(CallKey(number, f"{purpose}_likelihood", index), required, record.answer),
                self._logprobs(
                    CallKey(number, f"{purpose}_typicality", index), record.question, record.answer
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
        advice = "Lower max_tokens of the executor, or use an evaluator with a longer context window."
        reply = await self._context.asker.ask(key, request, advice=advice)
        if not reply.logprobs:
            raise Halted(
                "failed", f"{request.model} returns no log-probabilities, so it cannot be the judge."
            )
        return reply.logprobs


def _compare(old: Sequence[float], new: Sequence[float]) -> VoteRecord:
    reason = (
        f"the requirements make its answers more likely by {sum(new) / len(new):.2f} on average, "
        f"the best's by {sum(old) / len(old):.2f}"
    )
    return VoteRecord(choice=compare_likelihoods(old, new, MARGIN), reason=reason, voter="likelihood")
