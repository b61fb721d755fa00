"""Changing the user's config file."""

from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple, cast

import msgspec
from msgspec import UNSET, UnsetType

from spotui.lang import _
from spotui.settings import locations
from spotui.settings.config_file import (
    Checker,
    Config,
    Keys,
    ModelConfig,
    parse_config,
    read_text,
)
from spotui.settings.errors import SettingsError
from spotui.settings.table import BY_KEY
from spotui.settings.values import KindError, Language, ModelId, Name, convert, convert_text
from spotui.settings.writing import alone, uneditable, unwritable, write_text

if TYPE_CHECKING:
    from spotui.templates.yaml.nodes import Plain


def save_model(model: str, entry: ModelConfig, path: Path | None = None) -> None:
    """Add a model's entry, or put it in place of the one it has.

    Args:
        model: The model id.
        entry: Its endpoint.
        path: The config file, or None for the user's own.

    Raises:
        SettingsError: A value is wrong, or the file cannot be read or written; it is as it was.
    """
    check_model(model, entry)
    _save({("models", model): msgspec.to_builtins(entry)}, path)


def check_model(model: str, entry: ModelConfig) -> None:
    """See whether a model's entry could stand in the config file.

    Raises:
        SettingsError: A value is wrong; it names all of them.
    """
    checker = Checker(f"models.{model}")
    checker.struct(ModelConfig, msgspec.to_builtins(entry))
    checker.raise_problems()
    _checked(_("The model id"), ModelId, model)


class Removed(NamedTuple):
    """A model's entry that was taken out, and what it takes to put it back.

    Attributes:
        model: The model id.
        entry: What it said.
        before: The file with it.
        after: The file without it.
    """

    model: str
    entry: ModelConfig
    before: str
    after: str


def take_out_model(model: str, path: Path | None = None) -> Removed | None:
    """Remove a model's entry so that it can be put back.

    Returns:
        What was removed, or None when there was nothing.

    Raises:
        SettingsError: The file cannot be read or written; it is as it was.
    """
    before, after = _save({("models", model): UNSET}, path)
    if before == after:
        return None
    entry = parse_config(before, path or locations.config_file()).config.models[model]
    return Removed(model, entry, before, after)


def put_back_model(removed: Removed, path: Path | None = None) -> None:
    """Put an entry back as it stood, with its comments, also where the file has been changed elsewhere.

    Args:
        removed: What was taken out.
        path: The config file, or None for the user's own.

    Raises:
        SettingsError: The file cannot be read or written; it is as it was.
    """
    from spotui.settings.editing import patched

    changes: Mapping[Keys, Plain] = {("models", removed.model): msgspec.to_builtins(removed.entry)}
    _save(changes, path, lambda text: patched(text, removed.after, removed.before))


def save_default(key: str, value: object, path: Path | None = None) -> None:
    """Set one default, for example `run.max_rounds`, `budget.usd` or `theme`.

    Args:
        key: Its place in the file, dotted.
        value: The value, typed or as text; None for no limit; UNSET to remove it.
        path: The config file, or None for the user's own.

    Raises:
        SettingsError: The default is unknown, the value is wrong, or the file cannot be read or written; it
            is as it was.
    """
    save_defaults({key: value}, path)


def save_defaults(values: Mapping[str, object], path: Path | None = None) -> None:
    """Set several defaults at once, as `save_default` does.

    Raises:
        SettingsError: As for one; none of them is set.
    """
    kinds = {name: one.kind for name, one in BY_KEY.items()} | {"theme": Name, "language": Language}
    changes: dict[Keys, Plain | UnsetType] = {}
    for key, value in values.items():
        if key not in kinds:
            from spotui.domain.errors import nearest

            meant = nearest(key, kinds)
            raise SettingsError(
                _("{key} is not a default.", key=key),
                _("Did you mean {meant}?", meant=meant) if meant else "",
            )
        changes[tuple(key.split("."))] = UNSET if value is UNSET else _checked(key, kinds[key], value)
    _save(changes, path)


def _checked(what: str, kind: object, value: object) -> "Plain":
    try:
        found = convert_text(kind, value) if isinstance(value, str) else convert(kind, value)
    except KindError as error:
        raise SettingsError(error.about(what), error.hint) from None
    return cast("Plain", found)


class _Edit(NamedTuple):
    """What the file said before a change, and after it."""

    before: str
    after: str


def _save(
    changes: "Mapping[Keys, Plain | UnsetType]",
    path: Path | None,
    better: Callable[[str], str | None] = lambda _: None,
) -> _Edit:
    """Make the changes in the file.

    Args:
        changes: What is to be said.
        path: The config file, or None for the user's own.
        better: Another way to write them, which is taken where it says just that.
    """
    path = path or locations.config_file()
    try:
        with alone(path):
            return _edit(changes, path, better)
    except OSError as error:
        raise unwritable(path, error) from error


def _edit(
    changes: "Mapping[Keys, Plain | UnsetType]", path: Path, better: Callable[[str], str | None]
) -> _Edit:
    text = read_text(path) or ""
    parse_config(text, path)  # only the user corrects a file with mistakes: an edit could hide them
    wanted = _config_with(text, changes)
    found = better(text)
    if found is not None and _says(found, wanted, path):
        write_text(path, found)
        return _Edit(text, found)
    windows = 0 < text.count("\n") == text.count("\r\n")
    old = text.replace("\r\n", "\n") if windows else text
    new = _changed(old, changes)
    if new is None or not _says(new, wanted, path):
        what = ", ".join(".".join(keys) for keys in changes)
        raise uneditable(path, what)
    if new == old:
        return _Edit(text, text)
    new = new.replace("\n", "\r\n") if windows else new
    write_text(path, new)
    return _Edit(text, new)


def _changed(text: str, changes: "Mapping[Keys, Plain | UnsetType]") -> str | None:
    from spotui.settings.editing import UneditableError, remove_value, set_value
    from spotui.templates.yaml.faults import YamlError

    try:
        for keys, value in changes.items():
            text = remove_value(text, keys) if isinstance(value, UnsetType) else set_value(text, keys, value)
    except (UneditableError, YamlError, ValueError):  # ValueError: a key that has no colon to write behind
        return None
    return text


def _says(text: str, wanted: Config | None, path: Path) -> bool:
    try:
        return parse_config(text, path).config == wanted
    except SettingsError:
        return False


def _config_with(text: str, changes: "Mapping[Keys, Plain | UnsetType]") -> Config | None:
    """What the file should say after the changes."""
    from spotui.templates.yaml.composer import load
    from spotui.templates.yaml.faults import EmptyYamlError

    document: dict[str, Any] = {}
    with suppress(EmptyYamlError):
        document = cast("dict[str, Any]", load(text).data())
    for keys, value in changes.items():
        branch = document
        for name in keys[:-1]:
            branch[name] = branch = dict(branch.get(name) or {})
        if isinstance(value, UnsetType):
            branch.pop(keys[-1], None)
        else:
            branch[keys[-1]] = value
    return Checker("config").config(document)
