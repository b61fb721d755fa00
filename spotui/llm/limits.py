"""How hard an endpoint is pressed, and whether a call may be sent now."""

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Coroutine, Iterator
from contextlib import asynccontextmanager, contextmanager, suppress
from typing import TYPE_CHECKING, Any, Final, Literal, TypeVar

from anyio import CapacityLimiter, WouldBlock

from spotui.domain.verdicts import StopReason
from spotui.lang import _
from spotui.llm.protocol import RateLimitedError
from spotui.llm.retry import CallClock
from spotui.llm.routing import Limits

if TYPE_CHECKING:
    from aiolimiter import AsyncLimiter


_DECREASE: Final = 0.7
_INCREASE: Final = 0.5
"""Calls at once that are tried on top after as many answers as there are calls at once."""


class Limiter:
    """The limits of one endpoint, shared by every role that asks there.

    Args:
        limits: What the user allows.

    Attributes:
        answers: Calls that were answered so far.
    """

    def __init__(self, limits: Limits) -> None:
        self.answers = 0
        self._limit = limits.concurrency
        self._allowed = float(limits.concurrency)
        self._decreases = 0
        self._held_until = 0.0
        self._slots = CapacityLimiter(limits.concurrency)
        self._requests = _per_minute(limits.requests_per_minute)
        self._tokens = _per_minute(limits.tokens_per_minute)

    @property
    def concurrency(self) -> int:
        """Calls that the user lets be in flight at once; can be changed at any time, at least 1."""
        return self._limit

    @concurrency.setter
    def concurrency(self, calls: int) -> None:
        self._limit = calls
        self._allow(calls)

    @property
    def allowed(self) -> int:
        """Calls that may be in flight at once now: fewer than the user lets after a rate limit."""
        return int(self._allowed)

    @property
    def hold(self) -> float:
        """Seconds for which no call may be sent; 0 when calls may be sent now."""
        return max(0.0, self._held_until - time.monotonic())

    def hold_for(self, seconds: float) -> None:
        """Let no call out for so long, because the endpoint asked for it."""
        self._held_until = max(self._held_until, time.monotonic() + seconds)

    @asynccontextmanager
    async def slot(self) -> AsyncIterator[None]:
        """A place among the calls in flight, free again at the end of the block; its error is learned from.

        A free place is taken without a turn of the event loop, in which every other call would have its turn.
        """
        try:
            self._slots.acquire_nowait()
        except WouldBlock:
            await self._slots.acquire()
        decreases = self._decreases
        try:
            yield
        except RateLimitedError:
            # Calls that were sent together are refused together: only the first of them says something new.
            if decreases == self._decreases:
                self._decreases += 1
                self._allow(max(1.0, _DECREASE * min(self._allowed, self._slots.borrowed_tokens)))
            raise
        else:
            self.answers += 1
            if self._allowed < self._limit:
                self._allow(min(self._limit, self._allowed + _INCREASE / self._allowed))
        finally:
            self._slots.release()

    def _allow(self, calls: float) -> None:
        self._allowed = float(calls)
        self._slots.total_tokens = int(calls)

    @property
    def has_rates(self) -> bool:
        """Whether calls may have to wait for their turn."""
        return self._requests is not None or self._tokens is not None

    async def turn(self, tokens: int) -> None:
        """Wait until the rates allow another call.

        Args:
            tokens: About what it will take, prompt and completion together.
        """
        if self._requests is not None:
            await self._requests.acquire()
        if self._tokens is not None:
            await self._tokens.acquire(min(tokens, self._tokens.max_rate))


def _per_minute(rate: int | None) -> "AsyncLimiter | None":
    if rate is None:
        return None
    from aiolimiter import AsyncLimiter  # a tenth of the start of a run, and few endpoints have rates

    return AsyncLimiter(rate, 60)


GateState = Literal["open", "paused", "halting"]
Result = TypeVar("Result")
GateListener = Callable[[GateState, str], None]


class Halted(Exception):  # noqa: N818 - it is how a run ends, not an error
    """The run ends here: raised where the next call would have been sent.

    Args:
        reason: The stop reason.
        cause: The same in a sentence.
    """

    def __init__(self, reason: StopReason, cause: str) -> None:
        super().__init__(cause)
        self.reason = reason
        self.cause = cause


class Gate:
    """Every call passes here just before it is sent.

    A halt gives the calls in flight some seconds to finish, so that what is paid for is kept; only then do
    the waiting ones end.

    Args:
        listeners: Told of every change of state with its cause.
    """

    def __init__(self, *listeners: GateListener) -> None:
        self.state: GateState = "open"
        self._flights: set[CallClock] = set()
        self._halt: Halted | None = None
        self._listeners = list(listeners)
        self._waiters: list[asyncio.Future[None]] = []

    def tell(self, listener: GateListener) -> None:
        """Tell one more listener, from now on."""
        self._listeners.append(listener)

    def pause(self, cause: str) -> None:
        """Send no new call until `resume`."""
        if self.state == "open":
            self._become("paused", cause)

    def resume(self) -> None:
        """Send calls again."""
        if self.state == "paused":
            self._become("open", "")

    def halt(self, reason: StopReason, cause: str) -> None:
        """End the run once the calls in flight have ended; the first reason given is the one that counts."""
        if self.state != "halting":
            self._halt = Halted(reason, cause)
            for clock in self._flights:
                clock.stop(_("the run ends"))
            self._become("halting", cause)

    def reopen(self, cause: str) -> None:
        """Send calls again after a halt for the budget: what was kept back of it is for what follows.

        Args:
            cause: What the calls are for, one sentence.
        """
        if self._halt is not None and self._halt.reason == "budget":
            self._halt = None
            self._become("open", cause)

    async def passage(self) -> None:
        """Return when a call may be sent.

        Raises:
            Halted: The run ends instead.
        """
        await self._until(lambda: self.state == "open" or self._drained())
        if self._halt is not None:
            raise Halted(self._halt.reason, self._halt.cause)

    async def reopened(self) -> None:
        """Wait while paused; a run that halts is not paused any more."""
        await self._until(lambda: self.state != "paused")

    @property
    def in_flight(self) -> int:
        """Calls that were sent and are not kept yet."""
        return len(self._flights)

    @contextmanager
    def flight(self, clock: CallClock) -> Iterator[None]:
        """The time between sending a request and keeping its reply.

        Args:
            clock: The call's; a halt stops it.
        """
        self._flights.add(clock)
        try:
            yield
        finally:
            self._flights.discard(clock)
            self._wake()

    async def sleep(self, seconds: float) -> None:
        """Wait that long, or until the run pauses or halts; after a pause nobody waits any longer."""
        with suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self._until(lambda: self.state != "open")

    async def until_halt(self, waiting: Coroutine[Any, Any, Result]) -> Result | None:
        """Wait for something, but no longer than until the run halts; then it is cancelled, and None."""
        wanted = asyncio.create_task(waiting)
        halting = asyncio.create_task(self._until(lambda: self.state == "halting"))
        try:
            await asyncio.wait((wanted, halting), return_when=asyncio.FIRST_COMPLETED)
            return wanted.result() if wanted.done() else None
        finally:
            wanted.cancel()
            halting.cancel()
            await asyncio.gather(wanted, halting, return_exceptions=True)

    def _drained(self) -> bool:
        return self.state == "halting" and self.in_flight == 0

    def _become(self, state: GateState, cause: str) -> None:
        self.state = state
        for listener in self._listeners:
            listener(state, cause)
        self._wake()

    async def _until(self, condition: Callable[[], bool]) -> None:
        while not condition():
            waiter = asyncio.get_running_loop().create_future()
            self._waiters.append(waiter)
            await waiter

    def _wake(self) -> None:
        waiters, self._waiters = self._waiters, []
        for waiter in waiters:
            if not waiter.done():
                waiter.set_result(None)
