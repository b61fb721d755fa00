"""A new template in three steps, at any size; whatever is pasted, nobody is trapped and nothing is lost."""

from pathlib import Path

import pytest
from textual.pilot import Pilot
from textual.widgets import Input, TextArea

from spotui.settings import locations
from spotui.templates.model import QA
from spotui.templates.read import read_template
from spotui.tui.app import SpotuiApp
from spotui.tui.home.screen import HomeScreen
from spotui.tui.home.templates_panel import TemplatesPanel
from spotui.tui.home.wizard import NewTemplateScreen
from tests.command_line import move_in
from tests.tui.piloting import LARGE, drive, seen, until, until_seen, until_told

TINY = (40, 12)


@pytest.mark.parametrize("size", [TINY, LARGE])
def test_a_template_is_made_of_what_is_pasted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, size: tuple[int, int]
) -> None:
    move_in(monkeypatch, tmp_path)

    async def journey(app: SpotuiApp, pilot: Pilot[None]) -> None:
        await until(pilot, lambda: app.screen.query_one(TemplatesPanel).keys)
        app.screen.query_one(TemplatesPanel).focus()
        await pilot.press("n")
        await until(pilot, lambda: isinstance(app.screen, NewTemplateScreen))
        screen = app.screen
        await pilot.press("ctrl+s", "ctrl+s", "ctrl+s")  # nothing has to be in order before the end
        await until_seen(pilot, "▸4 Save" if size != TINY else "Name")
        await pilot.press("ctrl+s")  # which leads to the step that lacks something
        await until_told(pilot, "has no questions")
        screen.query_one("#questions", TextArea).text = "1. Where is it? => A place\n2. How: long?\n"
        await until_told(pilot, "2 questions, 1 with an answer", "A run needs 5 questions")
        await pilot.press("escape")
        await until_told(pilot, "Paste the prompt")
        screen.query_one("#prompt", TextArea).text = "Answer: {brief}\n# as a shop"
        await pilot.press("ctrl+s", "ctrl+s", "ctrl+s")
        screen.query_one("#name", Input).value = "../x"
        await pilot.press("enter")
        await until_told(pilot, "cannot be a template's name")
        screen.query_one("#name", Input).value = "shop"
        await pilot.press("enter")
        await until(pilot, lambda: isinstance(app.screen, HomeScreen))
        await until_told(pilot, "shop is saved")
        assert app.screen.query_one(TemplatesPanel).current.endswith("shop.yaml")

    drive(tmp_path, journey, size)
    template = read_template(locations.templates_dir() / "shop.yaml")
    assert template.prompt == "Answer: {brief}\n# as a shop"
    assert template.qa == (QA("Where is it?", "A place"), QA("How: long?"))


def test_leaving_asks_once_something_is_typed_and_an_import_takes_its_place(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    move_in(monkeypatch, tmp_path)
    (tmp_path / "one.jsonl").write_text('{"question": "Why?", "answer": "So."}\n')
    monkeypatch.chdir(tmp_path)

    async def journey(app: SpotuiApp, pilot: Pilot[None]) -> None:
        await until(pilot, lambda: app.screen.query_one(TemplatesPanel).keys)
        app.screen.query_one(TemplatesPanel).focus()
        await pilot.press("n", "escape")
        await until(pilot, lambda: isinstance(app.screen, HomeScreen))
        await pilot.press("n", *"Hi", "escape")
        await until_seen(pilot, "Leave without a template?")
        await pilot.press("n")
        await until(pilot, lambda: isinstance(app.screen, NewTemplateScreen))
        assert "Hi" in seen(app)
        await pilot.press("ctrl+o")
        await until_seen(pilot, "Import")
        await pilot.press("escape")
        await until(pilot, lambda: isinstance(app.screen, NewTemplateScreen))
        await pilot.press("ctrl+s")
        app.screen.query_one("#questions", TextArea).text = "one.jsonl"  # a file instead of questions
        await until_told(pilot, "rows of one.jsonl")
        assert f"data: {tmp_path / 'one.jsonl'}" in app.screen.query_one("#preview", TextArea).text
        await pilot.press("ctrl+q")  # quitting loses it, too
        await until_seen(pilot, "Quit without saving?")
        await pilot.press("n")
        await until(pilot, lambda: isinstance(app.screen, NewTemplateScreen))
        assert not app._exit
        await pilot.press("ctrl+q", "y")
        await until(pilot, lambda: app._exit)

    drive(tmp_path, journey)
    assert not list(locations.templates_dir().glob("*"))
