"""How hard one endpoint is pressed: calls in flight, requests and tokens a minute."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

from anyio import CapacityLimiter, WouldBlock

from spotui.llm.endpoint import Limits

if TYPE_CHECKING:
    from aiolimiter import AsyncLimiter


class Limiter:
    """The limits of one endpoint, shared by every role that asks there.

    Args:
        limits: What the endpoint allows.
    """

    def __init__(self, limits: Limits) -> None:
        self._slots = CapacityLimiter(limits.concurrency)
        self._requests = _per_minute(limits.requests_per_minute)
        self._tokens = _per_minute(limits.tokens_per_minute)

    @property
    def concurrency(self) -> int:
        """Calls that may be in flight at once; can be changed at any time, at least 1."""
        return int(self._slots.total_tokens)

    @concurrency.setter
    def concurrency(self, calls: int) -> None:
        self._slots.total_tokens = calls

    @asynccontextmanager
    async def slot(self) -> AsyncIterator[None]:
        """A place among the calls in flight, free again at the end of the block.

        A free place is taken without a turn of the event loop, in which every other call would have its turn.
        """
        try:
            self._slots.acquire_nowait()
        except WouldBlock:
            await self._slots.acquire()
        try:
            yield
        finally:
            self._slots.release()

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
