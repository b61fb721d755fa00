"""The models that a run needs: those of the roles its method asks, and perhaps an embedding model."""

import random
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, Final, NamedTuple

import msgspec

from spotui.domain.errors import SpotuiError
from spotui.domain.records import Line, now
from spotui.engine import Task
from spotui.engine.task import EDITION
from spotui.methods import DEFAULT_METHOD, load_method, meta_prompts
from spotui.methods.method import Method
from spotui.methods.parameters import read_parameters
from spotui.metrics import JUDGE
from spotui.runs.trust import refuse_outside_data
from spotui.runs.work import questions_of, read_rows, slots_of
from spotui.settings.run_settings import InvalidSettingError, RunSettings, check_settings
from spotui.settings.table import ROLES, Role
from spotui.templates.model import Template
from spotui.templates.read import parse_template, refuse_misread
from spotui.templates.sections import metric_of, parameters_of
from spotui.workspace.moving import create_project
from spotui.workspace.projects import Project, Workspace, new_run_id
from spotui.workspace.snapshot import SNAPSHOT_VERSION, Snapshot

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


def draw_questions(count: int, sample: int, seed: int) -> tuple[tuple[int, ...], tuple[int, ...]]:
    """Which questions the rounds see and which are held out, drawn once for a run.

    Args:
        count: Questions in the template.
        sample: How many a round asks.
        seed: The run's seed.

    Returns:
        Positions of the question set and of the held-out questions, both in the template's order.
    """
    chosen = set(random.Random(seed).sample(range(count), min(sample, count)))  # noqa: S311 - reproducible on purpose
    return tuple(sorted(chosen)), tuple(index for index in range(count) if index not in chosen)


def new_project(
    workspace: Workspace,
    name: str,
    template_text: str,
    settings: RunSettings,
    *,
    template_name: str,
    prompt_folders: Sequence[Path] = (),
    fresh: bool = False,
    folder: Path | None = None,
    method: str | None = None,
    parameters: Mapping[str, Any] | None = None,
    rounds_chosen: bool = True,
    final_test: bool = True,
    lines: Iterable[Line] = (),
) -> Project:
    """Make a project for a template.

    Args:
        workspace: Where.
        name: The project's name.
        template_text: The template; it is kept in the project, so later edits do not disturb the run.
        settings: What the run uses.
        template_name: What the template is called.
        prompt_folders: Folders with meta-prompts of the user, the one that takes precedence first.
        fresh: Move an existing project of that name out of the way.
        folder: Where the template lies, for its data file and its own metric; None is the working directory.
        method: Another method than the template's.
        parameters: What the method is told on top of what the template tells it.
        rounds_chosen: Whether somebody chose the number of rounds; otherwise a method that knows how many it
            takes gets those.
        final_test: Whether the run tests its best prompt on the test rows itself.
        lines: What its journal begins with.

    Raises:
        TemplateError: The template is wrong.
        SpotuiError: There is no method of that name, or it cannot be told that.
        MetaPromptError: A meta-prompt of the user is broken.
        DataError: A row cannot be used.
        OutsideDataError: They are in a file that the user has not agreed to.
        ProjectError: The name is taken, or the workspace cannot be written.
    """
    template = parse_template(template_text, template_name)
    refuse_misread(template_text, template_name)
    choice = choose(template, settings, method, parameters, rounds_chosen=rounds_chosen)
    chosen, read, settings = choice.method, choice.parameters, choice.settings
    meta = meta_prompts(*prompt_folders, method=chosen)
    folder = folder or Path.cwd()
    rows = None
    if chosen.scores or template.data is not None:
        refuse_outside_data(template, folder)
        rows = read_rows(template, folder, seed=settings.seed)
        if chosen.rounds is not None and not rounds_chosen:
            settings = msgspec.structs.replace(settings, max_rounds=chosen.rounds(read, len(rows.train)))
    count = len(template.qa) if rows is None or template.data is None else len(rows.train)
    questions, held_out = draw_questions(count, settings.sample, settings.seed)
    snapshot = Snapshot(
        version=SNAPSHOT_VERSION,
        run=new_run_id(),
        created=now(),
        method=choice.name,
        template_name=template_name,
        template=template_text,
        questions=questions,
        held_out=() if chosen.scores or template.data is not None else held_out,
        settings=msgspec.to_builtins(settings),
        meta_prompts=meta.texts_for(with_rows=rows is not None),
        parameters=choice.given,
        template_folder=str(folder.resolve()) if rows is not None else "",
        final_test=final_test,
        edition=EDITION,
    )
    return create_project(workspace, name, snapshot, fresh=fresh, lines=lines, rows=rows)


class Choice(NamedTuple):
    """A method with its parameters, and the settings that a run of it needs.

    Attributes:
        name: The method's name.
        method: The method.
        given: Parameters that differ from its defaults, as they were given.
        parameters: All of them.
        settings: Without the models that the run never asks.
    """

    name: str
    method: Method
    given: dict[str, Any]
    parameters: msgspec.Struct
    settings: RunSettings


def choose(
    template: Template,
    settings: RunSettings,
    method: str | None = None,
    parameters: Mapping[str, Any] | None = None,
    *,
    rounds_chosen: bool = True,
) -> Choice:
    """The method of a run.

    Args:
        template: What it works on, which may name a method and parameters.
        settings: What the user chose.
        method: Another method than the template's.
        parameters: Parameters on top of the template's.
        rounds_chosen: Whether somebody chose the number of rounds.

    Raises:
        SpotuiError: There is no such method, it does not take the parameters, it lacks a model, or it lacks
            a prompt to edit.
    """
    name = method or template.method or DEFAULT_METHOD
    chosen = load_method(name)
    given = {**(parameters_of(template) if method in (None, template.method) else {}), **(parameters or {})}
    given = {**length(chosen, settings, rounds_chosen=rounds_chosen), **given}
    read = read_parameters(name, chosen, given)
    if not template.prompt and chosen.edits is not None and chosen.edits(read):
        raise SpotuiError(
            f"The prompt is empty, and {name} improves the prompt that it starts from.",
            "Write a prompt, or choose a method that writes new ones: spo, gpo, ape or opro.",
        )
    return Choice(name, chosen, given, read, with_needed_models(chosen, read, template, settings))


def length(method: Method, settings: RunSettings, *, rounds_chosen: bool) -> dict[str, int]:
    """The parameter that says how long a method goes on, when somebody chose the number of rounds."""
    if not (method.length and rounds_chosen and settings.max_rounds > 1):
        return {}
    return {method.length: settings.max_rounds - 1}


def draw_task(template: Template, folder: Path, settings: RunSettings) -> Task:
    """The task of a run on a template, without a project.

    Args:
        template: The template; its questions are drawn from its rows when it has a data file.
        folder: Where it lies.
        settings: What the run would use.

    Raises:
        SpotuiError: A row cannot be used, or the metric cannot be made.
    """
    rows = read_rows(template, folder, seed=settings.seed) if template.data is not None else None
    pool = questions_of(template, rows)
    questions, held_out = (
        tuple(pool[index] for index in part)
        for part in draw_questions(len(pool), settings.sample, settings.seed)
    )
    return Task(
        prompt=template.prompt,
        requirements=template.requirements,
        questions=questions,
        held_out=held_out,
        word_limit=template.count,
        reference_answers=settings.reference_answers,
        slots=slots_of(template),
    )


def load_settings(snapshot: Snapshot, path: Path) -> RunSettings:
    """The settings a snapshot holds.

    Raises:
        SpotuiError: They are not ours.
    """
    try:
        settings = msgspec.convert(snapshot.settings, RunSettings)
        check_settings(settings)
    except (msgspec.ValidationError, InvalidSettingError) as error:
        raise SpotuiError(
            f"The settings in {path} are damaged: {str(error).rstrip('.')}.", "Restore it from a backup."
        ) from None
    return settings
