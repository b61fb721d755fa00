"""Ballots: the question put to a judge, and its votes in one duel."""

from collections.abc import Sequence

import msgspec

from spotui.domain.calls import Reply, Request
from spotui.domain.messages import user
from spotui.domain.records import CallKey, VoteRecord
from spotui.domain.verdicts import Choice, Order
from spotui.engine.asking import Asker, together
from spotui.engine.meta_prompts import MetaPrompt
from spotui.engine.task import Task, Trial, format_answers, format_references, row_of
from spotui.engine.wording import say
from spotui.judging.votes import Ballot, pooled, read_reason, read_vote
from spotui.lang import _
from spotui.llm.protocol import RequestRefusedError
from spotui.settings.values import Unit

Texts = dict[Order, str]


class Wording:
    """Puts two trials into a meta-prompt.

    Args:
        task: What the answers are for.
        meta: The meta-prompt.
    """

    def __init__(self, task: Task, meta: MetaPrompt) -> None:
        self._task = task
        self._meta = meta

    def of(self, best: Trial, candidate: Trial, unit: Unit) -> list[Texts]:
        """What to ask: one question about the set, or one for each row."""
        return [self.of_set(best, candidate)] if unit == "set" else self.of_rows(best, candidate)

    def of_rows(self, best: Trial, candidate: Trial) -> list[Texts]:
        """A question for each row alone."""
        return [
            self.of_set(row_of(best, index), row_of(candidate, index)) for index in range(len(best.answers))
        ]

    def of_set(self, best: Trial, candidate: Trial) -> Texts:
        """One question about all rows."""
        old, new = (
            format_answers(best.answers, best.questions, self._task.language),
            format_answers(candidate.answers, candidate.questions, self._task.language),
        )
        shared = {
            "requirements": self._task.aim,
            "references": format_references(
                candidate.questions, shown=self._task.reference_answers, language=self._task.language
            ),
        }
        return {
            "AB": self._meta.render(answers_a=old, answers_b=new, **shared),
            "BA": self._meta.render(answers_a=new, answers_b=old, **shared),
        }


class BallotBox:
    """The votes of one duel.

    Args:
        asker: The way to the evaluator.
        number: The round the duel belongs to.
        purpose: What its calls are filed under.
        questions: What a ballot asks, in either order: one question about the set, or one for each row. The
            side that is better in more rows has the ballot.
        repair_prompt: What to say when a reply makes no clear choice.
        models: The judges, by turns, each for a ballot in either order; the first is the evaluator.
        json: Whether the reply must be JSON.
        exactly: Whether votes count only in the form that was asked for, as in runs of earlier editions.
        candidate: Which of several candidates of the round the duel is about, as calls are filed.
    """

    def __init__(
        self,
        asker: Asker,
        number: int,
        purpose: str,
        questions: Sequence[Texts],
        repair_prompt: MetaPrompt,
        *,
        models: Sequence[str],
        json: bool = False,
        exactly: bool = False,
        candidate: int = 0,
    ) -> None:
        self._candidate = candidate
        self._asker = asker
        self._round = number
        self._purpose = purpose
        self._questions = questions
        self._models = models
        self._json = json
        self._exactly = exactly
        self._repair_prompt = repair_prompt
        self._calls: dict[tuple[Ballot, int], tuple[CallKey, Request]] = {}

    async def vote(self, ballot: Ballot) -> VoteRecord:
        """Ask for a vote; a reply that cannot be read is asked for once more, then it is void.

        Raises:
            RequestRefusedError: The endpoint refuses the one question there is.
        """
        if len(self._questions) == 1:
            return await self._vote(ballot, 0)
        rows = await together([self.vote_on(ballot, row) for row in range(len(self._questions))])
        reasons = [
            say(
                self._asker.language,
                "Question {n}: {choice}. {reason}",
                n=number,
                choice=say(self._asker.language, row.choice),
                reason=row.reason,
            )
            for number, row in enumerate(rows, 1)
        ]
        choice = pooled([row.choice for row in rows])
        return msgspec.structs.replace(rows[0], choice=choice, reason="\n".join(reasons))

    async def vote_on(self, ballot: Ballot, row: int) -> VoteRecord:
        """The same for one row alone; when the endpoint refuses it, the vote is void, too."""
        try:
            return await self._vote(ballot, row)
        except RequestRefusedError as error:
            model = self._model_of(ballot) if len(self._models) > 1 else ""
            return VoteRecord(choice="void", order=ballot.order, reason=error.what, model=model)

    async def _vote(self, ballot: Ballot, row: int) -> VoteRecord:
        reply = await self._asker.ask(*self._call(ballot, row), "evaluator", may_be_refused=True)
        choice = self._choice(reply, ballot)
        if choice == "void":
            reply = await self._asker.ask(*self._call(ballot, row, reply), "evaluator", may_be_refused=True)
            choice = self._choice(reply, ballot)
        return VoteRecord(
            choice=choice,
            order=ballot.order,
            reason=read_reason(reply.text),
            model=self._model_of(ballot) if len(self._models) > 1 else "",
        )

    def is_known(self, ballot: Ballot) -> bool:
        """Whether the journal holds the vote, so that no person is asked for it."""
        return all(self._is_known(ballot, row) for row in range(len(self._questions)))

    def _is_known(self, ballot: Ballot, row: int) -> bool:
        reply = self._asker.recorded(*self._call(ballot, row))
        if reply is not None and not reply.rejected and self._choice(reply, ballot) == "void":
            reply = self._asker.recorded(*self._call(ballot, row, reply))
        return reply is not None

    def _choice(self, reply: Reply, ballot: Ballot) -> Choice:
        is_whole = reply.finish_reason == "stop"
        return read_vote(reply.text, ballot.order, exactly=self._exactly, is_whole=is_whole)

    def _call(self, ballot: Ballot, row: int, unclear: Reply | None = None) -> tuple[CallKey, Request]:
        """The call for a vote; the second one after an unclear reply."""
        if (ballot, row) not in self._calls:
            index = ballot.index * len(self._questions) + row
            key = CallKey(self._round, self._purpose, index, candidate=self._candidate)
            messages = [user(self._questions[row][ballot.order])]
            model = self._model_of(ballot)
            request = self._asker.request("evaluator", messages, model=model, json=self._json)
            self._calls[ballot, row] = key, request
        key, request = self._calls[ballot, row]
        if unclear is None:
            return key, request
        problem = self._asker.in_words(_("It does not choose A, B or tie."))
        repair = self._repair_prompt.render(problem=problem)
        second = msgspec.structs.replace(key, attempt=2)
        return second, self._asker.again(request, unclear, repair)

    def _model_of(self, ballot: Ballot) -> str:
        return self._models[ballot.index // 2 % len(self._models)]
