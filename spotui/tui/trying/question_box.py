"""Where a question is typed."""

from typing import ClassVar

from textual.binding import Binding, BindingType
from textual.message import Message

from spotui.tui.template.text_box import TextBox


class QuestionBox(TextBox):
    """A text of a few lines that Enter sends; what is pasted keeps its lines."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter", "ask", "ask", id="try.ask", priority=True),
        Binding("ctrl+n", "new_line", "new line", id="try.new_line", show=False),
    ]

    DEFAULT_CSS = """
    QuestionBox {
        border: round $border-blurred;
        border-title-color: $text-muted;
        &:focus { border: round $primary; border-title-color: $primary; }
    }
    """

    class Asked(Message):
        """The question is to be asked."""

    def __init__(self, text: str) -> None:
        super().__init__(text, highlight_cursor_line=False)
        self.border_title = "Question"
        self.placeholder = "Type a question and press Enter."

    def on_mount(self) -> None:
        """Write on where the text ends."""
        super().on_mount()
        self.move_cursor(self.document.end)

    def action_ask(self) -> None:
        """Ask it."""
        self.post_message(self.Asked())

    def action_new_line(self) -> None:
        """Break the line."""
        self.replace("\n", *self.selection)
