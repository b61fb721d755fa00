"""Our themes as Textual takes them."""

from textual.theme import Theme as TextualTheme

from spotui.themes import Theme


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
        variables=_ANSI_VARIABLES if is_ansi else {},
    )


_ANSI_VARIABLES = {
    "block-cursor-foreground": "ansi_black",
    "block-cursor-background": "ansi_white",
    "input-cursor-background": "ansi_white",
    "input-cursor-foreground": "ansi_black",
    "input-selection-background": "ansi_blue",
    "screen-selection-background": "ansi_blue",
    "border-blurred": "ansi_bright_black",
}
