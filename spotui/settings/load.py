"""Reading the user's config file."""

import stat
from pathlib import Path
from typing import TYPE_CHECKING

from spotui import locations
from spotui.locations import shown
from spotui.settings.check import Checker, Keys
from spotui.settings.config_file import ConfigFile
from spotui.settings.errors import Problem, SettingsError
from spotui.settings.schema import Config

if TYPE_CHECKING:
    from collections.abc import Sequence

    from spotui.marked_yaml.faults import Fault

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
    from spotui.marked_yaml.marks import YamlError, decode

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
    from spotui.marked_yaml.marks import EmptyYamlError, MappingNode, Node, YamlError, line_of, load

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
