"""Asking the evaluator to vote in one duel."""

from spotui.engine.asking import Asker, repair, user
from spotui.judging.ballots import Ballot, Order
from spotui.judging.votes import read_reason, read_vote
from spotui.llm.protocol import Message, Reply, Request
from spotui.meta_prompts import MetaPrompt
from spotui.workspace.lines import CallKey, VoteRecord


class BallotBox:
    """The votes of one duel.

    Args:
        asker: The way to the evaluator.
        number: The round the duel belongs to.
        purpose: What its calls are filed under.
        texts: The judge's question in either order.
        repair_prompt: What to say when a reply makes no clear choice.
    """

    def __init__(
        self, asker: Asker, number: int, purpose: str, texts: dict[Order, str], repair_prompt: MetaPrompt
    ) -> None:
        self._asker = asker
        self._round = number
        self._purpose = purpose
        self._texts = texts
        self._repair = repair_prompt.render(problem="It does not choose A, B or tie.")

    async def vote(self, ballot: Ballot) -> VoteRecord:
        """Ask for a vote; one that cannot be read is asked for once more, then it is void."""
        messages = [user(self._texts[ballot.order])]
        reply = await self._ask(ballot, messages, attempt=1)
        if read_vote(reply.text, ballot.order) == "void":
            reply = await self._ask(ballot, repair(messages, reply, self._repair), attempt=2)
        return VoteRecord(
            choice=read_vote(reply.text, ballot.order), order=ballot.order, reason=read_reason(reply.text)
        )

    def is_known(self, ballot: Ballot) -> bool:
        """Whether the journal holds the vote, so that nobody has to be asked for it."""
        messages = [user(self._texts[ballot.order])]
        reply = self._asker.recorded(*self._call(ballot, messages, attempt=1))
        if reply is not None and read_vote(reply.text, ballot.order) == "void":
            messages = repair(messages, reply, self._repair)
            reply = self._asker.recorded(*self._call(ballot, messages, attempt=2))
        return reply is not None

    async def _ask(self, ballot: Ballot, messages: list[Message], attempt: int) -> Reply:
        return await self._asker.ask(*self._call(ballot, messages, attempt))

    def _call(self, ballot: Ballot, messages: list[Message], attempt: int) -> tuple[CallKey, Request]:
        key = CallKey(self._round, self._purpose, ballot.index, attempt)
        return key, self._asker.request("evaluator", messages)
