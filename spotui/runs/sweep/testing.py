"""The test of what the runs of a sweep have found: their best prompts and seeds on the same test rows."""

from collections.abc import Awaitable, Callable, Sequence
from hashlib import blake2b
from typing import NamedTuple

import msgspec

from spotui.domain.rows import Row
from spotui.engine.layout import Layout
from spotui.lang import as_english
from spotui.llm.leases import Pool, amounts_of
from spotui.llm.spending import Amounts
from spotui.runs.prepare import Prepared
from spotui.runs.recorder import Earlier
from spotui.runs.sweep.plan import Cell
from spotui.runs.sweep.table import Measured
from spotui.workspace.journal import Journal
from spotui.workspace.sweep_file import EndedRun, SweepFolder

Marks = tuple[float | None, ...]
"""One a row; None for a row that errored."""

Asked = tuple[str, Layout]
"""A prompt and how it stands before a row."""


class Test(NamedTuple):
    """Prompts to be asked the same test rows.

    Attributes:
        group: The mark of the runs that are tested alike.
        prepared: What they are measured with.
        prompts: Each with its layout.
    """

    group: str
    prepared: Prepared
    prompts: Sequence[Asked]

    @property
    def name(self) -> str:
        """What the pool and the workers call it."""
        return f"test {self.group}"


class BestPrompt(NamedTuple):
    """What is tested of a run.

    Attributes:
        cell: The run.
        run: How it ended, with its best prompt.
        layout: How a prompt stands before a row in it.
        seed: Its seed prompt.
    """

    cell: Cell
    run: EndedRun
    layout: Layout
    seed: str

    @property
    def asked(self) -> tuple[Asked, Asked]:
        """The seed and the best prompt."""
        return (self.seed, self.layout), (self.run.prompt, self.layout)


async def measure(
    ask: Callable[[Test], Awaitable[list[Marks]]],
    pool: Pool,
    folder: SweepFolder,
    group: str,
    prepared: Prepared,
    places: Sequence[BestPrompt],
) -> list[Measured]:
    """Test the runs of a group.

    Args:
        ask: Measures prompts, somewhere.
        pool: The budget.
        folder: Where the sweep is kept.
        group: The mark of the group.
        prepared: What its prompts are measured with.
        places: Its runs.

    Raises:
        Halted: A call failed for good, or the budget is spent.
        SpotuiError: It could not begin.
    """
    test = Test(group, prepared, list(dict.fromkeys(one for place in places for one in place.asked)))
    pool.open(test.name, _spent(folder, test))
    try:
        marks = dict(zip(test.prompts, await ask(test), strict=True))
    finally:
        pool.close(test.name, _spent(folder, test))
    rows = tuple(map(_mark, prepared.rows.test)) if prepared.rows is not None else ()
    measured = []
    for place in places:
        seed, best = place.asked
        measured.append(Measured(place.cell, place.run, rows, marks[best], marks[seed]))
    return measured


def _mark(row: Row) -> str:
    """A mark of what a row asks and expects, wherever it stands."""
    said = row.question, row.references, row.slots, row.history, row.turns
    return blake2b(msgspec.json.encode(said, enc_hook=as_english, order="sorted"), digest_size=8).hexdigest()


def _spent(folder: SweepFolder, test: Test) -> Amounts:
    """What testing a group took in all sessions."""
    path = folder.tests(test.group) / "journal.jsonl"
    if not path.exists() or not path.stat().st_size:
        return Amounts()
    with Journal(path) as journal:
        return amounts_of(Earlier(journal.lines()).spending)
