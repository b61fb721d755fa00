"""Judge by likelihood: how probable the evaluator finds each answer."""

from spotui.engine.asking import together, user
from spotui.engine.context import Context
from spotui.engine.count import Count
from spotui.engine.task import Duel, Trial
from spotui.events import Likelihood
from spotui.judging.tally import compare_likelihoods
from spotui.llm.gate import Halted
from spotui.llm.local.forced import literal_grammar
from spotui.workspace.lines import CallKey, VoteRecord

MARGIN = 0.02
"""Nats per token below which two sets of answers are equal."""


class LikelihoodJudge:
    """The evaluator's own probability of the answers decides; there is no order and nothing to vote on.

    It prefers fluent and typical text, so it is a judge of its own kind, for models too small to reason.

    Args:
        context: What it works with; the evaluator must take grammars and return log-probabilities.
    """

    def __init__(self, context: Context) -> None:
        self._context = context

    async def duel(self, best: Trial, candidate: Trial, *, held_out: bool = False) -> Duel:
        """Measure every answer once in its life and compare; a person's vote weighs as much as that."""
        count = Count(candidate.round, 1, None if held_out else self._context.emit)
        if held_out:
            count.add(await self._compare(best, candidate, "held_out_vote"), 0)
        else:
            with self._context.decisions.duel(candidate.round) as inbox:
                count.add(await self._compare(best, candidate, "vote"), 0)
                count.add_all(inbox)
        return Duel(count.tally.verdict, tuple(count.votes))

    async def _compare(self, best: Trial, candidate: Trial, purpose: str) -> VoteRecord:
        old, new = await together([self._measure(best, purpose), self._measure(candidate, purpose)])
        reason = f"mean log-probability {sum(new) / len(new):.3f} against {sum(old) / len(old):.3f}"
        return VoteRecord(choice=compare_likelihoods(old, new, MARGIN), reason=reason, voter="likelihood")

    async def _measure(self, trial: Trial, purpose: str) -> list[float]:
        return await together([self._one(trial, index, purpose) for index in range(len(trial.answers))])

    async def _one(self, trial: Trial, index: int, purpose: str) -> float:
        record, asker = trial.answers[index], self._context.asker
        text = self._context.meta["judge_likelihood"].render(
            requirements=self._context.task.requirements, question=record.question
        )
        request = asker.request(
            "evaluator",
            [user(text)],
            temperature=0.0,
            grammar=literal_grammar(record.answer),
            logprobs=True,
        )
        reply = await asker.ask(CallKey(trial.round, f"{purpose}_likelihood", index), request)
        if not reply.logprobs:
            raise Halted(
                "failed", f"{request.model} returns no log-probabilities, so it cannot be the judge."
            )
        value = sum(reply.logprobs) / len(reply.logprobs)
        if purpose == "vote":
            self._context.emit(Likelihood(round=trial.round, index=index, value=value))
        return value
