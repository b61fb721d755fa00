"""Importing in the app: a file is chosen, what becomes of it is shown, and the template is there."""

from pathlib import Path

import pytest
from textual.pilot import Pilot
from textual.widgets import DirectoryTree, Input

from spotui.settings import locations
from spotui.tui.app import SpotuiApp
from spotui.tui.home.import_screen import ImportScreen, preview
from spotui.tui.home.templates_panel import TemplatesPanel
from tests.command_line import move_in
from tests.tui.piloting import drive, until, until_told

CONFIG = """\
prompts: ["Capital of {{country}}?"]
providers: [echo]
tests:
  - {vars: {country: France}, assert: [{type: icontains, value: paris}, {type: cost, threshold: 1}]}
  - {vars: {country: Peru}, assert: [{type: icontains, value: lima}]}
  - {vars: {country: Chad}, assert: [{type: icontains, value: n'djamena}]}
"""


def test_a_file_is_previewed_and_imported_among_the_templates(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    move_in(monkeypatch, tmp_path)
    (tmp_path / "geo").mkdir()
    (tmp_path / "geo" / "promptfooconfig.yaml").write_text(CONFIG)
    (tmp_path / "notes.txt").write_text("nothing known")
    monkeypatch.chdir(tmp_path)

    async def journey(app: SpotuiApp, pilot: Pilot[None]) -> None:
        await pilot.press("i")
        await until(pilot, lambda: isinstance(app.screen, ImportScreen))
        await until_told(pilot, "Nothing in it is run.", "notes.txt")
        tree = app.screen.query_one(DirectoryTree)
        path = app.screen.query_one("#path", Input)

        path.value = "notes.txt"
        await until_told(pilot, "has no format that spotui can import")

        await until(pilot, lambda: any(str(node.label) == "geo" for node in tree.root.children))
        folder = next(node for node in tree.root.children if str(node.label) == "geo")
        tree.focus()
        tree.move_cursor(folder)
        await pilot.press("enter")
        await until(pilot, lambda: path.value == "geo")
        await until_told(pilot, "3 rows, checks", "Capital of {country}?", "The assert `cost` is left out.")

        await pilot.press("ctrl+s")
        await until(pilot, lambda: not isinstance(app.screen, ImportScreen))
        templates = app.screen.query_one(TemplatesPanel)
        made = locations.templates_dir() / "geo.yaml"
        await until(pilot, lambda: templates.current == str(made))
        assert (made.parent / "geo-rows.jsonl").read_text().count("\n") == 3

    drive(tmp_path, journey)


def test_a_preview_without_notes_says_so() -> None:
    one = {"label": "", "rows": 1, "metric": None, "prompt": "Hi"}
    text = str(preview({"title": "Alpaca", "templates": [one], "notes": []}))
    assert text.startswith("Alpaca\n\n1: 1 row\nHi\n")
    assert text.endswith("Everything is mapped.")
