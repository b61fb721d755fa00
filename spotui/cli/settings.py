"""spotui settings."""

import argparse
import os
import sys

from spotui.cli import exit_codes
from spotui.lang import _, as_english
from spotui.settings.config_file import load_config
from spotui.settings.resolve import Flags, Resolution, resolve
from spotui.settings.table import LIMITS, SETTINGS, Group, option, text_of, value_at
from spotui.settings.values import wanted


def add_settings_arguments(parser: argparse.ArgumentParser) -> None:
    """The arguments of `settings`."""
    parser.add_argument(
        "--json", action="store_true", help=_("one JSON object, with flags, variables and bounds")
    )


def settings_command(parsed: argparse.Namespace) -> int:
    """Print every setting of a run, its value, and where that comes from."""
    found = resolve(Flags(), os.environ, {}, load_config())
    for warning in found.warnings:
        print(f"spotui: {warning.what} {warning.hint}", file=sys.stderr)
    if parsed.json:
        import msgspec

        print(msgspec.json.encode(_as_json(found), enc_hook=as_english).decode())
        return exit_codes.OK
    lines = {setting.key: text_of(value_at(found.settings, setting.path)) for setting in SETTINGS}
    keys, values = (max(map(len, texts)) for texts in (lines, lines.values()))
    for group in Group:
        print(_(group))
        for setting in SETTINGS:
            if setting.group == group:
                source = found.sources[setting.key]
                print(f"  {setting.key:{keys}}  {lines[setting.key]:{values}}  {source}")
    return exit_codes.OK


def _as_json(resolution: Resolution) -> dict[str, dict[str, object]]:
    return {
        setting.key: {
            "value": value_at(resolution.settings, setting.path),
            "source": str(resolution.sources[setting.key]),
            "group": setting.group,
            "flags": [option(flag) for flag in setting.flags],
            "variables": setting.variables,
            "takes": wanted(setting.kind),
            "default": setting.usual,
            "help": setting.help,
            "during_run": setting.limit in LIMITS,
        }
        for setting in SETTINGS
    }
