"""The themes to choose from; the one under the cursor is on the screen at once."""

import asyncio
from typing import TYPE_CHECKING, ClassVar, cast

from textual.binding import Binding, BindingType
from textual.content import Content

from spotui.themes import Theme, ThemeError, load_theme, own_theme_names, theme_names
from spotui.tui.attempt import attempt
from spotui.tui.settings.defaults import save
from spotui.tui.table_view import Column, Row, TableView

if TYPE_CHECKING:
    from spotui.tui.app import SpotuiApp

_COLUMNS = (Column("theme"), Column("", 5), Column("", 5))


class ThemeTable(TableView):
    """Every theme; Enter keeps the one under the cursor for later starts."""

    BINDINGS: ClassVar[list[BindingType]] = [Binding("enter", "choose", "keep it", id="themes.keep")]

    def __init__(self) -> None:
        super().__init__(_COLUMNS, id="themes")
        self.border_title = "Theme"
        self._kept = ""
        self._is_ready = False

    async def read(self) -> None:
        """Read the themes; a broken one is shown as such."""
        app = cast("SpotuiApp", self.app)
        rows = await asyncio.to_thread(_rows)
        self._kept = app.theme
        self.show(rows)
        self.select(self._kept)
        self.border_subtitle = "enter keeps it"
        self.call_after_refresh(self._begin)

    def _begin(self) -> None:
        self._is_ready = True

    def put_back(self) -> None:
        """Use the theme that is kept."""
        app = cast("SpotuiApp", self.app)
        if self._is_ready and app.theme != self._kept:
            app.use_theme(self._kept)

    def on_table_view_moved(self, event: TableView.Moved) -> None:
        """Show what it looks like."""
        event.stop()
        if self._is_ready and event.key:
            cast("SpotuiApp", self.app).use_theme(event.key)

    async def on_table_view_chosen(self, event: TableView.Chosen) -> None:
        """Keep it."""
        event.stop()
        if cast("SpotuiApp", self.app).use_theme(event.key):
            await attempt(self, save, "theme", event.key)
            self._kept = event.key
            self.border_subtitle = f"{event.key} is kept"


def _rows() -> list[Row]:
    own = set(own_theme_names())
    return [_row(name, is_own=name in own) for name in theme_names()]


def _row(name: str, *, is_own: bool) -> Row:
    whose = Content.styled("yours", "$text-accent") if is_own else ""
    try:
        theme: Theme = load_theme(name)
    except ThemeError:
        return Row(name, (name, Content.styled("wrong", "$text-error"), whose))
    return Row(name, (name, Content.styled("dark" if theme.dark else "light", "$text-muted"), whose))
