from pathlib import Path

import pytest

from spotui.settings.themes import DEFAULT_THEME, ThemeError, load_theme, theme_names

GOOD = (Path(__file__).parents[2] / "themes" / "harbour.yaml").read_text()


@pytest.fixture(autouse=True)
def own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder of the user's own themes."""
    monkeypatch.setenv("SPOTUI_CONFIG_DIR", str(tmp_path))
    folder = tmp_path / "themes"
    folder.mkdir()
    return folder


def test_every_shipped_theme_can_be_used_under_its_own_name() -> None:
    assert DEFAULT_THEME in theme_names()
    assert [load_theme(name).name for name in theme_names()] == theme_names()


def test_there_is_a_theme_for_light_terminals_and_one_for_sixteen_colours() -> None:
    themes = [load_theme(name) for name in theme_names()]

    assert {theme.dark for theme in themes} == {True, False}
    assert any(theme.foreground.startswith("ansi_") for theme in themes)


@pytest.mark.parametrize("name", theme_names())
def test_text_and_verdicts_can_be_read_on_every_background(name: str) -> None:
    theme = load_theme(name)
    if theme.background.startswith("ansi_"):
        return
    for back in (theme.background, theme.surface, theme.panel):
        assert contrast(theme.foreground, back) >= 7
        for front in (theme.success, theme.warning, theme.error, theme.accent):
            assert contrast(front, back) >= 3


def contrast(one: str, other: str) -> float:
    lights = sorted((luminance(one), luminance(other)))
    return (lights[1] + 0.05) / (lights[0] + 0.05)


def luminance(colour: str) -> float:
    parts = [int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    red, green, blue = (
        part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts
    )
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def test_the_users_own_theme_wins_and_is_listed(own: Path) -> None:
    (own / "harbour.yaml").write_text(GOOD.replace("#5fa8d3", "#010203"))
    (own / "mine.yaml").write_text(GOOD.replace("name: harbour", "name: mine"))

    assert load_theme("harbour").primary == "#010203"
    assert "mine" in theme_names()


@pytest.mark.parametrize(
    "text",
    [
        "",
        "[]",
        "name: mine",
        GOOD + "extra: '#000000'\n",
        GOOD.replace("'#5fa8d3'", "bluish").replace('"#5fa8d3"', "bluish"),
        GOOD.replace("dark: true", "dark: 1"),
        "name: [",
        "name: 2024-99-99",
        "\x00",
    ],
)
def test_a_theme_that_cannot_be_used_is_named_with_the_reason(own: Path, text: str) -> None:
    (own / "mine.yaml").write_text(text)

    with pytest.raises(ThemeError, match=r"mine\.yaml cannot be used: .+"):
        load_theme("mine")


def test_a_theme_that_is_no_text_is_named(own: Path) -> None:
    (own / "mine.yaml").write_bytes(b"\xff\xfe\x00")

    with pytest.raises(ThemeError, match=r"mine\.yaml cannot be used"):
        load_theme("mine")


def test_an_unknown_theme_is_refused_with_those_there_are() -> None:
    with pytest.raises(ThemeError, match=r"'neon'.*harbour"):
        load_theme("neon")
