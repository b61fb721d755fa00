"""What a run of a method that scores prompts on rows is expected to take."""

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec

from spotui.domain.text import estimate_tokens
from spotui.methods.method import Calls
from spotui.runs.estimate import (
    EMBEDDED_PROPOSAL_TOKENS,
    PROMPT_TOKENS,
    PROPOSAL_TOKENS,
    VOTE_FRAME,
    VOTES,
    VOTES_A_ROW,
    Estimate,
    Share,
    answer_tokens,
    budget_warnings,
    estimate_run,
    model_seconds,
    rated,
    role_seconds,
    share,
)
from spotui.runs.judge_check import DAMAGES
from spotui.runs.setup import choose, draw_task, is_judged
from spotui.runs.work import read_rows
from spotui.settings.run_settings import RunSettings
from spotui.settings.table import Role, is_embedded
from spotui.templates.model import QA, Template
from spotui.templates.sections import metric_of

if TYPE_CHECKING:
    from spotui.engine import Task
    from spotui.llm.connections import Connector


NOTE_TOKENS = 150
NOTE_FRAME = 600
PROPOSE_FRAME = 900
MARK_TOKENS = 80
MARK_FRAME = 180


class Part(msgspec.Struct, frozen=True):
    """Calls of one role: how many, the tokens sent in all, and the tokens of a reply."""

    calls: int
    asked: int
    reply: int

    def __add__(self, other: "Part") -> "Part":
        """Both, with the mean length of a reply."""
        calls = self.calls + other.calls
        written = self.calls * self.reply + other.calls * other.reply
        return Part(calls, self.asked + other.asked, written // max(1, calls))


def estimate_with_rows(
    template: Template,
    folder: Path,
    method: str,
    parameters: Mapping[str, Any],
    settings: RunSettings,
    connector: "Connector",
    *,
    rounds_chosen: bool,
) -> Estimate | None:
    """Estimate a whole run on rows; asks no model.

    Args:
        template: What it works on.
        folder: Where the template lies.
        method: The name of the method.
        parameters: What it is told on top of what the template tells it.
        settings: What it uses.
        connector: Knows where models are and what they cost.
        rounds_chosen: Whether somebody chose the number of rounds.

    Returns:
        The estimate, or None when the method does not say what it takes.

    Raises:
        SpotuiError: Method, parameters or rows are wrong.
    """
    choice = choose(template, settings, method, parameters, rounds_chosen=rounds_chosen)
    chosen, settings = choice.method, choice.settings
    rows = read_rows(template, folder, seed=settings.seed)
    sampled = tuple(QA(one.question, " ".join(one.references[:1])) for one in rows.train)
    stand_in = msgspec.structs.replace(template, qa=sampled, data=None)
    if not chosen.scores:
        asked = msgspec.structs.replace(stand_in, qa=sampled[: settings.sample])
        return estimate_run(asked, settings, connector)
    if chosen.calls is None:
        return None
    calls = chosen.calls(choice.parameters, len(rows.train), len(rows.eval))
    calls = msgspec.structs.replace(calls, answers=calls.answers + calls.tests * len(rows.test))
    found = _estimate(
        calls,
        stand_in,
        settings,
        connector,
        is_judged=is_judged(template),
        evaluator_writes=chosen.asks is None or "evaluator" in chosen.asks(choice.parameters),
    )
    lacking = []
    if metric_of(template) is None and not template.criteria:
        lacking.append("The template names no metric: the evaluator marks every answer by the requirements.")
    if not rows.test:
        lacking.append("There are no test rows: nothing will say what the best prompt is worth on new ones.")
    return msgspec.structs.replace(found, warnings=(*lacking, *found.warnings))


def _estimate(
    calls: Calls,
    template: Template,
    settings: RunSettings,
    connector: "Connector",
    *,
    is_judged: bool,
    evaluator_writes: bool,
) -> Estimate:
    questions = [estimate_tokens(one.question) for one in template.qa]
    question, answer = sum(questions) // max(1, len(questions)), answer_tokens(template)
    is_small = is_embedded(settings.roles.optimizer.model)
    proposal = EMBEDDED_PROPOSAL_TOKENS if is_small else PROPOSAL_TOKENS
    marks = calls.answers if is_judged else 0
    of_notes = Part(calls.notes, calls.notes * (NOTE_FRAME + question + answer), NOTE_TOKENS)
    of_marks = Part(marks, marks * (MARK_FRAME + question + answer), MARK_TOKENS)
    proposed = Part(calls.proposals, calls.proposals * PROPOSE_FRAME, proposal)
    answered = Part(calls.answers, calls.answers * (PROMPT_TOKENS + question), answer)
    parts: dict[Role, Part] = {
        "optimizer": proposed if evaluator_writes else proposed + of_notes,
        "evaluator": of_marks + of_notes if evaluator_writes else of_marks,
        "executor": answered,
    }
    shares = tuple(
        share(role, settings.roles.of(role).model, part.calls, part.asked, part.reply, connector)
        for role, part in parts.items()
        if role in settings.asked
    )
    embedding = settings.embedding_model
    if embedding is not None and calls.embeddings:
        asked = calls.embeddings * PROMPT_TOKENS
        shares = (*shares, share("embedding", embedding, calls.embeddings, asked, 0, connector))
    seconds = sum(
        calls.steps * role_seconds(settings, connector, role, part.reply, part.calls / max(1, calls.steps))
        for role, part in parts.items()
        if part.calls
    )
    if embedding is not None and calls.embeddings:
        at_once = calls.embeddings / max(1, calls.steps)
        seconds += calls.steps * model_seconds(embedding, connector, 0, at_once)
    found = Estimate(shares=shares, seconds=max([seconds, *rated(shares, connector)]))
    warnings = tuple(budget_warnings(settings, found, "the whole run"))
    return msgspec.structs.replace(found, warnings=warnings)


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
