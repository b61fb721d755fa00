"""Judge: whether a candidate's answers are better than the best's."""

import asyncio
from collections.abc import Callable, Sequence
from itertools import product
from typing import Protocol

from spotui.engine.asking import first_error, together
from spotui.engine.ballot_box import BallotBox
from spotui.engine.context import Context
from spotui.engine.count import Count
from spotui.engine.decisions import Inbox
from spotui.engine.opening import open_duel
from spotui.engine.task import Duel, RowVotes, Trial
from spotui.engine.wording import Texts, Wording
from spotui.events import Event, Noticed
from spotui.judging.ballots import Ballot, alternating
from spotui.judging.checking import row_verdict
from spotui.judging.pooling import pooled
from spotui.judging.rule import Rule
from spotui.llm.errors import RequestRefusedError
from spotui.settings.run_settings import Unit
from spotui.workspace.lines import VoteRecord


class Judge(Protocol):
    """One way to find a verdict."""

    async def duel(self, best: Trial, candidate: Trial) -> Duel:
        """Compare two trials on the questions of a round.

        Args:
            best: The trial to beat.
            candidate: The one that has to beat it.
        """
        ...

    async def compare_rows(self, seed: Trial, best: Trial) -> list[RowVotes]:
        """Compare two trials question by question, each in both orders; nobody else votes.

        Args:
            seed: The seed's trial on all questions.
            best: The best candidate's, on the same.

        Returns:
            One for each question, in order, from the best candidate's side.
        """
        ...


class CannotJudgeError(Exception):
    """A judge lacks what it decides by; its text says what.

    Args:
        why: One sentence.
    """

    def __init__(self, why: str) -> None:
        super().__init__(why)
        self.why = why


class FallbackJudge:
    """A judge, and another that takes its place for good when it turns out that it cannot judge.

    Args:
        first: The judge that is asked for.
        instead: The other.
        emit: Told when the other takes over.
    """

    def __init__(self, first: Judge, instead: Judge, emit: Callable[[Event], None]) -> None:
        self._judge = first
        self._instead = instead
        self._emit = emit

    async def duel(self, best: Trial, candidate: Trial) -> Duel:
        """Compare two trials on the questions of a round; see `Judge.duel`."""
        try:
            return await self._judge.duel(best, candidate)
        except CannotJudgeError as error:
            self._replace(error)
        return await self._judge.duel(best, candidate)

    async def compare_rows(self, seed: Trial, best: Trial) -> list[RowVotes]:
        """Compare two trials question by question; see `Judge.compare_rows`."""
        try:
            return await self._judge.compare_rows(seed, best)
        except CannotJudgeError as error:
            self._replace(error)
        return await self._judge.compare_rows(seed, best)

    def _replace(self, error: CannotJudgeError) -> None:
        self._judge = self._instead
        self._emit(Noticed(text=f"{error.why} It votes in words instead.", level="warning"))


class VotingJudge:
    """The evaluator votes on both sets of answers, blind, until the outcome is settled.

    Args:
        context: What it works with.
        rule: What decides the duel of a round.
        unit: Whether all answers are compared at once, or each question's alone.
        models: The judges, the evaluator first; their votes are pooled.
        json: Whether votes are asked for as JSON.
    """

    def __init__(
        self,
        context: Context,
        rule: Callable[[int], Rule],
        *,
        models: Sequence[str],
        unit: Unit = "set",
        json: bool = False,
    ) -> None:
        self._context = context
        self._rule = rule
        self._unit = unit
        self._models = models
        self._json = json
        self._wording = Wording(context.task, context.meta["judge_duel_json" if json else "judge_duel"])

    async def duel(self, best: Trial, candidate: Trial) -> Duel:
        """Ask the ballots that the rule wants, until it has decided; that cancels those still out.

        Every vote that was bought is counted, and so is every person's: that makes the outcome a function of
        the journal, so a resumed duel ends as it did and buys no other vote. Answers that the endpoint
        refuses together are compared question by question.
        """
        try:
            return await self._duel(best, candidate, self._unit)
        except RequestRefusedError as error:
            is_alone = len(best.answers) == 1
            how = "cannot be compared" if is_alone else "are compared question by question"
            text = f"Round {candidate.round}, vote: {error.what} The answers {how}."
            self._context.emit(Noticed(text=text, level="warning"))
        return Duel("void") if is_alone else await self._duel(best, candidate, "row")

    async def _duel(self, best: Trial, candidate: Trial, unit: Unit) -> Duel:
        rule = self._rule(candidate.round)
        texts = self._wording.of(best, candidate, unit)
        box = self._box(candidate.round, "vote", texts)
        count = Count(candidate.round, rule, len(self._context.task.questions), self._context.emit)
        for ballot in rule.ballots:
            if box.is_known(ballot):
                count.add(await box.vote(ballot), ballot.index)
        with open_duel(self._context, best, candidate) as inbox:
            await self._poll(box, count, inbox)
        return count.duel()

    async def compare_rows(self, seed: Trial, best: Trial) -> list[RowVotes]:
        """One vote of each judge in either order on every question, all at once."""
        texts = self._wording.of_rows(seed, best)
        box = self._box(best.round, "check_vote", texts)
        ballots = alternating(2 * len(self._models))
        votes = await together([box.vote_on(*place) for place in product(ballots, range(len(texts)))])
        return [_row(votes[row :: len(texts)]) for row in range(len(texts))]

    async def _poll(self, box: BallotBox, count: Count, inbox: Inbox) -> None:
        async def cast(ballot: Ballot) -> None:
            inbox.put_nowait((await box.vote(ballot), ballot.index))

        out: dict[int, asyncio.Task[None]] = {}
        try:
            async with asyncio.TaskGroup() as group:
                count.add_all(inbox)
                while not count.is_decided:
                    for ballot in count.wanted:
                        if ballot.index not in out:
                            out[ballot.index] = group.create_task(cast(ballot))
                    count.add(*await inbox.get())
                    count.add_all(inbox)
                self._context.decisions.close_duel(count.round)
                for task in out.values():
                    task.cancel()
        except BaseExceptionGroup as errors:
            raise first_error(errors) from None

    def _box(self, number: int, purpose: str, texts: Sequence[Texts]) -> BallotBox:
        return BallotBox(
            self._context.asker,
            number,
            purpose,
            texts,
            self._context.meta["judge_repair_json" if self._json else "judge_repair"],
            models=self._models,
            json=self._json,
        )


def _row(votes: Sequence[VoteRecord]) -> RowVotes:
    """Each judge's verdict needs both orders; what more judges say has it."""
    pairs = [[vote.choice for vote in votes[start : start + 2]] for start in range(0, len(votes), 2)]
    return RowVotes(pooled([row_verdict(pair) for pair in pairs]), tuple(votes))
