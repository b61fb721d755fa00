"""Who wins: a typed flag, then the environment, then the template, then the config file, then the default."""

from collections.abc import Mapping
from typing import NamedTuple

import msgspec
from msgspec import UNSET

from spotui.settings.config_file import ConfigFile
from spotui.settings.environment import unknown_variables
from spotui.settings.errors import Problem, SettingsError
from spotui.settings.flags import Flags, flag_name
from spotui.settings.kinds import KindError, convert, convert_text
from spotui.settings.roles import DEFAULTS, REFERENCE_MODEL, ROLES, default_timeout, is_embedded
from spotui.settings.run_settings import RunSettings
from spotui.settings.schema import RolesConfig
from spotui.settings.table import SETTINGS, Setting


class Resolution(NamedTuple):
    """The settings of a run and how they came about.

    Attributes:
        settings: What the run uses.
        origins: For each setting's key who set it, such as `flag --opt-model` or `config line 4`.
        warnings: What looks like a slip but stops nothing.
    """

    settings: RunSettings
    origins: Mapping[str, str]
    warnings: tuple[Problem, ...]


class _Found(NamedTuple):
    value: object
    origin: str


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
        The settings, the origin of each, and warnings about unknown `SPOTUI_*` variables.

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
        origins={key: one.origin for key, one in found.items()},
        warnings=tuple(unknown_variables(environ)),
    )


def _typed(setting: Setting, flags: Flags, problems: list[Problem]) -> _Found | None:
    for field in setting.flags:
        value = getattr(flags, field)
        if value is None:
            continue
        read = convert_text if isinstance(value, str) else convert
        try:
            return _Found(read(setting.kind, value), f"flag {flag_name(field)}")
        except KindError as error:
            problems.append(Problem(flag_name(field), f"{error.what}.", error.mend))
    return None


def _exported(setting: Setting, environ: Mapping[str, str], problems: list[Problem]) -> _Found | None:
    for variable in setting.variables:
        text = environ.get(variable, "").strip()
        if not text:
            continue
        try:
            return _Found(convert_text(setting.kind, text), f"environment {variable}")
        except KindError as error:
            problems.append(Problem(f"environment {variable}", f"{error.what}.", error.mend))
    return None


def _of_template(setting: Setting, roles: RolesConfig | None) -> _Found | None:
    if roles is None or setting.path[0] != "roles":
        return None
    value = _at(roles, setting.path[1:])
    return None if value is UNSET else _Found(value, "template")


def _of_config(setting: Setting, config: ConfigFile) -> _Found | None:
    value = _at(config.config, setting.path)
    return None if value is UNSET else _Found(value, config.origin(setting.path))


def _of_model(setting: Setting, found: Mapping[str, _Found], config: ConfigFile) -> _Found | None:
    """A model's own timeout stands in where its role has none."""
    if setting.path[-1] != "timeout":
        return None
    model = str(found[f"roles.{setting.path[1]}.model"].value)
    entry = config.config.models.get(model)
    if entry is None or entry.timeout is None:
        return None
    return _Found(entry.timeout, config.origin(("models", model, "timeout")))


def _default(setting: Setting, found: Mapping[str, _Found]) -> _Found:
    if setting.path[-1] != "timeout":
        return _Found(setting.default, "default")
    return _Found(default_timeout(str(found[f"roles.{setting.path[1]}.model"].value)), "default")


def _of_reference(setting: Setting, chosen: _Found) -> _Found:
    if setting.path[-1] != "model" or chosen.value != REFERENCE_MODEL:
        return chosen
    role = next(role for role in ROLES if role == setting.path[1])
    return _Found(DEFAULTS[role].reference_model, f"{chosen.origin}: the reference's model")


def _judge(chosen: _Found, evaluator: str) -> _Found:
    if chosen.value != "auto":
        return chosen
    if is_embedded(evaluator):
        return _Found("likelihood", f"{chosen.origin}: auto, with an embedded evaluator")
    return _Found("balanced", f"{chosen.origin}: auto, with a hosted evaluator")


def _final_check(chosen: _Found, judge: object) -> _Found:
    if chosen.value is not None:
        return chosen
    return _Found(judge != "reference", f"{chosen.origin}: as the judge has it")


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
