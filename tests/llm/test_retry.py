"""A failed call is tried again while that may help, never sooner than the endpoint asks, and not for ever."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

import pytest

from spotui.llm.limits import Gate
from spotui.llm.protocol import (
    AuthenticationError,
    BadRequestError,
    ContextOverflowError,
    MalformedReplyError,
    RateLimitedError,
    RetryableError,
    TimedOutError,
    UnavailableError,
)
from spotui.llm.retry import FIRST_WAIT, LONGEST_WAIT, Retry
from spotui.settings.table import RetrySettings
from tests.llm import virtual_time


class Calls:
    """Calls that fail as they are told and then bring their number.

    Args:
        settings: The retry settings.
        failures: One for each try, the last again and again when `forever`.
    """

    def __init__(self, settings: RetrySettings, *failures: Exception, forever: bool = False) -> None:
        self.gate = Gate()
        self.tries: list[float] = []
        self.waits: list[float] = []
        self.told: list[tuple[RetryableError, int]] = []
        self.idle = 0.0
        self.answer_every = float("inf")
        self.answers_until = float("inf")
        self._retry = Retry(settings)
        self._failures = failures
        self._forever = forever

    async def run(self) -> int:
        self._clock: Callable[[], float] = asyncio.get_running_loop().time
        self._began = self._clock()
        return await self._retry.run(
            self._try,
            ready=self._ready,
            sleep=self.gate.sleep,
            on_retry=self._retried,
            answers=lambda: int(min(self._clock() - self._began, self.answers_until) // self.answer_every),
        )

    async def _try(self, number: int) -> int:
        self.tries.append(self._clock() - self._began)
        if self._forever or number <= len(self._failures):
            raise self._failures[min(number, len(self._failures)) - 1]
        return number

    @asynccontextmanager
    async def _ready(self) -> AsyncIterator[int]:
        await asyncio.sleep(self.idle)
        await self.gate.passage()
        yield len(self.tries) + 1

    def _retried(self, error: RetryableError, tries: int, wait: float) -> None:
        self.told.append((error, tries))
        self.waits.append(wait)


DOWN = UnavailableError("down")


def test_it_is_tried_again_until_it_succeeds_and_each_time_is_told() -> None:
    slow = RateLimitedError("slow down")
    calls = Calls(RetrySettings(), slow, DOWN)
    assert virtual_time.run(calls.run()) == 3
    assert calls.told == [(slow, 1), (DOWN, 2)]
    assert calls.tries == pytest.approx([0, calls.waits[0], sum(calls.waits)])


@pytest.mark.parametrize(
    ("kind", "tries"),
    [
        (UnavailableError, 2),
        (TimedOutError, 2),
        (MalformedReplyError, 2),
        (AuthenticationError, 1),
        (BadRequestError, 1),
        (ContextOverflowError, 1),
        (ValueError, 1),
    ],
)
def test_only_what_may_pass_is_tried_again(kind: type[Exception], tries: int) -> None:
    calls = Calls(RetrySettings(tries=2), kind("no"), forever=True)
    with pytest.raises(kind, match="no"):
        virtual_time.run(calls.run())
    assert len(calls.tries) == tries


def test_waits_grow_with_jitter_up_to_a_minute() -> None:
    def waits() -> list[float]:
        calls = Calls(RetrySettings(tries=40, seconds=None), DOWN, forever=True)
        with pytest.raises(UnavailableError):
            virtual_time.run(calls.run())
        return calls.waits

    one, other = waits(), waits()
    for number, wait in enumerate(one):
        assert FIRST_WAIT / 2 <= wait <= min(LONGEST_WAIT, FIRST_WAIT * 2**number)
    assert one != other
    assert max(one[10:]) > 10


@pytest.mark.parametrize("kind", [RateLimitedError, UnavailableError])
@pytest.mark.parametrize("seconds", [0.0, 0.1, 7.0, 90.0])
def test_the_endpoints_own_wait_is_kept_exactly(kind: type[RetryableError], seconds: float) -> None:
    calls = Calls(RetrySettings(), kind("later", retry_after=seconds))
    assert virtual_time.run(calls.run()) == 2
    assert calls.waits == [seconds]
    assert calls.tries == pytest.approx([0, seconds])


def test_so_many_tries_and_no_more() -> None:
    calls = Calls(RetrySettings(tries=4, seconds=None), DOWN, forever=True)
    with pytest.raises(UnavailableError):
        virtual_time.run(calls.run())
    assert len(calls.tries) == 4
    assert len(calls.told) == 3


def test_so_much_time_and_no_more() -> None:
    calls = Calls(RetrySettings(tries=None, seconds=100.0), DOWN, forever=True)
    with pytest.raises(UnavailableError):
        virtual_time.run(calls.run())
    assert len(calls.tries) > 5
    assert calls.tries[-1] < 100


def test_a_wait_beyond_the_time_is_not_begun() -> None:
    calls = Calls(RetrySettings(), RateLimitedError("later", retry_after=3600.0), forever=True)
    with pytest.raises(RateLimitedError):
        virtual_time.run(calls.run())
    assert calls.tries == [0]
    assert not calls.told


def test_no_retry_when_both_limits_are_none() -> None:
    calls = Calls(RetrySettings(tries=None, seconds=None), DOWN, forever=True)
    with pytest.raises(UnavailableError):
        virtual_time.run(calls.run())
    assert len(calls.tries) == 1


def test_the_last_error_is_the_one_that_is_raised() -> None:
    calls = Calls(RetrySettings(tries=2), DOWN, TimedOutError("silent"))
    with pytest.raises(TimedOutError, match="silent"):
        virtual_time.run(calls.run())


def test_time_before_a_call_may_be_sent_does_not_count() -> None:
    calls = Calls(RetrySettings(tries=3, seconds=10.0), DOWN, DOWN)
    calls.idle = 1000.0
    assert virtual_time.run(calls.run()) == 3


def test_a_rate_limit_uses_up_no_tries_while_the_time_lasts() -> None:
    slow = RateLimitedError("slow down", retry_after=12.0)
    calls = Calls(RetrySettings(tries=2, seconds=150.0), *[slow] * 10, DOWN)
    assert virtual_time.run(calls.run()) == 12
    calls = Calls(RetrySettings(tries=2, seconds=100.0), slow, forever=True)
    with pytest.raises(RateLimitedError):
        virtual_time.run(calls.run())
    assert calls.tries[-1] == pytest.approx(96)


def test_a_wait_that_is_never_enough_grows() -> None:
    calls = Calls(RetrySettings(seconds=100.0), RateLimitedError("slow down", retry_after=0.05), forever=True)
    with pytest.raises(RateLimitedError):
        virtual_time.run(calls.run())
    assert calls.waits[:5] == pytest.approx([0.05, 0.05, 0.05, 0.1, 0.2])
    assert max(calls.waits) == 10
    assert len(calls.tries) < 25


def test_no_call_gives_up_while_the_endpoint_answers_others() -> None:
    slow = RateLimitedError("slow down", retry_after=11.0)
    calls = Calls(RetrySettings(seconds=20.0), *[slow] * 30)
    calls.answer_every = 6.0
    assert virtual_time.run(calls.run()) == 31
    assert calls.tries[-1] == pytest.approx(330)
    calls = Calls(RetrySettings(seconds=20.0), slow, forever=True)
    calls.answer_every = 6.0
    calls.answers_until = 90.0
    with pytest.raises(RateLimitedError):
        virtual_time.run(calls.run())
    assert 90 < calls.tries[-1] <= 110


def test_a_pause_ends_the_wait_and_going_on_tries_at_once() -> None:
    calls = Calls(RetrySettings(seconds=None), RateLimitedError("later", retry_after=3600.0))

    async def main() -> int:
        loop = asyncio.get_running_loop()
        loop.call_later(5, calls.gate.pause, "")
        loop.call_later(50, calls.gate.resume)
        return await calls.run()

    assert virtual_time.run(main()) == 2
    assert calls.tries == pytest.approx([0, 50])
