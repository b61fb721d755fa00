"""Reads the user's config file and finds every mistake in it."""

import stat
from collections.abc import Callable, Mapping
from operator import itemgetter
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, TypeVar, get_args, get_origin

import msgspec
from msgspec import UNSET, UnsetType

from spotui.domain.errors import nearest
from spotui.lang import _
from spotui.settings import locations
from spotui.settings.errors import Problem, SettingsError, show
from spotui.settings.locations import shown
from spotui.settings.table import SETTINGS
from spotui.settings.values import (
    BaseUrl,
    Count,
    KindError,
    Language,
    ModelId,
    Name,
    Rate,
    Seconds,
    Switch,
    UsdPerMillion,
    Variable,
    convert,
    members,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

    from spotui.templates.yaml.faults import Fault


class PriceConfig(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """USD per million tokens."""

    input: UsdPerMillion
    output: UsdPerMillion


class ModelConfig(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True):
    """One model's endpoint.

    Attributes:
        base_url: The root of an OpenAI-compatible endpoint; None for the model's usual one.
        api_key_env: The name of the environment variable that holds the key.
        api_key_keyring: Whether the key is in the system keyring, under the service `spotui`.
        timeout: Seconds without a token after which a call has timed out.
        concurrency: Calls in flight at once.
        requests_per_minute: Or None for no limit.
        tokens_per_minute: Prompt and completion together, or None for no limit.
        price: The user's own price, or None to look it up.
    """

    base_url: BaseUrl | None = None
    api_key_env: Variable | None = None
    api_key_keyring: Switch = False
    timeout: Seconds | None = None
    concurrency: Count | None = None
    requests_per_minute: Rate | None = None
    tokens_per_minute: Rate | None = None
    price: PriceConfig | None = None


class Config(msgspec.Struct, frozen=True, kw_only=True):
    """The whole config file.

    Attributes:
        settings: The settings it has, by their keys; null is None.
        models: Endpoints by model id.
        theme: The name of the theme.
        language: The language of all texts.
    """

    settings: Mapping[str, object] = {}
    models: Mapping[str, ModelConfig] = {}
    theme: str | UnsetType = UNSET
    language: str | UnsetType = UNSET


class ConfigFile(msgspec.Struct, frozen=True, kw_only=True):
    """One reading of the user's config file.

    Attributes:
        path: Where it is, or should be; empty when there is none.
        config: What it says; the defaults when there is no file.
        lines: For each value's keys the line it is on, from 1.
    """

    path: str = ""
    config: Config = Config()
    lines: Mapping[tuple[str, ...], int] = {}


Keys = tuple[str, ...]
"""Where a value is: its keys from the top."""

Schema = Mapping[str, "object | Schema"]
"""The kind of value at each key of a mapping, or the schema of the mapping there."""

_Struct = TypeVar("_Struct", bound=msgspec.Struct)

_KEY_NAMES: Final = frozenset({"apikey", "key", "token", "secret", "password", "authorization", "headers"})


def _schema() -> dict[str, "object | Schema"]:
    root: dict[str, Any] = {}
    for setting in SETTINGS:
        *sections, name = setting.path
        branch = root
        for section in sections:
            branch = branch.setdefault(section, {})
        branch[name] = setting.kind
    return {**root, "models": dict[ModelId, ModelConfig], "theme": Name, "language": Language}


SCHEMA: Final[Schema] = _schema()
"""The config file's keys; those of settings come from the table."""


class Checker:
    """One pass over one document.

    Args:
        file: What the document is called in messages.
        line_of: The line of a value, or of what stands nearest above it; 0 when lines mean nothing.
    """

    def __init__(self, file: str, line_of: Callable[[Keys], int] = lambda _: 0) -> None:
        self._file = file
        self._line_of = line_of
        self._problems: list[tuple[int, Problem]] = []

    def raise_problems(self) -> None:
        """Tell everything that was wrong, in the document's order.

        Raises:
            SettingsError: Something was.
        """
        if self._problems:
            raise SettingsError.of([problem for _, problem in sorted(self._problems, key=itemgetter(0))])

    def config(self, value: object) -> Config:
        """Read the whole config file, without what is wrong."""
        found: dict[str, Any] = self.mapping(SCHEMA, value)
        others = {name: found.pop(name) for name in ("models", "theme", "language") if name in found}
        return Config(settings=found, **others)

    def mapping(self, schema: Schema, value: object, at: Keys = ()) -> dict[str, object]:
        """Read a mapping; a section without a value is an empty one.

        Args:
            schema: Its keys.
            value: The mapping as it was written.
            at: Where it was written.

        Returns:
            The values that are right, those of mappings in it by dotted keys.
        """
        good: dict[str, object] = {}
        if isinstance(value, Mapping):
            self._refuse_unknown(value, tuple(schema), at)
            for name, kind in schema.items():
                if name in value:
                    self._field(good, name, kind, value[name], (*at, name))
        elif value is not None:
            self._add(
                at, _("{said} must be a mapping of settings, not {value}.", said=_said(at), value=show(value))
            )
        return good

    def struct(self, kind: type[_Struct], value: object, at: Keys = ()) -> _Struct | None:
        """Read a mapping as a struct, without the fields that are wrong; None where it cannot be made."""
        fields = {field.encode_name: field for field in msgspec.structs.fields(kind)}
        good = self.mapping({name: field.type for name, field in fields.items()}, value, at)
        for name, field in fields.items():
            if field.required and isinstance(value, Mapping | None) and name not in (value or {}):
                self._add(at, f"{_said(at)} needs {name}.", _("Add a line '{name}: …' under it.", name=name))
        if any(field.required and name not in good for name, field in fields.items()):
            return None
        return kind(**good)

    def _field(
        self, good: dict[str, object], name: str, kind: "object | Schema", value: object, at: Keys
    ) -> None:
        section, entries = _section(kind), _entries_of(kind)
        if isinstance(kind, Mapping):
            good |= {f"{name}.{key}": one for key, one in self.mapping(kind, value, at).items()}
        elif entries is not None:
            good[name] = self._entries(*entries, value, at)
        elif section is None or (value is None and type(None) in members(kind)):
            self._leaf(good, name, kind, value, at)
        elif (found := self.struct(section, value, at)) is not None:
            good[name] = found

    def _entries(self, key_kind: object, kind: type[_Struct], value: object, at: Keys) -> dict[str, _Struct]:
        good: dict[str, _Struct] = {}
        if not isinstance(value, Mapping | None):
            self._add(at, _("{said} must be a mapping, not {value}.", said=_said(at), value=show(value)))
            return good
        for name, entry in (value or {}).items():
            key: dict[str, object] = {}
            self._leaf(key, "name", key_kind, name, (*at, str(name)))
            found = self.struct(kind, entry, (*at, str(name)))
            if found is not None and key:
                good[str(name)] = found
        return good

    def _leaf(self, good: dict[str, object], name: str, kind: object, value: object, at: Keys) -> None:
        try:
            good[name] = convert(kind, value)
        except KindError as error:
            self._add(at, error.about(_said(at)), error.hint)

    def _refuse_unknown(self, value: Mapping[object, object], known: tuple[str, ...], at: Keys) -> None:
        for key in value:
            if isinstance(key, str) and key in known:
                continue
            here = (*at, str(key))
            if str(key).casefold().replace("_", "").replace("-", "") in _KEY_NAMES:
                self._add(
                    here,
                    _("{said} would put a key into this file, where others can read it.", said=_said(here)),
                    _(
                        "Put the key into an environment variable and write 'api_key_env: ITS_NAME' instead, "
                        "or keep it in the system keyring and write 'api_key_keyring: true'."
                    ),
                )
                continue
            meant = nearest(str(key), known)
            self._add(
                here,
                _("{said} is not a setting.", said=_said(here)),
                _("Did you mean {meant}?", meant=meant)
                if meant
                else _("Possible here: {known}.", known=", ".join(known)),
            )

    def refuse(self, at: Keys, what: str, hint: str) -> None:
        """Note something that is wrong with a value that fits.

        Args:
            at: Where it is.
            what: What is wrong, one sentence.
            hint: What to do about it.
        """
        self._add(at, what, hint)

    def _add(self, at: Keys, what: str, hint: str = "") -> None:
        line = self._line_of(at)
        where = f"{self._file}, line {line}" if line else self._file
        self._problems.append((line, Problem(where, what, hint)))


def _said(at: Keys) -> str:
    """A path for a message; a key pasted as a name is not repeated."""
    shown = (part if len(part) <= 60 and not part.startswith("sk-") else "…" for part in at)
    return ".".join(shown) or _("the file")


def _section(kind: object) -> type[msgspec.Struct] | None:
    """The struct that a field holds, if it holds one."""
    for one in members(kind):
        if isinstance(one, type) and issubclass(one, msgspec.Struct):
            return one
    return None


def _entries_of(kind: object) -> tuple[object, type[msgspec.Struct]] | None:
    """The kinds of key and value of a field that holds named entries."""
    for one in members(kind):
        if get_origin(one) is dict:
            key, entry = get_args(one)
            return key, entry
    return None


MAX_BYTES = 1_000_000


def load_config(path: Path | None = None) -> ConfigFile:
    """Read the config file; one that does not exist is an empty one.

    Args:
        path: The file, or None for the user's own.

    Raises:
        SettingsError: It cannot be read, or something in it is wrong; it names every mistake with its line.
    """
    path = path or locations.config_file()
    text = read_text(path)
    return ConfigFile(path=str(path)) if text is None else parse_config(text, path)


def read_text(path: Path) -> str | None:
    """The text of a YAML file as it is, line ends included.

    Args:
        path: The file.

    Returns:
        The text, or None when there is no such file.

    Raises:
        SettingsError: It cannot be read, or is no text.
    """
    try:
        mode = path.stat().st_mode
        if stat.S_ISDIR(mode) or stat.S_ISFIFO(mode) or stat.S_ISSOCK(mode):
            raise SettingsError(
                _("{shown} is not a file.", shown=shown(path)), _("Move it away, or set SPOTUI_CONFIG.")
            )
        with path.open("rb") as file:
            data = file.read(MAX_BYTES + 1)
    except FileNotFoundError:
        return None
    except OSError as error:
        raise SettingsError(
            _("{shown} cannot be read ({strerror}).", shown=shown(path), strerror=error.strerror),
            _("Check the file and its permissions."),
        ) from error
    if len(data) > MAX_BYTES:
        raise SettingsError(
            _("{shown} is larger than 1 MB.", shown=shown(path)), _("A config file is a page or two of YAML.")
        )
    from spotui.templates.yaml.composer import decode
    from spotui.templates.yaml.faults import YamlError

    try:
        return decode(data)
    except YamlError as error:
        raise wrong_yaml(error.faults, path) from error


def parse_config(text: str, path: Path) -> ConfigFile:
    """Read the text of a config file.

    Args:
        text: What stands in it.
        path: What to call it.

    Raises:
        SettingsError: Something in it is wrong; it names every mistake with its line.
    """
    from spotui.templates.yaml.composer import load
    from spotui.templates.yaml.faults import EmptyYamlError, YamlError
    from spotui.templates.yaml.nodes import MappingNode, Node, line_of

    try:
        root = load(text)
    except EmptyYamlError:
        return ConfigFile(path=str(path))
    except YamlError as error:
        raise wrong_yaml(error.faults, path) from error
    checker = Checker(shown(path), lambda keys: line_of(root, *keys))
    config = checker.config(root.data())
    checker.raise_problems()
    lines: dict[Keys, int] = {}

    def note(node: Node, at: Keys) -> None:
        if isinstance(node, MappingNode):
            for name, entry in node.entries.items():
                lines[*at, name] = entry.key.line
                note(entry.value, (*at, name))

    note(root, ())
    return ConfigFile(path=str(path), config=config, lines=lines)


def wrong_yaml(faults: "Sequence[Fault]", path: Path) -> SettingsError:
    """The same faults, with the file's name."""
    return SettingsError.of(
        [Problem(f"{shown(path)}, line {fault.line}", fault.what, fault.hint) for fault in faults]
    )
