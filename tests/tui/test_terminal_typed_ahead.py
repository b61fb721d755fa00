"""Keys that come in a heap are handled one after another."""

import asyncio

import pytest
from textual.app import ComposeResult
from textual.binding import Binding
from textual.events import Key
from textual.pilot import Pilot
from textual.screen import ModalScreen
from textual.widgets import Input

import spotui.tui.terminal
from spotui.tui.terminal import TypedAheadApp


class Dialog(ModalScreen[None]):
    """Closes on the key that has focus in it, and never says that it has handled it."""

    BINDINGS = [Binding("escape", "dismiss", "close")]  # noqa: RUF012 - Textual's declaration

    def compose(self) -> ComposeResult:
        """A field."""
        yield Input()


class Fields(TypedAheadApp):
    """Two fields, and a key that opens a dialog."""

    BINDINGS = [Binding("f2", "open", "open")]  # noqa: RUF012 - Textual's declaration

    def compose(self) -> ComposeResult:
        """Two fields."""
        yield Input(id="first")
        yield Input(id="second")

    def action_open(self) -> None:
        """Open the dialog."""
        self.push_screen(Dialog())

    def value(self, field: str) -> str:
        """What stands in a field."""
        return self.screen_stack[0].query_one(f"#{field}", Input).value


async def until_typed(pilot: Pilot[None], app: Fields, first: str, second: str) -> None:
    async with asyncio.timeout(10):
        while (app.value("first"), app.value("second")) != (first, second):
            await pilot.pause(0.01)


def burst(app: Fields, *keys: str) -> None:
    """As the driver does with what one read of the terminal brings."""
    for key in keys:
        app.post_message(Key(key, key if len(key) == 1 else None))


def test_a_burst_keeps_its_order(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(spotui.tui.terminal, "PATIENCE_SECONDS", 60.0)  # only the way up lets a key go on

    async def main() -> None:
        app = Fields()
        async with app.run_test() as pilot:
            burst(app, "a", "b", "backspace", "c", "tab", "d", "home", "e", "shift+tab", "f")
            await until_typed(pilot, app, "f", "ed")

    asyncio.run(main())


def test_a_widget_that_goes_away_holds_up_no_key() -> None:
    async def main() -> None:
        app = Fields()
        async with app.run_test() as pilot:
            await pilot.press("f2")
            burst(app, "x", "escape", "a", "b")
            await until_typed(pilot, app, "ab", "")

    asyncio.run(main())
