"""What one role uses: its model and how it is asked."""

import asyncio
from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical

from spotui.settings.roles import DEFAULT_MODEL, Role
from spotui.tui.dialog import Dialog, field_keys
from spotui.tui.settings.default_row import DefaultRow
from spotui.tui.settings.defaults import Defaults

_ROWS = (
    ("model", "Model", "an id of your models, or any other"),
    ("temperature", "Temperature", "0 to 2; none leaves it to the endpoint"),
    ("max_tokens", "Longest reply", "tokens; none leaves it to the endpoint"),
    ("timeout", "Timeout", "seconds it may stay silent"),
)


class RoleScreen(Dialog[None]):
    """Edits a role's defaults; each is saved as it is left.

    Args:
        role: The role.
        models: The ids that can be completed.
    """

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "back", "back", id="role.back"),
        *field_keys("role"),
    ]

    DEFAULT_CSS = """
    RoleScreen {
        & > Vertical { width: 78; padding: 1; }
        & DefaultRow { & Label { width: 14; } & Input { width: 30; } }
    }
    """

    def __init__(self, role: Role, models: tuple[str, ...]) -> None:
        super().__init__()
        self._role = role
        self._models = models

    def compose(self) -> ComposeResult:
        """The fields."""
        with Vertical() as box:
            box.border_title = f"The {self._role}"
            box.border_subtitle = "saved when you leave a field; an empty one is the usual value"
            for field, label, help_text in _ROWS:
                choices = (*self._models, DEFAULT_MODEL) if field == "model" else ()
                yield DefaultRow(f"roles.{self._role}.{field}", label, help_text, choices)

    async def on_mount(self) -> None:
        """Show what is saved."""
        await self._show()

    async def on_default_row_saved(self, event: DefaultRow.Saved) -> None:
        """Another model may have another timeout."""
        event.stop()
        await self._show()

    async def action_back(self) -> None:
        """Leave; what is typed is saved first, and what is wrong keeps the screen."""
        rows = list(self.query(DefaultRow))
        for row in rows:
            await row.save()
        if not any(row.is_changed for row in rows):
            self.dismiss(None)

    async def _show(self) -> None:
        defaults = await asyncio.to_thread(Defaults)
        for row in self.query(DefaultRow):
            row.show(defaults.of(row.key))
