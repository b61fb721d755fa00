"""What earlier sessions of a run left behind: what was spent, decided and changed."""

from collections.abc import Iterable
from datetime import datetime

import msgspec

from spotui.llm.budget import Spending
from spotui.llm.protocol import Reply, Usage
from spotui.llm.recorded_reply import is_sane_cost, recorded_reply
from spotui.settings.run_settings import BudgetSettings, RunSettings
from spotui.workspace.lines import (
    AnyLine,
    CallKey,
    CallLine,
    CheckLine,
    DroppedLine,
    EditLine,
    FinalTestLine,
    LimitsLine,
    OverrideLine,
    RoundLine,
    SentLine,
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
        in_flight: dict[CallKey, SentLine] = {}
        time = _WorkingTime()
        for line in lines:
            if not (isinstance(line, RoundLine) and line.added):  # SPO's own tool worked then, not this run
                time.take(line)
            match line:
                case SessionLine():
                    self._count_lost(in_flight)
                    self.stop = None
                case SentLine():
                    in_flight[line.key] = line
                case CallLine():
                    in_flight.pop(line.key, None)
                    paid: _Paid | Reply = _paid.decode(line.reply)
                    if not (paid.usage.is_sane and is_sane_cost(paid.cost_usd)):
                        paid = recorded_reply(line)
                    self.calls += 1
                    usage = paid.usage
                    self.spending.add(
                        usage.prompt_tokens, usage.completion_tokens, paid.cost_usd, estimated=usage.estimated
                    )
                case DroppedLine():
                    in_flight.pop(line.key, None)
                    self._count(line, estimated=line.estimated)
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
                    in_flight.clear()  # it ended in order: what is left was refused by its endpoint
                    self.stop = line
                case _:
                    pass
        self._count_lost(in_flight)
        self.seconds = time.seconds

    def _count_lost(self, in_flight: dict[CallKey, SentLine]) -> None:
        """Count what was in flight when a process died: the endpoint may charge for it."""
        for line in in_flight.values():
            self._count(line, estimated=True)
        in_flight.clear()

    def _count(self, line: SentLine | DroppedLine, *, estimated: bool) -> None:
        self.spending.add(line.prompt_tokens, line.completion_tokens, line.cost_usd, estimated=estimated)

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


class _WorkingTime:
    """Adds up the time worked on a run.

    Calls carry it, measured by a clock that nobody can set. A session without it, of an older version or
    without a call, counts the time between its lines, and nothing where the clock was set back.
    """

    def __init__(self) -> None:
        self._before = 0.0
        self._between_lines = 0.0
        self._measured = 0.0
        self._last: datetime | None = None

    @property
    def seconds(self) -> float:
        """The time until the last line."""
        return max(self._measured, self._before + (0.0 if self._measured else self._between_lines))

    def take(self, line: AnyLine) -> None:
        """Count the time up to a line."""
        match line:
            case SessionLine():
                self._before, self._between_lines, self._measured = self.seconds, 0.0, 0.0
                self._last = line.at
                return
            case SentLine() | CallLine() | DroppedLine():
                self._measured = max(self._measured, line.worked)
            case StopLine():
                self._measured = max(self._measured, line.seconds)
            case _:
                pass
        if self._last is not None:
            self._between_lines += max(0.0, (line.at - self._last).total_seconds())
            self._last = line.at
