"""Workers in this process: runs that work at once on one event loop, and share budget and endpoints."""

from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING

from spotui.domain.events import Event, RoundFinished, RunStopped
from spotui.llm.leases import Lend, Pool
from spotui.llm.spending import Amounts
from spotui.runs.means import leased
from spotui.runs.run import Run
from spotui.runs.score import open_ruler
from spotui.runs.sweep.progress import RunAdvanced, RunStarted
from spotui.runs.sweep.testing import Marks, Test
from spotui.runs.sweep.work import Job
from spotui.workspace.sweep_file import SweepFolder

if TYPE_CHECKING:
    from spotui.llm.door import Trouble
    from spotui.runs.launch import Launcher


class LocalWorkers:
    """Works on runs here.

    Args:
        launcher: Makes runs, with limits of endpoints that they share.
        folder: Where the sweep is kept.
        pool: The budget.
        size: How many runs work at once.
        go: Works on a run.
        on_trouble: What happens when a call fails for good.

    Attributes:
        size: See above.
    """

    def __init__(
        self,
        launcher: "Launcher",
        folder: SweepFolder,
        pool: Pool,
        size: int,
        go: Callable[[Run], Awaitable[RunStopped]],
        on_trouble: "Trouble",
    ) -> None:
        self.size = size
        self._launcher = launcher
        self._folder = folder
        self._pool = pool
        self._go = go
        self._on_trouble = on_trouble
        self._runs: set[Run] = set()

    async def run(self, job: Job) -> None:
        """See `Workers.run`."""
        means = leased(self._pool.limits, self._lend(job.cell.name))
        run = self._launcher.run(job.project, on_trouble=self._on_trouble, means=means)

        def tell(event: Event) -> None:
            if isinstance(event, RoundFinished):
                job.tell(RunAdvanced(run=job.cell.name, round=event.round))

        run.subscribe(tell)
        if job.listen is not None:
            run.subscribe(job.listen)
        self._runs.add(run)
        job.tell(RunStarted(run=job.cell.name, label=job.cell.label))
        try:
            await self._go(run)
        finally:
            self._runs.discard(run)

    async def test(self, test: Test) -> list[Marks]:
        """See `Workers.test`."""
        means = leased(self._pool.limits, self._lend(test.name))
        connections = self._launcher.connections(test.prepared.settings)
        folder = self._folder.tests(test.group)
        async with open_ruler(test.prepared, folder, connections, _ignore, means) as ruler:
            found = await ruler.measure(test.prompts, "test")
        return [one.marks for one in found]

    def stop(self) -> None:
        """See `Workers.stop`."""
        for run in self._runs:
            run.stop()

    def _lend(self, name: str) -> Lend:
        async def lend(wanted: Amounts) -> Amounts:
            return self._pool.lend(name, wanted)

        return lend


def _ignore(_event: Event) -> None:
    """What the test asks is not worth a line."""
