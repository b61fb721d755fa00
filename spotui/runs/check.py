"""Everything that is wrong with a template's text: its YAML, its keys, and the models and method it names."""

import re
from typing import NamedTuple

from spotui.domain.errors import nearest
from spotui.lang import _
from spotui.templates.model import Problem, Template
from spotui.templates.read import interpret, misread, name_of_rows
from spotui.templates.yaml.composer import load
from spotui.templates.yaml.faults import EmptyYamlError, YamlError
from spotui.templates.yaml.nodes import MappingNode, Node, ScalarNode, SequenceNode, line_of

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
        hint = _("Write a prompt, what a good answer is like, and a few questions.")
        return Checked(
            text, (Problem("error", "", 1, _("The template is empty."), hint),), Template(prompt="")
        )
    except YamlError as error:
        faults = [Problem("error", "", fault.line, fault.what, fault.hint) for fault in error.faults]
        return Checked(text, tuple(faults))
    template, problems = interpret(root)
    misreadings = misread(text, root)
    if not isinstance(root, MappingNode):
        return Checked(text, tuple(misreadings or problems))
    if misreadings:  # what else is wrong may only follow from them
        return Checked(text, tuple(misreadings), template, _rows_of(root) == len(template.qa))
    problems += _of_comments(text, root)
    problems += _of_roles(root, template)
    problems += _of_program(root, template)
    problems += _of_method(root, template)
    problems += _of_columns(root, template)
    problems += _of_slots(root, template)
    problems.sort(key=lambda problem: problem.line)
    return Checked(text, tuple(problems), template, _rows_of(root) == len(template.qa))


def _of_comments(text: str, root: MappingNode) -> list[Problem]:
    if " #" not in text:
        return []
    from spotui.templates.yaml.explain import swallowed

    return [Problem("warning", "", one.line, one.what, one.hint) for one in swallowed(text, root)]


def _rows_of(root: MappingNode) -> int:
    entry = root.entries.get(name_of_rows(root))
    if entry is None:
        return 0
    if isinstance(entry.value, SequenceNode):
        return len(entry.value.items)
    return 1 if isinstance(entry.value, MappingNode) or entry.value.data() not in (None, "", "None") else 0


def _of_roles(root: Node, template: Template) -> list[Problem]:
    if not template.models:
        return []
    from spotui.settings.errors import SettingsError
    from spotui.settings.resolve import template_roles

    try:
        template_roles(template.models, line_of=lambda keys: line_of(root, "models", *keys))
    except SettingsError as error:
        return [
            Problem("error", "models", int(line[1]) if (line := _LINE.search(where)) else 0, what, hint)
            for where, what, hint in error.problems
        ]
    return []


_OF_MESSAGES = ("position", "messages", "tools", "response_format")
"""Keys of a template that say how a model is asked."""


def _has_program(template: Template) -> bool:
    executor = template.models.get("executor")
    return isinstance(executor, dict) and bool({*executor} & {"command", "url"})


def _of_program(root: MappingNode, template: Template) -> list[Problem]:
    """Warnings of what a program does not get: it puts its messages together itself."""
    if not _has_program(template):
        return []
    return [
        Problem(
            "warning",
            key,
            root.entries[key].key.line,
            _("`{key}` has no effect: the executor is a program, which asks models itself.", key=key),
            _("Delete it, and let the program do what it says."),
        )
        for key in _OF_MESSAGES
        if key in root.entries and getattr(template, key)
    ]


def _of_columns(root: MappingNode, template: Template) -> list[Problem]:
    if template.data is None:
        return []
    from spotui.templates.data.source import read_source
    from spotui.templates.sections import columns_of, misspelt_columns

    source, faults = read_source(template.data, has_questions=bool(template.qa))
    if faults:
        return []  # they are problems already
    misspelt = misspelt_columns(template, source)
    problems = [
        Problem("error", ".".join(("data", *one.path)), line_of(root, "data", *one.path), one.what, one.hint)
        for one in misspelt
    ]
    known = {"question", "answer", "files", *columns_of(template), *(one.path[-1] for one in misspelt)}
    if isinstance(template.metric, str) and ":" in template.metric:
        return problems  # a custom metric may read any column
    if _has_program(template):
        return problems  # a program is given them all
    for name in [name for name in source.columns if name not in known]:
        what = _("`{name}` is not a slot of the prompt, so the model is not shown that column.", name=name)
        hint = _(
            "Write `{{{name}}}` in the prompt, name it `question` or `answer` if it is that, or delete it.",
            name=name,
        )
        problems.append(
            Problem("warning", f"data.columns.{name}", line_of(root, "data", "columns", name), what, hint)
        )
    return problems


def _of_slots(root: MappingNode, template: Template) -> list[Problem]:
    """Warnings of what looks like a slot and is sent to the model as text."""
    from spotui.domain.rows import lookalikes, slot_names
    from spotui.templates.sections import has_file

    columns = template.data.get("columns") if isinstance(template.data, dict) else None
    problems = []
    for one in lookalikes(template.prompt, columns if isinstance(columns, dict) else ()):
        what = _(
            "`{one}` is sent to the model as it is: here, a slot is a name in single braces.",
            one=one.text[:40],
        )
        hint = _("Write `{{{one}}}` if a part of the question belongs there.", one=one.name)
        if not one.name:
            hint = _("Write the text out; `{question}` is the place of the question.")
        problems.append(Problem("warning", "prompt", _line_in_prompt(root, template, one.start), what, hint))
    if not has_file(template):
        for name in sorted(slot_names(template.prompt) - {"question"}):
            start = template.prompt.index(f"{{{name}}}")
            what = _(
                "`{{{name}}}` is sent to the model as it is: questions under `qa` fill only `{{question}}`.",
                name=name,
            )
            hint = _(
                "Move the questions to a data file with a column of that name, or leave it if it is a text."
            )
            if nearest(name, ("question",)):
                hint = _(
                    "Write `{meant}`: the name of a slot is written exactly as its column.",
                    meant="{question}",
                )
            problems.append(Problem("warning", "prompt", _line_in_prompt(root, template, start), what, hint))
    return problems


def _line_in_prompt(root: MappingNode, template: Template, offset: int) -> int:
    """The line of a part of the prompt, or that of its key where the text is not laid out by lines."""
    entry = root.entries["prompt"]
    if isinstance(entry.value, ScalarNode) and entry.value.style == "|":
        return entry.value.line + 1 + template.prompt.count("\n", 0, offset)
    return entry.key.line


def _of_method(root: MappingNode, template: Template) -> list[Problem]:
    if template.method is None:
        return []
    from spotui.domain.errors import SpotuiError
    from spotui.methods import check_method

    try:
        check_method(template.method)
    except SpotuiError as error:
        return [Problem("error", "method", root.entries["method"].key.line, error.what, error.hint)]
    return []
