"""A table to choose a row from, which paints only the rows that changed."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import ClassVar, NamedTuple

from rich.cells import cell_len
from textual.binding import Binding, BindingType
from textual.content import Content
from textual.events import Click
from textual.geometry import Region, Size
from textual.message import Message
from textual.scroll_view import ScrollView
from textual.strip import Strip
from textual.style import Style

from spotui.lang import _
from spotui.tui.filtering import Filtered
from spotui.tui.focus_paint import PaintsItsCursor

_GAP = "  "
_SHORT_TEXT = 4
"""Cells that a text keeps while numbers need room."""


class Column(NamedTuple):
    """One column.

    Attributes:
        title: Its heading.
        width: In cells; 0 for a column that takes what its cells need and the row has left. Numbers get more
            where they need it. A column without any text takes none.
        is_number: Whether it is aligned right, and cut last.
        from_width: It is left out where the table is narrower than this.
    """

    title: str
    width: int = 0
    is_number: bool = False
    from_width: int = 0


class Row(NamedTuple):
    """One row: what it is known by, and its cells."""

    key: str
    cells: tuple[Content | str, ...]


class TableView(ScrollView, PaintsItsCursor, Filtered, can_focus=True):
    """Rows under titles, with a cursor and a filter; a table without rows says what to do.

    Attributes:
        empty: What is said where there are no rows.
    """

    CARRIED: ClassVar[tuple[str, ...]] = (*Filtered.CARRIED, "wanted")

    COMPONENT_CLASSES: ClassVar[set[str]] = {
        "table--titles",
        "table--cursor",
        "table--resting",
        "table--empty",
    }

    DEFAULT_CSS = """
    TableView {
        padding: 0 1;
        overflow-x: hidden;
        & .table--titles { color: $text-muted; }
        & .table--empty { color: $text-muted; }
        & .table--cursor { color: $block-cursor-foreground; background: $block-cursor-background; }
        & .table--resting { text-style: bold; }
    }
    """

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter", "choose", "choose", id="table.choose"),
        Binding("up,k", "move(-1)", "up", id="table.up", show=False),
        Binding("down,j", "move(1)", "down", id="table.down", show=False),
        Binding("pageup", "page(-1)", "page up", id="table.page_up", show=False),
        Binding("pagedown", "page(1)", "page down", id="table.page_down", show=False),
        Binding("home", "move(-1000000)", "first", id="table.first", show=False),
        Binding("end", "move(1000000)", "last", id="table.last", show=False),
        Binding("slash", "filter", "filter", id="table.filter"),
    ]

    @dataclass
    class Chosen(Message):
        """A row was chosen with Enter or a click."""

        table: "TableView"
        key: str

    @dataclass
    class Moved(Message):
        """Another row is under the cursor."""

        table: "TableView"
        key: str

    def __init__(
        self,
        columns: Sequence[Column],
        *,
        id: str | None = None,  # noqa: A002 - Textual's name
        title: str = "",
    ) -> None:
        super().__init__(id=id, classes="framed" if title else "")
        self.border_title = title or None
        self.empty = Content("")
        self._columns = tuple(columns)
        self._all: list[Row] = []
        self._rows: list[Row] = []
        self._longest = [0] * len(self._columns)
        self._fitted: tuple[int, list[int]] = (-1, [])
        self._cursor = 0
        self._awaited = ""

    @property
    def is_awaiting(self) -> bool:
        """Whether the row has not come yet that the cursor is to be put on."""
        return bool(self._awaited)

    @property
    def wanted(self) -> str:
        """The key of the row that the cursor is put on once it is there, unless somebody moves it before."""
        return self._awaited or self.current

    @wanted.setter
    def wanted(self, key: str) -> None:
        self._awaited = key

    @property
    def current(self) -> str:
        """The key of the row under the cursor; empty when there are no rows."""
        return self._rows[self._cursor].key if self._rows else ""

    @property
    def keys(self) -> list[str]:
        """Of every row that is shown."""
        return [row.key for row in self._rows]

    def show(self, rows: Sequence[Row]) -> None:
        """Show other rows; the cursor stays on its row, or where it was when that row is gone."""
        self._all = list(rows)
        self._show_rows([row for row in rows if self._matches(row)])

    def _show_rows(self, rows: Sequence[Row]) -> None:
        shown, old = self.current, self._rows
        self._rows = list(rows)
        known = {row.key: row for row in old}
        is_wider = self._measure(row for row in rows if known.get(row.key) != row)
        keys, before = self.keys, shown
        if self._awaited in keys:
            before, self._awaited = self._awaited, ""
        self._cursor = keys.index(before) if before in keys else max(0, min(self._cursor, len(rows) - 1))
        if len(old) != len(rows) or is_wider:
            self._lay_out()
            self.refresh()
            self.call_after_refresh(self._follow_cursor)
        else:
            for number, (was, now) in enumerate(zip(old, self._rows, strict=True)):
                if was != now:
                    self._paint(number)
        if self.current != shown:
            self.post_message(self.Moved(self, self.current))

    def use_columns(self, columns: Sequence[Column]) -> None:
        """Show other columns, once other rows are shown."""
        self._columns = tuple(columns)
        self._rows, self._all = [], []
        self._longest = [0] * len(self._columns)
        self._fitted = (-1, [])
        self._lay_out()
        self.refresh()

    def select(self, key: str) -> None:
        """Put the cursor on a row, if it is there; a filter that hides it is cleared."""
        if key not in self.keys and any(row.key == key for row in self._all):
            self._filter.clear()
            self.apply_filter()
        if key in self.keys:
            self._move_to(self.keys.index(key))

    def render_line(self, y: int) -> Strip:
        """The titles on the first line, which stays, and the rows below it."""
        width, base = self.scrollable_content_region.width, self.visual_style
        if self._filter and y == 0:
            line = self._filter.line(len(self._rows), len(self._all)).truncate(width, ellipsis=True)
            return self._strip(line, base)
        if not self._rows:
            empty = self._filter.nothing() if self._filter and self._all else self.empty
            lines = empty.wrap(width) if width > 0 else []
            text = lines[y - 1] if 0 < y <= len(lines) else Content("")
            return self._strip(text.stylize(self._style("empty")), base)
        if y == self._head - 1:
            cells = [_title(column) for column in self._columns]
            return self._strip(self._line(cells, width).stylize(self._style("titles")), base)
        number = y - self._head + round(self.scroll_y)
        if number >= len(self._rows):
            return Strip.blank(self.size.width, base.rich_style)
        line = self._line(self._rows[number].cells, width)
        if number == self._cursor:
            line = Content(line.plain) if self.has_focus else line
            line = line.stylize(self._style("cursor" if self.has_focus else "resting"))
        return self._strip(line, base)

    def on_mount(self) -> None:
        """The cursor looks different while the table has focus."""
        self._lay_out()

    def paint_cursor(self) -> None:
        """Paint the row of the cursor anew."""
        self._paint(self._cursor)

    def watch_show_vertical_scrollbar(self) -> None:
        """What has just become longer than the table could not be scrolled until now."""
        self.call_after_refresh(self._follow_cursor)

    def on_resize(self) -> None:
        """Columns have other widths."""
        self._lay_out()
        self._follow_cursor()
        self.refresh()

    def on_click(self, event: Click) -> None:
        """Put the cursor on a row; choose the one that has it."""
        number = event.y - self.gutter.top - self._head + round(self.scroll_y)
        if event.y >= self.gutter.top + self._head and number < len(self._rows):
            if number == self._cursor and event.chain > 1:
                self.action_choose()
            self._move_to(number)

    def _matches(self, row: Row) -> bool:
        return not self._filter.text or self._filter.matches(map(_plain, row.cells))

    def apply_filter(self) -> None:
        """Show what the filter lets through."""
        self._show_rows([row for row in self._all if self._matches(row)])
        self._lay_out()
        self._follow_cursor()
        self.refresh()
        self.refresh_bindings()

    @property
    def _head(self) -> int:
        """The lines above the rows: the titles, and the filter while there is one."""
        return 2 if self._filter else 1

    def action_choose(self) -> None:
        """Choose the row under the cursor."""
        if self._rows:
            self.post_message(self.Chosen(self, self.current))

    def action_move(self, by: int) -> None:
        """Move the cursor by rows."""
        self._move_to(self._cursor + by)

    def action_page(self, by: int) -> None:
        """Move the cursor by what is visible."""
        self._move_to(self._cursor + by * max(1, self.scrollable_content_region.height - self._head - 1))

    def _move_to(self, number: int) -> None:
        number = max(0, min(number, len(self._rows) - 1))
        if not self._rows or number == self._cursor:
            return
        before, self._cursor, self._awaited = self._cursor, number, ""
        self._paint(before)
        self._paint(number)
        self._follow_cursor()
        self.post_message(self.Moved(self, self.current))

    def _follow_cursor(self) -> None:
        height = self.scrollable_content_region.height - self._head
        top = round(self.scroll_y)
        if self._cursor < top:
            self.scroll_to(y=self._cursor, animate=False, immediate=True)
        elif height > 0 and self._cursor >= top + height:
            self.scroll_to(y=self._cursor - height + 1, animate=False, immediate=True)

    def _lay_out(self) -> None:
        self.virtual_size = Size(self.scrollable_content_region.width, self._head + len(self._rows))

    def _paint(self, number: int) -> None:
        y = number + self._head - round(self.scroll_y)
        if self._head <= y <= self.size.height:
            self.refresh(Region(0, y, self.size.width, 1))

    def _strip(self, line: Content, base: Style) -> Strip:
        return Strip(line.render_segments(base)).crop_extend(0, self.size.width, base.rich_style)

    def _style(self, name: str) -> Style:
        # Textual leaves the background out of a partial style.
        return self.get_visual_style(f"table--{name}", partial=name != "cursor")

    def _line(self, cells: Sequence[Content | str], width: int) -> Content:
        widths = self._widths(width)
        return Content(_GAP).join(
            _fit(cell, room, column)
            for column, cell, room in zip(self._columns, cells, widths, strict=True)
            if room
        )

    def _measure(self, rows: Iterable[Row]) -> bool:
        """Note how long the cells of new rows are; whether a column has to become wider."""
        width = self.scrollable_content_region.width
        before = self._widths(width)
        for row in rows:
            for place, cell in enumerate(row.cells):
                length = cell.cell_length if isinstance(cell, Content) else cell_len(cell)
                self._longest[place] = max(self._longest[place], length)
        for place, length in enumerate(self._longest):
            if length and self._all and not any(_plain(row.cells[place]) for row in self._all):
                self._longest[place] = 0  # it was filled, and is empty in every row now
        self._fitted = (-1, [])
        return self._widths(width) != before

    def _widths(self, width: int) -> list[int]:
        """The cells of each column, 0 for one that is left out: texts make room before numbers do."""
        if self._fitted[0] != width:
            self._fitted = width, _fit_columns(self._columns, self._longest, width)
        return self._fitted[1]


def _fit_columns(columns: Sequence[Column], longest: Sequence[int], width: int) -> list[int]:
    there = [
        column.from_width <= width and (length > 0 or not any(longest))
        for column, length in zip(columns, longest, strict=True)
    ]
    widths = [
        (max(column.width, length, cell_len(_title(column))) if column.is_number else column.width)
        if is_there
        else 0
        for column, length, is_there in zip(columns, longest, there, strict=True)
    ]
    texts = [place for place, column in enumerate(columns) if not column.is_number and there[place]]
    growing = [place for place in texts if not columns[place].width]
    for place in growing:
        widths[place] = max(_SHORT_TEXT, cell_len(_title(columns[place])))

    def left() -> int:
        return width - sum(widths) - len(_GAP) * (sum(map(bool, widths)) - 1)

    while left() < 0 and texts and max(widths[place] for place in texts) > _SHORT_TEXT:
        widths[max(texts, key=widths.__getitem__)] -= 1
    for place in reversed(texts[1:]):
        if left() < 0:
            widths[place] = 0
    if texts and left() < 0:
        widths[texts[0]] = max(1, widths[texts[0]] + left())
    # No wider than its cells: numbers far away from the name that they are about are hard to follow.
    for number, place in enumerate(growing := [place for place in growing if widths[place]]):
        needed = max(longest[place], cell_len(_title(columns[place]))) - widths[place]
        widths[place] += max(0, min(needed, left() // (len(growing) - number)))
    for place in growing:  # what one does not need, another may
        needed = longest[place] - widths[place]
        widths[place] += max(0, min(needed, left()))
    return widths


def _title(column: Column) -> str:
    return _(column.title) if column.title else ""


def _plain(cell: Content | str) -> str:
    return cell.plain if isinstance(cell, Content) else cell


def _fit(cell: Content | str, width: int, column: Column) -> Content:
    content = cell if isinstance(cell, Content) else Content(cell)
    content = content.truncate(width, ellipsis=True)
    blanks = " " * (width - content.cell_length)
    return Content.assemble(blanks, content) if column.is_number else Content.assemble(content, blanks)
