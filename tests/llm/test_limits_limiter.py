"""An endpoint is pressed no harder than it allows."""

import asyncio

import pytest

from spotui.llm.limits import Limiter
from spotui.llm.protocol import RateLimitedError, UnavailableError
from spotui.llm.routing import Limits
from tests.llm import virtual_time
from tests.llm.virtual_time import settled


class Calls:
    """Calls that hold a place until they are let go."""

    def __init__(self, limiter: Limiter, count: int) -> None:
        self.inside = 0
        self._leave = asyncio.Semaphore(0)
        self._limiter = limiter
        self._tasks = [asyncio.create_task(self._call()) for _ in range(count)]

    async def _call(self) -> None:
        async with self._limiter.slot():
            self.inside += 1
            await self._leave.acquire()
            self.inside -= 1

    async def let_go(self, count: int) -> None:
        for _ in range(count):
            self._leave.release()
        await settled()

    async def finish(self) -> None:
        await self.let_go(len(self._tasks))
        await asyncio.gather(*self._tasks)


def test_no_more_calls_at_once_than_allowed() -> None:
    async def main() -> None:
        calls = Calls(Limiter(Limits(concurrency=3)), 7)
        await settled()
        assert calls.inside == 3
        await calls.let_go(2)
        assert calls.inside == 3
        await calls.finish()

    asyncio.run(main())


def test_more_are_let_in_as_soon_as_more_are_allowed() -> None:
    async def main() -> None:
        limiter = Limiter(Limits(concurrency=1))
        calls = Calls(limiter, 6)
        await settled()
        limiter.concurrency = 4
        await settled()
        assert (limiter.concurrency, calls.inside) == (4, 4)
        await calls.finish()

    asyncio.run(main())


def test_fewer_are_let_in_once_those_inside_have_left() -> None:
    async def main() -> None:
        limiter = Limiter(Limits(concurrency=4))
        calls = Calls(limiter, 8)
        await settled()
        limiter.concurrency = 2
        await calls.let_go(2)
        assert calls.inside == 2
        await calls.let_go(1)
        assert calls.inside == 2
        await calls.finish()

    asyncio.run(main())


async def send(limiter: Limiter, *outcomes: Exception | None) -> None:
    """Calls that are in flight together and end in these ways, in this order."""
    ready = asyncio.Barrier(len(outcomes))

    async def call(outcome: Exception | None) -> None:
        async with limiter.slot():
            await ready.wait()
            if outcome is not None:
                raise outcome

    await asyncio.gather(*map(call, outcomes), return_exceptions=True)


LIMITED = RateLimitedError("slow down")


def test_a_rate_limit_lowers_the_calls_at_once_and_answers_raise_them_again() -> None:
    async def main() -> None:
        limiter = Limiter(Limits(concurrency=8))
        await send(limiter, *[LIMITED] * 8)
        assert (limiter.allowed, limiter.concurrency) == (5, 8)
        await send(limiter, LIMITED, LIMITED)
        assert limiter.allowed == 1
        seen = []
        while limiter.allowed < 8:
            await send(limiter, *[None] * limiter.allowed)
            seen.append(limiter.allowed)
        assert seen == sorted(seen)
        assert len(seen) > 8
        await send(limiter, *[None] * 8)
        assert limiter.allowed == 8

    virtual_time.run(main())


def test_it_never_falls_below_one_call_and_other_failures_lower_nothing() -> None:
    async def main() -> None:
        limiter = Limiter(Limits(concurrency=3))
        await send(limiter, UnavailableError("down"), None)
        assert limiter.allowed == 3
        for _ in range(5):
            await send(limiter, LIMITED)
        assert limiter.allowed == 1

    virtual_time.run(main())


def test_what_the_user_sets_counts_whatever_the_endpoint_did() -> None:
    async def main() -> None:
        limiter = Limiter(Limits(concurrency=8))
        await send(limiter, LIMITED)
        limiter.concurrency = 6
        assert (limiter.allowed, limiter.concurrency) == (6, 6)
        calls = Calls(limiter, 9)
        await settled()
        assert calls.inside == 6
        await calls.finish()

    virtual_time.run(main())


def test_the_wait_that_an_endpoint_asks_for_holds_every_call() -> None:
    async def main() -> None:
        limiter = Limiter(Limits())
        assert limiter.hold == 0
        for seconds in (12.0, 3.0):
            limiter.hold_for(seconds)
        assert limiter.hold == 12
        await asyncio.sleep(12)
        assert limiter.hold == 0

    virtual_time.run(main())


async def turns(limiter: Limiter, *tokens: int) -> list[float]:
    """When each of these calls had its turn, in seconds from the start."""
    clock = asyncio.get_running_loop().time
    began = clock()
    times = []
    for count in tokens:
        await limiter.turn(count)
        times.append(clock() - began)
    return times


def test_without_rates_nobody_waits() -> None:
    limiter = Limiter(Limits())
    assert not limiter.has_rates
    assert virtual_time.run(turns(limiter, *[10**9] * 100)) == [0.0] * 100


def test_requests_a_minute_are_all_there_at_first_and_then_come_back_one_by_one() -> None:
    async def main() -> list[float]:
        return await turns(Limiter(Limits(requests_per_minute=6)), *[1] * 9)

    times = virtual_time.run(main())
    assert times[:6] == [0.0] * 6
    assert times[6:] == pytest.approx([10, 20, 30], abs=0.1)


def test_tokens_a_minute_are_counted_by_the_token() -> None:
    async def main() -> list[float]:
        return await turns(Limiter(Limits(tokens_per_minute=600)), 500, 100, 50, 200)

    assert virtual_time.run(main()) == pytest.approx([0, 0, 5, 25], abs=0.1)


def test_a_call_larger_than_a_whole_minute_waits_for_a_whole_minute_and_not_for_ever() -> None:
    async def main() -> list[float]:
        return await turns(Limiter(Limits(tokens_per_minute=600)), 1, 10_000)

    assert virtual_time.run(main())[1] == pytest.approx(0.1, abs=0.1)
