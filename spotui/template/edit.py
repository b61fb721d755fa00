"""Turns a template into YAML: a clean new text, or a text that is there with only the changes in it."""

import contextlib
from typing import Final

from spotui.marked_yaml.edit import Editor
from spotui.marked_yaml.emit import mapping_lines
from spotui.marked_yaml.marks import EmptyYamlError, MappingNode, Plain, YamlError, load
from spotui.template.change import Change, row_data
from spotui.template.interpret import interpret
from spotui.template.model import KEYS, NONE, Problem, Template, TemplateError

_ELSEWHERE: Final = "Save the template under another name."


def to_yaml(template: Template) -> str:
    """The text of a new file for this template; what is empty is written as `None`, as SPO does.

    Raises:
        TemplateError: It holds something that no template file can say, such as half of a character.
    """
    return _checked(_written(template, {}), template, {}, "template")


def edit_yaml(text: str, template: Template, name: str = "template") -> str:
    """A template's text, changed to say what `template` says and otherwise left as it is.

    Args:
        text: The YAML as it stands.
        template: What it is to say.
        name: What to call it in an error.

    Raises:
        TemplateError: The text is broken YAML or no template, or cannot take the change.
    """
    if "\r\n" in text and text.count("\r\n") == text.count("\n"):
        return edit_yaml(text.replace("\r\n", "\n"), template, name).replace("\n", "\r\n")
    try:
        root = _root(text, name)
    except EmptyYamlError:
        return f"{text.rstrip()}\n\n{to_yaml(template)}".lstrip()
    others = {key: value for key, value in root.data().items() if key not in KEYS}
    for settle in (None, Editor.settle_lines, Editor.settle_values):
        if settle is not None:
            editor = Editor(text, root)
            settle(editor, root)
            text = editor.text()
            root = _root(text, name)
        with contextlib.suppress(TemplateError):
            return _checked(Change(text, root, template).text(), template, others, name)
    return _checked(Change(text, root, template, rewrite=True).text(), template, others, name)


def rewrite_yaml(text: str, template: Template) -> str:
    """A new text for a person to correct where `edit_yaml` fails; it may not be valid YAML.

    The keys that are not a template's stay; comments are lost.

    Args:
        text: The YAML as it stands.
        template: What the new text is to say.
    """
    try:
        data = load(text).data()
    except YamlError:
        data = None
    others = {key: value for key, value in data.items() if key not in KEYS} if isinstance(data, dict) else {}
    return _written(template, others)


def _written(template: Template, others: dict[str, Plain]) -> str:
    values: dict[str, Plain] = {
        "prompt": template.prompt or NONE,
        "requirements": template.requirements or NONE,
        "count": template.count or NONE,
        "qa": [row_data(qa) for qa in template.qa],
        "method": template.method,
        "parameters": template.parameters,
        "models": dict(template.models) or None,
        "data": template.data,
        "metric": template.metric,
        "criteria": template.criteria,
    }
    shown = {key: value for key, value in (values | others).items() if value is not None or key in others}
    return "\n\n".join(mapping_lines({key: value}, 0) for key, value in shown.items()) + "\n"


def _root(text: str, name: str) -> MappingNode:
    try:
        root = load(text)
    except EmptyYamlError:
        raise
    except YamlError as error:
        problems = [Problem("error", "", fault.line, fault.what, fault.mend) for fault in error.faults]
        raise TemplateError(name, problems) from None
    if isinstance(root, MappingNode):
        return root
    raise TemplateError(name, [Problem("error", "", root.line, "This file is not a template.", _ELSEWHERE)])


def _checked(text: str, template: Template, others: dict[str, Plain], name: str) -> str:
    """The text itself, if it says what it was made to say.

    Raises:
        TemplateError: It does not.
    """
    problems: list[Problem] = []
    try:
        root = load(text)
    except YamlError:
        what = "It holds something that YAML cannot, such as half of a character."
    else:
        found, problems = interpret(root)
        if found == template and isinstance(root, MappingNode):
            left = {key: value for key, value in root.data().items() if key not in KEYS}
            if repr(left) == repr(others):
                return text
        what = "It does not read back as it was written; &anchors and *aliases can be the reason."
    errors = [problem for problem in problems if problem.severity == "error"]
    raise TemplateError(name, errors or [Problem("error", "", 0, what, _ELSEWHERE)])
