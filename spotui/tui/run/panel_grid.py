"""The panels of a run: where each of them is, and which are on the screen."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import ClassVar, Final, NamedTuple

from rich.cells import cell_len
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Grid, Vertical
from textual.content import Content
from textual.events import Click, Resize
from textual.message import Message
from textual.reactive import reactive
from textual.widget import Widget

from spotui.lang import N_, _
from spotui.tui.focus_paint import Framed

_GAP = "  "
_DETAIL = 48
"""Cells that names make room for at most, so that what is reported about a panel can be read."""


class PanelTabs(Widget):
    """One name for each panel, with the key that shows it.

    Attributes:
        shown: Which one has the focus, and is the only one on a small screen.
        open: Those on the screen.
        detail: What is reported about the shown one, at the right.
    """

    DEFAULT_CSS = "PanelTabs { height: 1; padding: 0 1; color: $text-muted; }"

    @dataclass
    class Chosen(Message):
        """Somebody clicked a name."""

        number: int

    shown = reactive(0)
    open: reactive[frozenset[int]] = reactive(frozenset())
    detail = reactive("")

    def __init__(self, names: tuple[str, ...]) -> None:
        super().__init__()
        self._names = names

    def render(self) -> Content:
        """The names, the shown one set off; the last ones are only numbers where the detail needs room."""
        parts: list[tuple[str, str]] = []
        for number, label in enumerate(self._labels()):
            style = "bold reverse $primary" if number == self.shown else ""
            if number in self.open and number != self.shown:
                style = "bold $foreground"
            parts += [(label, style), (" ", "")]
        names = Content.assemble(*parts)
        room = self.content_size.width - names.cell_length
        detail = Content(self._detail_in(room)).truncate(max(0, room), ellipsis=True)
        return Content.assemble(names, " " * (room - detail.cell_length), detail)

    def on_click(self, event: Click) -> None:
        """Show what was clicked."""
        end = self.styles.padding.left
        for number, label in enumerate(self._labels()):
            end += cell_len(label) + 1
            if event.x < end:
                self.post_message(self.Chosen(number))
                return

    def _detail_in(self, room: int) -> str:
        """As many parts of the detail as fit; what is in front says least, and half of it nothing."""
        parts = self.detail.split(_GAP)
        while len(parts) > 1 and cell_len(_GAP.join(parts)) > room:
            del parts[0]
        return _GAP.join(parts)

    def _labels(self) -> list[str]:
        width = self.content_size.width
        numbers = [f" {number}" for number in range(1, len(self._names) + 1)]
        numbers[self.shown] += f" {self._names[self.shown]} "
        told = self._detail_in(width - _width(numbers) - 1)
        room = width - min(cell_len(told), _DETAIL) - bool(told)
        labels = [f" {number} {name} " for number, name in enumerate(self._names, 1)]
        if _width(labels) > room:  # the names stand closer together before any of them is left out
            labels = [label if at == self.shown else label.rstrip() for at, label in enumerate(labels)]
        for number in reversed(range(len(labels))):
            if _width(labels) <= room:
                break
            if number != self.shown:
                labels[number] = numbers[number]
        if _width(labels) > self.content_size.width:
            return [label if number == self.shown else label.strip() for number, label in enumerate(labels)]
        return labels


def _width(labels: Sequence[str]) -> int:
    return sum(map(cell_len, labels)) + len(labels) - 1


class Panel(NamedTuple):
    """A panel of the grid.

    Attributes:
        make: Makes it, when it is shown for the first time.
        is_early: Whether it is there from the beginning.
    """

    make: Callable[[], Framed]
    is_early: bool = False


PANELS: Final = (
    N_("Template"),
    N_("Log"),
    N_("Diff"),
    N_("Rounds"),
    N_("Best"),
    N_("Progress"),
    N_("Questions"),
    N_("Lineage"),
    N_("Reasons"),
)
"""The panels in the order of their keys."""

_IN_KEYS: Final = (
    *(N_("template"), N_("log"), N_("diff"), N_("rounds"), N_("best"), N_("progress")),
    *(N_("questions"), N_("lineage"), N_("reasons")),
)
"""Their names in the list of keys."""

_TEMPLATE, _LOG, _DIFF, _ROUNDS, _BEST, _PROGRESS, _QUESTIONS, _LINEAGE, _REASONS = range(len(PANELS))

_ORDER: Final = (_BEST, _TEMPLATE, _LOG, _QUESTIONS, _REASONS, _PROGRESS, _DIFF, _LINEAGE, _ROUNDS)
"""The panels from left to right and top to bottom, whichever share a place."""

_PLACES: Final = {
    1: (_ORDER,),
    2: (
        (_BEST, _TEMPLATE),
        (_LOG, _QUESTIONS, _REASONS),
        (_PROGRESS, _DIFF, _LINEAGE),
        (_ROUNDS,),
    ),
    3: (
        (_BEST, _TEMPLATE),
        (_LOG,),
        (_QUESTIONS, _REASONS),
        (_PROGRESS,),
        (_DIFF, _LINEAGE),
        (_ROUNDS,),
    ),
}
"""The panels that share a place, by the number of columns; the first one has it until another is shown."""

_WIDE, _VERY_WIDE = 100, 180
_MOST = 10
"""The panels share width and height by tenths."""

_LEFT_SHARE: Final = {1: 4, 2: 4, 3: 3}
_UPPER_SHARE = 6


def columns_of(width: int) -> int:
    """How many panels are beside each other on a screen of some cells."""
    return 1 if width < _WIDE else 2 if width < _VERY_WIDE else 3


class PanelGrid(Vertical):
    """Panels in two rows of two or three, or one at a time; their names are above them.

    Several panels share a place, and the one that was shown last has it. A panel is made when it is shown for
    the first time.

    Args:
        panels: The panels, as `PANELS` names them.
        recent: The numbers of those that were shown last; the last one has the focus first.
    """

    BINDINGS: ClassVar[list[BindingType]] = [
        *(
            Binding(str(number), f"panel({number - 1})", name, id=f"run.panel_{number}", show=False)
            for number, name in enumerate(_IN_KEYS, 1)
        ),
        Binding("z", "maximize", "one panel", id="run.maximize"),
        Binding("less_than_sign", "resize(-1, 0)", "left panels narrower", id="run.narrower", show=False),
        Binding("greater_than_sign", "resize(1, 0)", "left panels wider", id="run.wider", show=False),
        Binding("minus", "resize(0, -1)", "upper panels lower", id="run.lower", show=False),
        Binding("plus", "resize(0, 1)", "upper panels higher", id="run.higher", show=False),
    ]

    DEFAULT_CSS = """
    PanelGrid {
        height: 1fr;
        & Grid { grid-size: 1 1; }
        & Grid > * { display: none; height: 1fr; background: $background; }
        & Grid > .-open { display: block; }
        &.-two, &.-three {
            & Grid { grid-size: 2 2; grid-columns: 4fr 6fr; grid-rows: 6fr 4fr; }
            & Grid > * {
                border: round $border-blurred;
                border-title-color: $foreground;
                &.-shown { border: round $primary; }
            }
        }
        &.-three Grid { grid-size: 3 2; grid-columns: 6fr 7fr 7fr; }
    }
    """

    CARRIED: ClassVar[tuple[str, ...]] = ("shares",)

    @dataclass
    class Opened(Message):
        """A panel has come onto the screen."""

        panel: Widget

    def __init__(self, panels: Sequence[Panel], recent: Sequence[int]) -> None:
        super().__init__()
        self._panels = tuple(panels)
        self._made: dict[int, Framed] = {}
        self._shown = recent[-1]
        self._recent = list(recent)
        self._columns = 0
        self._shares: tuple[int, int] | None = None

    def compose(self) -> ComposeResult:
        """The names above, the panels below."""
        tabs = PanelTabs(tuple(_(name) for name in PANELS))
        tabs.shown = self._shown
        yield tabs
        self._use_columns(columns_of(self.app.size.width))
        tabs.open = opened = self._open()
        known = opened | {*self._recent}
        wanted = [number for number in _ORDER if number in known or self._panels[number].is_early]
        self._made = {number: self._panels[number].make() for number in wanted}
        for number, panel in self._made.items():
            panel.set_class(number in opened, "-open")
            panel.set_class(number == self._shown, "-shown")
        yield Grid(*self._made.values())

    @property
    def recent(self) -> tuple[int, ...]:
        """The numbers of the panels that were shown, the shown one last."""
        return (*(number for number in self._recent if number != self._shown), self._shown)

    @property
    def on_screen(self) -> list[Widget]:
        """The panels that can be seen."""
        return [self._made[number] for number in sorted(self._open()) if number in self._made]

    def tell_shown(self) -> None:
        """Where panels have no frames, say beside the names what is in the frame of the shown one."""
        panel = self._made.get(self._shown)
        if panel is None or self._columns != 1:
            self.query_one(PanelTabs).detail = ""
            return
        title, subtitle = (_plain(text) for text in (panel.border_title, panel.border_subtitle))
        detail = title.partition(_GAP)[2] or title.removeprefix(_(PANELS[self._shown]))
        told = (detail.strip(), subtitle.strip())
        self.query_one(PanelTabs).detail = _GAP.join(text for text in told if text)

    async def on_resize(self, event: Resize) -> None:
        """More or fewer panels have room."""
        if (columns := columns_of(event.size.width)) != self._columns:
            self._use_columns(columns)
            self._shares = None
            for rule in ("grid_columns", "grid_rows"):
                self.query_one(Grid).styles.clear_rule(rule)
            await self._arrange()

    def _use_columns(self, columns: int) -> None:
        self._columns = columns
        self.set_class(columns == 2, "-two")
        self.set_class(columns > 2, "-three")

    def on_descendant_focus(self) -> None:
        """The panel that has focus is marked, and the only one that a small screen shows.

        `:focus-within` would style every widget of both panels a second time at each change.
        """
        for number, panel in self._made.items():
            if panel.has_focus_within and number != self._shown:
                self._mark(number)

    def _mark(self, shown: int) -> None:
        self._shown = self.query_one(PanelTabs).shown = shown
        for number, panel in self._made.items():
            if panel.has_class("-shown") != (number == shown):
                panel.mark(is_shown=number == shown)
        self.tell_shown()

    def _open(self) -> frozenset[int]:
        """The panels that have the places: of those that share one, the one that was shown last."""
        if self._columns <= 1:
            return frozenset({self._shown})
        return frozenset(
            max(place, key=lambda number: self._recent.index(number) if number in self._recent else -1)
            for place in _PLACES[self._columns]
        )

    async def _arrange(self) -> None:
        """Put the panels onto the screen that have a place, and make those that are not there yet."""
        opened = self._open()
        self.query_one(PanelTabs).open = opened
        for number in sorted(opened - self._made.keys()):
            panel = self._made[number] = self._panels[number].make()
            after = _ORDER[_ORDER.index(number) + 1 :]
            before = next((self._made[later] for later in after if later in self._made), None)
            await self.query_one(Grid).mount(panel, before=before)
        for number, panel in self._made.items():
            if panel.has_class("-open") != (number in opened):
                panel.set_class(number in opened, "-open")
                if number in opened:
                    self.post_message(self.Opened(panel))
        self.tell_shown()

    def on_panel_tabs_chosen(self, event: PanelTabs.Chosen) -> None:
        """A name was clicked."""
        event.stop()
        self.run_worker(self.action_panel(event.number), group="panel")

    async def reveal(self, number: int) -> None:
        """Bring a panel onto the screen; on a small one, go to it."""
        if self._columns <= 1:
            await self.action_panel(number)
        elif number not in self._open():
            self._note(number)
            await self._arrange()

    async def action_panel(self, number: int) -> None:
        """Go to a panel."""
        self._note(number)
        if self.screen.maximized is not None:
            self.screen.minimize()
        self._shown = number
        await self._arrange()
        panel = self._made[number]
        self._mark(number)  # before focus arrives, so that both frames are painted at once
        target = panel if panel.focusable else next((one for one in panel.query("*") if one.focusable), panel)
        self.screen.set_focus(target)

    def _note(self, number: int) -> None:
        if number in self._recent:
            self._recent.remove(number)
        self._recent.append(number)

    def action_maximize(self) -> None:
        """Give the shown panel the whole screen, or take it back."""
        if self.screen.maximized is None:
            self.screen.maximize(self._made[self._shown], container=False)
        else:
            self.screen.minimize()

    def action_resize(self, columns: int, rows: int) -> None:
        """Move the lines between the panels by a tenth."""
        shares = self._shares or (_LEFT_SHARE[self._columns], _UPPER_SHARE)
        wanted = zip(shares, (columns, rows), strict=True)
        column, row = (min(max(share + by, 1), _MOST - 1) for share, by in wanted)
        self.shares = column, row

    @property
    def shares(self) -> tuple[int, int] | None:
        """The tenths of the left column and of the upper row; None until they are changed."""
        return self._shares

    @shares.setter
    def shares(self, shares: tuple[int, int] | None) -> None:
        self._shares = shares
        if shares is None:
            return
        column, row = shares
        grid, others = self.query_one(Grid).styles, max(1, self._columns - 1)
        grid.grid_columns = " ".join([f"{column * others}fr", *[f"{_MOST - column}fr"] * others])
        grid.grid_rows = f"{row}fr {_MOST - row}fr"


def _plain(title: str | None) -> str:
    # A title is given back as markup, whatever it was set to.
    return Content.from_markup(title).plain if title else ""
