"""One budget over a migration: what all of its journals hold, what is left, and the part of each run."""

from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Final

import msgspec

from spotui.domain.records import AnyLine, CallLine
from spotui.llm.spending import Amounts
from spotui.runs.recorder import Earlier
from spotui.settings.table import BudgetSettings
from spotui.workspace.journal import Journal
from spotui.workspace.migration_file import MigrationFolder, MigrationRecord, PromptKind, Spent, file_name
from spotui.workspace.projects import Project

JOURNAL: Final = "journal.jsonl"
"""The journal in a folder of measurements."""

_KINDS: Final[tuple[PromptKind, ...]] = ("same", "new")

_SLACK: Final = 1.25
"""What measuring a prompt may take beyond its estimate before the budget has no room for it."""

_FEWEST_CALLS: Final = 5
"""A run with fewer calls cannot try a single new prompt."""


class MigrationBudget:
    """What a migration may cost, and has.

    Args:
        folder: Where it is kept.
        archive: The folder of the archive; what other migrations bought for it is no part of this one.
    """

    def __init__(self, folder: MigrationFolder, archive: Path) -> None:
        self._folder = folder
        self._archive = archive

    def spent(self, record: MigrationRecord) -> Spent:
        """What has been bought since the migration began; a call that was copied into a run counts once."""
        total, counted = Spent(), set[tuple[datetime, str]]()
        for path in self._journals(record):
            if path.exists() and path.stat().st_size:
                total = _plus(total, path, record.created, counted)
        return total

    def left(self, record: MigrationRecord, seconds: float) -> BudgetSettings:
        """What may still be spent.

        Args:
            record: The migration, with its budget.
            seconds: How long it was worked on.
        """
        spent = self.spent(record)
        taken = {"calls": spent.calls, "tokens": spent.tokens, "usd": spent.cost_usd, "minutes": seconds / 60}
        found = {
            name: max(0, limit - taken[name])
            for name, limit in msgspec.structs.asdict(record.budget).items()
            if limit is not None
        }
        return BudgetSettings(**found)

    def _journals(self, record: MigrationRecord) -> Iterator[Path]:
        yield self._archive / JOURNAL
        for model in record.models:
            yield from (self._folder.measured(model, kind) / JOURNAL for kind in _KINDS)
            yield self._folder.project(file_name(model)).journal


def share_of(left: BudgetSettings, reserve: Amounts, *, runs: int) -> BudgetSettings | None:
    """What the next run may cost: an equal part of what measuring new prompts leaves; None for too little.

    Args:
        left: What may still be spent.
        reserve: What it takes to measure one prompt.
        runs: How many runs are to come, each with a new prompt to measure.
    """
    found: dict[str, float | int] = {}
    for kind, slack in (("calls", 1.0), ("tokens", _SLACK), ("usd", _SLACK)):
        limit = getattr(left, kind)
        if limit is not None:
            room = (limit - getattr(reserve, kind) * slack * runs) / runs
            found[kind] = room if kind == "usd" else int(room)
    if left.minutes is not None:
        found["minutes"] = left.minutes / runs
    if any(value <= 0 for value in found.values()) or found.get("calls", _FEWEST_CALLS) < _FEWEST_CALLS:
        return None
    return BudgetSettings(**found)  # type: ignore[arg-type]


def raised_by(share: BudgetSettings, project: Project) -> dict[str, float | int | None]:
    """The limits of a run that continues: what it has taken, and its part of what is left now."""
    with Journal(project.journal) as journal:
        earlier = Earlier(journal.lines())
    spent = earlier.spending
    taken = {
        "calls": spent.calls,
        "tokens": spent.tokens,
        "usd": spent.cost_usd,
        "minutes": earlier.seconds / 60,
    }
    limits = msgspec.structs.asdict(share).items()
    return {name: None if value is None else taken[name] + value for name, value in limits}


def _plus(total: Spent, path: Path, since: datetime, counted: set[tuple[datetime, str]]) -> Spent:
    def is_new(line: AnyLine) -> bool:
        if line.at < since:
            return False
        if not isinstance(line, CallLine):
            return True
        known = (line.at, line.digest) in counted
        counted.add((line.at, line.digest))
        return not known

    with Journal(path) as journal:
        spent = Earlier(filter(is_new, journal.lines())).spending
    return Spent(
        calls=total.calls + spent.calls,
        tokens=total.tokens + spent.tokens,
        cost_usd=total.cost_usd + spent.cost_usd,
        unpriced=total.unpriced + spent.unpriced,
        estimated=total.estimated or spent.estimated,
    )
