"""What the page about the config folder shows can be used as it stands there."""

import re
from pathlib import Path

import pytest

from spotui.settings import locations
from spotui.settings.config_file import parse_config
from spotui.settings.shortcuts import load_user_keys
from spotui.settings.themes import load_theme
from spotui.tui.app import SpotuiApp
from spotui.tui.bindings import check_keys, widget_types
from tests.command_line import ROOT, move_in

CONFIG, KEYS, THEME = re.findall(
    r"```yaml\n(.*?)```", (ROOT / "docs/config-folder.md").read_text(), re.DOTALL
)


@pytest.fixture(autouse=True)
def _home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    move_in(monkeypatch, tmp_path)
    locations.themes_dir().mkdir(parents=True)


def test_the_config_file() -> None:
    config = parse_config(CONFIG, locations.config_file()).config
    assert config.theme == "moss"
    assert config.models["mine"].concurrency == 4


def test_the_keys() -> None:
    locations.keys_file().write_text(KEYS)
    found = check_keys(load_user_keys(), widget_types(), SpotuiApp)
    assert found.problems == ()
    assert found.keys["home.tour"] == "exclamation_mark"


def test_the_theme() -> None:
    (locations.themes_dir() / "mine.yaml").write_text(THEME)
    assert load_theme("mine").dark
