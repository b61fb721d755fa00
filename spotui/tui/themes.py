"""Our themes as Textual takes them."""

from textual.color import Color
from textual.theme import Theme as TextualTheme

from spotui.settings.themes import Theme

WITHOUT_COLOURS = """
TableView > .table--cursor, OptionList > .option-list--option-highlighted,
DataTable:focus > .datatable--cursor { text-style: bold underline; }
*:focus, *:focus-within { border-title-style: bold reverse; }
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
