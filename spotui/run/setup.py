"""Setting up a run: a project with a snapshot of everything the run is started with."""

import random
from collections.abc import Sequence
from pathlib import Path

import msgspec

from spotui.engine import Question, Task
from spotui.errors import SpotuiError
from spotui.meta_prompts import MetaPrompts
from spotui.methods import DEFAULT_METHOD, check_method
from spotui.settings.run_settings import RunSettings
from spotui.template import Template, parse_template
from spotui.workspace.create import create_project
from spotui.workspace.lines import now
from spotui.workspace.projects import Project, Workspace, new_run_id
from spotui.workspace.snapshot import SNAPSHOT_VERSION, Snapshot


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
    meta: MetaPrompts | None = None,
    fresh: bool = False,
) -> Project:
    """Make a project for a template.

    Args:
        workspace: Where.
        name: The project's name.
        template_text: The template; it is kept in the project, so later edits do not disturb the run.
        settings: What the run uses.
        template_name: What the template is called.
        meta: The meta-prompts, the shipped ones when None.
        fresh: Move an existing project of that name out of the way.

    Raises:
        TemplateError: The template is wrong.
        SpotuiError: There is no method of the name it gives.
        ProjectError: The name is taken, or the workspace cannot be written.
    """
    template = parse_template(template_text, template_name)
    method = template.method or DEFAULT_METHOD
    check_method(method)
    questions, held_out = draw_questions(len(template.qa), settings.sample, settings.seed)
    snapshot = Snapshot(
        version=SNAPSHOT_VERSION,
        run=new_run_id(),
        created=now(),
        method=method,
        template_name=template_name,
        template=template_text,
        questions=questions,
        held_out=held_out,
        settings=msgspec.to_builtins(settings),
        meta_prompts=(meta or MetaPrompts()).texts,
    )
    return create_project(workspace, name, snapshot, fresh=fresh)


def draw_task(template_text: str, template_name: str, settings: RunSettings) -> Task:
    """The task of a run on a template, without a project.

    Raises:
        TemplateError: The template is wrong.
    """
    template = parse_template(template_text, template_name)
    return _task(template, *draw_questions(len(template.qa), settings.sample, settings.seed), settings)


def load_settings(snapshot: Snapshot, path: Path) -> RunSettings:
    """The settings a snapshot holds.

    Raises:
        SpotuiError: They are not ours.
    """
    try:
        return msgspec.convert(snapshot.settings, RunSettings)
    except msgspec.ValidationError as error:
        raise SpotuiError(
            f"The settings in {path} are damaged: {error}.", "Restore it from a backup."
        ) from None


def load_task(snapshot: Snapshot, path: Path, settings: RunSettings) -> Task:
    """The task a snapshot holds.

    Raises:
        TemplateError: The template in it is damaged.
    """
    template = parse_template(snapshot.template, str(path))
    return _task(template, snapshot.questions, snapshot.held_out, settings)


def _task(
    template: Template, questions: Sequence[int], held_out: Sequence[int], settings: RunSettings
) -> Task:
    return Task(
        prompt=template.prompt,
        requirements=template.requirements,
        questions=_pick(template, questions),
        held_out=_pick(template, held_out),
        word_limit=template.count,
        reference_answers=settings.reference_answers,
    )


def _pick(template: Template, positions: Sequence[int]) -> tuple[Question, ...]:
    return tuple(Question(template.qa[index].question, template.qa[index].answer) for index in positions)
