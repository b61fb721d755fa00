"""Prompts by what a person types for them: a word, a project, a file, or the text itself."""

import re
from pathlib import Path
from typing import TYPE_CHECKING, Final

from spotui.cli.exit_codes import UsageError
from spotui.lang import _
from spotui.settings.locations import expanded

if TYPE_CHECKING:
    from spotui.templates.model import Template
    from spotui.workspace.projects import Workspace

_TEXT: Final = "text:"
_TEMPLATES: Final = frozenset({".yaml", ".yml"})
_LOOKS_LIKE_A_FILE: Final = re.compile(r"\.\w{1,8}$")


def named_prompt(name: str, template: "Template", workspace: "Workspace", project: str) -> str:
    """The prompt that a name stands for.

    Args:
        name: `seed`, `best`, the path of a text file or of a template, the name of a project, or a text: one
            with `text:` in front or of several words.
        template: Whose prompt the seed is.
        workspace: Where projects are.
        project: The one whose best prompt is meant by `best`.

    Raises:
        UsageError: The file cannot be read, or nothing has that name.
        SpotuiError: The project has no prompt yet.
    """
    if name == "seed":
        return template.prompt
    if name == "best":
        from spotui.cli.show import best_round

        return best_round(workspace.existing(project)).prompt
    if name.startswith(_TEXT):
        return name.removeprefix(_TEXT).strip()
    if not _is_file(name):
        if (found := _of_project(name, workspace)) is not None:
            return found
        if len(name.split()) > 1 and not _LOOKS_LIKE_A_FILE.search(name):
            return name.strip()
    if Path(name).suffix.lower() in _TEMPLATES:
        from spotui.templates.read import read_template

        return read_template(expanded(name)).prompt
    try:
        return expanded(name).read_text("utf-8").strip()
    except (OSError, ValueError, RuntimeError) as error:
        why = error.strerror if isinstance(error, OSError) else _("it is no UTF-8 text")
        raise UsageError(
            _("The prompt {name} cannot be read: {why}.", name=name, why=why),
            _("Give seed, best, the path of a text file or template, a project, or the text after 'text:'."),
        ) from None


def _is_file(name: str) -> bool:
    try:
        return expanded(name).exists()
    except (OSError, ValueError, RuntimeError):  # too long, or of characters that no path has
        return False


def _of_project(name: str, workspace: "Workspace") -> str | None:
    """The best prompt of the project of that name; None where there is none."""
    from spotui.workspace.projects import ProjectError

    try:
        project = workspace.project(name)
    except ProjectError:
        return None
    if not project.exists:
        return None
    from spotui.cli.show import best_round

    return best_round(project).prompt


def label_of(name: str) -> str:
    """What a prompt is called in the output: its name, or the beginning of its text."""
    from spotui.domain.text import short

    return short(name.removeprefix(_TEXT), 40).rstrip(".")
