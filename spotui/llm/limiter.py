"""How hard one endpoint is pressed: calls in flight, requests and tokens a minute.

The user says how many calls may be in flight; the endpoint may take fewer. A rate limit lowers the number
at once, and every answer raises it a little (AIMD, as TCP does it). So an endpoint that takes two calls at a
time soon gets two at a time, without a setting.
"""

import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Final

from anyio import CapacityLimiter, WouldBlock

from spotui.llm.endpoint import Limits
from spotui.llm.errors import RateLimitedError

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
