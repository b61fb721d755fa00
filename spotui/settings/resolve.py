"""Decides which source of a setting wins: flag, environment, template, config file, default."""

from collections.abc import Callable, Mapping
from enum import StrEnum
from typing import NamedTuple

import msgspec
from msgspec import UNSET

from spotui.domain.errors import nearest
from spotui.settings.config_file import Checker, ConfigFile, Keys, RolesConfig
from spotui.settings.errors import Problem, SettingsError
from spotui.settings.locations import VARIABLES as LOCATION_VARIABLES
from spotui.settings.run_settings import RunSettings
from spotui.settings.table import (
    DEFAULTS,
    REFERENCE_MODEL,
    ROLES,
    SETTINGS,
    KindError,
    Setting,
    convert,
    convert_text,
    default_timeout,
    is_embedded,
)
from spotui.settings.trust import VARIABLE as TRUST_VARIABLE

FlagValue = str | float | bool | None


class Flags(msgspec.Struct, frozen=True, kw_only=True):
    """One field for each flag, in the order of `--help`; None is a flag that was not typed.

    A text is read as the environment is (`none` lifts a limit), so a parser can hand over what it got; a
    typed value is checked the same way.
    """

    model: FlagValue = None
    opt_model: FlagValue = None
    opt_temp: FlagValue = None
    opt_max_tokens: FlagValue = None
    opt_timeout: FlagValue = None
    eval_model: FlagValue = None
    eval_temp: FlagValue = None
    eval_max_tokens: FlagValue = None
    eval_timeout: FlagValue = None
    exec_model: FlagValue = None
    exec_temp: FlagValue = None
    exec_max_tokens: FlagValue = None
    exec_timeout: FlagValue = None
    timeout: FlagValue = None
    first_token_timeout: FlagValue = None
    call_timeout: FlagValue = None
    max_rounds: FlagValue = None
    initial_round: FlagValue = None
    sample: FlagValue = None
    seed: FlagValue = None
    judge: FlagValue = None
    judge_unit: FlagValue = None
    judge_json: FlagValue = None
    judges: FlagValue = None
    embedding_model: FlagValue = None
    reference_answers: FlagValue = None
    patience: FlagValue = None
    target_wins: FlagValue = None
    final_check: FlagValue = None
    budget_usd: FlagValue = None
    budget_tokens: FlagValue = None
    budget_calls: FlagValue = None
    budget_minutes: FlagValue = None
    tries: FlagValue = None
    retry_seconds: FlagValue = None
    base_url: FlagValue = None
    concurrency: FlagValue = None


def flag_name(field: str) -> str:
    """The flag as it is typed."""
    return "--" + field.replace("_", "-")


PREFIX = "SPOTUI_"


def known_variables() -> tuple[str, ...]:
    """Every variable that spotui reads, settings first, each once."""
    of_settings = (variable for setting in SETTINGS for variable in setting.variables)
    return tuple(dict.fromkeys((*of_settings, *LOCATION_VARIABLES, TRUST_VARIABLE)))


def unknown_variables(environ: Mapping[str, str]) -> list[Problem]:
    """A warning for each variable that looks like ours and is not; values are never shown."""
    known = known_variables()
    warnings = []
    for name in sorted(environ):
        if not name.startswith(PREFIX) or name in known:
            continue
        if "KEY" in name or "TOKEN" in name.removeprefix(PREFIX).split("_"):
            mend = "Keys are read from OPENAI_API_KEY, or from the variable that api_key_env names."
        else:
            meant = nearest(name.removeprefix(PREFIX), (one.removeprefix(PREFIX) for one in known))
            mend = f"Did you mean {PREFIX}{meant}?" if meant else "'spotui doctor' lists those it knows."
        warnings.append(Problem(f"environment {name}", "spotui knows no such variable.", mend))
    return warnings


class SourceKind(StrEnum):
    """The sources of a setting, the one that takes precedence first."""

    FLAG = "flag"
    ENVIRONMENT = "environment"
    TEMPLATE = "template"
    CONFIG = "config"
    DEFAULT = "default"


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
        where = f"{self.kind} {self.name}" if self.name else str(self.kind)
        return f"{where}: {self.note}" if self.note else where


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


class _Found(NamedTuple):
    value: object
    source: Source


def resolve(
    flags: Flags, environ: Mapping[str, str], template_models: RolesConfig | None, config: ConfigFile
) -> Resolution:
    """Settle every setting of a run.

    Args:
        flags: What was typed; fields that were not typed are None and beat nothing.
        environ: The environment; an empty variable is one that is not set.
        template_models: The roles that the template or the project asks for.
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
            or _of_template(setting, template_models)
            or _of_config(setting, config)
            or _of_model(setting, found, config)
            or _default(setting, found)
        )
        found[setting.key] = _of_reference(setting, chosen)
    if problems:
        raise SettingsError.of(list(dict.fromkeys(problems)))
    found["run.judge"] = _judge(found["run.judge"], str(found["roles.evaluator.model"].value))
    found["run.final_check"] = _final_check(found["run.final_check"], found["run.judge"].value)
    return Resolution(
        settings=_assemble({key: one.value for key, one in found.items()}),
        sources={key: one.source for key, one in found.items()},
        warnings=tuple(unknown_variables(environ)),
    )


def _typed(setting: Setting, flags: Flags, problems: list[Problem]) -> _Found | None:
    for field in setting.flags:
        value = getattr(flags, field)
        if value is None:
            continue
        read = convert_text if isinstance(value, str) else convert
        try:
            return _Found(read(setting.kind, value), Source(SourceKind.FLAG, flag_name(field)))
        except KindError as error:
            problems.append(Problem(flag_name(field), f"{error.what}.", error.mend))
    return None


def _exported(setting: Setting, environ: Mapping[str, str], problems: list[Problem]) -> _Found | None:
    for variable in setting.variables:
        text = environ.get(variable, "").strip()
        if not text:
            continue
        try:
            return _Found(convert_text(setting.kind, text), Source(SourceKind.ENVIRONMENT, variable))
        except KindError as error:
            problems.append(Problem(f"environment {variable}", f"{error.what}.", error.mend))
    return None


def _of_template(setting: Setting, roles: RolesConfig | None) -> _Found | None:
    if roles is None or setting.path[0] != "roles":
        return None
    value = _at(roles, setting.path[1:])
    return None if value is UNSET else _Found(value, Source(SourceKind.TEMPLATE))


def _of_config(setting: Setting, config: ConfigFile) -> _Found | None:
    value = _at(config.config, setting.path)
    return None if value is UNSET else _Found(value, _in_config(config, setting.path))


def _of_model(setting: Setting, found: Mapping[str, _Found], config: ConfigFile) -> _Found | None:
    """A model's own timeout stands in where its role has none."""
    if setting.path[-1] != "timeout":
        return None
    model = str(found[f"roles.{setting.path[1]}.model"].value)
    entry = config.config.models.get(model)
    if entry is None or entry.timeout is None:
        return None
    return _Found(entry.timeout, _in_config(config, ("models", model, "timeout")))


def _in_config(config: ConfigFile, keys: Keys) -> Source:
    line = config.lines.get(keys)
    return Source(SourceKind.CONFIG, f"line {line}" if line else "")


def _default(setting: Setting, found: Mapping[str, _Found]) -> _Found:
    value = setting.default
    if setting.path[-1] == "timeout":
        value = default_timeout(str(found[f"roles.{setting.path[1]}.model"].value))
    return _Found(value, Source(SourceKind.DEFAULT))


def _of_reference(setting: Setting, chosen: _Found) -> _Found:
    if setting.path[-1] != "model" or chosen.value != REFERENCE_MODEL:
        return chosen
    role = next(role for role in ROLES if role == setting.path[1])
    return _Found(DEFAULTS[role].reference_model, chosen.source.because("the reference's model"))


def _judge(chosen: _Found, evaluator: str) -> _Found:
    if chosen.value != "auto":
        return chosen
    if is_embedded(evaluator):
        return _Found("likelihood", chosen.source.because("auto, with an embedded evaluator"))
    return _Found("balanced", chosen.source.because("auto, with a hosted evaluator"))


def _final_check(chosen: _Found, judge: object) -> _Found:
    if chosen.value is not None:
        return chosen
    return _Found(judge != "reference", chosen.source.because("as the judge has it"))


def _at(struct: msgspec.Struct, path: tuple[str, ...]) -> object:
    value: object = struct
    for name in path:
        value = getattr(value, name, UNSET)
    return value


def _assemble(values: Mapping[str, object]) -> RunSettings:
    def under(section: str) -> dict[str, object]:
        return {key.removeprefix(section): value for key, value in values.items() if key.startswith(section)}

    tree = {
        "roles": {role: under(f"roles.{role}.") for role in ROLES},
        "budget": under("budget."),
        "retry": under("retry."),
        **under("run."),
        **{key: value for key, value in values.items() if "." not in key},
    }
    names = str(tree["judges"] or "").split(",")
    tree["judges"] = [name.strip() for name in names if name.strip()]
    return msgspec.convert(tree, RunSettings)


def template_roles(
    models: object, file: str = "template", line_of: Callable[[Keys], int] = lambda _: 0
) -> RolesConfig:
    """Read a template's `models`: a role's model id alone, or the fields that the config file knows.

    Args:
        models: The plain data below the key, such as `{"executor": "gpt-4o-mini"}`.
        file: What the template is called in messages.
        line_of: The line of a path below `models`, from 1; 0 when lines mean nothing.

    Returns:
        The roles, UNSET where the template says nothing.

    Raises:
        SettingsError: A role, a field or a value is wrong; it names them all.
    """
    if isinstance(models, Mapping):
        models = {
            role: {"model": wanted} if isinstance(wanted, str) else wanted for role, wanted in models.items()
        }
    checker = Checker(file, lambda keys: line_of(keys[1:]))
    roles = checker.struct(RolesConfig, models, ("models",))
    checker.raise_problems()
    return roles or RolesConfig()
