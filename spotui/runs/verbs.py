"""The verbs of one run: what its method proposes, executes, judges and scores with."""

import random
from collections.abc import Callable

from spotui.domain.events import (
    Noticed,
)
from spotui.engine.asking import Embedder
from spotui.engine.context import Context
from spotui.engine.execute import Executor
from spotui.engine.grading import GRADED_METRICS, Grader
from spotui.engine.judge import FallbackJudge, Judge, VotingJudge
from spotui.engine.marking import Marker, MetricMarker
from spotui.engine.propose import Proposer
from spotui.engine.round import Verbs
from spotui.engine.score import Scorer
from spotui.engine.task import Splits
from spotui.engine.token_judges import LikelihoodJudge, LogprobJudge
from spotui.judging.decision import AT_ONCE, BALANCED, THOROUGH, Majority, Rule, Sequential
from spotui.judging.votes import coin_flips
from spotui.lang import _
from spotui.runs.prepare import Prepared
from spotui.settings.table import RunSettings

REFERENCE_BALLOTS = 4


def verbs_of(prepared: Prepared, context: Context, marker: Callable[[Context], Marker] | None) -> Verbs:
    """The verbs that the method is written in."""
    scorer = None
    if marker is not None and prepared.rows is not None:
        splits = Splits(prepared.rows)
        seed, racing, marks = prepared.settings.seed, prepared.racing, marker(context)
        grader = _grader(prepared, context, marks)
        scorer = Scorer(context, marks, prepared.layout, splits, seed, racing, grader)
    return Verbs(
        context,
        Proposer(context),
        Executor(context),
        make_judge(context, prepared.settings),
        Embedder(context.asker, context.emit),
        scorer,
    )


def make_judge(context: Context, settings: RunSettings) -> Judge:
    """The judge that the settings ask for."""
    if settings.judge == "likelihood":
        return LikelihoodJudge(context)
    voting = VotingJudge(
        context,
        lambda number: _rule(settings, number, context.task.edition),
        models=settings.panel,
        unit=settings.judge_unit,
        json=settings.judge_json,
    )
    if settings.judge == "logprob":
        return FallbackJudge(LogprobJudge(context, settings.judge_unit), voting, context.emit)
    return voting


def _rule(settings: RunSettings, number: int, edition: int) -> Rule:
    at_once = AT_ONCE if edition > 5 else 1.0
    match settings.judge:
        case "reference":
            rng = random.Random(f"{settings.seed}/ballots/{number}")  # noqa: S311 - reproducible on purpose
            return Majority(coin_flips(REFERENCE_BALLOTS, rng))
        case "thorough":
            return Sequential(THOROUGH, at_once)
        case _:
            return Sequential(BALANCED, at_once)


def _grader(prepared: Prepared, context: Context, marker: Marker) -> Grader | None:
    """What grades the answers that prompts are chosen by, where that is wanted and possible."""
    if not (prepared.settings.graded_marks and prepared.method.scores):
        return None
    optioned = marker.optioned if isinstance(marker, MetricMarker) else None
    if optioned is None:
        return None
    return Grader(optioned, prepared.settings.roles.executor.model, context.emit)


def ungraded(prepared: Prepared) -> list[Noticed]:
    """Say that marks are plain where grades are wanted and the metric has no options to tell apart."""
    wants_grades = prepared.settings.graded_marks and prepared.method.scores
    if not wants_grades or prepared.metric in GRADED_METRICS:
        return []
    text = _(
        "Graded marks need the metric {names}. The template has {metric}: prompts are chosen by plain marks.",
        names=" or ".join(GRADED_METRICS),
        metric=prepared.metric,
    )
    return [Noticed(text=text, level="warning")]
