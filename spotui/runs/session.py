"""What is open while a run is worked on: its lock, its journal, its door, its engine."""

import os
import platform
import random
import traceback
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import AsyncExitStack, asynccontextmanager

import msgspec

from spotui.domain.errors import SpotuiError, causes, limit_reached
from spotui.domain.events import (
    WIRE_VERSION,
    Event,
    Noticed,
    RunOpened,
    RunState,
    RunStopped,
    SpendingChanged,
    StateChanged,
)
from spotui.domain.records import AS_PLANNED, LimitsLine, Line, RoundLine, SessionLine, StopLine
from spotui.domain.secret import redacted
from spotui.domain.verdicts import StopReason
from spotui.domain.version import VERSION
from spotui.engine.asking import Asker, Embedder
from spotui.engine.context import Context, Decisions, RecordedMarks
from spotui.engine.engine import Engine
from spotui.engine.execute import Executor
from spotui.engine.judge import FallbackJudge, Judge, VotingJudge
from spotui.engine.meta_prompts import MetaPrompts
from spotui.engine.propose import Proposer
from spotui.engine.round import Stopping, Verbs
from spotui.engine.score import Scorer
from spotui.engine.task import Splits
from spotui.engine.token_judges import LikelihoodJudge, LogprobJudge
from spotui.judging.decision import BALANCED, THOROUGH, Majority, Rule, Sequential
from spotui.judging.votes import coin_flips, judge_in_words
from spotui.llm.budget import Budget
from spotui.llm.connections import Connections
from spotui.llm.door import Door, Trouble
from spotui.llm.limits import Gate, GateState
from spotui.llm.retry import Retry
from spotui.methods.method import fault_in_words
from spotui.runs.optimize import FinalCheck, optimize
from spotui.runs.recorder import Chronicle, Past, Recorder
from spotui.runs.setup import load_settings
from spotui.runs.steering import Orders
from spotui.runs.trust import StartMetric
from spotui.runs.work import Work, load_work
from spotui.settings import locations
from spotui.settings.run_settings import InvalidSettingError, RunSettings, check_limits
from spotui.workspace.history import SpoResults
from spotui.workspace.journal import Journal
from spotui.workspace.journal_reader import JournalError
from spotui.workspace.lock import Owner, ProjectLock
from spotui.workspace.projects import Project
from spotui.workspace.snapshot import Snapshot, read_snapshot
from spotui.workspace.spo_files import set_aside_if_damaged

REFERENCE_BALLOTS = 4


def assemble(
    work: Work,
    settings: RunSettings,
    meta: MetaPrompts,
    door: Door,
    decisions: Decisions,
    emit: Callable[[Event], None],
    recorded: Mapping[int, RoundLine],
    record: Callable[[RoundLine], RoundLine],
    marks: RecordedMarks,
) -> Engine:
    """The engine of one run."""
    task = work.task
    chronicle = Chronicle(emit)
    asker = Asker(door, settings.roles, settings.embedding_model or "")
    context = Context(task, meta, asker, door.gate, decisions, chronicle.emit, marks)
    scorer = None
    if work.marker is not None and task.rows is not None:
        scorer = Scorer(context, work.marker(context), work.layout, Splits(task.rows), settings.seed)
    verbs = Verbs(
        context,
        Proposer(context),
        Executor(context),
        make_judge(context, settings),
        Embedder(asker, chronicle.emit),
        scorer,
    )
    stopping = Stopping(settings.patience, settings.target_wins)
    return Engine(
        verbs,
        rounds=settings.max_rounds,
        stopping=stopping,
        recorded=recorded,
        record=lambda line: record(chronicle.close(line)),
    )


def make_judge(context: Context, settings: RunSettings) -> Judge:
    """The judge that the settings ask for."""
    if settings.judge == "likelihood":
        return LikelihoodJudge(context)
    voting = VotingJudge(
        context,
        lambda number: _rule(settings, number),
        models=settings.panel,
        unit=settings.judge_unit,
        json=settings.judge_json,
    )
    if settings.judge == "logprob":
        return FallbackJudge(LogprobJudge(context, settings.judge_unit), voting, context.emit)
    return voting


def _rule(settings: RunSettings, number: int) -> Rule:
    match settings.judge:
        case "reference":
            rng = random.Random(f"{settings.seed}/ballots/{number}")  # noqa: S311 - reproducible on purpose
            return Majority(coin_flips(REFERENCE_BALLOTS, rng))
        case "thorough":
            return Sequential(THOROUGH)
        case _:
            return Sequential(BALANCED)


_STATES: Mapping[GateState, RunState] = {"open": "running", "paused": "paused", "halting": "stopping"}

RAISED_BY_A_LISTENER = "A listener of the run raised this."
"""The note on an exception that is not the method's, and that whoever listens gets back."""


class Session:
    """An open run; made by `open_session`.

    Attributes:
        door: The way to the models.
        orders: Carries out commands.
    """

    def __init__(
        self,
        *,
        project: Project,
        snapshot: Snapshot,
        settings: RunSettings,
        journal: Journal,
        past: Past,
        door: Door,
        engine: Engine,
        recorder: Recorder,
        orders: Orders,
        notices: list[Noticed],
        is_begun: bool,
        work: Work,
        emit: Callable[[Event], None],
    ) -> None:
        self.door = door
        self.orders = orders
        self._project = project
        self._snapshot = snapshot
        self._settings = settings
        self._journal = journal
        self._past = past
        self._engine = engine
        self._recorder = recorder
        self._notices = notices
        self._is_begun = is_begun
        self._work = work
        self._emit = emit
        self._check = FinalCheck(
            engine,
            past,
            is_wanted=settings.final_check and not work.method.scores,
            keep=self._keep,
            emit=emit,
        )

    def announce(self) -> None:
        """Tell what is being opened, and what earlier sessions spent."""
        task, settings = self._engine.task, self._settings
        self._emit(
            RunOpened(
                version=WIRE_VERSION,
                project=self._project.name,
                folder=str(self._project.folder),
                run=self._snapshot.run,
                method=self._snapshot.method,
                models={role: settings.roles.of(role).model for role in settings.asked},
                rounds=settings.max_rounds,
                questions=tuple(one.question for one in task.questions),
                held_out=len(task.held_out),
                judge=settings.judge,
                prompt=task.prompt,
                recorded=self._past.calls,
                parameters=msgspec.to_builtins(self._work.parameters),
                rows=self._work.sizes,
                metric=self._work.metric,
                judge_unit=settings.judge_unit,
                judge_json=settings.judge_json,
                judges=settings.panel[1:] if "evaluator" in settings.asked else (),
                embedding_model=settings.embedding_model or "",
                limits=settings.limits,
            )
        )
        self._emit(self.spending())
        for notice in self._notices:
            self._emit(notice)

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
        async with self.door.keeping_time():
            try:
                reason, cause = await optimize(
                    self._work, self._engine, self._check, self._past, self._keep, self._emit
                )
            except Exception as error:
                if (
                    isinstance(error, SpotuiError)
                    or limit_reached(error) is not None
                    or _is_of_a_listener(error)
                ):
                    raise
                reason, cause = "failed", self._fault(error)
        await self._recorder.finish()
        try:
            self._journal.check_untouched()
        except JournalError as error:
            reason, cause = "failed", str(error)
        self._engine.conclude()
        stopped = self._stopped(reason, cause)
        if self._is_news(stopped):
            seconds = round(self.door.budget.seconds, 3)
            spent = msgspec.structs.asdict(self.door.budget.spending)
            self._keep(StopLine(reason=reason, cause=cause, best=stopped.best, seconds=seconds, **spent))
        self._emit(stopped)
        return stopped

    def _fault(self, error: Exception) -> str:
        """The cause of a run that code of its method or metric ended, and the traceback in the run's log."""
        log, secrets = locations.run_log(self._project.name), self.door.connections.secrets
        # The values of variables stay out, and keys that a message holds are masked.
        text = redacted("".join(traceback.format_exception(error)), secrets)
        try:
            with locations.open_log(log, "ab") as file:
                file.write(f"spotui {VERSION}\n{text}".encode("utf-8", "replace"))
            where = f"The traceback is in {log}."
        except OSError as fault:
            where = f"The traceback could not be written to {log}: {fault.strerror}."
        what = redacted(fault_in_words(error), secrets)
        return f"The run failed with {what}. {where} Fix the cause, then resume the run."

    def _stopped(self, reason: StopReason, cause: str) -> RunStopped:
        best = self._engine.seed if self._check.is_refuted else self._engine.best_candidate
        return RunStopped(
            reason=reason,
            cause=cause,
            best=best.round,
            improved=best.round > 1,
            rounds=self._engine.ended,
            prompt=best.prompt,
            resumable=reason not in AS_PLANNED,
        )

    def _is_news(self, stopped: RunStopped) -> bool:
        before = self._past.stop
        ended = (stopped.reason, stopped.best)
        return self._is_begun or before is None or (before.reason, before.best) != ended

    def _keep(self, line: Line) -> None:
        try:
            self._journal.append(line)
        except JournalError as error:
            self._emit(Noticed(text=str(error), level="error"))


@asynccontextmanager
async def open_session(
    project: Project,
    connect: Callable[[RunSettings], Connections],
    *,
    on_trouble: Trouble,
    changes: Mapping[str, float | int | None],
    emit: Callable[[Event], None],
    start_metric: StartMetric,
) -> AsyncIterator[Session]:
    """Open a project for work, and let go of everything at the end.

    Raises:
        SpotuiError: It is locked or damaged, or a role leads nowhere.
    """
    async with AsyncExitStack() as cleanup:
        snapshot = read_snapshot(project.snapshot)
        lock = ProjectLock(project.lock, project.name)
        before = lock.acquire()
        cleanup.callback(lock.release)
        past = Past()
        journal = cleanup.enter_context(Journal(project.journal, writable=True, each=past.take))
        added = _take_over(project, journal, past)
        past.end()
        try:
            check_limits(changes)
        except InvalidSettingError as error:
            raise SpotuiError(f"The run cannot be changed: {error}") from None
        past.changes.update(changes)
        settings = past.limits(load_settings(snapshot, project.snapshot))
        last = max(past.rounds, default=0)
        if "rounds" not in changes and past.rounds and past.rounds[last].added:
            settings = msgspec.structs.replace(settings, max_rounds=max(settings.max_rounds, last))
        if settings.max_rounds < last:
            raise SpotuiError(
                f"{project.name} has {last} rounds already, more than {settings.max_rounds}.",
                "Ask for as many or more, or branch from an earlier round.",
            )
        work = load_work(snapshot, project, settings, start_metric)
        connections = connect(settings)
        cleanup.push_async_callback(connections.aclose)
        for model in settings.models:
            connections.to(model)
        door = Door(
            connections=connections,
            ledger=journal,
            budget=Budget(settings.budget, past.spending, past.seconds),
            gate=Gate(lambda state, cause: emit(StateChanged(state=_STATES[state], cause=cause))),
            retry=Retry(settings.retry),
            emit=emit,
            on_trouble=on_trouble,
        )
        decisions = Decisions(past.decisions)
        recorder = Recorder(project, journal, past, emit)
        cleanup.callback(recorder.close)
        meta = MetaPrompts.kept(
            snapshot.meta_prompts,
            str(project.snapshot),
            declared=work.method.meta_prompts,
            keeps_empty=snapshot.edition < 3,
        )
        marks = RecordedMarks(journal)
        engine = assemble(work, settings, meta, door, decisions, emit, past.rounds, recorder.take, marks)
        cleanup.callback(engine.close)
        orders = Orders(
            engine=engine,
            door=door,
            decisions=decisions,
            recorder=recorder,
            journal=journal,
            settings=settings,
            emit=emit,
        )
        notices = [*added, *_mend(project, journal, before)]
        is_begun = bool(changes) or past.stop is None or past.stop.reason not in AS_PLANNED
        if is_begun:
            judge = judge_in_words(settings.judge, settings.judge_unit, json=settings.judge_json)
            journal.append(SessionLine(pid=os.getpid(), host=platform.node(), spotui=VERSION, judge=judge))
        if changes:
            journal.append(LimitsLine(changes=dict(changes)))
        yield Session(
            project=project,
            snapshot=snapshot,
            settings=settings,
            journal=journal,
            past=past,
            door=door,
            engine=engine,
            recorder=recorder,
            orders=orders,
            notices=notices,
            is_begun=is_begun,
            work=work,
            emit=emit,
        )


def _take_over(project: Project, journal: Journal, past: Past) -> list[Noticed]:
    """Put the rounds that SPO's own tool added into the journal, and say so.

    Raises:
        JournalError: It cannot be written.
        SpotuiError: The project's folder cannot.
    """
    results = SpoResults(project)
    added = results.added(past.rounds.values())
    if not added:
        return []
    for line in added:
        journal.append(line)
        past.take(line)
    try:
        results.take_over()
    except OSError as error:
        raise SpotuiError(f"{project.folder} cannot be written: {error.strerror}.") from None
    which = ", ".join(str(line.round) for line in added)
    text = f"Rounds that SPO's own tool added are kept: {which}. The run continues after them."
    return [Noticed(text=text)]


def _mend(project: Project, journal: Journal, before: Owner | None) -> list[Noticed]:
    """Put right what a crash left behind, and say so."""
    notices = []
    if before is not None:
        text = f"Process {before.pid} on {before.host} left the project without closing it; it is taken over."
        notices.append(Noticed(text=text))
    if journal.dropped:
        text = f"A torn last line of the journal ({journal.dropped} bytes) was dropped."
        notices.append(Noticed(text=text, level="warning"))
    if aside := set_aside_if_damaged(project.prompts):
        text = f"results.json was damaged: it is kept as {aside.name} and restored from the journal."
        notices.append(Noticed(text=text, level="warning"))
    return notices


def _is_of_a_listener(error: Exception) -> bool:
    return any(RAISED_BY_A_LISTENER in getattr(one, "__notes__", ()) for one in causes(error))
