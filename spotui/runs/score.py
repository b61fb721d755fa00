"""Scores prompts on one split, outside of any run; what was bought once is kept."""

from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager
from pathlib import Path

import msgspec

from spotui.domain.events import Event
from spotui.domain.records import CallLine, Line
from spotui.domain.rows import SplitName
from spotui.engine.asking import Asker, together
from spotui.engine.context import Context, Decisions, RecordedMarks
from spotui.engine.execute import Layout
from spotui.engine.marking import Marker
from spotui.engine.meta_prompts import MetaPrompts
from spotui.engine.score import Scorer
from spotui.engine.task import Candidate, RowOutcome, RowSet, Scored, Splits, Task
from spotui.llm.budget import Budget, Spending
from spotui.llm.connections import Connections
from spotui.llm.door import Door
from spotui.llm.limits import Gate
from spotui.llm.retry import Retry
from spotui.runs.work import layout_of
from spotui.settings.locations import make_private
from spotui.settings.run_settings import RunSettings
from spotui.templates.data.load import Dataset
from spotui.workspace.journal import Journal
from spotui.workspace.lock import ProjectLock
from spotui.workspace.projects import new_run_id


class _Rejected(msgspec.Struct):
    rejected: str = ""


_rejected = msgspec.json.Decoder(_Rejected)


class KeptCalls(Journal):
    """Replies that were bought. A refusal cost nothing, and the endpoint may have changed: it is not kept."""

    def append(self, line: Line) -> None:
        """Add a line; see `Journal.append`."""
        if not (isinstance(line, CallLine) and _rejected.decode(line.reply).rejected):
            super().append(line)


@contextmanager
def open_kept(folder: Path) -> Iterator[KeptCalls]:
    """Open a journal that belongs to no project; nobody else writes it meanwhile.

    Args:
        folder: Where it is; made when it is missing.

    Raises:
        LockedError: Another process has it open.
        JournalError: It is damaged.
        OSError: The folder cannot be made.
    """
    make_private(folder)
    lock = ProjectLock(folder / "lock", folder.name)
    lock.acquire()
    try:
        path = folder / "journal.jsonl"
        run = None if path.exists() and path.stat().st_size else new_run_id()
        with KeptCalls(path, run=run, writable=True) as journal:
            yield journal
    finally:
        lock.release()


class Ruler:
    """Measures prompts; made by `open_ruler`.

    Args:
        context: What it works with.
        marker: What an answer is worth.
        rows: All rows.
        settings: The seed is that of the intervals.
        budget: What it may spend.
    """

    def __init__(
        self,
        context: Context,
        marker: Callable[[Context], Marker],
        rows: Dataset,
        settings: RunSettings,
        budget: Budget,
    ) -> None:
        self._context = context
        self._marker = marker(context)
        self._splits = Splits(rows)
        self._seed = settings.seed
        self._budget = budget

    @property
    def spending(self) -> Spending:
        """What was bought since it was opened; what was there before costs nothing."""
        return self._budget.spending

    def rows(self, split: SplitName) -> RowSet:
        """The rows of a split."""
        found: RowSet = getattr(self._splits, split)
        return found

    def layout(self, parameters: msgspec.Struct) -> Layout:
        """Where a method with these parameters puts a prompt."""
        return layout_of(parameters, self._context.task)

    async def measure(self, prompts: Sequence[tuple[str, Layout]], split: SplitName) -> list[Scored]:
        """What each prompt is worth, all at once.

        Args:
            prompts: Each with where it stands.
            split: Which rows.

        Raises:
            Halted: A call failed for good, or the budget is spent; what was bought is kept.
        """
        found = await together(
            [
                self._scorer(layout).score(1, [_candidate(prompt)], self.rows(split))
                for prompt, layout in prompts
            ]
        )
        return [one for (one,) in found]

    async def outcomes(self, prompt: str, layout: Layout, split: SplitName) -> list[RowOutcome]:
        """What became of each row with a prompt.

        Raises:
            Halted: As `measure`.
        """
        return await self._scorer(layout).outcomes(1, prompt, self.rows(split))

    def close(self) -> None:
        """Let go of what marks the answers."""
        self._marker.close()

    def _scorer(self, layout: Layout) -> Scorer:
        # One for each prompt: what its calls are filed under must not depend on what else is measured.
        return Scorer(self._context, self._marker, layout, self._splits, self._seed)


@asynccontextmanager
async def open_ruler(
    folder: Path,
    *,
    rows: Dataset,
    task: Task,
    marker: Callable[[Context], Marker],
    settings: RunSettings,
    connections: Connections,
    meta: MetaPrompts,
    emit: Callable[[Event], None],
    gate: Gate | None = None,
) -> AsyncIterator[Ruler]:
    """Open what was measured before, and measure on.

    Args:
        folder: Where calls are kept; made when it is missing.
        rows: What prompts are measured on.
        task: What they are for.
        marker: Makes what marks the answers.
        settings: Models, budget and retry.
        connections: The models; they are closed at the end.
        meta: The meta-prompts.
        emit: Told what happens.
        gate: Where it can be stopped; its own when None.

    Raises:
        LockedError: Another process measures there.
        JournalError: What was measured before is damaged.
        OSError: The folder cannot be made.
    """
    async with AsyncExitStack() as cleanup:
        cleanup.push_async_callback(connections.aclose)
        journal = cleanup.enter_context(open_kept(folder))
        budget = Budget(settings.budget, Spending(), 0.0)
        door = Door(
            connections=connections,
            ledger=journal,
            budget=budget,
            gate=gate or Gate(),
            retry=Retry(settings.retry),
            emit=emit,
            on_trouble="halt",
        )
        asker = Asker(door, settings.roles)
        marks = RecordedMarks(journal, with_failures=False)
        context = Context(task, meta, asker, door.gate, Decisions(), emit, marks)
        await cleanup.enter_async_context(door.keeping_time())
        ruler = Ruler(context, marker, rows, settings, budget)
        cleanup.callback(ruler.close)
        yield ruler


def _candidate(prompt: str) -> Candidate:
    return Candidate(round=1, prompt=prompt)
