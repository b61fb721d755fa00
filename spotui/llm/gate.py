"""Whether a call may be sent now: open, paused, or halting until the calls in flight have ended."""

import asyncio
from collections.abc import Callable, Coroutine, Iterator
from contextlib import contextmanager, suppress
from typing import Any, Literal, TypeVar

from spotui.llm.clock import CallClock
from spotui.workspace.lines import StopReason

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
                clock.stop("the run ends")
            self._become("halting", cause)

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
