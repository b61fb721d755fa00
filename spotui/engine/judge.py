"""Judge: whether a candidate's answers are better than the best's."""

import asyncio
from collections.abc import Callable, Sequence
from typing import Protocol

from spotui.engine.asking import Asker, first_error
from spotui.engine.ballot_box import BallotBox
from spotui.engine.count import Count
from spotui.engine.decisions import Decisions
from spotui.engine.task import Duel, Task, Trial, format_answers, format_references
from spotui.events import Event
from spotui.judging.ballots import Ballot
from spotui.meta_prompts import MetaPrompts
from spotui.workspace.lines import VoteRecord


class Judge(Protocol):
    """One way to find a verdict."""

    async def duel(self, best: Trial, candidate: Trial, purpose: str) -> Duel:
        """Compare two trials on the same questions; `purpose` is what the calls are filed under."""
        ...


class VotingJudge:
    """The evaluator votes on both sets of answers, blind, until the outcome is settled.

    Args:
        asker: The way to the evaluator.
        task: Requirements and reference answers.
        meta: The judge's meta-prompts.
        ballots: What to ask in the duel of a round.
        decisions: Where people's votes arrive.
        emit: Told of every vote.
    """

    def __init__(
        self,
        asker: Asker,
        task: Task,
        meta: MetaPrompts,
        ballots: Callable[[int], Sequence[Ballot]],
        decisions: Decisions,
        emit: Callable[[Event], None],
    ) -> None:
        self._asker = asker
        self._task = task
        self._meta = meta
        self._ballots = ballots
        self._decisions = decisions
        self._emit = emit

    async def duel(self, best: Trial, candidate: Trial, purpose: str) -> Duel:
        """Ask all ballots at once; a settled outcome cancels those still out.

        Ballots that the journal answers are counted first, in the order they were answered in, so that a
        resumed duel is settled by the same votes and buys no other.
        """
        box = self._box(best, candidate, purpose)
        count = Count(candidate.round, self._ballots(candidate.round), self._emit)
        places = {ballot: box.place(ballot) for ballot in count.ballots}
        known = [ballot for ballot, place in places.items() if place is not None]
        with self._decisions.duel(candidate.round) as inbox:
            for ballot in sorted(known, key=lambda ballot: places[ballot] or 0):
                if not count.tally.decided:
                    count.add(await box.vote(ballot), ballot.index)
            if not count.tally.decided:
                await self._poll(
                    box, [ballot for ballot in count.ballots if ballot not in known], count, inbox
                )
        return Duel(count.tally.verdict, tuple(count.votes))

    async def _poll(
        self,
        box: BallotBox,
        ballots: Sequence[Ballot],
        count: Count,
        inbox: asyncio.Queue[tuple[VoteRecord, int]],
    ) -> None:
        async def cast(ballot: Ballot) -> None:
            inbox.put_nowait((await box.vote(ballot), ballot.index))

        try:
            async with asyncio.TaskGroup() as group:
                out = [group.create_task(cast(ballot)) for ballot in ballots]
                while not count.tally.decided:
                    count.add(*await inbox.get())
                for task in out:
                    task.cancel()
        except BaseExceptionGroup as errors:
            raise first_error(errors) from None

    def _box(self, best: Trial, candidate: Trial, purpose: str) -> BallotBox:
        old, new = format_answers(best.answers), format_answers(candidate.answers)
        meta = self._meta["judge_duel"]
        shared = {
            "requirements": self._task.requirements,
            "references": format_references(candidate.questions, shown=self._task.reference_answers),
        }
        return BallotBox(
            self._asker,
            candidate.round,
            purpose,
            {
                "AB": meta.render(answers_a=old, answers_b=new, **shared),
                "BA": meta.render(answers_a=new, answers_b=old, **shared),
            },
            self._meta["judge_repair"],
        )
