"""The names of the panels on one row, for screens too small to show them all."""

from textual.content import Content
from textual.events import Click
from textual.message import Message
from textual.reactive import reactive
from textual.widget import Widget


class PanelTabs(Widget):
    """One name for each panel, with the key that shows it.

    Attributes:
        shown: Which one is on the screen.
        detail: What is told of it, at the right.
    """

    DEFAULT_CSS = "PanelTabs { height: 1; padding: 0 1; color: $text-muted; }"

    class Chosen(Message):
        """Somebody clicked a name."""

        def __init__(self, number: int) -> None:
            super().__init__()
            self.number = number

    shown = reactive(0)
    detail = reactive("")

    def __init__(self, names: tuple[str, ...]) -> None:
        super().__init__()
        self._names = names

    def render(self) -> Content:
        """The names, the shown one set off."""
        parts: list[tuple[str, str]] = []
        for number, name in enumerate(self._names):
            style = "bold reverse $primary" if number == self.shown else ""
            parts += [(f" {number + 1} {name} ", style), (" ", "")]
        names = Content.assemble(*parts)
        room = self.content_size.width - names.cell_length
        detail = Content(self.detail).truncate(max(0, room), ellipsis=True)
        return Content.assemble(names, " " * (room - detail.cell_length), detail)

    def on_click(self, event: Click) -> None:
        """Show what was clicked."""
        end = self.styles.padding.left
        for number, name in enumerate(self._names):
            end += len(f" {number + 1} {name}  ")
            if event.x < end:
                self.post_message(self.Chosen(number))
                return
