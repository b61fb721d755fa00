"""A box for one sentence to the optimizer."""

from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.widgets import Input, Static

from spotui.lang import _
from spotui.tui.dialogs import Dialog

MOST_CHARACTERS = 1000


class HintScreen(Dialog[str | None]):
    """Asks for a hint; gives back an empty text to end the one in force, and None when it is left.

    Args:
        hint: The hint in force; empty without one.
    """

    BINDINGS: ClassVar[list[BindingType]] = [Binding("escape", "leave", "back", id="hint.back")]

    DEFAULT_CSS = """
    HintScreen {
        & > Vertical { width: 90; max-width: 95%; }
        & Static { height: auto; margin: 1 0 0 0; color: $text-muted; }
    }
    """

    def __init__(self, hint: str) -> None:
        super().__init__()
        self._hint = hint

    def compose(self) -> ComposeResult:
        """The hint, and what becomes of it."""
        with Vertical() as box:
            box.border_title = _("Hint to the optimizer")
            box.border_subtitle = _("enter accepts, escape cancels")
            field = Input(
                self._hint,
                placeholder=_("e.g. Ask for an answer of one line, without an explanation."),
                max_length=MOST_CHARACTERS,
                compact=True,
            )
            field.cursor_blink = False
            yield field
            yield Static(
                _(
                    "The optimizer reads it above the question that it is asked for every candidate, from "
                    "the next round on, until you change it; an empty field ends it. It is kept with the run."
                ),
                markup=False,
            )

    def on_input_submitted(self, event: Input.Submitted) -> None:
        """Take the hint."""
        event.stop()
        self.dismiss(" ".join(event.value.split()))

    def action_leave(self) -> None:
        """Change nothing."""
        self.dismiss(None)
