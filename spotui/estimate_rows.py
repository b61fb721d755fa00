"""What a run of a method that scores prompts on rows is expected to take."""

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec

from spotui.estimate import estimate_run
from spotui.estimate_parts import (
    EMBEDDED_PROPOSAL_TOKENS,
    PROMPT_TOKENS,
    PROPOSAL_TOKENS,
    answer_tokens,
    budget_warnings,
    model_seconds,
    rated,
    role_seconds,
    share,
)
from spotui.expected import Estimate, Share
from spotui.methods import load_method
from spotui.methods.method import Calls
from spotui.methods.parameters import read_parameters
from spotui.metrics import JUDGE
from spotui.run.embedding import with_embedding
from spotui.run.rows import read_rows
from spotui.run.setup import length
from spotui.settings.roles import Role, is_embedded
from spotui.settings.run_settings import RunSettings
from spotui.template import QA, Template
from spotui.template.scoring import metric_of, parameters_of
from spotui.words import estimate_tokens

if TYPE_CHECKING:
    from spotui.llm.connecting import Connector

NOTE_TOKENS = 150
NOTE_FRAME = 600
PROPOSE_FRAME = 900
MARK_TOKENS = 80
MARK_FRAME = 180


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
    chosen = load_method(method)
    told = {**(parameters_of(template) if method == template.method else {}), **parameters}
    told = {**length(chosen, settings, rounds_chosen=rounds_chosen), **told}
    read = read_parameters(method, chosen, told)
    settings = with_embedding(chosen, read, settings)
    rows = read_rows(template, folder, seed=settings.seed)
    sampled = tuple(QA(one.question, " ".join(one.references[:1])) for one in rows.train)
    stand_in = msgspec.structs.replace(template, qa=sampled, data=None)
    if not chosen.scores:
        asked = msgspec.structs.replace(stand_in, qa=sampled[: settings.sample])
        return estimate_run(asked, settings, connector)
    if chosen.calls is None:
        return None
    calls = chosen.calls(read, len(rows.train), len(rows.eval))
    calls = msgspec.structs.replace(calls, answers=calls.answers + 2 * len(rows.test))
    choice = metric_of(template)
    is_judged = choice is None or choice.name == JUDGE
    found = _estimate(calls, stand_in, settings, connector, is_judged=is_judged)
    lacking = []
    if choice is None and not template.criteria:
        lacking.append("The template names no metric: the evaluator marks every answer by the requirements.")
    if not rows.test:
        lacking.append("There are no test rows: nothing will say what the best prompt is worth on new ones.")
    return msgspec.structs.replace(found, warnings=(*lacking, *found.warnings))


def _estimate(
    calls: Calls, template: Template, settings: RunSettings, connector: "Connector", *, is_judged: bool
) -> Estimate:
    questions = [estimate_tokens(one.question) for one in template.qa]
    question, answer = sum(questions) // max(1, len(questions)), answer_tokens(template)
    is_small = is_embedded(settings.roles.optimizer.model)
    proposal = EMBEDDED_PROPOSAL_TOKENS if is_small else PROPOSAL_TOKENS
    marks = calls.answers if is_judged else 0
    evaluations = calls.notes + marks
    evaluated = calls.notes * (NOTE_FRAME + question + answer) + marks * (MARK_FRAME + question + answer)
    written = (calls.notes * NOTE_TOKENS + marks * MARK_TOKENS) // max(1, evaluations)
    shares: tuple[Share, ...] = (
        share(
            "optimizer",
            settings.roles.optimizer.model,
            calls.proposals,
            calls.proposals * PROPOSE_FRAME,
            proposal,
            connector,
        ),
        share("evaluator", settings.roles.evaluator.model, evaluations, evaluated, written, connector),
        share(
            "executor",
            settings.roles.executor.model,
            calls.answers,
            calls.answers * (PROMPT_TOKENS + question),
            answer,
            connector,
        ),
    )
    embedding = settings.embedding_model
    if embedding is not None and calls.embeddings:
        asked = calls.embeddings * PROMPT_TOKENS
        shares = (*shares, share("embedding", embedding, calls.embeddings, asked, 0, connector))
    parts: tuple[tuple[Role, int, int], ...] = (
        ("optimizer", proposal, calls.proposals),
        ("evaluator", written, evaluations),
        ("executor", answer, calls.answers),
    )
    seconds = sum(
        calls.steps * role_seconds(settings, connector, role, tokens, number / max(1, calls.steps))
        for role, tokens, number in parts
        if number
    )
    if embedding is not None and calls.embeddings:
        at_once = calls.embeddings / max(1, calls.steps)
        seconds += calls.steps * model_seconds(embedding, connector, 0, at_once)
    found = Estimate(shares=shares, seconds=max([seconds, *rated(shares, connector)]))
    warnings = tuple(budget_warnings(settings, found, "the whole run"))
    return msgspec.structs.replace(found, warnings=warnings)
