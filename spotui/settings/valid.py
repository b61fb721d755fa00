"""Checking settings that come from somewhere other than a flag: run.yaml, the journal, the wire, Python.

They are checked by the kinds of `settings.table`, as flags are: what a flag refuses gets in no other way.
"""

from collections.abc import Mapping
from typing import Final

from msgspec import UNSET

from spotui.settings.kinds import KindError, convert
from spotui.settings.run_settings import RunSettings
from spotui.settings.table import BY_KEY, SETTINGS

LIMITS: Final[Mapping[str, str]] = {
    **{name: f"run.{name}" for name in ("concurrency", "patience", "target_wins")},
    **{name: f"budget.{name}" for name in ("usd", "tokens", "calls", "minutes")},
    "rounds": "run.max_rounds",
}
"""Limits that can be changed during a run: their names in the journal and on the wire, and their keys."""


class InvalidSettingError(ValueError):
    """A value that its setting does not take; the text is a sentence."""


def check_limits(changes: Mapping[str, object]) -> None:
    """Make sure that each of these limits exists and takes its new value.

    Raises:
        InvalidSettingError: One does not.
    """
    for name, value in changes.items():
        if name not in LIMITS:
            raise InvalidSettingError(f"{name} is not a limit; the limits are {', '.join(sorted(LIMITS))}.")
        _check(name, LIMITS[name], value)


def check_settings(settings: RunSettings) -> None:
    """Make sure that every setting of a run has a value that its flag would take.

    Raises:
        InvalidSettingError: One has not.
    """
    for setting in SETTINGS:
        value: object = settings
        for name in setting.key.removeprefix("run.").split("."):
            value = getattr(value, name, UNSET)
        if setting.key == "run.judges":
            value = ",".join(settings.judges) or None
        if value is not UNSET:
            _check(setting.key, setting.key, value)


def _check(name: str, key: str, value: object) -> None:
    try:
        convert(BY_KEY[key].kind, value)
    except KindError as error:
        raise InvalidSettingError(f"{name} {error.what}.") from None
