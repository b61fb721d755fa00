"""Themes: colours by what they mean, one YAML file each, shipped or the user's own."""

from pathlib import Path
from typing import Annotated

import msgspec
import yaml

from spotui.domain.errors import SpotuiError
from spotui.lang import _
from spotui.settings import locations
from spotui.settings.resources import themes_dir

DEFAULT_THEME = "harbour"

_ANSI = "black|red|green|yellow|blue|magenta|cyan|white"
Colour = Annotated[str, msgspec.Meta(pattern=rf"^(#[0-9a-fA-F]{{6}}|ansi_(default|(bright_)?({_ANSI})))$")]


class ThemeError(SpotuiError):
    """A theme that cannot be used."""


class Theme(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Colours as `#rrggbb` or an ANSI name such as `ansi_green`.

    Attributes:
        name: What the user writes to choose it; the file's name without its ending.
        dark: Whether it is made for a dark background.
        primary: The focused panel.
        secondary: What belongs to it.
        accent: What is best.
        success: A win.
        warning: A tie, an undecided duel, a retry.
        error: A void round, a failure.
        foreground: Text.
        background: What is behind everything.
        surface: What is behind a panel.
        panel: What is behind a title.
    """

    name: str
    dark: bool
    primary: Colour
    secondary: Colour
    accent: Colour
    success: Colour
    warning: Colour
    error: Colour
    foreground: Colour
    background: Colour
    surface: Colour
    panel: Colour


def theme_names() -> list[str]:
    """Every theme's name, the user's own included."""
    return sorted({path.stem for path in _yaml_files(themes_dir())} | set(own_theme_names()))


def own_theme_names() -> list[str]:
    """The names of the user's own themes."""
    return sorted(path.stem for path in _yaml_files(locations.themes_dir()))


def load_theme(name: str) -> Theme:
    """A theme by its name; the user's own wins over a shipped one.

    Raises:
        ThemeError: There is none of that name, or its file is wrong.
    """
    path = locations.themes_dir() / f"{name}.yaml"
    return _read(path) if path.is_file() else load_shipped_theme(name)


def load_shipped_theme(name: str) -> Theme:
    """A theme that comes with spotui, whatever the user's own are like.

    Raises:
        ThemeError: There is none of that name.
    """
    path = themes_dir() / f"{name}.yaml"
    if path.is_file():
        return _read(path)
    raise ThemeError(
        _("There is no theme {name!r}.", name=name),
        _("Choose one of: {theme_names}.", theme_names=", ".join(theme_names())),
    )


def _read(path: Path) -> Theme:
    try:
        theme = msgspec.convert(yaml.safe_load(path.read_text("utf-8")), Theme)
    except (OSError, ValueError, yaml.YAMLError) as error:
        raise _unusable(path, " ".join(str(error).split())) from None
    if theme.name != path.stem:
        raise _unusable(
            path,
            _(
                "its name is {theme!r}, and must be {stem!r} as that of its file",
                theme=theme.name,
                stem=path.stem,
            ),
        )
    return theme


def _unusable(path: Path, why: str) -> ThemeError:
    return ThemeError(
        _("The theme {path} cannot be used: {why}.", path=path, why=why),
        _("Compare it with one that works ('spotui locate' tells where themes are)."),
    )


def _yaml_files(folder: Path) -> list[Path]:
    return list(folder.glob("*.yaml")) if folder.is_dir() else []
