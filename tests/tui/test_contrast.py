"""Every theme can be read: WCAG 2 AA for each colour of text on each background, as Textual derives them."""

import pytest
from textual.color import Color

from spotui.settings.themes import load_shipped_theme
from spotui.tui.preferences import textual_theme
from tests.command_line import ROOT

NAMES = sorted(path.stem for path in (ROOT / "themes").glob("*.yaml"))
SHADED = [name for name in NAMES if not load_shipped_theme(name).background.startswith("ansi_")]
"""The others have the sixteen colours of the terminal."""

TEXTS = (
    *("foreground", "text-muted", "primary", "secondary", "accent", "success", "warning", "error"),
    *("text-primary", "text-secondary", "text-accent", "text-success", "text-warning", "text-error"),
)
BACKGROUNDS = ("background", "surface", "panel")
AA, AAA, PART_OF_A_WIDGET = 4.5, 7.0, 3.0


def luminance(colour: Color) -> float:
    parts = [part / 255 for part in colour.rgb]
    red, green, blue = (
        part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts
    )
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(one: Color, other: Color) -> float:
    low, high = sorted((luminance(one), luminance(other)))
    return (high + 0.05) / (low + 0.05)


def colours(name: str) -> dict[str, str]:
    theme = textual_theme(load_shipped_theme(name))
    return theme.to_color_system().generate() | theme.variables


@pytest.mark.parametrize("name", SHADED)
def test_all_text_can_be_read_on_every_background(name: str) -> None:
    shown = colours(name)
    least = AAA if name == "contrast" else AA
    faint = []
    for text in TEXTS:
        for back in BACKGROUNDS:
            behind = Color.parse(shown[back])
            found = contrast(behind + Color.parse(shown[text]), behind)
            if found < least:
                faint.append(f"{text} on {back}: {found:.2f}")
    assert faint == []


@pytest.mark.parametrize("name", SHADED)
def test_the_cursor_and_the_frame_with_the_focus_stand_out(name: str) -> None:
    shown = colours(name)
    cursor = Color.parse(shown["block-cursor-foreground"]), Color.parse(shown["block-cursor-background"])
    assert contrast(*cursor) >= AA
    for back in BACKGROUNDS:
        behind = Color.parse(shown[back])
        assert contrast(Color.parse(shown["primary"]), behind) >= PART_OF_A_WIDGET
        assert contrast(behind + Color.parse(shown["text-disabled"]), behind) >= PART_OF_A_WIDGET
