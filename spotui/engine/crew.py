"""Many small jobs, as many at a time as calls may be in flight."""

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Iterator
from typing import Generic, TypeVar

from spotui.engine.asking import first_error

Job = TypeVar("Job")


async def each(jobs: Iterable[Job], do: Callable[[Job], Awaitable[None]], at_once: Callable[[], int]) -> None:
    """Do every job; the first error ends the others and is raised.

    One that is done goes on with the next job itself, without a turn of the event loop between a reply and
    the next request. A task for every job would take such a turn, and with it those of all that wait.

    Args:
        jobs: In the order in which they begin; each is made when it begins.
        do: Does one.
        at_once: How many may be worked on together; asked again at every job, as it may rise meanwhile.
    """
    left = iter(jobs)
    try:
        async with asyncio.TaskGroup() as group:
            _Crew(group, left, do, at_once).hire()
    except BaseExceptionGroup as errors:
        raise first_error(errors) from None


class _Crew(Generic[Job]):
    def __init__(
        self,
        group: asyncio.TaskGroup,
        left: Iterator[Job],
        do: Callable[[Job], Awaitable[None]],
        at_once: Callable[[], int],
    ) -> None:
        self._group = group
        self._left = left
        self._do = do
        self._at_once = at_once
        self._size = 0

    def hire(self) -> None:
        """See that enough are at work."""
        while self._size < self._at_once():
            for job in self._left:
                self._size += 1
                self._group.create_task(self._work(job))
                break
            else:
                return

    async def _work(self, job: Job) -> None:
        await self._do(job)
        for following in self._left:
            self.hire()
            await self._do(following)
