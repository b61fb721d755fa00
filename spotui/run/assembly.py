"""Putting an engine together from a run's settings."""

import random
from collections.abc import Callable, Mapping

from spotui.engine.asking import Asker
from spotui.engine.context import Context
from spotui.engine.decisions import Decisions
from spotui.engine.embed import Embedder
from spotui.engine.engine import Engine
from spotui.engine.execute import Executor
from spotui.engine.judge import FallbackJudge, Judge, VotingJudge
from spotui.engine.likelihood import LikelihoodJudge
from spotui.engine.logprob import LogprobJudge
from spotui.engine.propose import Proposer
from spotui.engine.recorded_marks import RecordedMarks
from spotui.engine.rows import Splits
from spotui.engine.score import Scorer
from spotui.engine.stopping import Stopping
from spotui.engine.verbs import Verbs
from spotui.events import Event
from spotui.judging.ballots import coin_flips
from spotui.judging.majority import Majority
from spotui.judging.rule import Rule
from spotui.judging.sequential import BALANCED, THOROUGH, Sequential
from spotui.llm.door import Door
from spotui.meta_prompts import MetaPrompts
from spotui.run.chronicle import Chronicle
from spotui.run.work import Work
from spotui.settings.run_settings import RunSettings
from spotui.workspace.lines import RoundLine

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
