"""What earlier sessions of a run left behind: what was spent, decided and changed."""

from collections.abc import Iterable
from datetime import datetime

import msgspec

from spotui.llm.budget import Spending
from spotui.llm.protocol import Usage
from spotui.settings.run_settings import BudgetSettings, RunSettings
from spotui.workspace.lines import (
    AnyLine,
    CallLine,
    CheckLine,
    DroppedLine,
    EditLine,
    FinalTestLine,
    LimitsLine,
    OverrideLine,
    RoundLine,
    SessionLine,
    StopLine,
    VoteLine,
)


class _Paid(msgspec.Struct):
    """The part of a reply that says what it cost."""

    usage: Usage
    cost_usd: float | None = None


_paid = msgspec.json.Decoder(_Paid)


class Past:
    """A journal's lines, read once at the start of a session.

    Args:
        lines: From the first to the last.

    Attributes:
        spending: Of all sessions.
        seconds: Time worked on the run.
        rounds: Every round that ended, by number.
        decisions: What people decided.
        changes: Limits that were changed, the last value of each.
        stop: How the last session ended, or None when it was cut off.
        test: The last test of the best prompt.
        check: The last final check.
        calls: Finished calls.
    """

    def __init__(self, lines: Iterable[AnyLine]) -> None:
        self.spending = Spending()
        self.seconds = 0.0
        self.calls = 0
        self.rounds: dict[int, RoundLine] = {}
        self.decisions: list[VoteLine | EditLine | OverrideLine] = []
        self.changes: dict[str, float | int | None] = {}
        self.stop: StopLine | None = None
        self.test: FinalTestLine | None = None
        self.check: CheckLine | None = None
        began: datetime | None = None
        last: datetime | None = None
        for line in lines:
            match line:
                case SessionLine():
                    if began is not None and last is not None:
                        self.seconds += (last - began).total_seconds()
                    began = line.at
                    self.stop = None
                case CallLine():
                    paid = _paid.decode(line.reply)
                    self.calls += 1
                    self.spending.add(paid.usage.prompt_tokens, paid.usage.completion_tokens, paid.cost_usd)
                case DroppedLine():
                    self.spending.add(line.prompt_tokens, line.completion_tokens, line.cost_usd)
                case RoundLine():
                    self.rounds[line.round] = line
                case VoteLine() | EditLine() | OverrideLine():
                    self.decisions.append(line)
                case LimitsLine():
                    self.changes.update(line.changes)
                case FinalTestLine():
                    self.test = line
                case CheckLine():
                    self.check = line
                case StopLine():
                    self.stop = line
                    self.seconds, began = line.seconds, None
                case _:
                    pass
            last = line.at
        if began is not None and last is not None:
            self.seconds += (last - began).total_seconds()

    def limits(self, settings: RunSettings) -> RunSettings:
        """The settings with every change of limits applied."""
        return change_limits(settings, self.changes)


def change_limits(settings: RunSettings, changes: dict[str, float | int | None]) -> RunSettings:
    """Settings with other limits.

    Args:
        settings: As they were.
        changes: `rounds`, `concurrency`, `patience`, `target_wins`, and those of the budget: `usd`, `tokens`,
            `calls`, `minutes`.
    """
    budget = {key: value for key, value in changes.items() if key in BudgetSettings.__struct_fields__}
    replace = msgspec.structs.replace
    settings = replace(settings, budget=replace(settings.budget, **budget))
    if "rounds" in changes:
        settings = replace(settings, max_rounds=changes["rounds"])
    others = {key: changes[key] for key in ("concurrency", "patience", "target_wins") if key in changes}
    return replace(settings, **others)
