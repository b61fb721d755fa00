"""Changes single values of the user's config file, and leaves every other character as it is."""

from difflib import SequenceMatcher

from spotui.settings.config_file import Keys
from spotui.templates.yaml.composer import load
from spotui.templates.yaml.edit import Editor
from spotui.templates.yaml.emit import mapping_lines
from spotui.templates.yaml.faults import EmptyYamlError
from spotui.templates.yaml.nodes import MappingNode, Node, Plain, ScalarNode


def patched(text: str, old: str, new: str) -> str | None:
    """What the text is with the change that leads from `old` to `new`.

    Args:
        text: What `old` has become.
        old: A text.
        new: What was made of it, or what it was made from.

    Returns:
        The text, or None when the lines that change, or those around them, are not there any more.
    """
    ours, before, after = (one.splitlines(keepends=True) for one in (text, old, new))
    place = {
        block.a + offset: block.b + offset
        for block in SequenceMatcher(None, before, ours, autojunk=False).get_matching_blocks()
        for offset in range(block.size)
    }
    place[-1], place[len(before)] = -1, len(ours)
    for tag, start, end, first, last in reversed(
        SequenceMatcher(None, before, after, autojunk=False).get_opcodes()
    ):
        if tag == "equal":
            continue
        touched = [place.get(line) for line in range(start - 1, end)]
        if touched[0] is None or touched != list(range(touched[0], touched[0] + len(touched))):
            return None
        ours[touched[0] + 1 : touched[0] + len(touched)] = after[first:last]
    return "".join(ours)


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
    """Take a key and its value out, if it is there; comments on separate lines stay.

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
