"""How the user wants the screen: its theme and keys; nothing is loaded for files that are not there."""

from typing import TYPE_CHECKING, Any, NamedTuple

from textual.app import App
from textual.color import Color
from textual.theme import Theme as TextualTheme

from spotui.domain.errors import SpotuiError
from spotui.lang import _
from spotui.settings import locations
from spotui.settings.themes import Theme, ThemeError, load_theme

if TYPE_CHECKING:
    from spotui.settings.shortcuts import UserKeys


class Preferences(NamedTuple):
    """How the user wants the app.

    Attributes:
        theme: The theme to begin with; empty when none was chosen.
        keys: The user's own keys, not checked yet; None when there are none.
        problems: What could not be read.
    """

    theme: str = ""
    keys: "UserKeys | None" = None
    problems: tuple[SpotuiError, ...] = ()


def read_preferences() -> Preferences:
    """Read them; what cannot be read is reported and left out."""
    found, problems = Preferences(), []
    try:
        found = found._replace(theme=saved_theme())
    except SpotuiError as error:
        problems.append(error)
    try:
        found = found._replace(keys=_keys())
    except SpotuiError as error:
        problems.append(error)
    return found._replace(problems=tuple(problems))


def saved_theme() -> str:
    """The theme of the config file; empty when there is none in it.

    Raises:
        SettingsError: The config file is wrong.
    """
    if not locations.config_file().exists():
        return ""
    from spotui.settings.config_file import load_config

    return load_config().config.theme or ""


def _keys() -> "UserKeys | None":
    if not locations.keys_file().exists():
        return None
    from spotui.settings.shortcuts import load_user_keys

    return load_user_keys()


def use_theme(app: App[Any], name: str) -> bool:
    """Paint everything in another theme; one that cannot be used is reported.

    Args:
        app: What is painted.
        name: The theme's name.

    Returns:
        Whether it could be used.
    """
    if not add_theme(app, name):
        return False
    app.theme = name
    return True


def add_theme(app: App[Any], name: str) -> bool:
    """Read a theme so that it can be chosen; report one that cannot be used. Whether it could be read."""
    try:
        app.register_theme(textual_theme(load_theme(name)))
    except ThemeError as error:
        app.call_later(tell, app, error, _("A theme is left out"))
        return False
    return True


def tell(app: App[Any], error: SpotuiError, title: str) -> None:
    """Tell of something that is left out, and stops nothing."""
    text = f"{error.what} {error.hint}".strip()
    app.notify(text, title=title, severity="warning", timeout=12, markup=False)


WITHOUT_COLOURS = """
TableView > .table--cursor, OptionList > .option-list--option-highlighted,
DataTable:focus > .datatable--cursor { text-style: bold underline; }
*:focus, .-around-focus { border-title-style: bold reverse; }
"""
"""What shows the cursor and the focus where there are no colours to show them.

A reversed component style gets lost in Textual's visual styles; a reversed title does not.
"""


def textual_theme(theme: Theme) -> TextualTheme:
    """The theme with the meaning its colours have on the screen.

    A theme made of ANSI names uses the terminal's own sixteen colours.
    """
    is_ansi = theme.background.startswith("ansi_")
    return TextualTheme(
        name=theme.name,
        primary=theme.primary,
        secondary=theme.secondary,
        accent=theme.accent,
        success=theme.success,
        warning=theme.warning,
        error=theme.error,
        foreground=theme.foreground,
        background=theme.background,
        surface=theme.surface,
        panel=theme.panel,
        dark=theme.dark,
        ansi=is_ansi,
        variables=_ansi_variables(theme) if is_ansi else _variables(theme),
    )


def _variables(theme: Theme) -> dict[str, str]:
    """What Textual would derive in a way that cannot be seen.

    It takes a muted text for white or black on whatever is behind it, which the style of a part of a widget
    does not know, and a frame without focus for nearly the background.
    """
    foreground, background = Color.parse(theme.foreground), Color.parse(theme.background)
    primary = Color.parse(theme.primary)
    ends = background, foreground
    return {
        "text-muted": foreground.blend(background, 0.3).hex,
        "text-disabled": foreground.blend(background, 0.42).hex,
        "border-blurred": background.blend(foreground, 0.3).hex,
        "block-cursor-foreground": max(ends, key=lambda end: abs(end.brightness - primary.brightness)).hex,
        "scrollbar-background": background.hex,
        "scrollbar-background-hover": background.hex,
        "scrollbar-background-active": background.hex,
        "scrollbar-corner-color": background.hex,
    }


def _ansi_variables(theme: Theme) -> dict[str, str]:
    """The terminal's own colours; which of its two is behind the text only the terminal knows."""
    cursor = ("ansi_black", "ansi_white") if theme.dark else ("ansi_bright_white", "ansi_blue")
    scrollbar = "ansi_bright_black" if theme.dark else "ansi_white"
    return {
        "ansi-background": "ansi_default",
        "ansi-foreground": "ansi_default",
        "block-cursor-foreground": cursor[0],
        "block-cursor-background": cursor[1],
        "input-cursor-foreground": cursor[0],
        "input-cursor-background": cursor[1],
        "input-selection-foreground": "ansi_bright_white",
        "input-selection-background": "ansi_blue",
        "screen-selection-foreground": "ansi_bright_white",
        "screen-selection-background": "ansi_blue",
        "border-blurred": "ansi_bright_black",
        "scrollbar": scrollbar,
        "scrollbar-hover": scrollbar,
        "scrollbar-background": "ansi_default",
        "scrollbar-background-hover": "ansi_default",
        "scrollbar-background-active": "ansi_default",
    }
