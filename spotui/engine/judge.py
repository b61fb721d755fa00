"""Judge: whether a candidate's answers are better than the best's."""

import asyncio
from collections.abc import Callable
from typing import Protocol

from spotui.engine.asking import first_error
from spotui.engine.ballot_box import BallotBox
from spotui.engine.context import Context
from spotui.engine.count import Count
from spotui.engine.decisions import Inbox
from spotui.engine.task import Duel, Trial, format_answers, format_references
from spotui.judging.ballots import Ballot
from spotui.judging.rule import Rule


class Judge(Protocol):
    """One way to find a verdict."""

    async def duel(self, best: Trial, candidate: Trial, *, held_out: bool = False) -> Duel:
        """Compare two trials on the same questions.

        Args:
            best: The trial to beat.
            candidate: The one that has to beat it.
            held_out: Whether this is the last duel, on questions no round has seen, where nobody else votes.
        """
        ...


class VotingJudge:
    """The evaluator votes on both sets of answers, blind, until the outcome is settled.

    Args:
        context: What it works with.
        rule: What decides the duel of a round.
    """

    def __init__(self, context: Context, rule: Callable[[int], Rule]) -> None:
        self._context = context
        self._rule = rule

    async def duel(self, best: Trial, candidate: Trial, *, held_out: bool = False) -> Duel:
        """Ask the ballots that the rule wants, until it has decided; that cancels those still out.

        Every vote that was bought is counted, and so is every person's: that makes the outcome a function of
        the journal, so a resumed duel ends as it did and buys no other vote.
        """
        rule = self._rule(candidate.round)
        box = self._box(best, candidate, "held_out_vote" if held_out else "vote")
        count = Count(candidate.round, rule, None if held_out else self._context.emit)
        for ballot in rule.ballots:
            if box.is_known(ballot):
                count.add(await box.vote(ballot), ballot.index)
        if held_out:
            await self._poll(box, count, asyncio.Queue())
        else:
            with self._context.decisions.duel(candidate.round) as inbox:
                await self._poll(box, count, inbox)
        return count.duel()

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

    def _box(self, best: Trial, candidate: Trial, purpose: str) -> BallotBox:
        task, meta = self._context.task, self._context.meta
        old, new = format_answers(best.answers), format_answers(candidate.answers)
        shared = {
            "requirements": task.requirements,
            "references": format_references(candidate.questions, shown=task.reference_answers),
        }
        return BallotBox(
            self._context.asker,
            candidate.round,
            purpose,
            {
                "AB": meta["judge_duel"].render(answers_a=old, answers_b=new, **shared),
                "BA": meta["judge_duel"].render(answers_a=new, answers_b=old, **shared),
            },
            meta["judge_repair"],
        )
