"""The defaults of the config file as texts that a person edits."""

import os
from typing import NamedTuple

import msgspec
from msgspec import UNSET

from spotui.settings.config_file import ConfigFile
from spotui.settings.errors import SettingsError
from spotui.settings.flags import Flags
from spotui.settings.load import load_config
from spotui.settings.resolve import resolve
from spotui.settings.save import save_default
from spotui.settings.table import BY_KEY


class Default(NamedTuple):
    """One default.

    Attributes:
        text: What stands in the config file; empty when nothing does.
        used: What a run uses that says nothing else.
        rival: Which variable of the environment wins over the file; empty when none does.
    """

    text: str
    used: str
    rival: str


class Defaults:
    """One reading of the config file and the environment.

    Attributes:
        config: What the file says; nothing when it is wrong.
        fault: What is wrong with the file or a variable; empty when nothing is.
    """

    def __init__(self) -> None:
        self.config = ConfigFile()
        self.fault = ""
        self._used: dict[str, object] = {}
        self._origins: dict[str, str] = {}
        try:
            self.config = load_config()
            found = resolve(Flags(), os.environ, None, self.config)
        except SettingsError as error:
            self.fault = str(error)
        else:
            self._used = {key: _at(found.settings, key.removeprefix("run.")) for key in BY_KEY}
            self._origins = dict(found.origins)

    def of(self, key: str) -> Default:
        """One default by its dotted place in the file."""
        written = _at(self.config.config, key)
        source, _, variable = self._origins.get(key, "").partition(" ")
        rival = variable if source == "environment" else ""
        return Default("" if written is UNSET else text_of(written), text_of(self._used.get(key, "")), rival)


def save(key: str, text: str) -> None:
    """Write a default into the config file, or take it out when the text is empty.

    Raises:
        SettingsError: The value is wrong, or the file cannot be read or written; it is as it was.
    """
    save_default(key, text.strip() or UNSET)


def text_of(value: object) -> str:
    """A value as it is typed; `none` for no limit."""
    if value is None:
        return "none"
    if isinstance(value, bool):
        return "true" if value else "false"
    return f"{value:g}" if isinstance(value, float) else str(value)


def _at(struct: msgspec.Struct, key: str) -> object:
    value: object = struct
    for name in key.split("."):
        value = getattr(value, name, UNSET)
    return value
