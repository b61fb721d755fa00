"""Many jobs, as many at a time as may be worked on together."""

import asyncio
from collections.abc import Iterator

import pytest

from spotui.engine.asking import each


class Works:
    """Jobs that are worked on until they are let go."""

    def __init__(self, at_once: int) -> None:
        self.at_once = at_once
        self.begun: list[int] = []
        self.most = 0
        self._inside = 0
        self._leave = asyncio.Semaphore(0)

    async def do(self, job: int) -> None:
        self.begun.append(job)
        self._inside += 1
        self.most = max(self.most, self._inside)
        await self._leave.acquire()
        self._inside -= 1

    async def let_go(self, count: int) -> None:
        for _ in range(count):
            self._leave.release()
        for _ in range(count + 5):
            await asyncio.sleep(0)


def test_so_many_at_a_time_in_their_order() -> None:
    async def main() -> None:
        works = Works(3)
        working = asyncio.create_task(each(range(8), works.do, lambda: works.at_once))
        await works.let_go(0)
        assert works.begun == [0, 1, 2]
        await works.let_go(2)
        assert works.begun == [0, 1, 2, 3, 4]
        await works.let_go(6)
        await working
        assert (works.begun, works.most) == (list(range(8)), 3)

    asyncio.run(main())


def test_more_begin_with_the_next_job_when_more_are_allowed() -> None:
    async def main() -> None:
        works = Works(1)
        working = asyncio.create_task(each(range(9), works.do, lambda: works.at_once))
        await works.let_go(1)
        works.at_once = 4
        await works.let_go(1)
        assert works.begun == [0, 1, 2, 3, 4, 5]
        await works.let_go(9)
        await working

    asyncio.run(main())


def test_a_job_is_made_when_it_begins() -> None:
    made = 0

    def jobs() -> Iterator[int]:
        nonlocal made
        while made < 10_000:
            made += 1
            yield made

    async def main() -> None:
        works = Works(2)
        working = asyncio.create_task(each(jobs(), works.do, lambda: works.at_once))
        await works.let_go(3)
        assert made == 5
        working.cancel()
        with pytest.raises(asyncio.CancelledError):
            await working

    asyncio.run(main())


def test_the_first_error_ends_the_others_and_is_raised() -> None:
    ended: list[int] = []

    async def do(job: int) -> None:
        try:
            await asyncio.sleep(0 if job == 2 else 60)
        finally:
            ended.append(job)
        raise ValueError(job)

    async def main() -> None:
        with pytest.raises(ValueError, match="2"):
            await each(range(5), do, lambda: 4)

    asyncio.run(main())
    assert sorted(ended) == [0, 1, 2, 3]


def test_no_job_is_no_work() -> None:
    async def do(job: int) -> None:
        raise AssertionError(job)

    asyncio.run(each([], do, lambda: 4))
