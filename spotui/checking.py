"""Everything that is wrong with a template's text: its YAML, its keys, and the models and method it names."""

import re
from typing import NamedTuple

from spotui.marked_yaml.marks import EmptyYamlError, Mapping, Node, Sequence, YamlError, line_of, load
from spotui.template.interpret import interpret, name_of_rows
from spotui.template.model import Problem, Template

_LINE = re.compile(r", line (\d+)$")


class Checked(NamedTuple):
    """One reading of a text.

    Attributes:
        text: What was read.
        problems: Everything that is wrong, by line.
        template: What could be read; None when the text is no YAML or no template.
        has_whole_rows: Whether each question of the text is in the template, so that the list can be changed
            without losing one.
    """

    text: str
    problems: tuple[Problem, ...] = ()
    template: Template | None = None
    has_whole_rows: bool = True

    @property
    def errors(self) -> int:
        """How many problems keep the template from being used."""
        return sum(problem.severity == "error" for problem in self.problems)


def check(text: str) -> Checked:
    """Read a template's text; what is wrong is in the result, nothing is raised."""
    try:
        root = load(text)
    except EmptyYamlError:
        mend = "Write a prompt, what a good answer is like, and a few questions."
        return Checked(text, (Problem("error", "", 1, "The template is empty.", mend),), Template(prompt=""))
    except YamlError as error:
        faults = [Problem("error", "", fault.line, fault.what, fault.mend) for fault in error.faults]
        return Checked(text, tuple(faults))
    template, problems = interpret(root)
    if not isinstance(root, Mapping):
        return Checked(text, tuple(problems))
    problems += _of_roles(root, template)
    problems += _of_method(root, template)
    problems.sort(key=lambda problem: problem.line)
    return Checked(text, tuple(problems), template, _rows_of(root) == len(template.qa))


def _rows_of(root: Mapping) -> int:
    entry = root.entries.get(name_of_rows(root))
    if entry is None:
        return 0
    if isinstance(entry.value, Sequence):
        return len(entry.value.items)
    return 1 if isinstance(entry.value, Mapping) or entry.value.data() not in (None, "", "None") else 0


def _of_roles(root: Node, template: Template) -> list[Problem]:
    if not template.models:
        return []
    from spotui.settings import SettingsError, template_roles

    try:
        template_roles(template.models, line_of=lambda keys: line_of(root, "models", *keys))
    except SettingsError as error:
        return [
            Problem("error", "models", int(line[1]) if (line := _LINE.search(where)) else 0, what, mend)
            for where, what, mend in error.problems
        ]
    return []


def _of_method(root: Mapping, template: Template) -> list[Problem]:
    if template.method is None:
        return []
    from spotui.errors import SpotuiError
    from spotui.methods import check_method

    try:
        check_method(template.method)
    except SpotuiError as error:
        return [Problem("error", "method", root.entries["method"].key.line, error.what, error.mend)]
    return []
