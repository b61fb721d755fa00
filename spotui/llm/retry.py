"""When a failed call is tried again, and how long to wait before."""

import random
import time
from collections.abc import Awaitable, Callable
from contextlib import AbstractAsyncContextManager
from typing import TypeVar

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
