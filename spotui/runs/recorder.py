"""What earlier sessions of a run left behind, and how finished rounds are kept."""

import asyncio
from collections.abc import Callable, Iterable
from datetime import datetime
from typing import Final

import msgspec

from spotui.domain.calls import Reply, Usage
from spotui.domain.event_lines import encode_event
from spotui.domain.events import (
    CandidateProposed,
    CandidateRefused,
    CandidateScored,
    Event,
    MethodEvent,
    Noticed,
)
from spotui.domain.records import (
    AnswerRecord,
    AnyLine,
    CallKey,
    CallLine,
    CheckLine,
    DroppedLine,
    EditLine,
    FinalTestLine,
    HintLine,
    LimitsLine,
    OverrideLine,
    RoundLine,
    SentLine,
    SessionLine,
    StopLine,
    VoteLine,
)
from spotui.lang import _, as_english
from spotui.llm.batches.known import KnownBatches
from spotui.llm.protocol import is_sane_cost, recorded_reply
from spotui.llm.spending import Spending
from spotui.settings.table import BudgetSettings, RunSettings
from spotui.workspace.history import apply_overrides
from spotui.workspace.journal import Journal
from spotui.workspace.journal_reader import JournalError
from spotui.workspace.projects import Project
from spotui.workspace.spo_files import project_rounds, write_rounds


class _Paid(msgspec.Struct):
    """The part of a reply that says what it cost."""

    usage: Usage
    cost_usd: float | None = None


_paid = msgspec.json.Decoder(_Paid)


class Earlier:
    """A journal's lines, read once at the start of a session.

    Args:
        lines: From the first to the last.

    Attributes:
        spending: Of all sessions.
        by_round: What finished calls took, by purpose and round.
        rounds: Every round that ended, by number.
        decisions: What people decided.
        changes: Limits that were changed, the last value of each.
        stop: How the last session ended, or None when it was cut off.
        test: The last test of the best prompt.
        check: The last final check.
        calls: Finished calls.
        batches: Batches that were handed in and are not collected.
    """

    def __init__(self, lines: Iterable[AnyLine] = ()) -> None:
        self.spending = Spending()
        self.by_round: dict[tuple[str, int], Spending] = {}
        self.calls = 0
        self.rounds: dict[int, RoundLine] = {}
        self.decisions: list[VoteLine | EditLine | OverrideLine | HintLine] = []
        self.changes: dict[str, float | int | None] = {}
        self.stop: StopLine | None = None
        self.test: FinalTestLine | None = None
        self.check: CheckLine | None = None
        self.batches = KnownBatches()
        self._in_flight: dict[CallKey, SentLine] = {}
        self._time = _WorkingTime()
        for line in lines:
            self.take(line)
        self.end()

    def take(self, line: AnyLine) -> None:
        """Take the next line in; after the last one, `end` is to be called."""
        if not (isinstance(line, RoundLine) and line.added):  # SPO's own tool worked then, not this run
            self._time.take(line)
        self.batches.take(line)
        match line:
            case CallLine():
                self._in_flight.pop(line.key, None)
                paid: _Paid | Reply = _paid.decode(line.reply)
                if not (paid.usage.is_sane and is_sane_cost(paid.cost_usd)):
                    paid = recorded_reply(line)
                self.calls += 1
                usage = paid.usage
                place = line.key.purpose, line.key.round
                for spending in (self.spending, self.by_round.setdefault(place, Spending())):
                    spending.add(
                        usage.prompt_tokens, usage.completion_tokens, paid.cost_usd, estimated=usage.estimated
                    )
            case SentLine():
                self._in_flight[line.key] = line
            case DroppedLine():
                self._in_flight.pop(line.key, None)
                self._count(line, estimated=line.estimated)
            case RoundLine():
                self.rounds[line.round] = line
            case SessionLine():
                self._count_lost()
                self.stop = None
            case VoteLine() | EditLine() | OverrideLine() | HintLine():
                self.decisions.append(line)
            case LimitsLine():
                self.changes.update(line.changes)
            case FinalTestLine():
                self.test = line
            case CheckLine():
                self.check = line
            case StopLine():
                self._in_flight.clear()  # it ended in order: what is left was refused by its endpoint
                self.stop = line
            case _:
                pass

    def end(self) -> None:
        """Count what the last session left behind."""
        self._count_lost()

    @property
    def seconds(self) -> float:
        """Time worked on the run."""
        return self._time.seconds

    def _count_lost(self) -> None:
        """Count what was in flight when a process died: the endpoint may charge for it."""
        for line in self._in_flight.values():
            self._count(line, estimated=True)
        self._in_flight.clear()

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


class Chronicle:
    """Passes events on, and gives those that only they hold to the journal when their round has ended.

    A run that is resumed goes through its rounds again and tells everything once more; the journal has
    the line of such a round already, and with it what was reported.

    Args:
        emit: Receives everything.
    """

    def __init__(self, emit: Callable[[Event], None]) -> None:
        self._emit = emit
        self._told: dict[int, list[Event]] = {}

    def emit(self, event: Event) -> None:
        """Pass an event on."""
        if isinstance(event, MethodEvent) and not _is_of_the_test(event):
            self._told.setdefault(event.round, []).append(event)
        self._emit(event)

    def close(self, line: RoundLine) -> RoundLine:
        """A round's line with its events, unless that is only the candidate it names."""
        told = self._told.pop(line.round, [])
        if all(isinstance(event, CandidateProposed | CandidateRefused) for event in told):
            return line
        return msgspec.structs.replace(
            line, told=tuple(msgspec.Raw(encode_event(one).rstrip()) for one in told)
        )


def _is_of_the_test(event: Event) -> bool:
    """Whether an event is of no round: the test at the end has its own line."""
    return isinstance(event, CandidateScored) and event.split == "test"


_REST: Final = 9
"""SPO's files hold all rounds, so with thousands of them they take long. They are written again after they
rested nine times as long as that took; only rounds of a few milliseconds notice it."""


class Recorder:
    """Takes rounds as they end and writes them down without keeping the next round waiting.

    Args:
        project: Where SPO's files are.
        journal: Where rounds are kept.
        earlier: What the journal holds already.
        emit: Told when something cannot be written.
    """

    def __init__(
        self,
        project: Project,
        journal: Journal,
        earlier: Earlier,
        emit: Callable[[Event], None],
    ) -> None:
        self._project = project
        self._journal = journal
        self._rounds = dict(earlier.rounds)
        self._overrides = [line for line in earlier.decisions if isinstance(line, OverrideLine)]
        self._emit = emit
        self._waiting: asyncio.Queue[RoundLine | None] = asyncio.Queue()
        self._due: float | None = None
        self._free_at = 0.0
        self._worker = asyncio.create_task(self._work())

    def take(self, line: RoundLine) -> RoundLine:
        """Take a round that ended; returns it as the journal has it, if it was recorded before.

        One that SPO's own tool added stays as that tool wrote it.
        """
        known = self._rounds.get(line.round)
        if known is not None and (known.added or _same(known, line)):
            return known
        self._rounds[line.round] = line
        self._waiting.put_nowait(line)
        return line

    def override(self, line: OverrideLine) -> None:
        """Take a person's verdict into SPO's files."""
        self._overrides.append(line)

    async def finish(self) -> None:
        """Wait until everything is written, and bring SPO's files up to date."""
        self._waiting.put_nowait(None)
        await self._worker
        await self._project_files()

    def close(self) -> None:
        """Stop writing; what was not written yet is found again when the run is resumed."""
        self._worker.cancel()

    async def _work(self) -> None:
        while True:
            try:
                async with asyncio.timeout_at(self._due):
                    line = await self._waiting.get()
            except TimeoutError:
                await self._project_files()
                continue
            if line is None:
                return
            await self._write(line)
            self._due = self._due or max(self._free_at, asyncio.get_running_loop().time())

    async def _write(self, line: RoundLine) -> None:
        tokens = await asyncio.to_thread(_spo_tokens, line.answers) if line.answers else 0
        line = msgspec.structs.replace(line, tokens=tokens)
        self._rounds[line.round] = _for_spo(line)
        try:
            self._journal.append(line)
        except JournalError as error:
            self._emit(
                Noticed(
                    text=_("{error} Round {round} is found again on resume.", error=error, round=line.round),
                    level="error",
                )
            )

    async def _project_files(self) -> None:
        clock = asyncio.get_running_loop().time
        self._due, began = None, clock()
        await self._bring_up_to_date()
        self._free_at = clock() + _REST * (clock() - began)

    async def _bring_up_to_date(self) -> None:
        rounds = project_rounds(apply_overrides(self._rounds.values(), self._overrides))
        try:
            await asyncio.to_thread(write_rounds, self._project.prompts, rounds)
        except OSError as error:
            text = _(
                "{prompts} cannot be written: {strerror}. The journal has every round.",
                prompts=self._project.prompts,
                strerror=error.strerror,
            )
            self._emit(Noticed(text=text, level="error"))


def rewrite_files(project: Project) -> None:
    """Write SPO's files of a run that another machine has worked on, from its journal.

    Raises:
        JournalError: The journal is damaged.
        OSError: The disk is full or read-only.
    """
    rounds: dict[int, RoundLine] = {}
    overrides: list[OverrideLine] = []
    with Journal(project.journal) as journal:
        for line in journal.lines():
            if isinstance(line, RoundLine):
                rounds[line.round] = line
            elif isinstance(line, OverrideLine):
                overrides.append(line)
    write_rounds(project.prompts, project_rounds(apply_overrides(rounds.values(), overrides)))


def _spo_tokens(answers: tuple[AnswerRecord, ...]) -> int:
    from spotui.llm.tokens import spo_tokens

    return spo_tokens(msgspec.to_builtins(answers, enc_hook=as_english))


def _for_spo(line: RoundLine) -> RoundLine:
    """A round without what SPO's files do not hold: there may be thousands."""
    return RoundLine(
        at=line.at,
        round=line.round,
        outcome=line.outcome,
        prompt=line.prompt,
        answers=line.answers,
        tokens=line.tokens,
    )


def _same(first: RoundLine, second: RoundLine) -> bool:
    return (first.outcome, first.prompt, first.answers) == (second.outcome, second.prompt, second.answers)
