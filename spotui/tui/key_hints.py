"""The keys that do something now, on the last row."""

from textual.binding import ActiveBinding
from textual.content import Content
from textual.events import Click
from textual.screen import Screen
from textual.widget import Widget


class KeyHints(Widget):
    """As many keys as fit, the most particular first; painted again only when they change.

    Textual's own footer makes its row of widgets anew at every key press, which lays out the whole screen and
    sends kilobytes.
    """

    DEFAULT_CSS = (
        "KeyHints { dock: bottom; height: 1; padding: 0 1; background: $panel; color: $text-muted; }"
    )

    def __init__(self) -> None:
        super().__init__()
        self._hints: list[ActiveBinding] = []

    def on_mount(self) -> None:
        """Hear of every change of what has focus."""
        self.screen.bindings_updated_signal.subscribe(self, self._update)
        self._update(self.screen)

    def render(self) -> Content:
        """The hints that fit the row."""
        return Content("").join(hint for _, hint in self._placed())

    async def on_click(self, event: Click) -> None:
        """Do what was clicked."""
        end = self.styles.padding.left
        for active, hint in self._placed():
            end += hint.cell_length
            if event.x < end:
                await self.app.run_action(active.binding.action, active.node)
                return

    def _placed(self) -> list[tuple[ActiveBinding, Content]]:
        placed: list[tuple[ActiveBinding, Content]] = []
        room = self.content_size.width
        for active in self._hints:
            key = self.app.get_key_display(active.binding)
            hint = Content.assemble((key, "bold $accent"), f" {active.binding.description}  ")
            room -= hint.cell_length
            if room < -len("  "):
                break
            placed.append((active, hint))
        return placed

    def _update(self, screen: Screen[object]) -> None:
        found: dict[str, ActiveBinding] = {}
        for active in screen.active_bindings.values():
            if active.binding.show and active.enabled:
                found.setdefault(active.binding.action.removeprefix("app."), active)
        hints = list(found.values())
        if [one.binding for one in hints] != [one.binding for one in self._hints]:
            self._hints = hints
            self.refresh()
