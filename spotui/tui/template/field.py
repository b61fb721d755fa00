"""One text of the form, with its name and its size on the frame."""

from textual.message import Message

from spotui.tui.template.text_box import TextBox


class Field(TextBox):
    """A text of the template.

    Args:
        label: What it is called.
        id: Its id.
    """

    DEFAULT_CSS = """
    Field {
        height: auto; min-height: 3; max-height: 10; padding: 0 1;
        border: round $border-blurred; border-title-color: $text-muted; border-subtitle-color: $text-muted;
        &:focus { border: round $primary; border-title-color: $primary; }
    }
    """

    class UndoWanted(Message):
        """Undo or redo: the text below the form remembers, so that one key undoes what both have done."""

        def __init__(self, *, redo: bool) -> None:
            super().__init__()
            self.redo = redo

    def __init__(self, label: str, *, id: str) -> None:  # noqa: A002 - Textual's name
        super().__init__(id=id, highlight_cursor_line=False)
        self.border_title = label
        self._given = self._loaded = ""

    @property
    def value(self) -> str:
        """The text; one that was not touched is what was given, to the letter."""
        return self._given if self.text == self._loaded else self.text

    def give(self, value: str) -> None:
        """Show a value, and keep the cursor where it is."""
        if value == self.value:
            return
        self.read_only = False
        self.change_to(value)
        self._given, self._loaded = value, self.text
        # Separators that are line ends here and nowhere else would be lost by an edit.
        self.read_only = self.text != value

    def undo(self) -> None:
        """Ask for an undo."""
        self.post_message(self.UndoWanted(redo=False))

    def redo(self) -> None:
        """Ask for a redo."""
        self.post_message(self.UndoWanted(redo=True))
