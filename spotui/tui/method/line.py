"""The chosen method on one row, which leads to the others."""

from typing import ClassVar

from textual.binding import Binding, BindingType
from textual.content import Content
from textual.events import Click
from textual.message import Message
from textual.widget import Widget

from spotui.tui.method.known import Told
from spotui.tui.method.screen import MethodScreen
from spotui.tui.typed_ahead import open_by


class MethodLine(Widget, can_focus=True):
    """What was chosen, or what holds otherwise.

    Args:
        usual: What holds when nothing is chosen, as text.
    """

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter,space", "choose", "choose method", id="method.choose"),
    ]

    DEFAULT_CSS = """
    MethodLine { height: 1; color: $foreground; &:focus { background: $primary; color: $background; } }
    """

    class Chosen(Message):
        """Another method was chosen, or it is told something else."""

        def __init__(self, told: Told) -> None:
            super().__init__()
            self.told = told

    def __init__(self, usual: str, *, id: str | None = None) -> None:  # noqa: A002 - Textual's name
        super().__init__(id=id)
        self.usual = usual
        self._chosen = Told()
        self._base = Told()

    @property
    def chosen(self) -> Told:
        """What was chosen; an empty name leaves it as it is."""
        return self._chosen

    def show(self, chosen: Told, base: Told, usual: str) -> None:
        """Show a choice.

        Args:
            chosen: What was chosen.
            base: What holds when nothing is.
            usual: The same, as text.
        """
        self._chosen, self._base, self.usual = chosen, base, usual
        self.refresh()

    def render(self) -> Content:
        """The choice, on as much of the row as there is."""
        width = self.content_size.width
        if self._chosen.method:
            return Content(str(self._chosen)).truncate(width, ellipsis=True)
        return Content(self.usual).truncate(width, ellipsis=True)

    def on_click(self, event: Click) -> None:
        """As with Enter."""
        event.stop()
        self.action_choose()

    def action_choose(self) -> None:
        """Show every method with its parameters."""
        open_by(self, self._choose(), group="method", exclusive=True)

    async def _choose(self) -> None:
        told = await self.app.push_screen_wait(
            MethodScreen(self._chosen if self._chosen.method else self._base)
        )
        if told is not None:
            self._chosen = told
            self.refresh()
            self.post_message(self.Chosen(told))
