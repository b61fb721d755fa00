"""Writes the tables of settings into docs/settings.md: `python docs/write_settings.py`."""

import sys
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from spotui.cli import VERBS, parsers_of  # noqa: E402 - only found once the path is set
from spotui.settings.table import SETTINGS, Group, Setting, option  # noqa: E402
from spotui.settings.values import wanted  # noqa: E402

HEAD = """\
# Settings

Every setting of a run has a flag, an environment variable and a key in
[config.yaml](config-folder.md). The order of precedence is: flag, variable, template (settings of
roles only), config.yaml, default. `spotui settings` shows the values that apply and where each comes
from; Settings in the app edits config.yaml.

In config.yaml, the key `run.sample` is `sample` below `run:`. The value `none` means no limit.
Settings marked with \\* can be changed during a run, in the app or with `spotui resume`. A value out
of bounds is refused with the name of the flag or variable, or the line of the file.
"""
COLUMNS = "| key | flag | variable | takes | default | description |\n|---|---|---|---|---|---|"


def document() -> str:
    """The whole page."""
    return "\n".join([HEAD, *(part for group in Group for part in _section(group))])


def _section(group: Group) -> Iterator[str]:
    settings = [setting for setting in SETTINGS if setting.group == group]
    taken = [f"`{verb}`" for verb in VERBS if _takes(verb, settings)]
    yield f"## {group.capitalize()}\n"
    yield f"Flags of {', '.join(taken)}.\n"
    yield COLUMNS
    yield from map(_row, settings)
    yield ""


def _takes(verb: str, settings: list[Setting]) -> bool:
    (parser, *_) = parsers_of(verb)
    return {option(setting.flags[0]) for setting in settings} <= {*parser.flags()}


def _row(setting: Setting) -> str:
    flags = " or ".join(f"`{option(flag)}`" for flag in setting.flags)
    variables = " or ".join(f"`{variable}`" for variable in setting.variables)
    mark = r" \*" if setting.limit else ""
    cells = (f"`{setting.key}`{mark}", flags, variables, wanted(setting.kind), setting.usual, setting.help)
    return f"| {' | '.join(cells)} |"


if __name__ == "__main__":
    (ROOT / "docs" / "settings.md").write_text(document(), encoding="utf-8")
