"""What calls brought and cost: looked up, and written down, in the journal; counted in the budget."""

import contextlib
from typing import Final, Protocol

import msgspec

from spotui.domain.calls import Reply, Request, Usage
from spotui.domain.records import CallKey, CallLine, DroppedLine, Line, SentLine
from spotui.lang import _, as_english
from spotui.llm.budget import Budget
from spotui.llm.limits import Gate
from spotui.llm.protocol import ProgramFailedError, RequestRefusedError, digest_of, recorded_reply
from spotui.llm.retry import AskAgainError
from spotui.llm.routing import Price
from spotui.llm.spending import BYTES_PER_TOKEN, Reservation, heard_usage
from spotui.workspace.journal_reader import JournalChangedError, JournalError

_MOST_RECENT: Final = 64
"""Replies kept from one look into the journal to the next: a vote is looked up before it is asked for."""

_encoder = msgspec.json.Encoder(enc_hook=as_english)


class Ledger(Protocol):
    """Where finished calls are kept; a project's journal is one."""

    def holds(self, key: CallKey) -> bool:
        """Whether there is a finished call of that key, whatever it asked."""
        ...

    def call(self, key: CallKey, digest: str) -> CallLine | None:
        """The finished call of that key and digest."""
        ...

    def append(self, line: Line) -> None:
        """Keep a line for good."""
        ...

    def check_room(self) -> None:
        """Raise JournalError when a reply could not be kept."""
        ...

    async def settled(self) -> None:
        """Wait until every line so far is where it is safe."""
        ...


class Accounts:
    """Keeps a line for every call that was sent, and counts what it took.

    Args:
        ledger: Where calls are found and kept.
        budget: What may be spent.
        gate: Whether calls may be sent.
        waits: Whether the gate is paused while the ledger cannot keep a reply; otherwise its error is raised.

    Attributes:
        holds: See `Ledger.holds`.
    """

    def __init__(self, ledger: Ledger, budget: Budget, gate: Gate, *, waits: bool) -> None:
        self._ledger = ledger
        self._budget = budget
        self._gate = gate
        self._waits = waits
        self.holds = ledger.holds
        self._recent: dict[CallKey, tuple[Request, Reply]] = {}

    def recorded(self, key: CallKey, request: Request) -> Reply | None:
        """The reply that the ledger holds for this call, or None.

        Raises:
            JournalError: The journal cannot be read any more, or was changed.
        """
        known = self._recent.get(key)
        if known is not None and known[0] == request:
            return known[1]
        line = self._ledger.call(key, digest_of(request)) if self.holds(key) else None
        if line is None:
            return None
        reply = recorded_reply(line)
        if len(self._recent) >= _MOST_RECENT:
            self._recent.clear()
        self._recent[key] = (request, reply)
        return reply

    def check_room(self) -> None:
        """Raise JournalError when a reply could not be kept."""
        self._ledger.check_room()

    def sent(self, key: CallKey, request: Request, price: Price | None) -> None:
        """Note that a request goes out: should this process die, the call still counts."""
        prompt = sum(len(message.content) for message in request.messages) // BYTES_PER_TOKEN
        completion = self._budget.expected_reply(request, key.purpose)
        self._ledger.append(
            SentLine(
                key=key,
                model=request.model,
                prompt_tokens=prompt,
                completion_tokens=completion,
                cost_usd=None if price is None else price.cost(prompt, completion),
                worked=self._worked,
            )
        )

    def note(self, line: Line) -> None:
        """Keep a line about calls.

        Raises:
            JournalError: It cannot be kept.
        """
        self._ledger.append(line)

    async def take(
        self, key: CallKey, request: Request, reply: Reply, reservation: Reservation, price: Price | None
    ) -> Reply:
        """Count a reply in place of the room that was kept for it, and keep it.

        Args:
            key: What asked.
            request: What was asked.
            reply: What came.
            reservation: The room.
            price: Of the model, where the reply does not say what it cost.

        Returns:
            The reply with its cost.

        Raises:
            AskAgainError: The rest of the budget was too small for it.
            JournalError: It cannot be kept, and nobody is waited for.
            UnknownPriceError: There is a budget in USD, and the cost of the reply is unknown.
        """
        reply = _priced(reply, price)
        if reply.is_loop and reply.cost_usd is None:  # the endpoint would have said it at the end
            reply = msgspec.structs.replace(reply, cost_usd=self._budget.dearest(request.model))
        self._budget.settle(reservation, key.purpose, reply, key.round)
        if reservation.cut(reply):
            why = _("the rest of the budget was too small for it")
            self.drop(key, request, reply.usage, reply.cost_usd, why)
            raise AskAgainError(why)
        await self.keep(key, request, reply)
        self._budget.check(self._budget.limits)
        return reply

    async def keep(self, key: CallKey, request: Request, reply: Reply) -> None:
        """Keep a reply for good; while that is impossible, the run is paused.

        Raises:
            JournalError: It cannot be kept, and nobody is waited for.
        """
        line = CallLine(
            key=key,
            digest=digest_of(request),
            request=msgspec.Raw(_encoder.encode(request)),
            reply=msgspec.Raw(_encoder.encode(reply)),
            worked=self._worked,
        )
        while True:
            try:
                self._ledger.append(line)
            except JournalChangedError:
                raise
            except JournalError as error:
                if not self._waits or self._gate.state == "halting":
                    raise
                self._gate.pause(str(error))
                await self._gate.reopened()
            else:
                break
        await self._ledger.settled()

    async def reject(
        self, key: CallKey, request: Request, price: Price | None, error: RequestRefusedError
    ) -> None:
        """Keep a refusal in place of a reply: a run that is resumed must not depend on a filter's mood."""
        # A program that failed may have asked models before; only it knows what that cost.
        usage, cost = Usage(0, 0), None if isinstance(error, ProgramFailedError) else 0.0
        trace = ""
        if error.reported is not None:
            usage, cost, trace = error.reported.usage, error.reported.cost_usd, error.reported.trace
        elif error.heard:
            usage, cost = self._estimated(request, error.heard, price)
        spending = self._budget.spending
        spending.add(usage.prompt_tokens, usage.completion_tokens, cost, estimated=usage.estimated)
        reply = Reply("", "other", usage, seconds=0.0, cost_usd=cost, rejected=error.what, trace=trace)
        await self.keep(key, request, reply)

    def lose(self, key: CallKey, request: Request, heard: int, price: Price | None, why: str) -> None:
        """Count a call that brought nothing to keep: the endpoint may charge for what it had written.

        Args:
            key: What asked.
            request: What was asked.
            heard: Bytes of text and reasoning that came.
            price: Of the model.
            why: What happened to the call.
        """
        usage, cost = self._estimated(request, heard, price)
        self._budget.spending.add(usage.prompt_tokens, usage.completion_tokens, cost, estimated=True)
        self.drop(key, request, usage, cost, why)

    def leave(self, key: CallKey, request: Request, reply: Reply, price: Price | None) -> None:
        """Count a reply that nobody asks for any more."""
        reply = _priced(reply, price)
        usage = reply.usage
        self._budget.spending.add(
            usage.prompt_tokens, usage.completion_tokens, reply.cost_usd, estimated=usage.estimated
        )
        self.drop(key, request, usage, reply.cost_usd, _("nobody needs it any more"))

    def drop(self, key: CallKey, request: Request, usage: Usage, cost: float | None, why: str) -> None:
        """Note a call that is counted already and whose reply is not kept."""
        line = DroppedLine(
            key=key,
            model=request.model,
            why=why,
            prompt_tokens=usage.prompt_tokens,
            completion_tokens=usage.completion_tokens,
            cost_usd=cost,
            estimated=usage.estimated,
            worked=self._worked,
        )
        with contextlib.suppress(JournalError):
            self._ledger.append(line)

    def _estimated(self, request: Request, heard: int, price: Price | None) -> tuple[Usage, float | None]:
        """What a call took of which only so many bytes came."""
        usage = heard_usage(request, heard)
        if price is None:
            return usage, self._budget.dearest(request.model)
        return usage, price.cost(usage.prompt_tokens, usage.completion_tokens)

    @property
    def _worked(self) -> float:
        return round(self._budget.seconds, 3)


def _priced(reply: Reply, price: Price | None) -> Reply:
    """A reply with what it cost, where its endpoint does not say."""
    if reply.cost_usd is not None or price is None:
        return reply
    usage = reply.usage
    cost = price.cost(
        usage.prompt_tokens,
        usage.completion_tokens,
        cached_tokens=usage.cached_tokens,
        cache_write_tokens=usage.cache_write_tokens,
    )
    return msgspec.structs.replace(reply, cost_usd=cost)
