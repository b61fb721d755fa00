"""The models that a run needs: those of the roles its method asks, and perhaps an embedding model."""

from typing import Final

import msgspec

from spotui.errors import SpotuiError
from spotui.methods.method import Method
from spotui.metrics import JUDGE
from spotui.settings.roles import ROLES, Role
from spotui.settings.run_settings import RunSettings
from spotui.template import Template
from spotui.template.scoring import metric_of

MEND: Final = (
    "Choose one with --embedding-model, for example text-embedding-3-small, or with run.embedding_model in "
    "the config file; relevance=bm25 needs none."
)


def with_needed_models(
    method: Method, parameters: msgspec.Struct, template: Template, settings: RunSettings
) -> RunSettings:
    """The settings of a run without the models that it never asks.

    Args:
        method: What the run does.
        parameters: How.
        template: What it works on: its metric says whether the evaluator marks answers.
        settings: What the user chose.

    Raises:
        SpotuiError: An embedding model is needed, and none was chosen.
        TemplateError: The template's metric is wrong.
    """
    settings = _with_embedding(method, parameters, settings)
    if method.asks is None:
        return settings
    asked = {*method.asks(parameters), *(("evaluator",) if is_judged(template) else ())}
    return settings.asking(*(role for role in ROLES if role in asked))


def with_scoring_models(template: Template, settings: RunSettings) -> RunSettings:
    """The settings of what only scores prompts on rows: nothing is proposed.

    Raises:
        TemplateError: The template's metric is wrong.
    """
    roles: tuple[Role, ...] = ("evaluator", "executor") if is_judged(template) else ("executor",)
    return settings.asking(*roles)


def is_judged(template: Template) -> bool:
    """Whether the evaluator marks the answers to a template's rows.

    Raises:
        TemplateError: The template's metric is wrong.
    """
    choice = metric_of(template)
    return choice is None or choice.name == JUDGE


def _with_embedding(method: Method, parameters: msgspec.Struct, settings: RunSettings) -> RunSettings:
    if method.embeds is None or not method.embeds(parameters):
        return msgspec.structs.replace(settings, embedding_model=None)
    if settings.embedding_model is None:
        raise SpotuiError("relevance: embedding needs an embedding model, and none is chosen.", MEND)
    return settings
