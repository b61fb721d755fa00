"""Reads the user's config file and finds every mistake in it."""

import stat
from collections.abc import Callable, Mapping
from operator import itemgetter
from pathlib import Path
from typing import TYPE_CHECKING, Final, TypeVar, get_args, get_origin

import msgspec
from msgspec import UNSET, UnsetType

from spotui.domain.errors import nearest
from spotui.settings import locations
from spotui.settings.errors import Problem, SettingsError, show
from spotui.settings.locations import shown
from spotui.settings.table import (
    BaseUrl,
    Count,
    JudgeMode,
    KindError,
    Minutes,
    ModelId,
    ModelIds,
    Name,
    Rate,
    Rounds,
    Seconds,
    Seed,
    Switch,
    Temperature,
    Tokens,
    UnitMode,
    Usd,
    UsdPerMillion,
    Variable,
    convert,
    members,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

    from spotui.templates.yaml.faults import Fault


class RoleConfig(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One role's model and how it is asked; a null temperature or max_tokens leaves it to the endpoint."""

    model: ModelId | UnsetType = UNSET
    temperature: Temperature | UnsetType | None = UNSET
    max_tokens: Tokens | UnsetType | None = UNSET
    timeout: Seconds | UnsetType = UNSET


class RolesConfig(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The three roles, in the config file or in a template."""

    optimizer: RoleConfig = RoleConfig()
    evaluator: RoleConfig = RoleConfig()
    executor: RoleConfig = RoleConfig()


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


class RunConfig(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The user's defaults for a run."""

    max_rounds: Rounds | UnsetType = UNSET
    sample: Count | UnsetType = UNSET
    judge: JudgeMode | UnsetType = UNSET
    judge_unit: UnitMode | UnsetType = UNSET
    judge_json: Switch | UnsetType = UNSET
    judges: ModelIds | UnsetType | None = UNSET
    embedding_model: ModelId | UnsetType | None = UNSET
    first_token_timeout: Seconds | UnsetType | None = UNSET
    call_timeout: Seconds | UnsetType | None = UNSET
    concurrency: Count | UnsetType | None = UNSET
    reference_answers: Switch | UnsetType = UNSET
    patience: Count | UnsetType | None = UNSET
    target_wins: Count | UnsetType | None = UNSET
    final_check: Switch | UnsetType | None = UNSET
    seed: Seed | UnsetType = UNSET


class BudgetConfig(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What a run may use at most, over all roles; null is no limit."""

    usd: Usd | UnsetType | None = UNSET
    tokens: Rate | UnsetType | None = UNSET
    calls: Rate | UnsetType | None = UNSET
    minutes: Minutes | UnsetType | None = UNSET


class RetryConfig(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How long a failed call is tried again; null is no limit of that sort, both null is no retry."""

    tries: Count | UnsetType | None = UNSET
    seconds: Seconds | UnsetType | None = UNSET


class Config(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The whole config file."""

    roles: RolesConfig = RolesConfig()
    models: dict[ModelId, ModelConfig] = {}
    run: RunConfig = RunConfig()
    budget: BudgetConfig = BudgetConfig()
    retry: RetryConfig = RetryConfig()
    theme: Name | UnsetType = UNSET


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

_Struct = TypeVar("_Struct", bound=msgspec.Struct)

_KEY_NAMES: Final = frozenset({"apikey", "key", "token", "secret", "password", "authorization", "headers"})


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

    def struct(self, kind: type[_Struct], value: object, at: Keys = ()) -> _Struct | None:
        """Read a mapping as a struct; a section without a value is an empty one.

        Args:
            kind: The struct wanted.
            value: What was written.
            at: Where it was written.

        Returns:
            The struct, without the fields that were wrong; None when it cannot be made at all.
        """
        if value is None:
            value = {}
        if not isinstance(value, Mapping):
            self._add(at, f"{_said(at)} must be a mapping of settings, not {show(value)}.")
            return None
        fields = {field.encode_name: field for field in msgspec.structs.fields(kind)}
        self._refuse_unknown(value, tuple(fields), at)
        good: dict[str, object] = {}
        for name, field in fields.items():
            if name in value:
                self._field(good, name, field.type, value[name], (*at, name))
            elif field.required:
                self._add(at, f"{_said(at)} needs {name}.", f"Add a line '{name}: …' under it.")
        if any(field.required and name not in good for name, field in fields.items()):
            return None
        return kind(**good)

    def _field(self, good: dict[str, object], name: str, kind: object, value: object, at: Keys) -> None:
        section, entries = _section(kind), _entries_of(kind)
        if entries is not None:
            good[name] = self._entries(*entries, value, at)
        elif section is None or (value is None and type(None) in members(kind)):
            self._leaf(good, name, kind, value, at)
        elif (found := self.struct(section, value, at)) is not None:
            good[name] = found

    def _entries(self, key_kind: object, kind: type[_Struct], value: object, at: Keys) -> dict[str, _Struct]:
        good: dict[str, _Struct] = {}
        if not isinstance(value, Mapping | None):
            self._add(at, f"{_said(at)} must be a mapping, not {show(value)}.")
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
            self._add(at, f"{_said(at)} {error.what}.", error.mend)

    def _refuse_unknown(self, value: Mapping[object, object], known: tuple[str, ...], at: Keys) -> None:
        for key in value:
            if isinstance(key, str) and key in known:
                continue
            here = (*at, str(key))
            if str(key).casefold().replace("_", "").replace("-", "") in _KEY_NAMES:
                self._add(
                    here,
                    f"{_said(here)} would put a key into this file, where others can read it.",
                    "Put the key into an environment variable and write 'api_key_env: ITS_NAME' instead, "
                    "or keep it in the system keyring and write 'api_key_keyring: true'.",
                )
                continue
            meant = nearest(str(key), known)
            self._add(
                here,
                f"{_said(here)} is not a setting.",
                f"Did you mean {meant}?" if meant else f"These can stand here: {', '.join(known)}.",
            )

    def _add(self, at: Keys, what: str, mend: str = "") -> None:
        line = self._line_of(at)
        where = f"{self._file}, line {line}" if line else self._file
        self._problems.append((line, Problem(where, what, mend)))


def _said(at: Keys) -> str:
    """A path for a message; a key pasted as a name is not repeated."""
    shown = (part if len(part) <= 60 and not part.startswith("sk-") else "…" for part in at)
    return ".".join(shown) or "the file"


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
            raise SettingsError(f"{shown(path)} is not a file.", "Move it away, or set SPOTUI_CONFIG.")
        with path.open("rb") as file:
            data = file.read(MAX_BYTES + 1)
    except FileNotFoundError:
        return None
    except OSError as error:
        raise SettingsError(
            f"{shown(path)} cannot be read ({error.strerror}).",
            "Check the file and its permissions.",
        ) from error
    if len(data) > MAX_BYTES:
        raise SettingsError(f"{shown(path)} is larger than 1 MB.", "A config file is a page or two of YAML.")
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
    config = checker.struct(Config, root.data())
    checker.raise_problems()
    lines: dict[Keys, int] = {}

    def note(node: Node, at: Keys) -> None:
        if isinstance(node, MappingNode):
            for name, entry in node.entries.items():
                lines[*at, name] = entry.key.line
                note(entry.value, (*at, name))

    note(root, ())
    return ConfigFile(path=str(path), config=config or Config(), lines=lines)


def wrong_yaml(faults: "Sequence[Fault]", path: Path) -> SettingsError:
    """The same faults, with the file's name."""
    return SettingsError.of(
        [Problem(f"{shown(path)}, line {fault.line}", fault.what, fault.mend) for fault in faults]
    )
