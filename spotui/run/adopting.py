"""Continuing a workspace of SPO's own tool: its rounds, with a journal behind them from now on."""

from pathlib import Path

import msgspec

from spotui.errors import SpotuiError
from spotui.meta_prompts import MetaPrompts
from spotui.run.setup import choose, new_project
from spotui.settings.run_settings import RunSettings
from spotui.template import parse_template
from spotui.template.edit import edit_yaml
from spotui.workspace.history import read_history
from spotui.workspace.projects import Project, Workspace
from spotui.workspace.spo_files import project_rounds, write_rounds


def adopt(
    workspace: Workspace,
    project: Project,
    template_text: str,
    settings: RunSettings,
    *,
    template_name: str,
    folder: Path,
    meta: MetaPrompts,
    more_rounds: int,
) -> Project:
    """Make a run of a workspace that SPO's own tool wrote; the original goes to the archive as it is.

    Its rounds are recorded as that tool wrote them, and round 1 is the seed. Which models answered is not
    known, so the run asks the questions again with the seed and with a best prompt before it compares them.

    Args:
        workspace: Where it is.
        project: Written by SPO's own tool.
        template_text: The template it was made with, for requirements and questions.
        settings: What the run uses.
        template_name: What the template is called.
        folder: Where the template is.
        meta: The meta-prompts.
        more_rounds: Rounds to run after those that are there.

    Raises:
        SpotuiError: There is nothing to continue, or the template's method cannot continue it.
    """
    history = read_history(project)
    if not history.rounds:
        raise SpotuiError(
            f"{project.name} was written by SPO's own tool and has no round to continue from.",
            f"Remove {project.folder}, or give another name.",
        )
    template = parse_template(template_text, template_name)
    choice = choose(template, settings)
    if choice.method.scores:
        raise SpotuiError(
            f"{project.name} was written by SPO's own tool, and {choice.name} cannot continue it: "
            "its rounds have no scores.",
            f"Continue it with the method spo, or start a run of {choice.name} under another name.",
        )
    seed = history.round(1)
    if seed is not None and seed.prompt != template.prompt:
        template_text = edit_yaml(
            template_text, msgspec.structs.replace(template, prompt=seed.prompt), template_name
        )
    last = history.rounds[-1].round
    adopted = new_project(
        workspace,
        project.name,
        template_text,
        msgspec.structs.replace(settings, max_rounds=last + more_rounds),
        template_name=template_name,
        meta=meta,
        folder=folder,
        fresh=True,
        lines=history.rounds,
    )
    try:
        write_rounds(adopted.prompts, project_rounds(history.rounds))
    except OSError as error:
        raise SpotuiError(
            f"{adopted.prompts} cannot be written: {error.strerror}.", "Make room, and resume the run."
        ) from None
    return adopted
