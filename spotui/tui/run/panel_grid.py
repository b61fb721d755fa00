"""The names of the panels on one row, for screens too small to show them all."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Grid, Vertical
from textual.content import Content
from textual.events import Click
from textual.message import Message
from textual.reactive import reactive
from textual.widget import Widget


class PanelTabs(Widget):
    """One name for each panel, with the key that shows it.

    Attributes:
        shown: Which one is on the screen.
        detail: What is reported about it, at the right.
    """

    DEFAULT_CSS = "PanelTabs { height: 1; padding: 0 1; color: $text-muted; }"

    @dataclass
    class Chosen(Message):
        """Somebody clicked a name."""

        number: int

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


PANELS = ("Template", "Log", "Diff", "Rounds")
_MOST = 10
"""The panels share width and height by tenths."""


class PanelGrid(Vertical):
    """Four panels, two by two; their names are above them where only one is shown.

    Args:
        panels: The panels, as `PANELS` names them: left to right and top to bottom.
        shown: The number of the one that is shown first where only one is.
    """

    BINDINGS: ClassVar[list[BindingType]] = [
        *(
            Binding(str(number), f"panel({number - 1})", name.lower(), id=f"run.panel_{number}", show=False)
            for number, name in enumerate(PANELS, 1)
        ),
        Binding("z", "maximize", "one panel", id="run.maximize"),
        Binding("less_than_sign", "resize(-1, 0)", "left panels narrower", id="run.narrower", show=False),
        Binding("greater_than_sign", "resize(1, 0)", "left panels wider", id="run.wider", show=False),
        Binding("minus", "resize(0, -1)", "upper panels lower", id="run.lower", show=False),
        Binding("plus", "resize(0, 1)", "upper panels higher", id="run.higher", show=False),
    ]

    SCOPED_CSS = False  # whether a screen is narrow is the screen's own class
    DEFAULT_CSS = """
    PanelGrid {
        height: 1fr;
        & PanelTabs { display: none; }
        & Grid { grid-size: 2 2; grid-columns: 4fr 6fr; grid-rows: 6fr 4fr; }
        & Grid > * {
            height: 1fr;
            border: round $border-blurred;
            border-title-color: $text-muted;
            background: $background;
            &.-shown { border: round $primary; border-title-color: $primary; }
        }
    }
    .-narrow PanelGrid {
        & PanelTabs { display: block; }
        & Grid { grid-size: 1 1; grid-columns: 1fr; grid-rows: 1fr; }
        & Grid > * { display: none; border: none; }
        & Grid > .-shown { display: block; border: none; }
    }
    """

    def __init__(self, panels: Sequence[Widget], shown: int) -> None:
        super().__init__()
        self._panels = tuple(panels)
        self._shown = shown
        self._shares = (4, 6)
        panels[shown].add_class("-shown")

    def compose(self) -> ComposeResult:
        """The names above, the panels below."""
        tabs = PanelTabs(PANELS)
        tabs.shown = self._shown
        yield tabs
        yield Grid(*self._panels)

    def tell_shown(self) -> None:
        """Where panels have no frames, say beside the names what stands in the frame of the shown one."""
        panel, name = self._panels[self._shown], PANELS[self._shown]
        title, subtitle = (_plain(text) for text in (panel.border_title, panel.border_subtitle))
        told = (title.removeprefix(name).strip(), subtitle.strip())
        self.query_one(PanelTabs).detail = "  ".join(text for text in told if text)

    def on_descendant_focus(self) -> None:
        """The panel that has focus is marked, and the only one that a small screen shows.

        `:focus-within` would style every widget of both panels a second time at each change.
        """
        for number, panel in enumerate(self._panels):
            if panel.has_focus_within:
                self._mark(number)

    def _mark(self, shown: int) -> None:
        for number, panel in enumerate(self._panels):
            if panel.has_class("-shown") != (number == shown):
                panel.set_class(number == shown, "-shown", update=False)
                # Only the frame is another; `update` would style all that is inside again.
                self.app.stylesheet.update_nodes([panel])
        self._shown = self.query_one(PanelTabs).shown = shown
        self.tell_shown()

    def on_panel_tabs_chosen(self, event: PanelTabs.Chosen) -> None:
        """A name was clicked."""
        event.stop()
        self.action_panel(event.number)

    def action_panel(self, number: int) -> None:
        """Go to a panel."""
        panel = self._panels[number]
        self._mark(number)  # before focus arrives, so that both frames are painted at once
        target = panel if panel.focusable else next((one for one in panel.query("*") if one.focusable), panel)
        target.focus()

    def action_maximize(self) -> None:
        """Give the shown panel the whole screen, or take it back."""
        if self.screen.maximized is None:
            self.screen.maximize(self._panels[self._shown], container=False)
        else:
            self.screen.minimize()

    def action_resize(self, columns: int, rows: int) -> None:
        """Move the lines between the panels by a tenth."""
        wanted = zip(self._shares, (columns, rows), strict=True)
        column, row = (min(max(share + by, 1), _MOST - 1) for share, by in wanted)
        self._shares = column, row
        grid = self.query_one(Grid).styles
        grid.grid_columns = f"{column}fr {_MOST - column}fr"
        grid.grid_rows = f"{row}fr {_MOST - row}fr"


def _plain(title: str | None) -> str:
    # A title is given back as markup, whatever it was set to.
    return Content.from_markup(title).plain if title else ""
