"""What every dialog over a screen has in common: a box in the middle, and rows of fields in it."""

from typing import TypeVar

from textual.binding import Binding
from textual.containers import Horizontal
from textual.screen import ModalScreen
from textual.widget import Widget
from textual.widgets import Input, Label

Result = TypeVar("Result")


class Dialog(ModalScreen[Result]):
    """A box in the middle of the screen; what it composes is one container with a title on its border."""

    DEFAULT_CSS = """
    Dialog {
        align: center middle;
        & > Vertical, & > VerticalScroll {
            max-width: 100%; height: auto; max-height: 100%; padding: 0 1;
            border: round $primary; border-title-color: $primary; background: $surface;
            border-subtitle-color: $text-muted;
        }
    }
    """


class FieldDialog(Dialog[Result]):
    """A dialog of rows, each with a label and what is typed for it."""

    DEFAULT_CSS = """
    FieldDialog {
        & > Vertical { padding: 1 1 0 1; }
        & Horizontal { height: 1; }
        & Label { color: $text-muted; }
        & Input { width: 1fr; }
    }
    """

    def typed_in(self, field: str) -> str:
        """What stands in a field, without blanks around it.

        Args:
            field: Its id.
        """
        return self.query_one(f"#{field}", Input).value.strip()


def field_keys(group: str) -> tuple[Binding, Binding]:
    """The keys that go from field to field.

    Args:
        group: What the names of a dialog's bindings begin with.
    """
    return (
        Binding("up", "app.focus_previous", "field before", id=f"{group}.up", show=False),
        Binding("down", "app.focus_next", "next field", id=f"{group}.down", show=False),
    )


def row(label: str, field: Widget) -> Horizontal:
    """One row of a dialog.

    Args:
        label: What is typed there.
        field: Where it is typed.
    """
    return Horizontal(Label(label), field)


def text_field(field: str, value: str, meaning: str) -> Input:
    """A field of one line.

    Args:
        field: Its id.
        value: What stands in it at first.
        meaning: What an empty one means, or what can be typed.
    """
    made = Input(value, placeholder=meaning, id=field, compact=True)
    made.cursor_blink = False
    return made
