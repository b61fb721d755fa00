"""Reads template files and says what is wrong with them."""

import os
import stat
from pathlib import Path
from typing import Final

from spotui.marked_yaml.marks import EmptyYamlError, Node, YamlError, decode, load
from spotui.marked_yaml.misreadings import misreadings
from spotui.nearest import nearest
from spotui.template.interpret import interpret
from spotui.template.model import KEYS, ROLES, Problem, Template, TemplateError
from spotui.template.rows import ROW_KEYS

MAX_BYTES: Final = 4_000_000
"""The largest template file, in bytes; rows beyond that belong into a data file."""


def read_template(path: str | os.PathLike[str]) -> Template:
    """Read a template file.

    Raises:
        TemplateError: It cannot be used; all its problems are in the error.
    """
    return parse_template(read_text(path), Path(path).name)


def parse_template(text: str, name: str = "template") -> Template:
    """Read a template's text.

    Args:
        text: The YAML.
        name: What to call it in an error.

    Raises:
        TemplateError: It cannot be used; all its problems are in the error.
    """
    template, problems = _judge(text)
    if template is None or any(problem.severity == "error" for problem in problems):
        raise TemplateError(name, problems)
    return template


def check_template(path: str | os.PathLike[str]) -> list[Problem]:
    """Everything that is wrong with a template file, by line; empty when nothing is."""
    try:
        text = read_text(path)
    except TemplateError as error:
        return list(error.problems)
    return check_text(text)


def check_text(text: str) -> list[Problem]:
    """Everything that is wrong with a template's text, by line; empty when nothing is."""
    template, problems = _judge(text)
    if template is None or any(problem.severity == "error" for problem in problems):
        return problems
    return sorted([*misread(text, load(text)), *problems], key=lambda problem: problem.line)


def read_text(path: str | os.PathLike[str]) -> str:
    """The text of a template file, as it is.

    Raises:
        TemplateError: There is no such file, or it is no text of a sensible size.
    """
    path = Path(path)
    try:
        return decode(_read(path))
    except YamlError as error:
        raise TemplateError(path.name, _problems(error)) from None
    except OSError as error:
        raise _refusal(
            path, f"The file cannot be read ({error.strerror}).", "Check its permissions."
        ) from None
    except ValueError:
        raise _refusal(path, "This is not a file name.", "Give the path of a YAML file.") from None


def misread(text: str, root: Node) -> list[Problem]:
    """Everything in a template's text that is valid YAML and surely means something else."""
    keys = (*KEYS, *ROW_KEYS, *ROLES)
    return [
        Problem("error", "", fault.line, fault.what, fault.mend) for fault in misreadings(text, root, keys)
    ]


def refuse_misread(text: str, name: str) -> None:
    """Make sure that a template means what it says, before a run begins with it.

    `parse_template` lets it pass: a run that began with such a text goes on with it.

    Args:
        text: The YAML.
        name: What to call it in an error.

    Raises:
        TemplateError: It does not.
    """
    if problems := misread(text, load(text)):
        raise TemplateError(name, problems)


def _judge(text: str) -> tuple[Template | None, list[Problem]]:
    try:
        root = load(text)
    except YamlError as error:
        return None, _problems(error)
    template, problems = interpret(root)
    if any(problem.severity == "error" for problem in problems):
        problems = misread(text, root) or problems  # the others only follow from these
    return template, problems


def _problems(error: YamlError) -> list[Problem]:
    if isinstance(error, EmptyYamlError):
        mend = "Write `prompt:`, `requirements:` and `qa:`, or copy one of the bundled examples."
        return [Problem("error", "", 1, "The file is empty.", mend)]
    return [Problem("error", "", fault.line, fault.what, fault.mend) for fault in error.faults]


def _read(path: Path) -> bytes:
    try:
        found = path.stat()
    except (FileNotFoundError, NotADirectoryError):
        raise _refusal(path, "There is no such file.", _near(path)) from None
    if stat.S_ISDIR(found.st_mode):
        raise _refusal(path, "This is a folder, not a file.", "Give the path of a YAML file in it.")
    if not stat.S_ISREG(found.st_mode):
        raise _refusal(path, "This is not an ordinary file.", "Give the path of a YAML file.")
    if found.st_size > MAX_BYTES:
        megabytes = (
            f"{found.st_size / 1_000_000:.0f} MB, and a template has at most {MAX_BYTES // 1_000_000} MB"
        )
        mend = "Keep a few questions in the template, and put more rows into a data file."
        raise _refusal(path, f"The file has {megabytes}.", mend)
    return path.read_bytes()


def _near(path: Path) -> str:
    try:
        found = {each.stem: each for each in path.parent.iterdir() if each.suffix in (".yaml", ".yml")}
    except OSError:
        return f"The folder {path.parent} cannot be opened; check the path."
    meant = nearest(path.stem, found)
    return f"Did you mean {found[meant]}?" if meant else "Check the path."


def _refusal(path: Path, what: str, mend: str) -> TemplateError:
    return TemplateError(str(path), [Problem("error", "", 0, what, mend)])
