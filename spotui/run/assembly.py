"""Putting an engine together from a run's settings."""

import random
from collections.abc import Callable, Mapping

from spotui.engine.asking import Asker
from spotui.engine.context import Context
from spotui.engine.decisions import Decisions
from spotui.engine.engine import Engine
from spotui.engine.execute import Executor
from spotui.engine.judge import Judge, VotingJudge
from spotui.engine.likelihood import LikelihoodJudge
from spotui.engine.propose import Proposer
from spotui.engine.rows import Splits
from spotui.engine.score import Scorer
from spotui.engine.verbs import Verbs
from spotui.events import Event
from spotui.judging.ballots import coin_flips
from spotui.judging.majority import Majority
from spotui.judging.rule import Rule
from spotui.judging.sequential import BALANCED, THOROUGH, Sequential
from spotui.llm.door import Door
from spotui.meta_prompts import MetaPrompts
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
) -> Engine:
    """The engine of one run."""
    task = work.task
    context = Context(task, meta, Asker(door, settings.roles), door.gate, decisions, emit)
    scorer = None
    if work.marker is not None and task.rows is not None:
        scorer = Scorer(context, work.marker(context), work.layout, Splits(task.rows), settings.seed)
    verbs = Verbs(context, Proposer(context), Executor(context), _judge(context, settings), scorer)
    return Engine(verbs, rounds=settings.max_rounds, recorded=recorded, record=record)


def _judge(context: Context, settings: RunSettings) -> Judge:
    match settings.judge:
        case "likelihood":
            return LikelihoodJudge(context)
        case "reference":

            def flip(number: int) -> Rule:
                rng = random.Random(f"{settings.seed}/ballots/{number}")  # noqa: S311 - reproducible on purpose
                return Majority(coin_flips(REFERENCE_BALLOTS, rng))

            return VotingJudge(context, flip)
        case "balanced":
            return VotingJudge(context, lambda _: Sequential(BALANCED))
        case "thorough":
            return VotingJudge(context, lambda _: Sequential(THOROUGH))
