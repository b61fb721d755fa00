"""Putting an engine together from a run's settings."""

import random
from collections.abc import Callable, Sequence

from spotui.engine.asking import Asker
from spotui.engine.decisions import Decisions
from spotui.engine.engine import Engine
from spotui.engine.execute import Executor
from spotui.engine.judge import Judge, VotingJudge
from spotui.engine.likelihood import LikelihoodJudge
from spotui.engine.propose import Proposer
from spotui.engine.task import Task
from spotui.events import Event
from spotui.judging.ballots import Ballot, balanced, coin_flips
from spotui.llm.door import Door
from spotui.llm.local.forced import literal_grammar
from spotui.llm.local.grammar import tagged_grammar
from spotui.meta_prompts import MetaPrompts
from spotui.settings.run_settings import RunSettings
from spotui.workspace.lines import RoundLine

BALANCED_PAIRS = 2
REFERENCE_BALLOTS = 4
LIKELIHOOD_MARGIN = 0.02


def assemble(
    task: Task,
    settings: RunSettings,
    meta: MetaPrompts,
    door: Door,
    decisions: Decisions,
    emit: Callable[[Event], None],
    record: Callable[[RoundLine], RoundLine],
) -> Engine:
    """The engine of one run."""
    asker = Asker(door, settings.roles)
    return Engine(
        task=task,
        meta=meta,
        asker=asker,
        proposer=Proposer(
            asker, meta["spo_repair"], grammar=tagged_grammar, word_limit=task.word_limit, emit=emit
        ),
        executor=Executor(asker, meta["execute_repair"], emit),
        judge=_judge(task, settings, meta, asker, decisions, emit),
        decisions=decisions,
        gate=door.gate,
        rounds=settings.max_rounds,
        emit=emit,
        record=record,
    )


def _judge(
    task: Task,
    settings: RunSettings,
    meta: MetaPrompts,
    asker: Asker,
    decisions: Decisions,
    emit: Callable[[Event], None],
) -> Judge:
    match settings.judge:
        case "likelihood":
            return LikelihoodJudge(
                asker,
                task,
                meta,
                force=literal_grammar,
                margin=LIKELIHOOD_MARGIN,
                decisions=decisions,
                emit=emit,
            )
        case "reference":

            def ballots(number: int) -> Sequence[Ballot]:
                rng = random.Random(f"{settings.seed}/ballots/{number}")  # noqa: S311 - reproducible on purpose
                return coin_flips(REFERENCE_BALLOTS, rng)
        case "balanced":

            def ballots(number: int) -> Sequence[Ballot]:  # noqa: ARG001 - every round has the same
                return balanced(BALANCED_PAIRS)

    return VotingJudge(asker, task, meta, ballots, decisions, emit)
