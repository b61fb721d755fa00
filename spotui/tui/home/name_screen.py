"""Asking for a name."""

from collections.abc import Callable
from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.content import Content
from textual.widgets import Input, Static

from spotui.errors import SpotuiError
from spotui.tui.dialog import Dialog, row


class NameScreen(Dialog[str]):
    """Asks for a name; gives back an empty text when it is left with Escape.

    Args:
        question: The title.
        name: The text in the field at first.
        check: Raises SpotuiError for a name that cannot be taken.
        label: The label of the field.
    """

    BINDINGS: ClassVar[list[BindingType]] = [Binding("escape", "dismiss('')", "back", id="name.back")]

    DEFAULT_CSS = """
    NameScreen {
        & > Vertical { width: 60; max-width: 95%; }
        & Horizontal { height: 1; margin: 1 0 0 0; }
        & Label { width: 8; color: $text-muted; }
        & Input { width: 1fr; }
        & Static { height: auto; min-height: 1; color: $text-error; }
    }
    """

    def __init__(self, question: str, name: str, check: Callable[[str], None], label: str = "Name") -> None:
        super().__init__()
        self._question = question
        self._proposed = name
        self._check = check
        self._label = label

    def compose(self) -> ComposeResult:
        """The name, and what is wrong with it."""
        with Vertical() as box:
            box.border_title = Content(self._question)
            box.border_subtitle = "enter accepts, escape cancels"
            name = Input(self._proposed, compact=True)
            name.cursor_blink = False
            yield row(self._label, name)
            yield Static(markup=False)

    def on_input_changed(self, event: Input.Changed) -> None:
        """What was wrong may be right now."""
        event.stop()
        self.query_one(Static).update("")

    def on_input_submitted(self, event: Input.Submitted) -> None:
        """Take the name, if it can be taken."""
        event.stop()
        name = event.value.strip()
        try:
            self._check(name)
        except SpotuiError as error:
            self.query_one(Static).update(f"{error.what} {error.mend}")
        else:
            self.dismiss(name)
