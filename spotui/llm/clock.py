"""How long one try of a call may take: to its first token, between two tokens, and in all."""

import asyncio
import math
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Final, Literal

from spotui.llm.endpoint import Endpoint
from spotui.llm.errors import TimedOutError
from spotui.llm.protocol import Delta

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


class CallClock:
    """Ends a try that takes too long.

    Only text and reasoning are progress. Comments, heartbeats, empty pieces and single bytes are not: an
    endpoint can send those for ever.

    Args:
        endpoint: Its time limits are those of the call.
        is_free: Whether asking again costs nothing, so that nothing is lost when the call is ended.
    """

    def __init__(self, endpoint: Endpoint, *, is_free: bool = False) -> None:
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
                f"{endpoint.model} did not finish its reply within {endpoint.call_timeout:g} seconds.",
                "If it needs longer, raise --call-timeout.",
            )
        if self._last_token is None:
            seconds = endpoint.first_token_timeout or endpoint.timeout
            return TimedOutError(
                f"{endpoint.model} sent no token for {seconds:g} seconds.",
                "If it thinks longer before it begins, raise --first-token-timeout.",
            )
        return TimedOutError(
            f"{endpoint.model} sent no further token for {endpoint.timeout:g} seconds.",
            "If it pauses longer in its replies, raise --timeout.",
        )


def _now() -> float:
    return asyncio.get_running_loop().time()
