"""Projects at a glance: the state of each in one row."""

from datetime import datetime
from typing import Literal

import msgspec

from spotui.domain.errors import SpotuiError
from spotui.domain.statistics import compare
from spotui.lang import _
from spotui.workspace.history import HELD, History, read_history
from spotui.workspace.projects import Project
from spotui.workspace.snapshot import read_snapshot


class Worth(msgspec.Struct, frozen=True):
    """What the best prompt of a project is worth against its seed.

    Attributes:
        by: The measure: `test` and `rows` are differences of scores, on rows that nothing has seen before and
            on those that the prompt was chosen by; `duels` is the part of the questions that it wins.
        value: From -1 to 1; for `duels`, from 0 to 1.
        may_be_chance: Whether its 95% interval holds 0, for `duels` a half; for `test`, also whether it is
            below the A/A floor.
    """

    by: Literal["test", "rows", "duels"]
    value: float
    may_be_chance: bool = False

    @property
    def is_proven(self) -> bool:
        """Whether more than the choice of the prompt speaks for it, and more than chance."""
        return self.by != "rows" and not self.may_be_chance

    @property
    def gain(self) -> float:
        """From -1 to 1, with 0 for a prompt that is worth as much as the seed."""
        return 2 * self.value - 1 if self.by == "duels" else self.value


class Overview(msgspec.Struct, frozen=True):
    """One project of a list.

    Attributes:
        name: What it is called.
        state: running, paused, interrupted, foreign (SPO's reference wrote it), damaged, or the stop reason.
        method: The method's name; empty when nobody wrote it down.
        rounds: Rounds that ended.
        rounds_wanted: Rounds in all; 0 when nobody wrote it down.
        best: The round whose prompt is the best; None before the seed round has ended.
        cost_usd: What it has cost, or None when a price is unknown; until it ends, what its rounds cost.
        estimated: Whether any part of that is an estimate.
        when: When the last round ended, or the run was set up.
        why: What is damaged.
        worth: What the best prompt is worth; None where that is the seed, or where nothing measures it.
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
    worth: Worth | None = None

    @property
    def is_held(self) -> bool:
        """Whether a process holds it, which can end without changing a file."""
        return self.state in HELD


def read_overview(project: Project) -> Overview:
    """Read a project as far as a list needs it; a damaged one has a row as well."""
    if not project.exists:
        return Overview(project.name, "damaged", why=_("It is not there any more."))
    try:
        return _read(project)
    except SpotuiError as error:
        return Overview(project.name, "damaged", why=error.what)
    except OSError as error:
        return Overview(
            project.name, "damaged", why=_("It cannot be read: {strerror}.", strerror=error.strerror)
        )


def _read(project: Project) -> Overview:
    history = read_history(project)
    method, wanted, when = "", 0, None
    if project.is_ours:
        snapshot = read_snapshot(project.snapshot)
        method, when = snapshot.method, snapshot.created
        rounds = history.limits.get("rounds") or snapshot.settings.get("max_rounds")
        wanted = int(rounds) if isinstance(rounds, int | float) else 0
    cost, is_estimated = history.spent
    return Overview(
        name=project.name,
        state=history.standing,
        method=method,
        rounds=len(history.rounds),
        rounds_wanted=wanted,
        best=history.best.round if history.best else None,
        cost_usd=cost,
        estimated=is_estimated,
        when=max((line.at for line in history.rounds), default=when),
        worth=_worth(history),
    )


def _worth(history: History) -> Worth | None:
    best, seed = history.best, history.round(1)
    if best is None or best.round == 1:
        return None
    if history.test is not None and history.test.best == best.round:
        pairs = [*zip(history.test.seed_marks, history.test.best_marks, strict=False)]
        gains = [new - old for old, new in pairs if old is not None and new is not None]
        if gains:
            found = compare([old for old, _new in pairs], [new for _old, new in pairs])
            is_beyond = found.is_beyond_floor and found.interval.low > 0
            return Worth("test", sum(gains) / len(gains), may_be_chance=not is_beyond)
    if best.score is not None:
        return Worth("rows", best.score - seed.score) if seed and seed.score is not None else None
    check = history.check
    if check is not None and check.best == best.round and check.win_rate is not None:
        low = check.win_interval[0] if check.win_interval is not None else 0.0
        return Worth("duels", check.win_rate, may_be_chance=low <= 0.5)
    return None
