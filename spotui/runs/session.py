"""What is open while a run is worked on: its lock, its journal, its door, its engine."""

import os
import platform
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

import msgspec

from spotui.domain.errors import SpotuiError, causes, limit_reached
from spotui.domain.event_lines import WIRE_VERSION
from spotui.domain.events import (
    Event,
    Noticed,
    RunOpened,
    RunState,
    RunStopped,
    SpendingChanged,
    StateChanged,
)
from spotui.domain.outcomes import is_lead
from spotui.domain.records import AS_PLANNED, BatchLine, LimitsLine, Line, RoundLine, SessionLine, StopLine
from spotui.domain.version import VERSION
from spotui.engine.context import Context, Decisions, RecordedMarks
from spotui.engine.engine import Engine, Grant
from spotui.engine.stopping import Stopping
from spotui.judging.votes import judge_in_words
from spotui.lang import _
from spotui.llm.connections import Connections
from spotui.llm.door import Door, Trouble
from spotui.llm.limits import Gate, GateState
from spotui.llm.retry import Retry
from spotui.runs.means import ALONE, Means
from spotui.runs.prepare import Prepared
from spotui.runs.recorder import Chronicle, Earlier, Recorder
from spotui.runs.reserve import Reserve
from spotui.runs.result import FinalCheck, cause_of, optimize
from spotui.runs.snapshots import reopen
from spotui.runs.steering import Commands
from spotui.runs.task import is_judged
from spotui.runs.trust import StartMetric
from spotui.runs.verbs import ungraded, verbs_of
from spotui.settings.table import RunSettings, check_limits
from spotui.settings.values import InvalidSettingError
from spotui.workspace.history import SpoResults
from spotui.workspace.journal import Journal
from spotui.workspace.journal_reader import JournalError
from spotui.workspace.lock import Owner, ProjectLock
from spotui.workspace.projects import Project
from spotui.workspace.spo_files import set_aside_if_damaged

if TYPE_CHECKING:
    from spotui.llm.batches.collector import Batches
    from spotui.llm.batches.known import KnownBatches


class BatchMode(msgspec.Struct, frozen=True, kw_only=True):
    """How a session works with batches of its provider.

    Attributes:
        leaves: Whether it ends, with the reason `waiting`, when everything left to do waits for a batch.
        is_live: Whether calls that are in no batch yet are sent live.
        given_up: Batches whose calls are sent again, by the provider's name or ours.
    """

    leaves: bool = False
    is_live: bool = False
    given_up: tuple[str, ...] = ()

    def give_up_batches(self, journal: Journal, known: "KnownBatches") -> None:
        """Note which batches nobody waits for any more.

        Raises:
            SpotuiError: A batch is unknown.
            JournalError: It cannot be noted.
        """
        for name in self.given_up:
            if not (tokens := known.named([name])):
                names = ", ".join(one.id or one.token for one in known.by_token.values())
                raise SpotuiError(
                    _("The run waits for no batch {name}.", name=name),
                    _("It waits for {names}.", names=names) if names else _("It waits for none: resume it."),
                )
            for token in tokens:
                journal.append(BatchLine(token=token, state="given_up"))
                known.close(token)


_STATES: Mapping[GateState, RunState] = {"open": "running", "paused": "paused", "halting": "stopping"}

RAISED_BY_A_LISTENER = "A listener of the run raised this."
"""The note on an exception that is not the method's, and that whoever listens gets back."""


@dataclass(kw_only=True)
class Session:
    """An open run; made by `open_session`.

    Attributes:
        project: Its project.
        prepared: What it was started with, with every change of its limits.
        journal: Where everything is recorded.
        earlier: What earlier sessions recorded.
        door: The way to the models.
        engine: What its method works with.
        recorder: Writes down the rounds that ended.
        reserve: Keeps back what the test at the end takes.
        commands: Carries out commands.
        notices: What was put right when it was opened.
        is_begun: Whether this session adds to the journal: there is work to do, or a limit has changed.
        batches: Sends calls as batches; None where none are.
        emit: Called with every event.
    """

    project: Project
    prepared: Prepared
    journal: Journal
    earlier: Earlier
    door: Door
    engine: Engine
    recorder: Recorder
    reserve: Reserve
    commands: Commands
    notices: list[Noticed]
    is_begun: bool
    batches: "Batches | None"
    emit: Callable[[Event], None]

    def announce(self) -> None:
        """Report what is opened, and what earlier sessions spent."""
        prepared, settings, task = self.prepared, self.prepared.settings, self.engine.task
        self.emit(
            RunOpened(
                version=WIRE_VERSION,
                project=self.project.name,
                folder=str(self.project.folder),
                run=prepared.run,
                method=prepared.name,
                models={role: settings.roles.of(role).model for role in settings.asked},
                rounds=settings.max_rounds,
                questions=tuple(one.question for one in task.questions),
                held_out=len(task.held_out),
                judge=settings.judge,
                prompt=task.prompt,
                recorded=self.earlier.calls,
                parameters=msgspec.to_builtins(prepared.parameters),
                rows=prepared.sizes,
                metric=prepared.metric,
                judge_unit=settings.judge_unit,
                judge_json=settings.judge_json,
                judges=settings.panel[1:] if "evaluator" in settings.asked else (),
                embedding_model=settings.embedding_model or "",
                limits=settings.limits,
                notes=self.prepared.method.notes,
                columns=tuple(one.name for one in self.prepared.method.columns),
            )
        )
        self.emit(self.spending())
        for notice in self.notices:
            self.emit(notice)

    def spending(self) -> SpendingChanged:
        """What the run has cost so far."""
        spent = self.door.budget.spending
        return SpendingChanged(
            calls=spent.calls,
            prompt_tokens=spent.prompt_tokens,
            completion_tokens=spent.completion_tokens,
            cost_usd=spent.cost_usd,
            unpriced=spent.unpriced,
            estimated=spent.estimated,
            in_flight=self.door.gate.in_flight,
            seconds=self.door.budget.seconds,
        )

    async def work(self) -> RunStopped:
        """Run the method until a stop reason, and record it."""
        is_wanted = self.prepared.settings.final_check and not self.prepared.method.scores
        check = FinalCheck(self.engine, self.earlier, is_wanted=is_wanted, keep=self._keep, emit=self.emit)
        test = None
        async with self.door.keeping_time():
            try:
                ending = await optimize(
                    self.prepared, self.engine, check, self.reserve, self.earlier, self._keep, self.emit
                )
                reason, cause, test = ending
            except Exception as error:
                if not _is_of_the_method(error):
                    raise
                reason = "failed"
                cause = cause_of(error, self.project.name, self.door.connections.secrets)
        await self.recorder.finish()
        if self.batches is not None and reason in AS_PLANNED:
            self.batches.finish()
        try:
            self.journal.check_untouched()
        except JournalError as error:
            reason, cause = "failed", str(error)
        self.engine.conclude()
        best = self.engine.seed if check.is_refuted else self.engine.best_candidate
        outcome = self.engine.best_outcome if best.round > 1 else "seed"
        leads = is_lead(outcome, best.round, test)
        stopped = RunStopped(
            reason=reason,
            cause=cause,
            best=best.round,
            improved=best.round > 1 and not leads,
            lead=leads,
            rounds=self.engine.ended,
            prompt=best.prompt,
            resumable=reason not in AS_PLANNED,
        )
        before = self.earlier.stop
        if self.is_begun or before is None or (before.reason, before.best) != (reason, best.round):
            seconds = round(self.door.budget.seconds, 3)
            spent = msgspec.structs.asdict(self.door.budget.spending)
            self._keep(StopLine(reason=reason, cause=cause, best=best.round, seconds=seconds, **spent))
        self.emit(stopped)
        return stopped

    def _keep(self, line: Line) -> None:
        try:
            self.journal.append(line)
        except JournalError as error:
            self.emit(Noticed(text=str(error), level="error"))


@asynccontextmanager
async def open_session(
    project: Project,
    connect: Callable[[RunSettings], Connections],
    *,
    on_trouble: Trouble,
    changes: Mapping[str, float | int | None],
    emit: Callable[[Event], None],
    start_metric: StartMetric,
    means: Means = ALONE,
    batch_mode: BatchMode = BatchMode(),  # noqa: B008 - it is frozen
) -> AsyncIterator[Session]:
    """Open a project for work, and let go of everything at the end.

    Raises:
        SpotuiError: It is locked or damaged, or a role leads nowhere; or a batch that is given up is unknown.
    """
    async with AsyncExitStack() as cleanup:
        started = reopen(project)
        lock = ProjectLock(project.lock, project.name)
        before = lock.acquire()
        cleanup.callback(lock.release)
        earlier = Earlier()
        journal = cleanup.enter_context(Journal(project.journal, writable=True, each=earlier.take))
        added = _take_over(project, journal, earlier)
        earlier.end()
        prepared = _with_limits(started, earlier, changes, project.name)
        settings = prepared.settings
        marker = prepared.marker(start_metric) if prepared.is_marked else None
        connections = connect(settings)
        cleanup.push_async_callback(connections.aclose)
        for model in settings.models:
            connections.to(model)
        door = Door(
            connections=connections,
            ledger=means.ledger(journal),
            budget=means.budget(settings.budget, earlier),
            gate=Gate(
                lambda state, _: lock.note_pause(is_paused=state == "paused"),
                lambda state, cause: emit(StateChanged(state=_STATES[state], cause=cause)),
            ),
            retry=Retry(settings.retry),
            emit=emit,
            on_trouble=on_trouble,
            files=prepared.files,
        )
        batches = None
        if settings.batched or earlier.batches.by_token:
            from spotui.llm.batches.collector import Batching

            batch_mode.give_up_batches(journal, earlier.batches)
            how = Batching(known=earlier.batches, leaves=batch_mode.leaves, is_live=batch_mode.is_live)
            batches = await cleanup.enter_async_context(door.batching(how))
        decisions = Decisions(earlier.decisions)
        recorder = Recorder(project, journal, earlier, emit)
        cleanup.callback(recorder.close)
        chronicle, reserve = Chronicle(emit), Reserve(prepared, door, emit)

        def record(line: RoundLine) -> RoundLine:
            reserve.renew()
            return recorder.take(chronicle.close(line))

        asker = prepared.asker(door)
        marks = RecordedMarks(journal)
        context = Context(
            prepared.task,
            prepared.meta,
            asker,
            door.gate,
            decisions,
            chronicle.emit,
            marks,
            prepared.method.declared,
        )
        engine = Engine(
            verbs_of(prepared, context, marker),
            rounds=settings.max_rounds,
            stopping=Stopping(settings.patience, settings.target_wins),
            recorded=earlier.rounds,
            record=record,
            grant=_grant(started),
            closes=settings.demonstrations is not None,
        )
        cleanup.callback(engine.close)
        commands = Commands(
            engine=engine,
            door=door,
            decisions=decisions,
            recorder=recorder,
            journal=journal,
            settings=settings,
            takes_hints=prepared.method.package is None and "optimizer" in settings.asked,
            emit=emit,
        )
        notices = [*added, *_repair(project, journal, before), *ungraded(prepared)]
        is_begun = bool(changes) or earlier.stop is None or earlier.stop.reason not in AS_PLANNED
        if is_begun:
            judge = judge_in_words(settings.judge, settings.judge_unit, json=settings.judge_json)
            journal.append(SessionLine(pid=os.getpid(), host=platform.node(), spotui=VERSION, judge=judge))
        if changes:
            journal.append(LimitsLine(changes=dict(changes)))
        yield Session(
            project=project,
            prepared=prepared,
            journal=journal,
            earlier=earlier,
            door=door,
            engine=engine,
            recorder=recorder,
            reserve=reserve,
            commands=commands,
            notices=notices,
            is_begun=is_begun,
            batches=batches,
            emit=emit,
        )


def _grant(started: Prepared) -> Grant | None:
    """The calls that the run was started with, without those of the test at the end, and a few to spare."""
    calls, rows = started.settings.budget.calls, started.rows
    if calls is None:
        return None
    tested = 2 * len(rows.test) if rows is not None and started.final_test else 0
    kept = tested * (1 + is_judged(started.template))
    return Grant(int(calls) - kept - kept // 20, started.settings.max_rounds)


def _with_limits(
    started: Prepared, earlier: Earlier, changes: Mapping[str, float | int | None], name: str
) -> Prepared:
    """The run with every change of its limits, those of earlier sessions first.

    Raises:
        SpotuiError: A limit does not exist or does not take its value, or more rounds have ended.
    """
    try:
        check_limits(changes)
    except InvalidSettingError as error:
        raise SpotuiError(_("The run cannot be changed: {error}", error=error)) from None
    earlier.changes.update(changes)
    settings, last = earlier.limits(started.settings), max(earlier.rounds, default=0)
    if "rounds" not in changes and earlier.rounds and earlier.rounds[last].added:
        settings = msgspec.structs.replace(settings, max_rounds=max(settings.max_rounds, last))
    if settings.max_rounds < last:
        raise SpotuiError(
            _(
                "{name} has {last} rounds already, more than {max_rounds}.",
                name=name,
                last=last,
                max_rounds=settings.max_rounds,
            ),
            _("Ask for as many or more, or branch from an earlier round."),
        )
    return msgspec.structs.replace(started, settings=settings)


def _take_over(project: Project, journal: Journal, earlier: Earlier) -> list[Noticed]:
    """Put the rounds that SPO's own tool added into the journal, and say so.

    Raises:
        JournalError: It cannot be written.
        SpotuiError: The project's folder cannot.
    """
    results = SpoResults(project)
    added = results.added(earlier.rounds.values())
    if not added:
        return []
    for line in added:
        journal.append(line)
        earlier.take(line)
    try:
        results.take_over()
    except OSError as error:
        raise SpotuiError(
            _("{folder} cannot be written: {strerror}.", folder=project.folder, strerror=error.strerror)
        ) from None
    which = ", ".join(str(line.round) for line in added)
    text = _("Rounds that SPO's own tool added are kept: {which}. The run continues after them.", which=which)
    return [Noticed(text=text)]


def _repair(project: Project, journal: Journal, before: Owner | None) -> list[Noticed]:
    """Put right what a crash left behind, and say so."""
    notices = []
    if before is not None:
        text = _(
            "Process {pid} on {host} left the project without closing it; it is taken over.",
            pid=before.pid,
            host=before.host,
        )
        notices.append(Noticed(text=text))
    if journal.dropped:
        text = _("A torn last line of the journal ({dropped} bytes) was dropped.", dropped=journal.dropped)
        notices.append(Noticed(text=text, level="warning"))
    if aside := set_aside_if_damaged(project.prompts):
        text = _(
            "results.json was damaged: it is kept as {name} and restored from the journal.", name=aside.name
        )
        notices.append(Noticed(text=text, level="warning"))
    return notices


def _is_of_the_method(error: Exception) -> bool:
    """Whether code of the method or the metric raised it, and not spotui, the system or a listener."""
    if isinstance(error, SpotuiError) or limit_reached(error) is not None:
        return False
    return not any(RAISED_BY_A_LISTENER in getattr(one, "__notes__", ()) for one in causes(error))
