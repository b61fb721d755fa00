"""What a model writes never reaches the terminal as a command, and hides nothing on it."""

from pathlib import Path

import pytest
from textual.app import ComposeResult
from textual.content import Content
from textual.pilot import Pilot
from textual.screen import Screen
from textual.widgets import Input, OptionList, Static, TextArea

from spotui.tui.app import SpotuiApp
from tests.command_line import move_in
from tests.tui.piloting import drive, seen

HOSTILE = "ab\x1b]52;c;eA==\x07c\x1b[2Jd\x9b2Je\x00\x08\x7ff 猫 \u202eg\u200bh\U000e0041 👩\u200d🚀"
SHOWN = "ab␛]52;c;eA==␇c␛[2Jd⌧2Je␀␈␡f 猫 ⇄g⌧h⌧ 👩\u200d🚀"


class HostileScreen(Screen[None]):
    def compose(self) -> ComposeResult:
        static = Static(Content(HOSTILE))
        static.border_title = Content(HOSTILE)
        static.styles.border = ("round", "white")
        yield static
        yield TextArea(HOSTILE)
        yield Input(HOSTILE)
        yield OptionList(HOSTILE, markup=False)


def test_no_hidden_character_is_painted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    move_in(monkeypatch, tmp_path)

    async def journey(app: SpotuiApp, pilot: Pilot[None]) -> None:
        app.push_screen(HostileScreen())
        app.notify(HOSTILE, title=HOSTILE, markup=False)
        await pilot.pause()
        painted = seen(app)
        assert painted.count(SHOWN) == 7
        assert all(letter in "\n\u200d" or letter.isprintable() for letter in painted)

    drive(tmp_path, journey)
