"""The edits that make a YAML text say what a template says."""

from itertools import zip_longest
from typing import TypeGuard

from spotui.marked_yaml.edit import Editor
from spotui.marked_yaml.marks import MappingNode, Node, Plain, SequenceNode
from spotui.template.align import align
from spotui.template.interpret import interpret, name_of_rows
from spotui.template.model import KEYS, NONE, QA, ROLES, SCORING, Template
from spotui.template.rows import row_of


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
        for key in ("prompt", "requirements", "count"):
            self._set(key, getattr(self._new, key) or NONE, getattr(self._old, key) or NONE)
        self._set("method", self._new.method, self._old.method)
        self._set_models()
        for key in SCORING:
            self._set(key, getattr(self._new, key), getattr(self._old, key))
        return self._editor.text()

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
        if old is None or old.question != qa.question:
            self._editor.put(item, "question", qa.question)
        if old is None or old.answer != qa.answer:
            self._editor.put(item, "answer", qa.answer or NONE, after=("question",))
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
    return {**before, "question": qa.question, "answer": qa.answer or NONE}
