"""Headroom: is there anything to gain? The seed twice and some probes, raced, before a budget is set.

On rows, the seed and every probe are asked a first block, the best three a second one, and the best of these
all rows that the budget leaves room for; then best and seed are compared row by row. Without marks, a judge
compares each probe's answers with the seed's, and the best probe is checked question by question.
"""

from collections.abc import Callable

import msgspec

from spotui.domain.events import Event
from spotui.llm.budget import Budget
from spotui.llm.connections import Connections
from spotui.runs.headroom.duels import DuelProbes
from spotui.runs.headroom.plan import calls_of, is_by_rows
from spotui.runs.headroom.rows import RowProbes
from spotui.runs.prepare import Prepared
from spotui.runs.score import open_context
from spotui.runs.snapshots import kept_as
from spotui.runs.trust import refuse_outside_data
from spotui.workspace.headroom_file import Headroom, write_headroom
from spotui.workspace.projects import Workspace


async def measure_headroom(
    prepared: Prepared, workspace: Workspace, connections: Connections, emit: Callable[[Event], None]
) -> Headroom:
    """Measure whether some simple prompt is better than the seed, and write down what was found.

    No call is bought twice, whenever it was made: what was interrupted goes on where it was.

    Args:
        prepared: What was prepared for headroom.
        workspace: Where calls and result are kept.
        connections: The models; they are closed at the end.
        emit: Called with every event.

    Raises:
        SpotuiError: The budget or the rows are too few, a file is not trusted, or another process measures
            there.
        Halted: A call failed for good, or the budget is spent; what was bought is kept.
        OSError: A folder cannot be made.
    """
    refuse_outside_data(prepared.template, prepared.path.parent)
    folder = workspace.measured(kept_as(prepared))
    budget = msgspec.structs.replace(prepared.settings.budget, calls=calls_of(prepared))
    settings = msgspec.structs.replace(prepared.settings, budget=budget)
    prepared = msgspec.structs.replace(prepared, settings=settings)
    by_rows = is_by_rows(prepared)
    make_marker = prepared.marker() if by_rows else None
    async with open_context(prepared, folder, connections, emit) as (context, spent):
        if make_marker is None:
            found = await DuelProbes(prepared, context).measure()
        else:
            marker = make_marker(context)
            try:
                found = await RowProbes(prepared, context, marker).measure()
            finally:
                marker.close()
        found = _with_spending(found, spent)
    write_headroom(folder, found)
    return found


def _with_spending(headroom: Headroom, budget: Budget) -> Headroom:
    spent = budget.spending
    return msgspec.structs.replace(
        headroom,
        calls=spent.calls,
        cost_usd=spent.cost_usd,
        unpriced=spent.unpriced,
        estimated=spent.estimated,
    )
