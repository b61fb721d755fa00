"""The user's own keys: what each binding is to be pressed with, in a file beside the config file."""

from collections.abc import Mapping
from pathlib import Path

import msgspec

from spotui.lang import _
from spotui.settings import locations
from spotui.settings.config_file import read_text, wrong_yaml
from spotui.settings.errors import Problem, SettingsError
from spotui.settings.locations import shown


class UserKeys(msgspec.Struct, frozen=True, kw_only=True):
    """One reading of the file.

    Attributes:
        path: The file, as a person writes it.
        keys: For each binding's id its keys, in the file's order.
        lines: For each binding's id the line it is on, from 1.
        problems: What could not be read, and is left out.
    """

    path: str
    keys: Mapping[str, tuple[str, ...]] = {}
    lines: Mapping[str, int] = {}
    problems: tuple[Problem, ...] = ()

    def where(self, name: str) -> str:
        """Where a binding's id stands."""
        return f"{self.path}, line {self.lines[name]}"


def load_user_keys(path: Path | None = None) -> UserKeys:
    """Read the file; one that does not exist is an empty one.

    Args:
        path: The file, or None for the user's own.

    Raises:
        SettingsError: It cannot be read at all.
    """
    path = path or locations.keys_file()
    text = read_text(path)
    found = UserKeys(path=shown(path))
    return found if text is None else _read(text, path, found)


def save_user_keys(name: str, keys: tuple[str, ...], path: Path | None = None) -> None:
    """Give a binding keys of the user's own, or its usual ones again; the file's comments stay.

    Args:
        name: The binding's id.
        keys: Its keys; none for the usual ones.
        path: The file, or None for the user's own.

    Raises:
        SettingsError: The file cannot be read, changed or written; it is as it was.
    """
    from spotui.settings.writing import alone, unwritable, write_text

    path = path or locations.keys_file()
    try:
        with alone(path):
            text = read_text(path) or ""
            if (new := _changed(text, name, keys, path)) != text:
                write_text(path, new)
    except OSError as error:
        raise unwritable(path, error) from error


def _changed(text: str, name: str, keys: tuple[str, ...], path: Path) -> str:
    from spotui.settings.editing import UneditableError, remove_value, set_value
    from spotui.settings.writing import uneditable
    from spotui.templates.yaml.faults import YamlError

    wanted = dict(_read(text, path, UserKeys(path=shown(path))).keys)
    wanted.pop(name, None)
    if keys:
        wanted[name] = keys
    windows = 0 < text.count("\n") == text.count("\r\n")
    old = text.replace("\r\n", "\n") if windows else text
    try:
        new = set_value(old, (name,), ", ".join(keys)) if keys else remove_value(old, (name,))
        found = _read(new, path, UserKeys(path=shown(path))).keys
    except (UneditableError, YamlError, ValueError, SettingsError):
        raise uneditable(path, name) from None
    if found != wanted:
        raise uneditable(path, name)
    return new.replace("\n", "\r\n") if windows else new


def _read(text: str, path: Path, user_keys: UserKeys) -> UserKeys:
    from spotui.templates.yaml.composer import load
    from spotui.templates.yaml.faults import EmptyYamlError, YamlError
    from spotui.templates.yaml.nodes import MappingNode

    try:
        root = load(text)
    except EmptyYamlError:
        return user_keys
    except YamlError as error:
        raise wrong_yaml(error.faults, path) from error
    if not isinstance(root, MappingNode):
        raise SettingsError(
            _("{shown} must hold lines such as 'run.stop: x'.", shown=shown(path)),
            _("Press F1 in the app to see every name."),
        )
    keys: dict[str, tuple[str, ...]] = {}
    problems = []
    lines = {name: entry.key.line for name, entry in root.entries.items()}
    for name, entry in root.entries.items():
        if read := _keys_in(entry.value):
            keys[name] = read
        else:
            what = _("{name} must be a key, or a list of keys.", name=name)
            problems.append(
                Problem(
                    f"{user_keys.path}, line {lines[name]}",
                    what,
                    _("Such as '{name}: [x, delete]'.", name=name),
                )
            )
    return msgspec.structs.replace(user_keys, keys=keys, lines=lines, problems=tuple(problems))


def _keys_in(node: object) -> tuple[str, ...]:
    """The keys that were written, a digit being the key that types it; nothing when it is something else."""
    from spotui.templates.yaml.nodes import ScalarNode, SequenceNode

    if isinstance(node, ScalarNode) and not node.is_null:
        # A comma stands between keys; the key itself is called comma.
        return tuple(key.strip() for key in node.text.split(",") if key.strip())
    if isinstance(node, SequenceNode):
        parts = [_keys_in(item) for item in node.items]
        return tuple(key for part in parts for key in part) if all(parts) else ()
    return ()
