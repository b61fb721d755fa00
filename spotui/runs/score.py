"""Scores prompts on one split, outside of any run; what was bought once is kept."""

from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager
from pathlib import Path

import msgspec

from spotui.domain.events import Event
from spotui.domain.records import AnyLine, CallLine, Line
from spotui.domain.rows import SplitName
from spotui.engine.asking import together
from spotui.engine.context import Context, Decisions, RecordedMarks
from spotui.engine.layout import Layout
from spotui.engine.marking import Marker
from spotui.engine.score import Scorer
from spotui.engine.task import Candidate, RowOutcome, RowSet, Scored, Splits
from spotui.llm.batches.known import KnownBatches
from spotui.llm.budget import Budget
from spotui.llm.connections import Connections
from spotui.llm.door import Door
from spotui.llm.limits import Gate
from spotui.llm.retry import Retry
from spotui.llm.spending import Spending
from spotui.runs.means import ALONE, Means
from spotui.runs.prepare import Prepared
from spotui.runs.recorder import Earlier
from spotui.runs.trust import StartMetric, refuse_outside_data, start_trusted
from spotui.settings.locations import make_private
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
def open_kept(folder: Path, each: Callable[[AnyLine], None] = lambda _line: None) -> Iterator[KeptCalls]:
    """Open a journal that belongs to no project; nobody else writes it meanwhile.

    Args:
        folder: Where it is; made when it is missing.
        each: Given every line that is there.

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
        with KeptCalls(path, run=run, writable=True, each=each) as journal:
            yield journal
    finally:
        lock.release()


@asynccontextmanager
async def open_context(
    prepared: Prepared,
    folder: Path,
    connections: Connections,
    emit: Callable[[Event], None],
    means: Means = ALONE,
) -> AsyncIterator[tuple[Context, Budget]]:
    """Open the verbs of the engine outside of any run; no call is bought twice in the same folder.

    Args:
        prepared: What is worked on.
        folder: Where calls are kept; made when it is missing.
        connections: The models; they are closed at the end.
        emit: Called with every event.
        means: What the calls share with those of others.

    Raises:
        LockedError: Another process has the folder open.
        JournalError: The calls in it are damaged.
        OSError: The folder cannot be made.
    """
    async with AsyncExitStack() as cleanup:
        cleanup.push_async_callback(connections.aclose)
        known = KnownBatches()
        journal = cleanup.enter_context(open_kept(folder, known.take))
        door = Door(
            connections=connections,
            ledger=means.ledger(journal),
            budget=means.budget(prepared.settings.budget, Earlier()),
            gate=Gate(),
            retry=Retry(prepared.settings.retry),
            emit=emit,
            on_trouble="halt",
            files=prepared.files,
        )
        if prepared.settings.batched or known.by_token:
            from spotui.llm.batches.collector import Batching

            await cleanup.enter_async_context(door.batching(Batching(known=known)))
        asker, marks = prepared.asker(door), RecordedMarks(journal, with_failures=False)
        await cleanup.enter_async_context(door.keeping_time())
        yield Context(prepared.task, prepared.meta, asker, door.gate, Decisions(), emit, marks), door.budget


class Ruler:
    """Measures prompts on the rows of a template; made by `open_ruler`.

    Args:
        prepared: What is measured on, with its rows.
        context: What the calls are made with.
        marker: Marks the answers.
        budget: What may be spent.

    Attributes:
        layout: How the method puts a prompt before a row.
    """

    def __init__(self, prepared: Prepared, context: Context, marker: Marker, budget: Budget) -> None:
        assert prepared.rows is not None  # noqa: S101 - what is prepared for scoring has rows
        self.layout = prepared.layout
        self._context = context
        self._marker = marker
        self._splits = Splits(prepared.rows)
        self._seed = prepared.settings.seed
        self._budget = budget

    @property
    def spending(self) -> Spending:
        """What was bought since it was opened; what was there before costs nothing."""
        return self._budget.spending

    def rows(self, split: SplitName) -> RowSet:
        """The rows of a split."""
        found: RowSet = getattr(self._splits, split)
        return found

    async def measure(self, prompts: Sequence[tuple[str, Layout]], split: SplitName) -> list[Scored]:
        """The score of each prompt, all measured at once.

        Args:
            prompts: Each with its layout.
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
    prepared: Prepared,
    folder: Path,
    connections: Connections,
    emit: Callable[[Event], None],
    means: Means = ALONE,
    *,
    start_metric: StartMetric | None = None,
) -> AsyncIterator[Ruler]:
    """Open what was measured before, and measure more.

    Args:
        prepared: What is measured on, prepared for scoring.
        folder: Where calls are kept; made when it is missing.
        connections: The models; they are closed at the end.
        emit: Called with every event.
        means: What its calls share with those of others.
        start_metric: Starts a custom metric, where the user has agreed to metric and rows elsewhere, as on a
            worker of a cluster; None to make sure of it here.

    Raises:
        OutsideDataError: The rows are in a file that the user has not agreed to send.
        UntrustedError: The user has not trusted the file of a custom metric as it is.
        SpotuiError: Another process measures there, or what was measured before is damaged.
        OSError: The folder cannot be made.
    """
    if start_metric is None:
        refuse_outside_data(prepared.template, prepared.path.parent)
    marker = prepared.marker(start_metric or start_trusted)
    async with open_context(prepared, folder, connections, emit, means) as (context, budget):
        ruler = Ruler(prepared, context, marker(context), budget)
        try:
            yield ruler
        finally:
            ruler.close()


def _candidate(prompt: str) -> Candidate:
    return Candidate(round=1, prompt=prompt)
