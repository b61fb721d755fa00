"""Judge by likelihood: how probable the evaluator finds each answer."""

from collections.abc import Callable

from spotui.engine.asking import Asker, together, user
from spotui.engine.count import Count
from spotui.engine.decisions import Decisions
from spotui.engine.task import Duel, Task, Trial
from spotui.events import Event, Likelihood
from spotui.judging.ballots import Ballot
from spotui.judging.tally import compare_likelihoods
from spotui.meta_prompts import MetaPrompts
from spotui.workspace.lines import CallKey, VoteRecord


class LikelihoodJudge:
    """The evaluator's own probability of the answers decides; there is no order and nothing to vote on.

    It prefers fluent and typical text, so it is a judge of its own kind, for models too small to reason.

    Args:
        asker: The way to the evaluator, which must take grammars and return log-probabilities.
        task: Requirements.
        meta: The judge's meta-prompts.
        force: Makes a grammar that admits exactly one text.
        margin: Nats per token below which two sets of answers are equal.
        decisions: Where people's votes arrive.
        emit: Told of every measurement.
    """

    def __init__(
        self,
        asker: Asker,
        task: Task,
        meta: MetaPrompts,
        *,
        force: Callable[[str], str],
        margin: float,
        decisions: Decisions,
        emit: Callable[[Event], None],
    ) -> None:
        self._asker = asker
        self._task = task
        self._meta = meta
        self._force = force
        self._margin = margin
        self._decisions = decisions
        self._emit = emit

    async def duel(self, best: Trial, candidate: Trial, purpose: str) -> Duel:
        """Measure every answer once in its life and compare; a person's vote weighs as much as that."""
        old, new = await together([self._measure(best, purpose), self._measure(candidate, purpose)])
        measured = compare_likelihoods(old, new, self._margin)
        reason = f"mean log-probability {sum(new) / len(new):.3f} against {sum(old) / len(old):.3f}"
        with self._decisions.duel(candidate.round) as inbox:
            count = Count(candidate.round, [Ballot(0, "AB")], self._emit)
            count.add(VoteRecord(choice=measured, reason=reason, voter="likelihood"), 0)
            while not inbox.empty():
                count.add(*inbox.get_nowait())
        return Duel(count.tally.verdict, tuple(count.votes))

    async def _measure(self, trial: Trial, purpose: str) -> list[float]:
        return await together([self._one(trial, index, purpose) for index in range(len(trial.answers))])

    async def _one(self, trial: Trial, index: int, purpose: str) -> float:
        record = trial.answers[index]
        text = self._meta["judge_likelihood"].render(
            requirements=self._task.requirements, question=record.question
        )
        request = self._asker.request(
            "evaluator", [user(text)], grammar=self._force(record.answer), logprobs=True
        )
        reply = await self._asker.ask(CallKey(trial.round, f"{purpose}_likelihood", index), request)
        value = sum(reply.logprobs) / max(1, len(reply.logprobs))
        self._emit(Likelihood(round=trial.round, index=index, value=value))
        return value
