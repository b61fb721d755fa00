"""A project in one row: how it stands, without its texts."""

from datetime import datetime

import msgspec

from spotui.domain.errors import SpotuiError
from spotui.workspace.history import is_estimated, read_history, total_cost
from spotui.workspace.projects import Project
from spotui.workspace.snapshot import read_snapshot


class Overview(msgspec.Struct, frozen=True):
    """One project of a list.

    Attributes:
        name: What it is called.
        state: running, interrupted, foreign (SPO's reference wrote it), damaged, or the stop reason.
        method: The method's name; empty when nobody wrote it down.
        rounds: Rounds that ended.
        rounds_wanted: Rounds in all; 0 when nobody wrote it down.
        best: The round whose prompt is the best; None before the seed round has ended.
        cost_usd: What its rounds cost, or None when the price of any is unknown.
        estimated: Whether any part of that is an estimate.
        when: When the last round ended, or the run was set up.
        why: What is damaged.
    """

    name: str
    state: str
    method: str = ""
    rounds: int = 0
    rounds_wanted: int = 0
    best: int | None = None
    cost_usd: float | None = None
    estimated: bool = False
    when: datetime | None = None
    why: str = ""


def read_overview(project: Project) -> Overview:
    """Read a project as far as a list needs it; a damaged one has a row as well."""
    if not project.exists:
        return Overview(project.name, "damaged", why="It is not there any more.")
    try:
        return _read(project)
    except SpotuiError as error:
        return Overview(project.name, "damaged", why=error.what)
    except OSError as error:
        return Overview(project.name, "damaged", why=f"It cannot be read: {error.strerror}.")


def _read(project: Project) -> Overview:
    history = read_history(project)
    state = history.stop.reason if history.state == "ended" and history.stop else history.state
    method, wanted, when = "", 0, None
    if project.is_ours:
        snapshot = read_snapshot(project.snapshot)
        method, when = snapshot.method, snapshot.created
        rounds = history.limits.get("rounds") or snapshot.settings.get("max_rounds")
        wanted = int(rounds) if isinstance(rounds, int | float) else 0
    return Overview(
        name=project.name,
        state=state,
        method=method,
        rounds=len(history.rounds),
        rounds_wanted=wanted,
        best=history.best.round if history.best else None,
        cost_usd=total_cost(history.rounds),
        estimated=is_estimated(history.rounds),
        when=max((line.at for line in history.rounds), default=when),
    )
