"""Judge: whether a candidate's answers are better than the best's."""

import asyncio
from collections.abc import Callable, Sequence
from typing import Protocol

from spotui.engine.asking import first_error
from spotui.engine.ballot_box import BallotBox
from spotui.engine.context import Context
from spotui.engine.count import Count
from spotui.engine.decisions import Inbox
from spotui.engine.task import Duel, Trial, format_answers, format_references
from spotui.judging.ballots import Ballot


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
        ballots: What to ask in the duel of a round.
    """

    def __init__(self, context: Context, ballots: Callable[[int], Sequence[Ballot]]) -> None:
        self._context = context
        self._ballots = ballots

    async def duel(self, best: Trial, candidate: Trial, *, held_out: bool = False) -> Duel:
        """Ask all ballots at once; a settled outcome cancels those still out.

        Every vote that was bought is counted, and so is every person's: that makes the outcome a function of
        the journal, so a resumed duel ends as it did and buys no other vote.
        """
        number = candidate.round
        ballots = self._ballots(number)
        box = self._box(best, candidate, "held_out_vote" if held_out else "vote")
        count = Count(number, len(ballots), None if held_out else self._context.emit)
        known = [ballot for ballot in ballots if box.is_known(ballot)]
        for ballot in known:
            count.add(await box.vote(ballot), ballot.index)
        wanted = [ballot for ballot in ballots if ballot not in known]
        if held_out:
            await self._poll(box, wanted, count, asyncio.Queue())
        else:
            with self._context.decisions.duel(number) as inbox:
                await self._poll(box, wanted, count, inbox)
        return Duel(count.tally.verdict, tuple(count.votes))

    async def _poll(self, box: BallotBox, ballots: Sequence[Ballot], count: Count, inbox: Inbox) -> None:
        async def cast(ballot: Ballot) -> None:
            inbox.put_nowait((await box.vote(ballot), ballot.index))

        out: list[asyncio.Task[None]] = []
        try:
            async with asyncio.TaskGroup() as group:
                count.add_all(inbox)
                while not count.tally.decided:
                    out = out or [group.create_task(cast(ballot)) for ballot in ballots]
                    count.add(*await inbox.get())
                    count.add_all(inbox)
                self._context.decisions.close_duel(count.round)
                for task in out:
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
