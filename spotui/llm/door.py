"""The one door to every model.

A call passes, in this order: journal look-up; for each try, a place among the calls in flight, budget
reservation, rates of its endpoint, gate, provider, budget settlement, journal append; at last, an event.
What is in the journal is never asked again.
"""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, nullcontext
from typing import TYPE_CHECKING, Final, Literal, NamedTuple

import msgspec

from spotui.domain.calls import Reply, Request
from spotui.domain.errors import SpotuiError
from spotui.domain.events import (
    CallDelta,
    CallDropped,
    CallFinished,
    CallRetried,
    CallStarted,
    Event,
    Noticed,
)
from spotui.domain.records import CallKey
from spotui.domain.secret import Redactor
from spotui.lang import _
from spotui.llm.accounts import Accounts, Ledger
from spotui.llm.budget import Budget, BudgetSpentError, UnknownPriceError
from spotui.llm.connections import Connection, Connections
from spotui.llm.limits import Gate, GateState, Limiter
from spotui.llm.loops import LoopWatch
from spotui.llm.protocol import (
    BadRequestError,
    ContentFilteredError,
    ContextOverflowError,
    Delta,
    ModelError,
    RateLimitedError,
    RequestRefusedError,
    RetryableError,
    TimedOutError,
)
from spotui.llm.retry import AskAgainError, CallClock, CutShortError, Retry
from spotui.llm.routing import Price
from spotui.llm.spending import Reservation
from spotui.templates.data.attachments import Attachments
from spotui.workspace.journal_reader import JournalChangedError, JournalError

if TYPE_CHECKING:
    from spotui.llm.batches.collector import Batches, Batching

Trouble = Literal["pause", "halt"]

_CLOCK_TICK: Final = 0.5

_MOST_BYTES_PER_TOKEN: Final = 6
"""A call is not ended for its length unless its tokens are as long as tokens ever are on average."""


class _Try(NamedTuple):
    """Permission for one try: the room that is kept for it, and the clock that ends it."""

    reservation: Reservation
    clock: CallClock


class Door:
    """Asks models, remembers every answer, and keeps within limits.

    Args:
        connections: The models.
        ledger: Where finished calls are found and kept.
        budget: What may be spent.
        gate: Whether calls may be sent.
        retry: When a failed try is repeated.
        emit: Told what happens.
        files: Gives the contents of files that messages come with; None where no message has any.
        on_trouble: What to do when a call fails for good: `pause` waits for a person to fix it and tries
            again, `halt` ends the run with the cause.

    Attributes:
        streams: Whether every piece of a reply is sent as an event; costs time, so only when someone watches.
    """

    def __init__(
        self,
        *,
        connections: Connections,
        ledger: Ledger,
        budget: Budget,
        gate: Gate,
        retry: Retry,
        emit: Callable[[Event], None],
        on_trouble: Trouble,
        files: Attachments | None = None,
    ) -> None:
        self.connections = connections
        self.budget = budget
        self.gate = gate
        self.streams = False
        self._accounts = Accounts(ledger, budget, gate, waits=on_trouble == "pause")
        self._retry = retry
        self._emit = emit
        self._files = files
        self._on_trouble = on_trouble
        self._told: set[tuple[str, str]] = set()
        self._answering: set[str] = set()
        self._fewest: dict[Limiter, int] = {}
        self._batches: Batches | None = None
        gate.tell(self._keep_time)
        connections.listen(lambda text: emit(Noticed(text=text)))

    @asynccontextmanager
    async def batching(self, how: "Batching") -> AsyncIterator["Batches"]:
        """The time in which calls may go out as batches."""
        from spotui.llm.batches.collector import Batches

        self._batches = Batches(
            how,
            accounts=self._accounts,
            budget=self.budget,
            gate=self.gate,
            retry=self._retry,
            emit=self._emit,
            prepare=self._with_files,
            trouble=self._trouble,
            finished=self._finished,
        )
        try:
            yield self._batches
        finally:
            batches, self._batches = self._batches, None
            await batches.aclose()

    def gathers(self, model: str) -> int:
        """How many calls to a model may be in one batch; 0 where its calls are sent live."""
        if self._batches is None:
            return 0
        try:
            api = self.connections.to(model).batches
        except ModelError:
            return 0  # the first of these calls says why
        return 0 if api is None else api.limits.calls

    @asynccontextmanager
    async def keeping_time(self) -> AsyncIterator[None]:
        """The time in which a budget of minutes ends the run when it is spent, whatever is in flight."""
        watch = asyncio.create_task(self._watch_time())
        try:
            yield
        finally:
            watch.cancel()

    async def _watch_time(self) -> None:
        while True:
            if self.budget.seconds_left == 0:
                self.gate.halt(
                    "budget",
                    _("The budget of {minutes:g} minutes is spent.", minutes=self.budget.limits.minutes),
                )
                return
            await asyncio.sleep(_CLOCK_TICK)

    def holds(self, key: CallKey) -> bool:
        """Whether the journal has a reply to a call of that key, whatever it asked."""
        return self._accounts.holds(key)

    def recorded(self, key: CallKey, request: Request) -> Reply | None:
        """The reply that the journal holds for this call, or None; asks nobody.

        Raises:
            JournalError: The journal cannot be read any more, or was changed.
        """
        return self._accounts.recorded(key, request)

    async def ask(
        self,
        key: CallKey,
        request: Request,
        *,
        may_be_refused: bool = False,
        advice: str = "",
        is_batched: bool = False,
        ends_loops: bool = False,
    ) -> Reply:
        """The reply to a request: from the journal if it was ever bought, from the model otherwise.

        Args:
            key: What asks; the same key and request always bring the same reply.
            request: What is asked.
            may_be_refused: Whether the asker can do without an answer, where the endpoint refuses this
                request and answers others.
            advice: What to do about a refusal otherwise, in place of the error's own advice.
            is_batched: Whether the call may wait for others and go out with them as a batch.
            ends_loops: Whether a reply that repeats one passage without end is not waited for.

        Raises:
            Halted: The run ends before this call could be made.
            RequestRefusedError: The request is refused, and may be.
        """
        while True:
            try:
                reply = self.recorded(key, request)
                if reply is None:
                    return await self._buy(key, request, is_batched=is_batched, ends_loops=ends_loops)
            except BudgetSpentError as error:
                if may_be_refused and key.attempt > 1 and self.budget.is_testing:
                    raise RequestRefusedError(error.what) from None  # the first reply has to do
                self.gate.halt("budget", error.what)
                await self.gate.passage()
            except (ModelError, JournalError, UnknownPriceError) as error:
                self._emit(CallDropped(key=key, why=error.what, failed=True))
                if isinstance(error, RequestRefusedError):
                    price = await self.connections.to(request.model).price()
                    if may_be_refused and await self._concerns_one(error, request.model):
                        await self._accounts.reject(key, request, price, error)
                        raise
                    if error.heard:
                        self._accounts.lose(
                            key, request, error.heard, price, _("it broke off: {error}", error=error.what)
                        )
                    error = type(error)(error.what, advice or error.hint)
                await self._trouble(error)
            except AskAgainError:
                continue
            else:
                return self._known(key, request, reply)

    def _known(self, key: CallKey, request: Request, reply: Reply) -> Reply:
        """A reply that the journal holds, or the refusal that it holds in place of one."""
        if reply.rejected:
            self._emit(CallDropped(key=key, why=reply.rejected, failed=True))
            raise RequestRefusedError(reply.rejected)
        self._answering.add(request.model)
        self._finished(key, request, reply, recorded=True)
        return reply

    async def _buy(self, key: CallKey, request: Request, *, is_batched: bool, ends_loops: bool) -> Reply:
        connection, batches = self.connections.to(request.model), self._batches
        if is_batched and batches is not None and batches.takes(key, request, connection):
            with connection.asking():
                reply = await batches.ask(key, request, connection)
            self._finished(key, request, reply)
            return reply
        price = await connection.price()
        with connection.asking(), nullcontext() if batches is None else batches.live():
            reply = await self._retry.run(
                lambda one: self._try(key, request, connection, price, one),
                ready=lambda: self._ready(key, request, connection, price, ends_loops=ends_loops),
                sleep=self.gate.sleep,
                on_retry=lambda error, tries, wait: self._retried(key, connection, error, tries, wait),
                answers=lambda: connection.limiter.answers,
            )
        self._finished(key, request, reply)
        return reply

    @asynccontextmanager
    async def _ready(
        self,
        key: CallKey,
        request: Request,
        connection: Connection,
        price: Price | None,
        *,
        ends_loops: bool,
    ) -> AsyncIterator[_Try]:
        """The time in which a call may be sent, once it has a place, and budget, rates and gate allow it."""
        is_free = price is not None and price.cost(1, 1) == 0
        clock = CallClock(connection.endpoint, is_free=is_free, loops=LoopWatch() if ends_loops else None)
        limiter = connection.limiter
        async with limiter.slot():
            reservation = await self.budget.reserve(request, key.purpose, price, is_repeated=key.attempt > 1)
            try:
                if limiter.has_rates:
                    await self.gate.until_halt(limiter.turn(self.budget.expected(request, key.purpose)))
                if limiter.hold:
                    await self.gate.sleep(limiter.hold)
                await self.gate.passage()
                self._accounts.check_room()
                with self.gate.flight(clock):
                    yield _Try(reservation, clock)
            finally:
                self.budget.release(reservation)

    async def _try(
        self,
        key: CallKey,
        request: Request,
        connection: Connection,
        price: Price | None,
        attempt: _Try,
    ) -> Reply:
        sent, reservation = request, attempt.reservation
        if reservation.ceiling is not None:
            sent = msgspec.structs.replace(request, max_tokens=reservation.ceiling)
        reply = await self._send(key, sent, connection, price, attempt)
        try:
            return await self._accounts.take(key, request, reply, reservation, price)
        except AskAgainError as error:
            self._emit(CallDropped(key=key, why=error.why))
            raise

    async def _send(
        self, key: CallKey, request: Request, connection: Connection, price: Price | None, attempt: _Try
    ) -> Reply:
        self._accounts.sent(key, request, price)
        self._emit(CallStarted(key=key, model=request.model))
        heard = 0
        has_ceiling = attempt.reservation.ceiling is not None
        text, reasoning = Redactor(connection.secrets), Redactor(connection.secrets)

        def on_delta(delta: Delta) -> None:
            nonlocal heard
            heard += len(delta.text.encode()) + len(delta.reasoning.encode())
            if self.streams:
                show(text.feed(delta.text), reasoning.feed(delta.reasoning))
            if has_ceiling and self.budget.is_overrun(
                attempt.reservation, heard // _MOST_BYTES_PER_TOKEN, price
            ):
                attempt.clock.stop(_("it took more than the rest of the budget"), grace=0.0)

        def show(text: str, reasoning: str) -> None:
            if text or reasoning:
                self._emit(CallDelta(key=key, text=text, reasoning=reasoning))

        try:
            reply = await connection.complete(self._with_files(request), on_delta, attempt.clock)
            show(text.flush(), reasoning.flush())
        except asyncio.CancelledError:
            why = _("it was cancelled in flight")
            self._accounts.lose(key, request, heard, price, why)
            self._emit(CallDropped(key=key, why=why))
            raise
        except CutShortError as cut:
            self._accounts.lose(key, request, heard, price, cut.why)
            self._emit(CallDropped(key=key, why=cut.why))
            raise AskAgainError from None
        except RequestRefusedError as error:
            error.heard = heard
            raise
        except ModelError as error:
            if heard or isinstance(error, TimedOutError):
                self._accounts.lose(key, request, heard, price, _("it broke off: {error}", error=error.what))
            raise
        return reply

    def _with_files(self, request: Request) -> Request:
        """The request with the contents of its files, which the journal does without.

        Raises:
            BadRequestError: A file is gone.
        """
        if self._files is None or not any(one.files for one in request.messages):
            return request
        replace, found = msgspec.structs.replace, self._files
        try:
            messages = [
                replace(one, files=tuple(map(found.with_content, one.files))) for one in request.messages
            ]
        except OSError as error:
            raise BadRequestError(
                _("The file {name} cannot be read any more.", name=error.filename or str(error)),
                _("Put it back, and resume."),
            ) from None
        return replace(request, messages=tuple(messages))

    async def _concerns_one(self, error: RequestRefusedError, model: str) -> bool:
        """Whether a refusal is about what one request holds; if it does not say so, another must pass."""
        if isinstance(error, (ContextOverflowError, ContentFilteredError)) or model in self._answering:
            return True
        return await self.connections.to(model).answers_others()

    async def _trouble(self, error: SpotuiError) -> None:
        is_final = self._on_trouble == "halt" or isinstance(error, JournalChangedError)
        if not is_final and self.gate.state != "halting":
            self.gate.pause(str(error))
        else:
            self.gate.halt("failed", str(error))
        await self.gate.passage()

    def _retried(
        self, key: CallKey, connection: Connection, error: RetryableError, tries: int, wait: float
    ) -> None:
        kind = type(error).__name__.removesuffix("Error")
        self._emit(CallRetried(key=key, error=error.what, kind=kind, tries=tries, wait=wait))
        limiter = connection.limiter
        if isinstance(error, RateLimitedError) and error.retry_after is not None:
            # Only a wait that the call itself will take: one of hours ends it, and must not hold the next.
            limiter.hold_for(wait)
        if limiter.allowed < self._fewest.get(limiter, limiter.concurrency):
            self._fewest[limiter] = limiter.allowed
            calls = "1 call" if limiter.allowed == 1 else f"{limiter.allowed} calls"
            self._emit(
                Noticed(
                    text=_(
                        "{model} limits the rate: for now, it gets {calls} at a time instead of "
                        "{concurrency}.",
                        model=connection.endpoint.model,
                        calls=calls,
                        concurrency=limiter.concurrency,
                    )
                )
            )

    def _finished(self, key: CallKey, request: Request, reply: Reply, *, recorded: bool = False) -> None:
        self._emit(
            CallFinished(
                key=key,
                model=request.model,
                prompt_tokens=reply.usage.prompt_tokens,
                completion_tokens=reply.usage.completion_tokens,
                seconds=reply.seconds,
                cost_usd=reply.cost_usd,
                estimated=reply.usage.estimated,
                recorded=recorded,
                finish_reason="loop" if reply.is_loop else reply.finish_reason,
            )
        )
        self._tell_concessions(request.model, reply)

    def _tell_concessions(self, model: str, reply: Reply) -> None:
        """Say once what of a request a model does not take, and what of its replies is not taken."""
        told = {
            name: _("{model} does not take {name}: it is left out.", model=model, name=name)
            for name in reply.left_out
        }
        if "system" in told:
            told["system"] = _(
                "{model} takes no system message: its text goes into the first message of the user.",
                model=model,
            )
        for name, most in reply.lowered:
            told[name] = _(
                "{model} takes {name} only up to {most:g}: it is lowered.", model=model, name=name, most=most
            )
        if reply.is_loop:
            told["loop"] = _(
                "{model} repeated one passage without end: the rest of such a reply is not waited for.",
                model=model,
            )
        for name, text in told.items():
            if (model, name) not in self._told:
                self._told.add((model, name))
                self._emit(Noticed(text=text))

    def _keep_time(self, state: GateState, _cause: str) -> None:
        if state == "paused":
            self.budget.stop_clock()
        else:
            self.budget.start_clock()
