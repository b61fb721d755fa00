"""Setting and removing single values of the config file's text; every other character stays as it is."""

from spotui.marked_yaml.edit import Editor
from spotui.marked_yaml.emit import mapping_lines
from spotui.marked_yaml.marks import EmptyYamlError, MappingNode, Node, Plain, ScalarNode, load
from spotui.settings.check import Keys


class UneditableError(Exception):
    """The place is written in a way that only a person should change, such as with an alias."""


def set_value(text: str, keys: Keys, value: Plain) -> str:
    """Put a value at a path, making the sections on the way.

    Args:
        text: One YAML document, perhaps an empty one.
        keys: The path, at least one key.
        value: What to write; a mapping takes the place of a mapping, and lines that stay equal stay.

    Returns:
        The new text.

    Raises:
        UneditableError: The place cannot be changed by a small edit.
    """
    root = _load(text)
    if root is None:
        gap = "\n" if text and not text.endswith("\n") else ""
        return f"{text}{gap}{mapping_lines(_nested(keys, value), 0)}\n"
    mapping, rest = _descend(root, keys)
    entry = mapping.entries.get(rest[0])
    old = entry.value if entry else None
    if isinstance(old, MappingNode) and isinstance(value, dict) and not old.alias:
        for name in old.entries.keys() - value.keys():
            text = remove_value(text, (*keys, name))
        for name, inner in value.items():
            text = set_value(text, (*keys, name), inner)
        return text
    if isinstance(old, ScalarNode) and len(rest) == 1 and old.data() == value:
        return text
    editor = Editor(text, root)
    editor.put(mapping, rest[0], _nested(rest, value)[rest[0]])
    return editor.text()


def remove_value(text: str, keys: Keys) -> str:
    """Take a key and its value out, if it is there; comments on lines of their own stay.

    Args:
        text: One YAML document, perhaps an empty one.
        keys: The path, at least one key.

    Returns:
        The new text.

    Raises:
        UneditableError: The place cannot be changed by a small edit.
    """
    root = _load(text)
    if root is None:
        return text
    mapping, rest = _descend(root, keys)
    if len(rest) > 1 or rest[0] not in mapping.entries:
        return text
    editor = Editor(text, root)
    editor.remove(mapping, rest[0])
    return editor.text()


def _load(text: str) -> Node | None:
    try:
        return load(text)
    except EmptyYamlError:
        return None


def _descend(root: Node, keys: Keys) -> tuple[MappingNode, Keys]:
    """The deepest mapping on a path, and what of the path is left below it, at least one key."""
    mapping = root
    for place, name in enumerate(keys):
        if not isinstance(mapping, MappingNode) or mapping.alias:
            raise UneditableError
        entry = mapping.entries.get(name)
        if (
            place == len(keys) - 1
            or entry is None
            or (isinstance(entry.value, ScalarNode) and entry.value.is_null)
        ):
            return mapping, keys[place:]
        mapping = entry.value
    raise UneditableError


def _nested(keys: Keys, value: Plain) -> dict[str, Plain]:
    for name in reversed(keys[1:]):
        value = {name: value}
    return {keys[0]: value}
