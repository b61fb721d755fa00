"""The config file as it was read: what it says, and on which line."""

from collections.abc import Mapping

import msgspec

from spotui.settings.schema import Config


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

    def origin(self, keys: tuple[str, ...]) -> str:
        """Where a value stands, such as `config line 4`."""
        line = self.lines.get(keys)
        return f"config line {line}" if line else "config"
