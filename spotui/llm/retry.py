"""How long a try of a call may take, and when a failed call is tried again."""

import asyncio
import math
import random
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import Final, Literal, TypeVar

from spotui.lang import _
from spotui.llm.loops import LoopWatch
from spotui.llm.protocol import Delta, RateLimitedError, RetryableError, TimedOutError
from spotui.llm.routing import Endpoint
from spotui.settings.table import RetrySettings

EMPTY_SECONDS: Final = 2.0
"""When a run stops: how long a call may still take that has brought nothing yet."""

BEGUN_SECONDS: Final = 15.0
"""When a run stops: how long a call may still take that has brought a part of its reply."""

_SLACK_SECONDS: Final = 0.25
"""Where no byte comes at all, the connection notices that at the same time, and its error says more."""


_Limit = Literal["token", "whole", "stop"]


class CutShortError(Exception):
    """A call was ended on purpose before its reply was complete.

    Args:
        why: The reason.
    """

    def __init__(self, why: str) -> None:
        super().__init__(why)
        self.why = why


class AskAgainError(Exception):
    """A call without a reply that can be used; it is asked for again, with more room or not at all.

    Args:
        why: The reason.
    """

    def __init__(self, why: str = "") -> None:
        super().__init__(why)
        self.why = why


class CallClock:
    """Ends a try that takes too long.

    Only text and reasoning are progress. Comments, heartbeats, empty pieces and single bytes are not: an
    endpoint can send those for ever.

    Args:
        endpoint: Its time limits are those of the call.
        is_free: Whether asking again costs nothing, so that nothing is lost when the call is ended.
        loops: Finds a reply that is in a loop, which is ended; None lets it go on.
    """

    def __init__(self, endpoint: Endpoint, *, is_free: bool = False, loops: LoopWatch | None = None) -> None:
        self.loops = loops
        self._endpoint = endpoint
        self._is_free = is_free
        self._started = 0.0
        self._last_token: float | None = None
        self._stopped: float | None = None
        self._grace: float | None = None
        self._why = ""
        self._time: Callable[[], float] = _now
        self._timeout: asyncio.Timeout | None = None  # while the call is made
        self._alarm: asyncio.TimerHandle | None = None

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """The time in which the call is made.

        Raises:
            TimedOutError: It took too long.
            CutShortError: It was ended on purpose.
        """
        self._time = asyncio.get_running_loop().time
        self._started = self._time()
        try:
            async with asyncio.timeout(None) as timeout:
                self._timeout = timeout
                self._look()
                yield
        except TimeoutError:
            if not timeout.expired():
                raise
            if self._next()[1] == "stop":
                raise CutShortError(self._why) from None
            raise self._timed_out() from None
        finally:
            self._timeout = None
            if self._alarm is not None:
                self._alarm.cancel()

    def progress(self, delta: Delta) -> None:
        """Note a piece of the reply; that a later one puts off the end, the alarm finds out by itself."""
        if delta.text or delta.reasoning:
            is_first = self._last_token is None
            self._last_token = self._time()
            if is_first:
                self._look()
            if self.loops is not None and not self.loops.found and self.loops.take(delta):
                self.stop(_("it repeats one passage without end"), grace=0.0)

    def stop(self, why: str, *, grace: float | None = None) -> None:
        """End the call, unless it finishes in time.

        Args:
            why: The reason.
            grace: Seconds it may still take; None gives it time when something would be lost.
        """
        self._stopped, self._why, self._grace = self._time(), why, grace
        self._look()

    def _next(self) -> tuple[float, _Limit]:
        """When the call ends, and by which limit."""
        endpoint, last = self._endpoint, self._last_token
        if last is None:
            token = self._started + (endpoint.first_token_timeout or endpoint.timeout)
        else:
            token = last + endpoint.timeout
        whole = self._started + (endpoint.call_timeout or math.inf)
        stop = math.inf if self._stopped is None else self._stopped + self._patience()
        limits: dict[_Limit, float] = {"token": token + _SLACK_SECONDS, "whole": whole, "stop": stop}
        first = min(limits, key=limits.__getitem__)
        return limits[first], first

    def _patience(self) -> float:
        if self._grace is not None:
            return self._grace
        if self._is_free:
            return 0.0
        return EMPTY_SECONDS if self._last_token is None else BEGUN_SECONDS

    def _look(self) -> None:
        """End the call if it has reached a limit, or look again at the next one."""
        timeout = self._timeout
        if timeout is None or timeout.expired():
            return
        if self._alarm is not None:
            self._alarm.cancel()
        when = self._next()[0]
        if when <= self._time():
            timeout.reschedule(when)
        else:
            self._alarm = asyncio.get_running_loop().call_at(when, self._look)

    def _timed_out(self) -> TimedOutError:
        endpoint = self._endpoint
        if self._next()[1] == "whole":
            return TimedOutError(
                _(
                    "{model} did not finish its reply within {call_timeout:g} seconds.",
                    model=endpoint.model,
                    call_timeout=endpoint.call_timeout,
                ),
                _("If it needs longer, raise --call-timeout."),
            )
        if self._last_token is None:
            seconds = endpoint.first_token_timeout or endpoint.timeout
            return TimedOutError(
                _("{model} sent no token for {seconds:g} seconds.", model=endpoint.model, seconds=seconds),
                _("If it thinks longer before it begins, raise --first-token-timeout."),
            )
        return TimedOutError(
            _(
                "{model} sent no further token for {timeout:g} seconds.",
                model=endpoint.model,
                timeout=endpoint.timeout,
            ),
            _("If it pauses longer in its replies, raise --timeout."),
        )


def _now() -> float:
    return asyncio.get_running_loop().time()


Result = TypeVar("Result")
Ticket = TypeVar("Ticket")

FIRST_WAIT = 0.5
LONGEST_WAIT = 60.0

_MOST_DOUBLINGS = 20

TRUSTED_WAITS = 3
LONGEST_GROWN_WAIT = 10.0
"""An endpoint that refuses a call again and again after the wait it asked for is asked less often."""


class Retry:
    """Tries a call again while that may help.

    Args:
        settings: How often and how long; both None means that nothing is tried again.
    """

    def __init__(self, settings: RetrySettings) -> None:
        self._settings = settings

    async def run(
        self,
        attempt: Callable[[Ticket], Awaitable[Result]],
        *,
        ready: Callable[[], AbstractAsyncContextManager[Ticket]],
        sleep: Callable[[float], Awaitable[None]],
        on_retry: Callable[[RetryableError, int, float], None],
        answers: Callable[[], int] = lambda: 0,
    ) -> Result:
        """Make the attempt until it succeeds, fails for good, or the settings end it.

        Waits grow exponentially with full jitter; the time that an endpoint asks for is honoured. A
        rate limit uses up no tries, and no time while the endpoint answers others: the call's turn will come.

        Args:
            attempt: One try, given what `ready` brought.
            ready: Entered for each try; the time until then, such as that of a pause, is not counted.
            sleep: Waits that many seconds, or less when the run is stopped.
            on_retry: Told the error, the tries made and the wait ahead.
            answers: How many calls the endpoint has answered so far, whoever asked.

        Raises:
            ModelError: The last try's error.
        """
        began = time.monotonic()
        idle = 0.0
        failures = limits = 0
        seen, quiet_since = answers(), 0.0
        while True:
            entered = time.monotonic()
            try:
                async with ready() as ticket:
                    idle += time.monotonic() - entered
                    return await attempt(ticket)
            except RetryableError as error:
                elapsed = time.monotonic() - began - idle
                is_limited = isinstance(error, RateLimitedError)
                failures, limits = failures + (not is_limited), limits + is_limited
                # A failure after many rate limits is the first of its kind.
                wait = _wait(error, limits if is_limited else failures)
                if (now := answers()) != seen:
                    seen, quiet_since = now, elapsed
                spent = elapsed - (quiet_since if is_limited else 0.0) + wait
                if self._is_over(failures, spent):
                    raise
                on_retry(error, failures + limits, wait)
            await sleep(wait)

    def _is_over(self, failures: int, seconds: float) -> bool:
        settings = self._settings
        return (
            not settings.enabled
            or (settings.tries is not None and failures >= settings.tries)
            or (settings.seconds is not None and seconds >= settings.seconds)
        )


def _wait(error: RetryableError, number: int) -> float:
    """The wait that the endpoint asks for, and more if that is not enough; else exponential with jitter."""
    if error.retry_after is not None:
        grown = error.retry_after * 2.0 ** min(max(0, number - TRUSTED_WAITS), _MOST_DOUBLINGS)
        return max(error.retry_after, min(grown, LONGEST_GROWN_WAIT))
    longest = min(LONGEST_WAIT, FIRST_WAIT * 2.0 ** min(number - 1, _MOST_DOUBLINGS))
    return max(FIRST_WAIT / 2, random.uniform(0, longest))  # noqa: S311 - only to spread calls
