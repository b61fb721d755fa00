"""What a judge-check is expected to take."""

from typing import TYPE_CHECKING

import msgspec

from spotui.estimate import VOTES, VOTES_A_ROW
from spotui.estimate_parts import VOTE_FRAME, answer_tokens, budget_warnings, rated, role_seconds, share
from spotui.expected import Estimate, Share
from spotui.judging.damage import DAMAGES
from spotui.run.setup import draw_task
from spotui.settings.run_settings import RunSettings
from spotui.template import QA, Template
from spotui.words import estimate_tokens

if TYPE_CHECKING:
    from pathlib import Path

    from spotui.engine import Task
    from spotui.llm.connecting import Connector


def estimate_judge_check(
    template: Template, folder: "Path", settings: RunSettings, connector: "Connector"
) -> Estimate:
    """Estimate a judge-check; asks no model. What an earlier check has asked already costs less.

    Args:
        template: What the judge is checked on.
        folder: Where the template lies.
        settings: What the run would use.
        connector: Knows where models are and what they cost.

    Raises:
        SpotuiError: A model leads nowhere, or a row cannot be used.
    """
    task = draw_task(template, folder, settings)
    asked = len(task.questions)
    kinds = len(DAMAGES) - (asked == 1)  # an answer alone cannot be off topic
    known = tuple(QA(one.question, one.answer) for one in task.questions)
    answer = answer_tokens(msgspec.structs.replace(template, qa=known))
    question = sum(estimate_tokens(one.question) for one in task.questions) // asked
    executor = settings.roles.executor.model
    answering = share(
        "executor", executor, asked, asked * (estimate_tokens(task.prompt) + question), answer, connector
    )
    if settings.judge == "likelihood":
        calls = 2 * asked * (1 + kinds)
        shown = calls * (estimate_tokens(task.requirements) // 2 + question)
        judging = [share("evaluator", settings.roles.evaluator.model, calls, shown, answer, connector)]
        seconds = role_seconds(settings, connector, "evaluator", 0, calls)
    else:
        judges = settings.panel if settings.judge != "logprob" else settings.panel[:1]
        calls = VOTES_A_ROW * asked * kinds
        shown = calls * _ballot(task, settings, question, answer)
        judging = [
            share("evaluator", model, calls, shown, VOTES[settings.judge].tokens, connector)
            for model in judges
        ]
        at_once = calls * len(judges) / kinds
        seconds = kinds * role_seconds(
            settings, connector, "evaluator", VOTES[settings.judge].tokens, at_once
        )
    seconds += role_seconds(settings, connector, "executor", answer, asked)
    shares: tuple[Share, ...] = (answering, *judging)
    found = Estimate(shares=shares, seconds=max([seconds, *rated(shares, connector)]))
    warnings = tuple(budget_warnings(settings, found, "the judge-check"))
    return msgspec.structs.replace(found, warnings=warnings)


def _ballot(task: "Task", settings: RunSettings, question: int, answer: int) -> int:
    """Tokens of a request for one vote on one question."""
    reference = 0
    if settings.reference_answers:
        reference = sum(question + estimate_tokens(one.answer) for one in task.questions if one.answer)
    each = reference // len(task.questions)
    return VOTE_FRAME + estimate_tokens(task.requirements) + each + 2 * (question + answer)
