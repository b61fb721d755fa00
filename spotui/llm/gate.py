"""Whether a call may be sent now: open, paused, or halting until the calls in flight are home."""

import asyncio
from collections.abc import Callable, Coroutine, Iterator
from contextlib import contextmanager, suppress
from typing import Any, Literal, TypeVar

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

    A halt never cuts a call that is paid for: those in flight finish and are kept, and only then do the
    waiting ones end.

    Args:
        listeners: Told of every change of state with its cause.
    """

    def __init__(self, *listeners: GateListener) -> None:
        self.state: GateState = "open"
        self.in_flight = 0
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
        """End the run once the calls in flight are home; the first reason given is the one that counts."""
        if self.state != "halting":
            self._halt = Halted(reason, cause)
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

    @contextmanager
    def flight(self) -> Iterator[None]:
        """The time between sending a request and keeping its reply."""
        self.in_flight += 1
        try:
            yield
        finally:
            self.in_flight -= 1
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
