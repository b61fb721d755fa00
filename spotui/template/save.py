"""Writes template files."""

import contextlib
import os
from pathlib import Path

from spotui.template.edit import edit_yaml, to_yaml
from spotui.template.model import Problem, Template, TemplateError
from spotui.template.read import read_text


def save_template(path: str | os.PathLike[str], template: Template) -> None:
    """Write a template to its file in one step.

    A new file is written cleanly. In a file that exists only what differs is changed: comments, order,
    unknown keys, quotes and indentation stay, and a file that says all this already is not touched. What
    cannot be used yet, because its prompt is empty for example, can be saved.

    Args:
        path: The file; its folder must exist. A link is followed, the file's mode stays.
        template: What the file is to say.

    Raises:
        TemplateError: The file cannot be read or written, or is nothing that can be edited.
    """
    path = Path(path)
    old = _old_text(path)
    new = to_yaml(template) if old is None else edit_yaml(old, template, path.name)
    if new != old:
        save_text(path, new)


def save_text(path: str | os.PathLike[str], text: str) -> None:
    """Write a template's text as it is, in one step; it need not be usable yet.

    Args:
        path: The file; its folder must exist. A link is followed, the file's mode stays.
        text: What the file is to hold.

    Raises:
        TemplateError: The file cannot be written, or the text holds half of a character.
    """
    from spotui.workspace.atomic import replace_file

    try:
        data = text.encode()
    except UnicodeEncodeError as error:
        line = text.count("\n", 0, error.start) + 1
        problem = Problem("error", "", line, "There is half of a character here.", "Delete it.")
        raise TemplateError(str(path), [problem]) from None
    try:
        replace_file(Path(path), data)
    except OSError as error:
        what = f"The file cannot be written ({error.strerror})."
        raise TemplateError(str(path), [Problem("error", "", 0, what, "Check its folder.")]) from None
    except ValueError:
        problem = Problem("error", "", 0, "This is not a file name.", "Give the path of a YAML file.")
        raise TemplateError(repr(str(path)), [problem]) from None


def _old_text(path: Path) -> str | None:
    with contextlib.suppress(OSError):  # reading it says what is wrong
        if not path.exists():
            return None
    return read_text(path)
