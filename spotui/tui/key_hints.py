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
        self._more: ActiveBinding | None = None

    def on_mount(self) -> None:
        """Hear of every change of what has focus."""
        self.screen.bindings_updated_signal.subscribe(self, self._update)
        self._update(self.screen)

    def render(self) -> Content:
        """The hints that fit the row, and at its end the key that tells all of them."""
        placed = [hint for _, hint in self._placed()]
        if self._more is not None:
            more = self._hint(self._more).rstrip()
            gap = self.content_size.width - sum(hint.cell_length for hint in placed) - more.cell_length
            placed += [Content(" " * max(0, gap)), more]
        return Content("").join(placed)

    async def on_click(self, event: Click) -> None:
        """Do what was clicked."""
        end = self.styles.padding.left
        for active, hint in self._placed():
            end += hint.cell_length
            if event.x < end:
                await self.app.run_action(active.binding.action, active.node)
                return
        if self._more is not None and event.x >= self.size.width - self._hint(self._more).cell_length:
            await self.app.run_action(self._more.binding.action, self._more.node)

    def _placed(self) -> list[tuple[ActiveBinding, Content]]:
        placed: list[tuple[ActiveBinding, Content]] = []
        room = self.content_size.width - (self._hint(self._more).cell_length if self._more else 0)
        for active in self._hints:
            hint = self._hint(active)
            room -= hint.cell_length
            if room < -len("  "):
                break
            placed.append((active, hint))
        return placed

    def _hint(self, active: ActiveBinding) -> Content:
        key = self.app.get_key_display(active.binding)
        return Content.assemble((key, "bold $accent"), f" {active.binding.description}  ")

    def _update(self, screen: Screen[object]) -> None:
        found: dict[str, ActiveBinding] = {}
        for active in screen.active_bindings.values():
            if active.binding.show and active.enabled:
                found.setdefault(active.binding.action.removeprefix("app."), active)
        more = found.pop("keys", None)
        hints = list(found.values())
        if [one.binding for one in [*hints, more] if one] != [
            one.binding for one in [*self._hints, self._more] if one
        ]:
            self._hints, self._more = hints, more
            self.refresh()
