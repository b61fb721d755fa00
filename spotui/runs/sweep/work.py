"""Works on a sweep: every run to its end, then the test of their best prompts, within one budget."""

import asyncio
import time
from collections import defaultdict
from collections.abc import Awaitable, Callable, Iterable, Iterator, Mapping, Sequence
from typing import Final, NamedTuple, Protocol

import msgspec

from spotui.domain.errors import SpotuiError
from spotui.domain.events import Event
from spotui.domain.records import AS_PLANNED
from spotui.domain.verdicts import StopReason
from spotui.lang import _, as_english
from spotui.llm.leases import Pool
from spotui.llm.limits import Halted
from spotui.llm.spending import Amounts
from spotui.runs.prepare import Prepared
from spotui.runs.race import difference
from spotui.runs.recorder import Earlier
from spotui.runs.snapshots import reopen
from spotui.runs.sweep.cells import Cells
from spotui.runs.sweep.plan import Cell, Plan
from spotui.runs.sweep.progress import (
    Noted,
    Progress,
    RunEnded,
    SweepEnded,
    SweepOpened,
    TestStarted,
)
from spotui.runs.sweep.table import Measured, Table, make_table
from spotui.runs.sweep.testing import BestPrompt, Marks, Test, measure
from spotui.settings.table import BudgetSettings
from spotui.workspace.history import read_history
from spotui.workspace.journal import Journal
from spotui.workspace.projects import Project
from spotui.workspace.sweep_file import EndedRun, SweepFolder

FAILURES_IN_A_ROW: Final = 5
"""So many runs that fail one after another say that the others will, too."""


class Job(NamedTuple):
    """A run to be worked on.

    Attributes:
        cell: Which.
        project: Its project.
        prepared: What it was started with.
        tell: Called with what happens.
        listen: Takes the events of the run that trackers report, in order; None where nobody wants them.
    """

    cell: Cell
    project: Project
    prepared: Prepared
    tell: Callable[[Progress], None]
    listen: Callable[[Event], None] | None = None


class Workers(Protocol):
    """Who works on runs: this process, or the workers of a cluster.

    Attributes:
        size: How many runs it works on at once.
    """

    size: int

    async def run(self, job: Job) -> None:
        """Work on a run until it stops; all that happened is in its journal then, here.

        Raises:
            SpotuiError: It could not begin.
        """
        ...

    async def test(self, test: Test) -> list[Marks]:
        """Measure prompts; the answers are in the journal of the group then, here.

        Raises:
            Halted: A call failed for good, or the budget is spent.
            SpotuiError: It could not begin.
        """
        ...

    def stop(self) -> None:
        """End all runs soon, and keep everything."""
        ...


class Audience(Protocol):
    """Who wants to know what happens in the runs, for example trackers."""

    def listen(self, cell: Cell, project: Project) -> Callable[[Event], None] | None:
        """What takes the events of a run that begins or is resumed; None where nothing does."""
        ...

    def note_past(self, cell: Cell, project: Project) -> None:
        """Take note of a run that ended in an earlier session."""
        ...


class Outcome(NamedTuple):
    """How a session of a sweep ended.

    Attributes:
        reason: finished, stopped, budget or failed.
        cause: The same in a sentence.
        failed: How many runs failed.
        table: What was found; None when nothing was tested.
        measured: Every run that was tested, in the plan's order.
    """

    reason: StopReason
    cause: str
    failed: int
    table: Table | None
    measured: Sequence[Measured] = ()


class Sweep:
    """A sweep.

    Args:
        plan: The plan.
        folder: Where it is kept; the caller holds its lock.
        cells: Prepares its runs.
        budget: Of all runs together.
        workers: Works on runs.
        pool: The same budget, as the runs take parts of it.
        new_project: Makes the project of a run.
        tell: Called with everything that happens.
        audience: Told what happens in the runs, where somebody wants to know.
    """

    def __init__(
        self,
        plan: Plan,
        folder: SweepFolder,
        cells: Cells,
        budget: BudgetSettings,
        workers: Workers,
        pool: Pool,
        new_project: Callable[[str, Prepared], Project],
        tell: Callable[[Progress], None],
        audience: Audience | None = None,
    ) -> None:
        self._audience = audience
        self._measured: list[Measured] = []
        self._plan = plan
        self._folder = folder
        self._cells = cells
        self._budget = budget
        self._workers = workers
        self._pool = pool
        self._new_project = new_project
        self._tell = tell
        self._planned = sum(1 for _cell in plan.cells())
        self._ended: dict[str, EndedRun] = {}
        self._best_prompts: dict[str, list[BestPrompt]] = defaultdict(list)
        self._tests: dict[str, Prepared] = {}
        self._failures: dict[str, str] = {}
        self._in_a_row = 0
        self._halt: tuple[StopReason, str] | None = None

    def stop(self) -> None:
        """End soon: calls in flight have some seconds to finish, and everything is kept."""
        self._end("stopped", _("Stopped by the user."))

    async def work(self) -> Outcome:
        """Work until all runs are tested, or there is a reason to stop.

        Raises:
            SpotuiError: A run that was begun before was begun with something else.
        """
        began = time.monotonic()
        self._ended = self._folder.ended()
        waiting = self._waiting()
        self._tell(
            SweepOpened(
                name=self._folder.name,
                runs=self._planned,
                ended=self._planned - len(waiting),
                workers=self._workers.size,
            )
        )
        try:
            async with asyncio.timeout(None) as limit:
                self._limit_time(limit)
                await self._each(self._one(cell) for cell in waiting)
                table = await self._tested() if self._halt is None or self._halt[0] == "budget" else None
        except TimeoutError:
            self._end("budget", _("The budget of {m:g} minutes is spent.", m=self._budget.minutes or 0))
            table = None
        finally:
            record = self._folder.read()
            seconds = record.seconds + time.monotonic() - began
            self._folder.write(msgspec.structs.replace(record, seconds=seconds))
        return self._conclude(table)

    def _limit_time(self, limit: asyncio.Timeout) -> None:
        if self._budget.minutes is not None:
            left = self._budget.minutes * 60 - self._folder.read().seconds
            limit.reschedule(asyncio.get_running_loop().time() + max(0.0, left))

    def _end(self, reason: StopReason, cause: str) -> None:
        if self._halt is None:
            self._halt = reason, cause
        self._workers.stop()

    def _conclude(self, table: Table | None) -> Outcome:
        reason, cause = self._halt or ("finished", _("All runs are done."))
        if self._halt is None and self._pool.is_spent:
            reason, cause = "budget", _("The budget of the sweep is spent.")
        elif self._halt is None and self._failures:
            reason, cause = "failed", next(iter(self._failures.values()))
        found = None if table is None else msgspec.to_builtins(table, enc_hook=as_english)
        if found is not None:
            self._folder.write(msgspec.structs.replace(self._folder.read(), table=found))
        failed = len(self._failures)
        self._tell(SweepEnded(reason=reason, cause=cause, failed=failed, table=found))
        return Outcome(reason, cause, failed, table, self._measured if table is not None else ())

    def _waiting(self) -> list[Cell]:
        """The runs that have not ended, after a look at those that have begun.

        Raises:
            SpotuiError: One was begun with something else.
        """
        waiting: list[Cell] = []
        for cell in self._plan.cells():
            project = self._folder.project(cell.name)
            if not project.exists:
                waiting.append(cell)
                continue
            prepared = self._cells.entrant(cell)
            if what := difference(project, prepared):
                raise SpotuiError(
                    _(
                        "{run} was begun with {what}, so it cannot be part of this sweep.",
                        run=cell.label,
                        what=what,
                    ),
                    _("Undo the change of the plan or of the command, or begin another sweep with --name."),
                )
            ended = self._ended.get(cell.name)
            if ended is not None and _is_done(ended, prepared):
                self._pool.close(cell.name, _amounts(ended))
                self._note_best(cell, prepared, ended)
                if self._audience is not None:
                    self._audience.note_past(cell, project)
            else:
                waiting.append(cell)
        return waiting

    async def _each(self, works: Iterable[Awaitable[None]]) -> None:
        """Do some works, as many at once as there are workers."""
        rest: Iterator[Awaitable[None]] = iter(works)

        async def go_on() -> None:
            for work in rest:
                await work

        async with asyncio.TaskGroup() as group:
            for _number in range(self._workers.size):
                group.create_task(go_on())

    async def _one(self, cell: Cell) -> None:
        """Work on one run, unless the sweep ends; what is wrong with it alone ends no other."""
        if self._halt is not None or (self._pool.is_spent and not self._folder.project(cell.name).exists):
            return
        try:
            prepared = self._cells.entrant(cell)
            project = self._folder.project(cell.name)
            if not project.exists:
                project = self._new_project(project.name, prepared)
            self._pool.open(cell.name, _spent(project))
            try:
                listen = None if self._audience is None else self._audience.listen(cell, project)
                await self._workers.run(Job(cell, project, prepared, self._tell, listen))
            finally:
                self._pool.close(cell.name, _spent(project))
        except SpotuiError as error:
            self._failed(cell, str(error))
            return
        ended = _read(cell, project)
        if ended is None:  # its worker was told to leave before it could say why
            return
        self._folder.add(ended)
        self._ended[cell.name] = ended
        if ended.reason == "failed":
            self._failed(cell, ended.cause, ended)
            return
        if ended.reason != "stopped":
            self._note_best(cell, prepared, ended)
        self._in_a_row = 0
        self._told(cell, ended)

    def _failed(self, cell: Cell, cause: str, ended: EndedRun | None = None) -> None:
        self._failures[cell.name] = cause
        self._in_a_row += 1
        self._told(cell, ended or EndedRun(name=cell.name, reason="failed", cause=cause))
        if self._in_a_row >= FAILURES_IN_A_ROW and self._halt is None:
            self._end("failed", _("{n} runs in a row failed: {cause}", n=self._in_a_row, cause=cause))

    def _told(self, cell: Cell, ended: EndedRun) -> None:
        self._tell(
            RunEnded(
                run=cell.name,
                label=cell.label,
                reason=ended.reason,
                cause=ended.cause,
                improved=ended.improved,
                calls=ended.calls,
                cost_usd=None if ended.unpriced else ended.cost_usd,
                ended=sum(map(len, self._best_prompts.values())),
                runs=self._planned,
            )
        )

    def _note_best(self, cell: Cell, prepared: Prepared, ended: EndedRun) -> None:
        group = self._cells.group(cell)
        self._tests.setdefault(group, self._cells.test(cell))
        place = BestPrompt(cell, ended, prepared.layout, prepared.template.prompt)
        self._best_prompts[group].append(place)

    async def _tested(self) -> Table | None:
        """Test the best prompts of all runs that ended, each group of them at once."""
        if not self._best_prompts:
            return None
        self._tell(TestStarted(groups=len(self._best_prompts)))
        self._pool.kept_back = Amounts()
        measured = self._measured
        await self._each(self._test(group, measured) for group in list(self._best_prompts))
        if not any(mark is not None for one in measured for mark in one.marks):
            if measured and self._halt is None:
                self._halt = "unmarked", _("No test row could be marked, so nothing can be compared.")
            return None
        # Which run ended first is chance, and must not decide who stands before whom at the same score.
        places = {cell: place for place, cell in enumerate(self._plan.cells())}
        measured.sort(key=lambda one: places[one.cell])
        return make_table(measured, list(self._plan.templates), self._planned)

    async def _test(self, group: str, measured: list[Measured]) -> None:
        if self._halt is not None and self._halt[0] != "budget":
            return
        try:
            measured += await measure(
                self._workers.test,
                self._pool,
                self._folder,
                group,
                self._tests[group],
                self._best_prompts[group],
            )
        except (Halted, SpotuiError) as error:
            cause = error.cause if isinstance(error, Halted) else str(error)
            self._failures[f"test {group}"] = cause
            self._tell(Noted(text=_("The test failed: {cause}", cause=cause)))


def _is_done(ended: EndedRun, prepared: Prepared) -> bool:
    """Whether working on a run again would change nothing."""
    if ended.reason in AS_PLANNED:
        return True
    own: Mapping[str, object] = msgspec.structs.asdict(prepared.settings.budget)
    return ended.reason == "budget" and any(value is not None for value in own.values())


def _read(cell: Cell, project: Project) -> EndedRun | None:
    """How a run ended, as its journal has it; None where no session of it has ended."""
    history = read_history(project)
    with Journal(project.journal) as journal:
        earlier = Earlier(journal.lines())
    if earlier.stop is None:
        return None
    spent, best = earlier.spending, history.best
    return EndedRun(
        name=cell.name,
        reason=earlier.stop.reason,
        cause=earlier.stop.cause,
        prompt=reopen(project).template.prompt if best is None else best.prompt,
        improved=best is not None and best.round > 1,
        rounds=len(history.rounds),
        seconds=earlier.seconds,
        calls=spent.calls,
        prompt_tokens=spent.prompt_tokens,
        completion_tokens=spent.completion_tokens,
        cost_usd=spent.cost_usd,
        unpriced=spent.unpriced,
        estimated=spent.estimated,
    )


def _amounts(ended: EndedRun) -> Amounts:
    return Amounts(ended.calls, ended.prompt_tokens + ended.completion_tokens, ended.cost_usd)


def _spent(project: Project) -> Amounts:
    with Journal(project.journal) as journal:
        spent = Earlier(journal.lines()).spending
    return Amounts(spent.calls, spent.tokens, spent.cost_usd)
