"""When a failed call is tried again, and how long to wait before."""

import random
import time
from collections.abc import Awaitable, Callable
from contextlib import AbstractAsyncContextManager
from typing import TypeVar

from tenacity import AsyncRetrying, RetryCallState, retry_if_exception_type
from tenacity.wait import wait_base

from spotui.llm.errors import RateLimitedError, RetryableError
from spotui.settings.run_settings import RetrySettings

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
        idle = 0.0
        failures = 0
        seen, quiet_since = answers(), 0.0

        async def once() -> Result:
            nonlocal idle
            began = time.monotonic()
            async with ready() as ticket:
                idle += time.monotonic() - began
                return await attempt(ticket)

        def is_over(state: RetryCallState) -> bool:
            nonlocal failures, seen, quiet_since
            elapsed = (state.seconds_since_start or 0.0) - idle
            is_limited = isinstance(state.outcome and state.outcome.exception(), RateLimitedError)
            failures += not is_limited
            if (now := answers()) != seen:
                seen, quiet_since = now, elapsed
            tries, seconds = self._settings.tries, self._settings.seconds
            if not self._settings.enabled or (tries is not None and failures >= tries):
                return True
            spent = elapsed - (quiet_since if is_limited else 0.0) + state.upcoming_sleep
            return seconds is not None and spent >= seconds

        def before_sleep(state: RetryCallState) -> None:
            error = state.outcome.exception() if state.outcome else None
            if isinstance(error, RetryableError):
                on_retry(error, state.attempt_number, state.upcoming_sleep)

        retrying = AsyncRetrying(
            retry=retry_if_exception_type(RetryableError),
            stop=is_over,
            wait=_Wait(),
            sleep=sleep,
            before_sleep=before_sleep,
            reraise=True,
        )
        return await retrying(once)


class _Wait(wait_base):
    """The wait that the endpoint asks for, and more if that is not enough; else exponential with jitter."""

    def __init__(self) -> None:
        self._limits = 0

    def __call__(self, retry_state: RetryCallState) -> float:
        error = retry_state.outcome.exception() if retry_state.outcome else None
        self._limits += isinstance(error, RateLimitedError)
        # A failure after many rate limits is the first of its kind.
        limits, failures = self._limits, retry_state.attempt_number - self._limits
        number = limits if isinstance(error, RateLimitedError) else failures
        if isinstance(error, RetryableError) and error.retry_after is not None:
            grown = error.retry_after * 2.0 ** min(max(0, number - TRUSTED_WAITS), _MOST_DOUBLINGS)
            return max(error.retry_after, min(grown, LONGEST_GROWN_WAIT))
        longest = min(LONGEST_WAIT, FIRST_WAIT * 2.0 ** min(number - 1, _MOST_DOUBLINGS))
        return max(FIRST_WAIT / 2, random.uniform(0, longest))  # noqa: S311 - only to spread calls
