"""Decides which source of a setting wins: flag, environment, template, config file, default."""

from collections.abc import Callable, Mapping
from enum import StrEnum
from typing import Any, Final, NamedTuple

import msgspec

from spotui.domain.errors import nearest
from spotui.lang import N_, _
from spotui.lang import VARIABLE as LANGUAGE_VARIABLE
from spotui.settings.config_file import SCHEMA, Checker, ConfigFile, Keys, Schema
from spotui.settings.errors import Problem, SettingsError
from spotui.settings.locations import VARIABLES as LOCATION_VARIABLES
from spotui.settings.programs import program_model
from spotui.settings.table import (
    BY_KEY,
    PREFIX,
    ROLES,
    SETTINGS,
    ProgramSettings,
    Role,
    RunSettings,
    Setting,
    default_timeout,
    is_embedded,
    option,
)
from spotui.settings.trust import VARIABLE as TRUST_VARIABLE
from spotui.settings.values import KindError, convert, convert_text
from spotui.settings.variables import variables_in

FlagValue = str | float | bool | None

_REFERENCE_MODELS: Final[Mapping[Role, str]] = {
    "optimizer": "claude-3-5-sonnet-20240620",
    "evaluator": "gpt-4o-mini",
    "executor": "gpt-4o-mini",
}
"""The models that the id `reference` stands for."""

FLAGS: Final = tuple(dict.fromkeys(flag for setting in SETTINGS for flag in setting.flags))
"""Every flag that is a setting of a run, without dashes and with underscores."""


class Flags(dict[str, FlagValue]):
    """The flags that were typed, by their names with underscores.

    A text is read as a variable is (`none` lifts a limit), so a parser can hand over what it got; a typed
    value is checked the same way.

    Args:
        typed: The flags; None is one that was not typed.

    Raises:
        TypeError: A flag is none.
    """

    def __init__(self, **typed: FlagValue) -> None:
        for name in typed:
            if name not in FLAGS:
                raise TypeError(f"{name!r} is not a setting.")
        super().__init__({name: value for name, value in typed.items() if value is not None})


def known_variables() -> tuple[str, ...]:
    """Every variable that spotui reads, settings first, each once."""
    of_settings = (variable for setting in SETTINGS for variable in setting.variables)
    return tuple(dict.fromkeys((*of_settings, *LOCATION_VARIABLES, TRUST_VARIABLE, LANGUAGE_VARIABLE)))


def unknown_variables(environ: Mapping[str, str]) -> list[Problem]:
    """A warning for each variable that looks like ours and is not; values are never shown."""
    known = known_variables()
    warnings = []
    for name in sorted(environ):
        if not name.startswith(PREFIX) or name in known:
            continue
        if "KEY" in name or "TOKEN" in name.removeprefix(PREFIX).split("_"):
            hint = _("Keys are read from OPENAI_API_KEY, or from the variable that api_key_env names.")
        else:
            meant = nearest(name.removeprefix(PREFIX), (one.removeprefix(PREFIX) for one in known))
            hint = (
                _("Did you mean {name}?", name=PREFIX + meant)
                if meant
                else _("'spotui settings' lists all of them.")
            )
        warnings.append(Problem(name, _("Unknown variable {name}.", name=name), hint))
    return warnings


class SourceKind(StrEnum):
    """The sources of a setting, the one that takes precedence first."""

    FLAG = N_("flag")
    ENVIRONMENT = N_("environment")
    TEMPLATE = N_("template")
    CONFIG = N_("config")
    DEFAULT = N_("default")


class Source(NamedTuple):
    """Where the value of a setting came from.

    Attributes:
        kind: The kind of source.
        name: The flag, the variable, or the line of the config file; empty where there is none.
        note: How the value follows from what that source says; empty when it is the value itself.
    """

    kind: SourceKind
    name: str = ""
    note: str = ""

    @property
    def is_default(self) -> bool:
        """Whether nobody set a value."""
        return self.kind is SourceKind.DEFAULT

    def because(self, note: str) -> "Source":
        """The same source of a value that only follows from what it says."""
        return self._replace(note=note)

    def __str__(self) -> str:
        """The source as a person reads it, for example `flag --opt-model` or `config line 4`."""
        source = _(self.kind)
        if self.name:
            source = _("{kind} {name}", kind=source, name=self.name)
        return _("{source}: {note}", source=source, note=self.note) if self.note else source


class Resolution(NamedTuple):
    """The settings of a run and how they came about.

    Attributes:
        settings: What the run uses.
        sources: Where each setting came from, by its key; one that is missing was set by hand.
        warnings: What looks like a slip but stops nothing.
    """

    settings: RunSettings
    sources: Mapping[str, Source] = {}
    warnings: tuple[Problem, ...] = ()

    def is_set(self, key: str) -> bool:
        """Whether somebody set this setting, also to its default value."""
        source = self.sources.get(key)
        return source is None or not source.is_default


_OF_ALL_ROLES: Final = (option("model"), f"{PREFIX}MODEL")


class _Found(NamedTuple):
    value: object
    source: Source


def resolve(
    flags: Flags, environ: Mapping[str, str], of_template: Mapping[str, object], config: ConfigFile
) -> Resolution:
    """Settle every setting of a run.

    Args:
        flags: The flags that were typed.
        environ: The environment; an empty variable is one that is not set.
        of_template: The settings that the template has, by their keys.
        config: The user's config file.

    Returns:
        The settings, the source of each, and warnings about unknown `SPOTUI_*` variables.

    Raises:
        SettingsError: A flag or a variable holds a wrong value; it names all of them.
    """
    problems: list[Problem] = []
    found: dict[str, _Found] = {}
    for setting in SETTINGS:
        chosen = (
            _typed(setting, flags, problems)
            or _exported(setting, environ, problems)
            or _of_template(setting, of_template)
            or _of_config(setting, config)
            or _of_model(setting, found, config)
            or _default(setting, found)
        )
        found[setting.key] = _of_reference(setting, chosen)
    if problems:
        raise SettingsError.of(list(dict.fromkeys(problems)))
    _settle_executor(found, config)
    found["run.judge"] = _judge(found["run.judge"], str(found["roles.evaluator.model"].value))
    found["run.final_check"] = _final_check(found["run.final_check"], found["run.judge"].value)
    return Resolution(
        settings=_assemble({key: one.value for key, one in found.items()}),
        sources={key: one.source for key, one in found.items()},
        warnings=tuple(unknown_variables(environ)),
    )


def _typed(setting: Setting, flags: Flags, problems: list[Problem]) -> _Found | None:
    for flag in setting.flags:
        if flag in flags:
            return _read(setting, flags[flag], Source(SourceKind.FLAG, option(flag)), problems)
    return None


def _exported(setting: Setting, environ: Mapping[str, str], problems: list[Problem]) -> _Found | None:
    for variable in setting.variables:
        if text := environ.get(variable, "").strip():
            return _read(setting, text, Source(SourceKind.ENVIRONMENT, variable), problems)
    return None


def _read(setting: Setting, value: FlagValue, source: Source, problems: list[Problem]) -> _Found | None:
    try:
        if isinstance(value, str):
            return _Found(convert_text(setting.kind, value), source)
        return _Found(convert(setting.kind, value), source)
    except KindError as error:
        problems.append(Problem(source.name, error.about(source.name), error.hint))
    return None


def _of_template(setting: Setting, given: Mapping[str, object]) -> _Found | None:
    return _Found(given[setting.key], Source(SourceKind.TEMPLATE)) if setting.key in given else None


def _of_config(setting: Setting, config: ConfigFile) -> _Found | None:
    values = config.config.settings
    return _Found(values[setting.key], _in_config(config, setting.path)) if setting.key in values else None


def _of_model(setting: Setting, chosen: Mapping[str, _Found], config: ConfigFile) -> _Found | None:
    """A model's own timeout stands in where its role has none."""
    if setting.path[-1] != "timeout":
        return None
    model = str(chosen[f"roles.{setting.path[1]}.model"].value)
    entry = config.config.models.get(model)
    if entry is None or entry.timeout is None:
        return None
    return _Found(entry.timeout, _in_config(config, ("models", model, "timeout")))


def _in_config(config: ConfigFile, keys: Keys) -> Source:
    line = config.lines.get(keys)
    return Source(SourceKind.CONFIG, _("line {line}", line=line) if line else "")


def _default(setting: Setting, chosen: Mapping[str, _Found]) -> _Found:
    value = setting.default
    if setting.path[-1] == "timeout":
        value = default_timeout(str(chosen[f"roles.{setting.path[1]}.model"].value))
    return _Found(value, Source(SourceKind.DEFAULT))


def _of_reference(setting: Setting, chosen: _Found) -> _Found:
    if setting.path[-1] != "model" or chosen.value != "reference":
        return chosen
    role = next(role for role in ROLES if role == setting.path[1])
    return _Found(_REFERENCE_MODELS[role], chosen.source.because(_("the reference's model")))


_PROGRAM: Final = ("program.command", "program.url")


def _settle_executor(settled: dict[str, _Found], config: ConfigFile) -> None:
    """Let the executor be a program or a model, whichever was set by the source that takes precedence.

    A model that was set for all three roles at once is no choice against a program.

    Raises:
        SettingsError: A command and an address come from the same source.
    """
    ranks = list(SourceKind)
    programs = [key for key in _PROGRAM if settled[key].value is not None]
    if not programs:
        return
    rank = {key: ranks.index(settled[key].source.kind) for key in programs}
    if len(programs) > 1 and len({*rank.values()}) == 1:
        raise SettingsError(
            _("The executor has a command and a URL, and a program is one of them."),
            _("Leave one of them out."),
        )
    program = min(programs, key=rank.__getitem__)
    model = settled["roles.executor.model"]
    is_for_all = model.source.name in _OF_ALL_ROLES
    if not is_for_all and not model.source.is_default and ranks.index(model.source.kind) < rank[program]:
        program = ""
    for key in programs:
        if key != program:
            settled[key] = _Found(None, settled[key].source)
    if program:
        chosen = settled[program]
        settings = msgspec.convert({program.partition(".")[2]: chosen.value}, ProgramSettings)
        settled["roles.executor.model"] = _Found(
            program_model(settings), chosen.source.because(_("the program in its place"))
        )
        timeout = BY_KEY["roles.executor.timeout"]
        if settled[timeout.key].source.is_default:
            settled[timeout.key] = _of_model(timeout, settled, config) or _default(timeout, settled)


def _judge(chosen: _Found, evaluator: str) -> _Found:
    if chosen.value != "auto":
        return chosen
    if is_embedded(evaluator):
        return _Found("likelihood", chosen.source.because(_("auto, with an embedded evaluator")))
    return _Found("balanced", chosen.source.because(_("auto, with a hosted evaluator")))


def _final_check(chosen: _Found, judge: object) -> _Found:
    if chosen.value is not None:
        return chosen
    return _Found(judge != "reference", chosen.source.because(_("as the judge has it")))


def _assemble(values: Mapping[str, object]) -> RunSettings:
    tree: dict[str, Any] = {}
    for key, value in values.items():
        *sections, name = key.removeprefix("run.").split(".")
        branch = tree
        for section in sections:
            branch = branch.setdefault(section, {})
        branch[name] = value
    names = str(tree["judges"] or "").split(",")
    tree["judges"] = [name.strip() for name in names if name.strip()]
    return msgspec.convert(tree, RunSettings)


def template_roles(
    models: object, file: str = "template", line_of: Callable[[Keys], int] = lambda _: 0
) -> Mapping[str, object]:
    """Read a template's `models`: a role's model id alone, or the fields that the config file knows.

    Args:
        models: The plain data below the key, for example `{"executor": "gpt-4o-mini"}`.
        file: What the template is called in messages.
        line_of: The line of a path below `models`, from 1; 0 when lines mean nothing.

    Returns:
        The settings of roles that it has, by their keys.

    Raises:
        SettingsError: A role, a field or a value is wrong; it names them all.
    """
    if isinstance(models, Mapping):
        models = {
            role: {"model": wanted} if isinstance(wanted, str) else wanted for role, wanted in models.items()
        }
    checker = Checker(file, lambda keys: line_of(keys[1:]))
    found = checker.mapping({"models": _TEMPLATE_ROLES}, {"models": models})
    for key, value in found.items():
        if key.endswith((".headers", ".query")) and (taken := variables_in(str(value or ""))):
            checker.refuse(
                tuple(key.split(".")),
                _(
                    "{key} takes {names} from your environment, which no template may do.",
                    key=key,
                    names=", ".join(sorted(taken)),
                ),
                _("Write it into your config file, below `roles:`, or type it, e.g. with --exec-headers."),
            )
    checker.raise_problems()
    names = {f"models.executor.{name}": f"program.{name}" for name in _of_schema("program")}
    return {names.get(key, key.replace("models", "roles", 1)): value for key, value in found.items()}


def _of_schema(section: str) -> Schema:
    found = SCHEMA[section]
    return found if isinstance(found, Mapping) else {}


_TEMPLATE_ROLES: Final[Schema] = {
    role: {**fields, **(_of_schema("program") if role == "executor" else {})}
    for role, fields in _of_schema("roles").items()
    if isinstance(fields, Mapping)
}
"""What a template may say of each role; of the executor also which program it is."""
