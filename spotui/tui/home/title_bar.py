"""What is open, on the first row."""

from textual.content import Content
from textual.widget import Widget


class TitleBar(Widget):
    """The program's name, and at the right where its projects are.

    Args:
        place: The folder of the projects.
    """

    DEFAULT_CSS = "TitleBar { height: 1; padding: 0 1; background: $panel; color: $text-muted; }"

    def __init__(self, place: str) -> None:
        super().__init__()
        self._place = place

    def render(self) -> Content:
        """Left who, right where."""
        name = Content.styled("spotui", "bold $primary")
        room = self.content_size.width - name.cell_length - 2
        place = Content(self._place).truncate(max(0, room), ellipsis=True)
        return Content.assemble(name, " " * (room + 2 - place.cell_length), place)
