"""New rows in the app: they come one by one, and each is kept, edited or dropped from the keyboard."""

import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from textual.pilot import Pilot
from textual.widgets import Input

from spotui.templates.read import read_template
from spotui.tui.app import SpotuiApp
from spotui.tui.template.editor import TextBox
from spotui.tui.template.panel import TemplatePanel
from spotui.tui.template.row_drafts import DraftTable, EditDraftScreen
from spotui.tui.template.rows_screen import NewRowsScreen
from spotui.tui.template.screen import TemplateScreen
from tests.cli.test_rows import SUBJECTS, author, question_on
from tests.command_line import move_in, write_template
from tests.model_server import ModelServer, Scripted
from tests.tui.piloting import SMALL, drive, seen, until, until_told

REFUSED = Scripted(status=401, body=b'{"error": {"message": "Incorrect API key provided."}}')


@pytest.fixture
def refuses() -> threading.Event:
    """Whether the server takes no key any more."""
    return threading.Event()


@pytest.fixture
def writer(refuses: threading.Event) -> Iterator[ModelServer]:
    with ModelServer(lambda request: REFUSED if refuses.is_set() else author(request)) as server:
        yield server


def test_rows_are_kept_edited_and_dropped_and_what_is_undecided_comes_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, writer: ModelServer, refuses: threading.Event
) -> None:
    path = Path(write_template(tmp_path))
    move_in(
        monkeypatch,
        tmp_path,
        OPENAI_API_KEY="sk-the-key",
        OPENAI_BASE_URL=writer.base_url,
        SPOTUI_OPT_MODEL="test-model",
    )

    async def opened(app: SpotuiApp, pilot: Pilot[None]) -> DraftTable:
        await pilot.press("ctrl+r")
        await until(pilot, lambda: isinstance(app.screen, NewRowsScreen))
        return app.screen.query_one(DraftTable)

    async def journey(app: SpotuiApp, pilot: Pilot[None]) -> None:
        screen = TemplateScreen(path)
        app.push_screen(screen)
        await until(pilot, lambda: screen.is_mounted and screen.query_one(TemplatePanel).checked is not None)
        table = await opened(app, pilot)
        count = app.screen.query_one("#count", Input)
        count.value = "none"
        await pilot.press("enter")
        await until_told(pilot, "Type a whole number from 1 to 1000.")
        count.value = "5"
        await until_told(pilot, "about 1 call")
        await pilot.press("enter")
        await until(pilot, lambda: len(table.keys) == 5 and "writing" not in seen(app))
        await until_told(
            pilot, "1 near-duplicate left out", "test-model", "1 call: ", question_on(SUBJECTS[0])
        )

        await pilot.press("enter", "d", "e")
        await until(pilot, lambda: isinstance(app.screen, EditDraftScreen))
        app.screen.query(TextBox).first().load_text("Why do magnets turn?")
        await pilot.press("ctrl+s")
        await until_told(pilot, "2 kept, 1 dropped")
        await until(pilot, lambda: len(read_template(path).qa) == 5)
        assert table.current == "3"
        await pilot.press("escape")
        await until_told(pilot, "2 rows are not decided; they are offered next time.")
        kept = [one.question for one in read_template(path).qa if one.synthetic]
        assert kept == [question_on(SUBJECTS[0]), "Why do magnets turn?"]
        await until(pilot, lambda: "Why do magnets turn?" in screen.query_one(TemplatePanel).text)
        assert not screen.is_changed

        bought = len(writer.requests)
        table = await opened(app, pilot)
        await until_told(pilot, "2 rows of an earlier time are not decided yet.")
        await pilot.press("enter")
        await until(pilot, lambda: len(table.keys) == 2 and "writing" not in seen(app))
        assert len(writer.requests) == bought
        await pilot.press("a")
        await until(pilot, lambda: len(read_template(path).qa) == 7)

        refuses.set()
        await pilot.press("m", "enter")
        await until_told(pilot, "Incorrect API key provided.")
        assert len(table.keys) == 2

    drive(tmp_path, journey, SMALL)
