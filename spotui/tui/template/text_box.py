"""A text area that does not blink, whose text can be made another one without losing the cursor."""

from textual.widgets import TextArea

from spotui.view.text_change import one_change


class TextBox(TextArea):
    """A text area as all ours are."""

    DEFAULT_CSS = """
    TextBox {
        background: $background;
        & .text-area--cursor-line { background: $surface; }
        & .text-area--placeholder { color: $text-disabled; }
    }
    """

    def on_mount(self) -> None:
        """A cursor that blinks sends bytes for ever."""
        self.cursor_blink = False

    def change_to(self, text: str) -> None:
        """Make the text another one, as one edit that can be undone; only what differs is replaced."""
        old, new = "\n".join(self.document.lines), text.replace("\r\n", "\n")
        if old != new:
            start, end, written = one_change(old, new)
            self.replace(written, _location(old, start), _location(old, end))


def _location(text: str, place: int) -> tuple[int, int]:
    return text.count("\n", 0, place), place - text.rfind("\n", 0, place) - 1
