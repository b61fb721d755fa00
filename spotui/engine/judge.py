"""Counting the votes of a duel."""

import asyncio
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from hashlib import sha256
from itertools import product
from typing import Protocol

from spotui.domain.events import DuelOpened, Event, Noticed, VoteCast
from spotui.domain.outcomes import event_of
from spotui.domain.records import VoteRecord
from spotui.domain.verdicts import Choice, Side
from spotui.engine.asking import first_error, together
from spotui.engine.ballots import BallotBox, Texts, Wording
from spotui.engine.context import Context, Inbox
from spotui.engine.task import Duel, RowVotes, Trial
from spotui.judging.decision import Rule, share
from spotui.judging.final_check import row_verdict
from spotui.judging.votes import Ballot, Counted, PersonsVote, alternating, count_people, pooled
from spotui.lang import _
from spotui.llm.protocol import RequestRefusedError
from spotui.settings.values import Unit


class Count:
    """The votes of one duel as they come in, each told as an event.

    Args:
        number: The round.
        rule: What they are counted by.
        questions: How many questions the duel is about.
        emit: Told of every vote.
        candidate: Which of several candidates of the round it is about.
    """

    def __init__(
        self, number: int, rule: Rule, questions: int, emit: Callable[[Event], None], candidate: int = 0
    ) -> None:
        self.round = number
        self._candidate = candidate
        self._rule = rule
        self._questions = questions
        self._emit = emit
        self._votes: dict[int, VoteRecord] = {}
        self._people: list[VoteRecord] = []

    @property
    def wanted(self) -> Sequence[Ballot]:
        """The ballots to be out now."""
        people = self._counted()
        return () if people.decision else self._rule.wanted(self._choices(), people.choices)

    @property
    def missing(self) -> list[Ballot]:
        """The ballots without a vote."""
        return [ballot for ballot in self._rule.ballots if ballot.index not in self._votes]

    @property
    def reachable(self) -> float:
        """The share of the votes that the candidate has at the end if it gets all that are missing."""
        choices = self._choices()
        for ballot in self._rule.ballots:
            if self._rule.is_decided(choices, ()):
                break
            choices.setdefault(ballot.index, "win")
        return share(choices.values())

    def duel(self) -> Duel:
        """How it ended: the judge's votes by their numbers, then people's."""
        votes = (*(vote for _, vote in sorted(self._votes.items())), *self._people)
        people = self._counted()
        return Duel(people.decision or self._rule.verdict(self._choices(), people.choices), votes)

    def add_all(self, inbox: Inbox) -> None:
        """Count what has arrived so far."""
        while not inbox.empty():
            self.add(*inbox.get_nowait())

    def add(self, vote: VoteRecord, index: int) -> None:
        """Count a vote; a person's comes on top of the ballots."""
        if vote.voter == "human":
            self._people.append(vote)
        else:
            self._votes[index] = vote
        self._emit(event_of(VoteCast, vote, round=self.round, index=index, candidate=self._candidate))

    def _choices(self) -> dict[int, Choice]:
        return {index: vote.choice for index, vote in self._votes.items()}

    def _counted(self) -> Counted:
        votes = [PersonsVote(vote.choice, vote.question, vote.outranks) for vote in self._people]
        return count_people(votes, self._questions)


class Rivals:
    """The duels of one round that are held at once.

    A duel that needs more votes waits until every other one has ended or needs more as well. So it depends on
    the votes alone, and not on the order in which they arrive, who is asked about again.

    Args:
        duels: How many there are.
    """

    def __init__(self, duels: int) -> None:
        self._going = duels
        self._waiting: list[asyncio.Future[None]] = []
        self._best: float | None = None

    async def may_continue(self, reachable: float) -> bool:
        """Whether a duel that needs more votes may still bring the best record.

        Args:
            reachable: The candidate's share of the votes if it gets all that are missing.
        """
        turn = asyncio.get_running_loop().create_future()
        self._waiting.append(turn)
        self._release()
        await turn
        return self._best is None or reachable >= self._best

    def leave(self, won: float | None) -> None:
        """End a duel.

        Args:
            won: The winner's share of the votes; None when the candidate did not win.
        """
        self._going -= 1
        if won is not None:
            self._best = max(won, self._best or 0.0)
        self._release()

    def _release(self) -> None:
        if len(self._waiting) < self._going:
            return
        for turn in self._waiting:
            if not turn.done():
                turn.set_result(None)
        self._waiting.clear()


@contextmanager
def open_duel(
    context: Context, best: Trial, candidate: Trial, rivals: Rivals | None = None
) -> Iterator[Inbox]:
    """While a duel is open: where people's votes arrive; none do where the round has several candidates.

    Args:
        context: What is reported about it.
        best: The trial to beat.
        candidate: The one that has to beat it.
        rivals: The duels of the round's other candidates, where there are any.
    """
    if rivals is not None:
        yield asyncio.Queue()
        return
    left = _left(best, candidate)
    with context.decisions.duel(candidate.round, left) as inbox:
        context.emit(DuelOpened(round=candidate.round, best=best.round, left=left))
        yield inbox


def _left(best: Trial, candidate: Trial) -> Side:
    """By the answers alone, so that a run that is resumed shows them as it did."""
    shown = "\0".join(record.answer for trial in (best, candidate) for record in trial.answers)
    return "best" if sha256(shown.encode("utf-8", "replace")).digest()[0] % 2 else "candidate"


class Judge(Protocol):
    """One way to find a verdict."""

    async def duel(self, best: Trial, candidate: Trial, rivals: Rivals | None = None) -> Duel:
        """Compare two trials on the questions of a round.

        Args:
            best: The trial to beat.
            candidate: The one that has to beat it.
            rivals: The duels of the round's other candidates, where there are any; people's votes have no
                place then, as nobody could say which of them they are about.
        """
        ...

    async def prefer(self, first: Trial, second: Trial, pair: int) -> Choice:
        """Compare two candidates of a round with each other, once in both orders.

        Args:
            first: A candidate's trial.
            second: Another's.
            pair: Which pair of the round it is, from 1.

        Returns:
            What the other is against the one.
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

    async def duel(self, best: Trial, candidate: Trial, rivals: Rivals | None = None) -> Duel:
        """Compare two trials on the questions of a round; see `Judge.duel`."""
        try:
            return await self._judge.duel(best, candidate, rivals)
        except CannotJudgeError as error:
            self._replace(error)
        return await self._judge.duel(best, candidate, rivals)

    async def prefer(self, first: Trial, second: Trial, pair: int) -> Choice:
        """Compare two candidates of a round with each other; see `Judge.prefer`."""
        try:
            return await self._judge.prefer(first, second, pair)
        except CannotJudgeError as error:
            self._replace(error)
        return await self._judge.prefer(first, second, pair)

    async def compare_rows(self, seed: Trial, best: Trial) -> list[RowVotes]:
        """Compare two trials question by question; see `Judge.compare_rows`."""
        try:
            return await self._judge.compare_rows(seed, best)
        except CannotJudgeError as error:
            self._replace(error)
        return await self._judge.compare_rows(seed, best)

    def _replace(self, error: CannotJudgeError) -> None:
        if self._judge is self._instead:  # duels at once find out at once
            return
        self._judge = self._instead
        self._emit(Noticed(text=_("{why} It votes in words instead.", why=error.why), level="warning"))


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

    async def duel(self, best: Trial, candidate: Trial, rivals: Rivals | None = None) -> Duel:
        """Ask the ballots that the rule wants, until it wants no more; that cancels those still out.

        Every vote that was bought is counted, and so is every person's: that makes the outcome a function of
        the journal, so a resumed duel ends as it did and buys no other vote. Answers that the endpoint
        refuses together are compared question by question.
        """
        try:
            return await self._duel(best, candidate, self._unit, rivals)
        except RequestRefusedError as error:
            is_alone = len(best.answers) == 1
            how = _("cannot be compared") if is_alone else _("are compared question by question")
            text = _(
                "Round {round}, vote: {error} The answers {how}.",
                round=candidate.round,
                error=error.what,
                how=how,
            )
            self._context.emit(Noticed(text=text, level="warning"))
        return Duel("void") if is_alone else await self._duel(best, candidate, "row", rivals)

    async def _duel(self, best: Trial, candidate: Trial, unit: Unit, rivals: Rivals | None) -> Duel:
        rule, number = self._rule(candidate.round), candidate.candidate.number
        texts = self._wording.of(best, candidate, unit)
        box = self._box(candidate.round, "vote", texts, number)
        count = Count(candidate.round, rule, len(self._context.task.questions), self._context.emit, number)
        if rivals is not None:
            await self._poll_in_waves(box, count, rivals)
            return count.duel()
        for ballot in rule.ballots:
            if box.is_known(ballot):
                count.add(await box.vote(ballot), ballot.index)
        with open_duel(self._context, best, candidate) as inbox:
            await self._poll(box, count, inbox)
        return count.duel()

    async def prefer(self, first: Trial, second: Trial, pair: int) -> Choice:
        """One vote in either order on all answers; a comparison that the endpoint refuses is void."""
        box = self._box(first.round, "playoff", self._wording.of(first, second, "set"), pair)
        votes = await together([box.vote_on(ballot, 0) for ballot in alternating(2)])
        return pooled([vote.choice for vote in votes])

    async def compare_rows(self, seed: Trial, best: Trial) -> list[RowVotes]:
        """One vote of each judge in either order on every question, all at once."""
        texts = self._wording.of_rows(seed, best)
        box = self._box(best.round, "check_vote", texts)
        ballots = alternating(2 * len(self._models))
        votes = await together([box.vote_on(*place) for place in product(ballots, range(len(texts)))])
        return [_row(votes[row :: len(texts)]) for row in range(len(texts))]

    async def _poll_in_waves(self, box: BallotBox, count: Count, rivals: Rivals) -> None:
        """Ask as many ballots at once as the rule wants, all of them whole, as long as it is worth it.

        None is cancelled: whose record is the best must not depend on which reply came first.
        """
        is_first = True
        while (wanted := count.wanted) and (is_first or await rivals.may_continue(count.reachable)):
            is_first = False
            votes = await together([box.vote(ballot) for ballot in wanted])
            for ballot, vote in zip(wanted, votes, strict=True):
                count.add(vote, ballot.index)

    async def _poll(self, box: BallotBox, count: Count, inbox: Inbox) -> None:
        async def cast(ballot: Ballot) -> None:
            inbox.put_nowait((await box.vote(ballot), ballot.index))

        out: dict[int, asyncio.Task[None]] = {}
        try:
            async with asyncio.TaskGroup() as group:
                count.add_all(inbox)
                while wanted := count.wanted:
                    for ballot in wanted:
                        if ballot.index not in out:
                            out[ballot.index] = group.create_task(cast(ballot))
                    count.add(*await inbox.get())
                    count.add_all(inbox)
                self._context.decisions.close_duel(count.round)
                for task in out.values():
                    task.cancel()
        except BaseExceptionGroup as errors:
            raise first_error(errors) from None
        for ballot in count.missing:  # a vote can be in the journal though its task was cancelled after that
            if ballot.index in out and box.is_known(ballot):
                count.add(await box.vote(ballot), ballot.index)

    def _box(self, number: int, purpose: str, texts: Sequence[Texts], candidate: int = 0) -> BallotBox:
        return BallotBox(
            self._context.asker,
            number,
            purpose,
            texts,
            self._context.meta["judge_repair_json" if self._json else "judge_repair"],
            models=self._models,
            json=self._json,
            exactly=self._context.task.edition < 4,
            candidate=candidate,
        )


def _row(votes: Sequence[VoteRecord]) -> RowVotes:
    """Each judge's verdict needs both orders; what more judges say has it."""
    pairs = [[vote.choice for vote in votes[start : start + 2]] for start in range(0, len(votes), 2)]
    return RowVotes(pooled([row_verdict(pair) for pair in pairs]), tuple(votes))
