"""Asking for a key by having it pressed."""

from textual.app import ComposeResult
from textual.containers import Vertical
from textual.content import Content
from textual.events import Key
from textual.widgets import Static

from spotui.tui.dialog import Dialog
from spotui.tui.keys.names import fault_of


class PressScreen(Dialog[str]):
    """Gives back the key that was pressed, or an empty text for Escape.

    Args:
        what: What the key is for.
    """

    DEFAULT_CSS = """
    PressScreen {
        & > Vertical { width: 60; max-width: 95%; padding: 1; }
        & Static { height: auto; }
        & #fault { color: $text-error; min-height: 1; }
    }
    """

    def __init__(self, what: str) -> None:
        super().__init__()
        self._what = what

    def compose(self) -> ComposeResult:
        """What is asked, and what is wrong with a key."""
        with Vertical() as box:
            box.border_title = Content(self._what)
            box.border_subtitle = "escape leaves it as it is"
            yield Static("Press the new key.")
            yield Static(id="fault", markup=False)

    def on_key(self, event: Key) -> None:
        """Take the key, if it is one on every terminal."""
        event.stop()
        event.prevent_default()
        if event.key == "escape":
            self.dismiss("")
            return
        what, mend = fault_of(event.key)
        if what:
            self.query_one("#fault", Static).update(f"{what} {mend}")
        else:
            self.dismiss(event.key)
