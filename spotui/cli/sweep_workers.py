"""Who works on the runs of a sweep, as its flags say: this process, or the workers of a cluster."""

import argparse
import sys
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Final

from spotui.cli.exit_codes import UsageError
from spotui.lang import _

if TYPE_CHECKING:
    from spotui.llm.leases import Pool
    from spotui.runs.launch import Launcher
    from spotui.runs.sweep.cells import Cells
    from spotui.runs.sweep.cluster.workers import Cluster
    from spotui.runs.sweep.plan import Cell
    from spotui.runs.sweep.progress import Progress
    from spotui.runs.sweep.work import Workers
    from spotui.workspace.sweep_file import SweepFolder

AT_ONCE: Final = 4
"""Runs that work at once on this machine, where nobody says otherwise."""


def named_cluster(parsed: argparse.Namespace) -> "Cluster | None":
    """The cluster that was named.

    Raises:
        UsageError: Flags of a cluster were typed without one.
        ClusterError: Its address is wrong, or `distributed` is not installed.
    """
    if parsed.on is None:
        if parsed.home or parsed.shared_workspace or parsed.send_keys:
            raise UsageError(
                _("--home, --shared-workspace and --send-keys are for a cluster."),
                _("Name it with --on dask://HOST:PORT, or leave them out."),
            )
        return None
    from spotui.runs.sweep.cluster.workers import read_cluster

    return read_cluster(parsed.on, parsed.home)


def runs_at_once(
    parsed: argparse.Namespace, cells: "Cells", every: "Sequence[Cell]", cluster: "Cluster | None"
) -> int:
    """How many runs work at once."""
    from spotui.settings.table import is_embedded

    if parsed.parallel is not None and parsed.parallel < 1:
        raise UsageError(_("--parallel must be 1 or more."), _("Leave it out for the default."))
    if cluster is not None:
        from spotui.runs.sweep.cluster.workers import slots_of

        return min(slots_of(cluster), parsed.parallel or sys.maxsize)
    if parsed.parallel is not None:
        return int(parsed.parallel)
    models = {model for one in cells.samples(every) for model in cells.entrant(one).settings.models}
    return 1 if any(map(is_embedded, models)) else AT_ONCE


@asynccontextmanager
async def open_workers(
    parsed: argparse.Namespace,
    launcher: "Launcher",
    folder: "SweepFolder",
    pool: "Pool",
    size: int,
    cluster: "Cluster | None",
    cells: "Cells",
    every: "Sequence[Cell]",
    tell: "Callable[[Progress], None]",
    *,
    reports: bool,
) -> "AsyncIterator[Workers]":
    """Who works on the runs.

    Args:
        parsed: What was typed.
        launcher: What runs are made with.
        folder: Where the sweep is kept.
        pool: Its budget.
        size: How many runs work at once.
        cluster: Where they do; None for here.
        cells: Prepares its runs.
        every: Its runs.
        tell: Called with what happens.
        reports: Whether they are reported to trackers.

    Raises:
        ClusterError: The cluster cannot be used.
    """
    if cluster is None:
        from spotui.cli.conduct import serve
        from spotui.runs.sweep.local import LocalWorkers

        yield LocalWorkers(launcher, folder, pool, size, serve, "halt")
        return
    from spotui.runs.sweep.cluster import workers as cluster_workers

    kinds = [cells.entrant(cell) for cell in cells.samples(every)]
    wishes = cluster_workers.Wishes(
        size=size,
        is_shared=parsed.shared_workspace,
        sends_keys=parsed.send_keys,
        settings=[one.settings for one in kinds],
        packages=list(dict.fromkeys(one.method.package.name for one in kinds if one.method.package)),
        reports=reports,
    )
    async with cluster_workers.open_workers(cluster, launcher, folder, pool, tell, wishes) as workers:
        yield workers
