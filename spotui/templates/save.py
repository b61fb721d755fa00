"""Writes a template: as a new text, or as changes to a text that keep the rest of it."""

import contextlib
import os
from collections import defaultdict
from collections.abc import Callable, Hashable, Sequence
from itertools import zip_longest
from pathlib import Path
from typing import Final, TypeGuard, cast

from spotui.domain.errors import nearest
from spotui.domain.program_prompts import split_prompts
from spotui.lang import N_, _
from spotui.templates.model import KEYS, NONE, QA, ROLES, SECTIONS, Problem, Template, TemplateError
from spotui.templates.read import interpret, name_of_rows, read_text
from spotui.templates.sections import ROW_KEYS, row_of
from spotui.templates.yaml.composer import load
from spotui.templates.yaml.edit import Editor
from spotui.templates.yaml.emit import mapping_lines
from spotui.templates.yaml.faults import EmptyYamlError, YamlError
from spotui.templates.yaml.nodes import MappingNode, Node, Plain, SequenceNode

_MOST_COMPARED: Final = 30
"""How many rewritten questions are compared by spelling; beyond that it would take long and help nobody."""


def align(old: Sequence[QA | None], new: Sequence[QA]) -> list[int | None]:
    """Where each new row stood.

    The same row is sought first, then the same question, the same answer, a question that is spelt alike, and
    the same place. Among equals the order is kept.

    Args:
        old: The rows as they were; None where something stood that is no row.
        new: The rows as they are to be.

    Returns:
        For each new row its position in `old`, no position twice, or None when it is new.
    """
    found: list[int | None] = [None] * len(new)
    left = {position: row for position, row in enumerate(old) if row is not None}
    _match(left, new, found, lambda row: row)
    _match(left, new, found, lambda row: row.question)
    _match(left, new, found, lambda row: row.answer or None)
    waiting = [position for position, source in enumerate(found) if source is None]
    if len(waiting) <= _MOST_COMPARED and len(left) <= _MOST_COMPARED:
        for position in waiting:
            spelt = {row.question: source for source, row in reversed(left.items())}
            if meant := nearest(new[position].question, spelt):
                found[position] = spelt[meant]
                del left[spelt[meant]]
    for position, source in enumerate(found):
        if source is None and position in left:
            found[position] = position
            del left[position]
    return found


def _match(
    left: dict[int, QA], new: Sequence[QA], matches: list[int | None], same: Callable[[QA], Hashable]
) -> None:
    places: defaultdict[Hashable, list[int]] = defaultdict(list)
    for source, row in left.items():
        if (key := same(row)) is not None:
            places[key].append(source)
    for position, row in enumerate(new):
        if matches[position] is None and (sources := places.get(same(row))):
            matches[position] = source = sources.pop(0)
            del left[source]


class Change:
    """What has to be edited in one text.

    Args:
        text: The YAML as it stands.
        root: What was loaded from it.
        template: What it is to say.
        rewrite: Write lists anew instead of value by value. They lose their comments, which is better than a
            wrong file where the text is too strange to edit.
    """

    def __init__(self, text: str, root: MappingNode, template: Template, *, rewrite: bool = False) -> None:
        self._root = root
        self._old, _ = interpret(root)
        self._new = template
        self._rewrite = rewrite
        self._editor = Editor(text, root)

    def text(self) -> str:
        """The text with all edits made."""
        self._set_rows()  # first, as the editor asks
        self._set_prompt()
        for key in ("requirements", "count"):
            self._set(key, getattr(self._new, key) or NONE, getattr(self._old, key) or NONE)
        self._set("method", self._new.method, self._old.method)
        self._set_models()
        for key in SECTIONS:
            self._set(key, getattr(self._new, key), getattr(self._old, key))
        return self._editor.text()

    def _set_prompt(self) -> None:
        if self._new.parts:
            old = split_prompts(self._old.prompt) if self._old.parts else None
            self._set("prompts", cast("Plain", split_prompts(self._new.prompt)), cast("Plain", old))
        else:
            self._set("prompt", self._new.prompt or NONE, self._old.prompt or NONE)

    def _set(self, key: str, new: Plain, old: Plain) -> None:
        if repr(new) == repr(old):  # 1 and True are equal, and not the same
            return
        entry = self._root.entries.get(key)
        node = entry.value if entry else None
        if new is None:
            self._editor.remove(self._root, key)
        elif new and isinstance(new, dict) and isinstance(old, dict) and self._can_edit(node):
            self._set_keys(node, new, old)
        else:
            self._put(key, new)

    def _can_edit(self, node: Node | None) -> TypeGuard[MappingNode]:
        return isinstance(node, MappingNode) and not node.alias and not self._rewrite

    def _set_keys(self, node: MappingNode, new: dict[str, Plain], old: dict[str, Plain]) -> None:
        """Edit the keys of a mapping one by one, so that the others keep their comments."""
        for key in old:
            if key not in new:
                self._editor.remove(node, key)
        for key, value in new.items():
            if repr(value) != repr(old.get(key)):
                self._editor.put(node, key, value)

    def _put(self, key: str, value: Plain) -> None:
        self._editor.put(self._root, key, value, after=KEYS[: KEYS.index(key)])

    def _set_rows(self) -> None:
        if self._old.qa == self._new.qa:
            return
        key = name_of_rows(self._root)
        entry = self._root.entries.get(key)
        node = entry.value if entry else None
        if not isinstance(node, SequenceNode) or node.alias or not node.items or not self._new.qa:
            self._put(key, [row_data(qa) for qa in self._new.qa])
            return
        rows = [None if item.alias else row_of(item) for item in node.items]
        sources = align(rows, self._new.qa)
        pairs = [
            (qa, None if at is None else node.items[at]) for qa, at in zip(self._new.qa, sources, strict=True)
        ]
        if self._rewrite:
            self._put(key, [row_data(qa, item) for qa, item in pairs])
            return
        items = [
            self._edit_row(qa, item) if isinstance(item, MappingNode) else row_data(qa) for qa, item in pairs
        ]
        if any(new is not old for new, old in zip_longest(items, node.items)):
            self._editor.arrange(node, items)

    def _edit_row(self, qa: QA, item: MappingNode) -> MappingNode:
        old = row_of(item)
        before, after = {} if old is None else old.data, qa.data
        if before.get("question") != after["question"]:
            self._editor.put(item, "question", after["question"])
        if before.get("answer") != after["answer"]:
            self._editor.put(item, "answer", qa.answer or NONE, after=("question",))
        for key in ("turns", "files", "synthetic"):
            if key in before and key not in after:
                self._editor.remove(item, key)
            elif before.get(key) != after.get(key):
                self._editor.put(item, key, after[key], after=("question", "answer"))
        return item

    def _set_models(self) -> None:
        new, old = self._new.models, self._old.models
        entry = self._root.entries.get("models")
        node = entry.value if entry else None
        if not new or not isinstance(node, MappingNode) or node.alias or self._rewrite:
            self._set("models", dict(new) or None, dict(old) or None)
            return
        for position, role in enumerate(ROLES):
            if role in old and role not in new:
                self._editor.remove(node, role)
            elif repr(new.get(role)) != repr(old.get(role)):
                self._editor.put(node, role, new[role], after=ROLES[:position])


def row_data(qa: QA, item: Node | None = None) -> dict[str, Plain]:
    """A row as data, with the other keys of the item that it was."""
    before: dict[str, Plain] = item.data() if isinstance(item, MappingNode) else {}
    kept = {key: value for key, value in before.items() if key not in ROW_KEYS}
    return {**kept, **qa.data, "answer": qa.answer or NONE}


_ELSEWHERE: Final = N_("Save the template under another name.")


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
        "prompt": None if template.parts else template.prompt or NONE,
        "prompts": cast("Plain", split_prompts(template.prompt)) if template.parts else None,
        "position": template.position,
        "messages": template.messages,
        "tools": template.tools,
        "response_format": template.response_format,
        "requirements": template.requirements or NONE,
        "count": template.count or NONE,
        "qa": [row_data(qa) for qa in template.qa] or (None if template.data else []),
        "judged_on": template.judged_on,
        "method": template.method,
        "spo": template.spo,
        "parameters": template.parameters,
        "models": dict(template.models) or None,
        "data": template.data,
        "metric": template.metric,
        "criteria": template.criteria,
        "source": template.source,
    }
    shown = {key: value for key, value in (values | others).items() if value is not None or key in others}
    return "\n\n".join(mapping_lines({key: value}, 0) for key, value in shown.items()) + "\n"


def _root(text: str, name: str) -> MappingNode:
    try:
        root = load(text)
    except EmptyYamlError:
        raise
    except YamlError as error:
        problems = [Problem("error", "", fault.line, fault.what, fault.hint) for fault in error.faults]
        raise TemplateError(name, problems) from None
    if isinstance(root, MappingNode):
        return root
    raise TemplateError(
        name, [Problem("error", "", root.line, _("This file is not a template."), _(_ELSEWHERE))]
    )


def _checked(text: str, template: Template, others: dict[str, Plain], name: str) -> str:
    """The text itself, if it says what it was made to say.

    Raises:
        TemplateError: It does not.
    """
    problems: list[Problem] = []
    try:
        root = load(text)
    except YamlError:
        what = _("It holds something that YAML cannot, such as half of a character.")
    else:
        found, problems = interpret(root)
        if found == template and isinstance(root, MappingNode):
            left = {key: value for key, value in root.data().items() if key not in KEYS}
            if repr(left) == repr(others):
                return text
        what = _("It does not read back as it was written; &anchors and *aliases can be the reason.")
    errors = [problem for problem in problems if problem.severity == "error"]
    raise TemplateError(name, errors or [Problem("error", "", 0, what, _(_ELSEWHERE))])


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
    from spotui.workspace.files import replace_file

    try:
        data = text.encode()
    except UnicodeEncodeError as error:
        line = text.count("\n", 0, error.start) + 1
        problem = Problem("error", "", line, _("There is half of a character here."), _("Delete it."))
        raise TemplateError(str(path), [problem]) from None
    try:
        replace_file(Path(path), data)
    except OSError as error:
        what = _("The file cannot be written ({strerror}).", strerror=error.strerror)
        raise TemplateError(str(path), [Problem("error", "", 0, what, _("Check its folder."))]) from None
    except ValueError:
        problem = Problem("error", "", 0, _("This is not a file name."), _("Give the path of a YAML file."))
        raise TemplateError(repr(str(path)), [problem]) from None


def _old_text(path: Path) -> str | None:
    with contextlib.suppress(OSError):  # reading it says what is wrong
        if not path.exists():
            return None
    return read_text(path)
