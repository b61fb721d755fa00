"""A cell for each question and round, with the keyboard leading to the answer behind it."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

from rich.cells import cell_len, set_cell_size
from rich.segment import Segment
from rich.style import Style as RichStyle
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.content import Content
from textual.events import Click
from textual.geometry import Region, Size
from textual.message import Message
from textual.scroll_view import ScrollView
from textual.strip import Strip
from textual.widget import Widget

from spotui.domain.figures import verdict
from spotui.lang import _
from spotui.tui.focus_paint import Framed, PaintsItsCursor
from spotui.tui.run.following import RoundOpened, RunPanel
from spotui.view.picture import Picture
from spotui.view.question_grid import (
    ANSWERED,
    BETTER,
    CHECK,
    ERROR,
    FILTERS,
    MEANINGS,
    OPEN,
    SAME,
    TONES,
    WORSE,
    Filter,
    QuestionGrid,
    meaning,
)

_NUMBER, _VERDICT = 6, 11
_VERDICT_FROM = 40
"""Cells from which on each line says its round's verdict."""
_LABELLED = 5
"""Every so many columns have their number above them."""


class GridView(ScrollView, PaintsItsCursor, can_focus=True):
    """A line for each round and a column for each question, with a cursor; it stays at the newest round.

    Attributes:
        filter: Which columns are shown.
    """

    COMPONENT_CLASSES: ClassVar[set[str]] = {
        *(f"grid--{tone}" for tone in ("win", "loss", "tie", "error", "faint", "title", "cursor")),
    }

    DEFAULT_CSS = """
    GridView {
        background: $background;
        scrollbar-gutter: stable;
        scrollbar-size-horizontal: 1;
        & .grid--win { text-style: bold; color: $text-success; }
        & .grid--loss { color: $text-warning; }
        & .grid--tie { color: $text-warning; }
        & .grid--error { text-style: bold; color: $text-error; }
        & .grid--faint, & .grid--title { color: $text-muted; }
        & .grid--cursor { text-style: bold reverse; }
    }
    """

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter", "choose", "answer", id="grid.choose"),
        Binding("up,k", "step(-1, 0)", "round before", id="grid.up", show=False),
        Binding("down,j", "step(1, 0)", "round after", id="grid.down", show=False),
        Binding("left", "step(0, -1)", "question before", id="grid.left", show=False),
        Binding("right", "step(0, 1)", "question after", id="grid.right", show=False),
        Binding("pageup", "page(-1)", "page up", id="grid.page_up", show=False),
        Binding("pagedown", "page(1)", "page down", id="grid.page_down", show=False),
        Binding("home", "step(-1000000, 0)", "first round", id="grid.first", show=False),
        Binding("end", "step(1000000, 0)", "last round", id="grid.last", show=False),
    ]

    CARRIED: ClassVar[tuple[str, ...]] = ("filter", "_row", "_column", "_follows")

    @dataclass
    class Moved(Message):
        """Another cell is under the cursor."""

    @dataclass
    class Chosen(Message):
        """A cell was chosen."""

    def __init__(self) -> None:
        super().__init__()
        self.grid = QuestionGrid()
        self.filter: Filter = "all"
        self._picture = Picture()
        self._numbers: list[int] = []
        self._columns: Sequence[int] = ()
        self._row = self._column = 0
        self._follows = True
        self._labels: dict[int, str] = {}

    @property
    def current(self) -> tuple[int, int] | None:
        """The round and the question under the cursor, questions from 0; None where there is no cell."""
        if not self._numbers or not self._columns:
            return None
        return self._numbers[self._row], self._columns[self._column]

    def show(self, picture: Picture) -> None:
        """Bring the cells up to date; only the lines that changed are painted."""
        self._picture = picture
        changed = self.grid.update(picture)
        labels = {number: self._label_of(number) for number in self.grid.rows}
        changed |= {number for number, label in labels.items() if label != self._labels.get(number)}
        self._labels = labels
        numbers = [*sorted(number for number in self.grid.rows if number != CHECK)]
        numbers += [CHECK] if CHECK in self.grid.rows else []
        columns = self.grid.chosen(self.filter)
        if numbers != self._numbers or columns != self._columns:
            self._numbers, self._columns = numbers, columns
            self._row = len(numbers) - 1 if self._follows else min(self._row, len(numbers) - 1)
            self._column = max(0, min(self._column, len(columns) - 1))
            self._lay_out()
            self.refresh()
            self.call_after_refresh(self._follow_cursor)
            self.post_message(self.Moved())
        else:
            for place, number in enumerate(numbers):
                if number in changed:
                    self._paint(place)

    def choose_filter(self, choice: Filter) -> None:
        """Show the columns that a filter leaves."""
        self.filter = choice
        self.show(self._picture)

    def render_line(self, y: int) -> Strip:
        """The numbers of the questions on the first line, which stays, and the rounds below it."""
        width, base = self.size.width, self.visual_style.rich_style
        left = round(self.scroll_x)
        if not self._numbers:
            lines = Content(_("A cell for each question and round appears here.")).wrap(max(1, width))
            text = lines[y - 1].plain if 0 < y <= len(lines) else ""
            return Strip([Segment(text, self._style("title"))]).adjust_cell_length(width, base)
        if y == 0:
            segments = [Segment(self._titles(left, width), self._style("title"))]
            return Strip(segments).adjust_cell_length(width, base)
        place = y - 1 + round(self.scroll_y)
        if place >= len(self._numbers):
            return Strip.blank(width, base)
        number = self._numbers[place]
        tone = "cursor" if place == self._row and self.has_focus else ""
        segments = [
            Segment(set_cell_size(self._labels.get(number, ""), self._label_width), self._style(tone))
        ]
        segments += self._cells(place, left, width - self._label_width)
        return Strip(segments).adjust_cell_length(width, base)

    def on_mount(self) -> None:
        """It has a size."""
        self._lay_out()

    def on_resize(self) -> None:
        """Columns are apart where there is room."""
        self._lay_out()
        self._follow_cursor()
        self.refresh()

    def paint_cursor(self) -> None:
        """Paint the row of the cursor anew."""
        self._paint(self._row)

    def on_click(self, event: Click) -> None:
        """Put the cursor on a cell; choose the one that has it."""
        place = event.y - 1 + round(self.scroll_y)
        column = (event.x - self._label_width + round(self.scroll_x)) // self._step
        if event.y > 0 and place < len(self._numbers) and 0 <= column < len(self._columns):
            if (place, column) == (self._row, self._column) and event.chain > 1:
                self.action_choose()
            self._move_to(place, column)

    def action_step(self, down: int, right: int) -> None:
        """Move the cursor."""
        self._move_to(self._row + down, self._column + right)

    def action_page(self, by: int) -> None:
        """Move the cursor by what is visible."""
        self._move_to(self._row + by * max(1, self.scrollable_content_region.height - 2), self._column)

    def action_choose(self) -> None:
        """Choose the cell under the cursor."""
        if self.current is not None:
            self.post_message(self.Chosen())

    @property
    def _label_width(self) -> int:
        return _NUMBER + (_VERDICT if self.size.width >= _VERDICT_FROM else 0)

    @property
    def _step(self) -> int:
        room = self.scrollable_content_region.width - self._label_width
        return 2 if 2 * len(self._columns) <= room else 1

    def _label_of(self, number: int) -> str:
        if number == CHECK:
            return f" {_('check')}"
        one = self._picture.rounds.get(number)
        outcome = verdict(one.outcome, one.judged) if one is not None and one.outcome else "…"
        star = "*" if number == self._picture.best else " "
        return f"{number:>{_NUMBER - 2}}{star} {outcome}"

    def _titles(self, left: int, width: int) -> str:
        step, room = self._step, width - self._label_width
        cells = [" "] * max(0, room)
        free = 0
        for place, column in enumerate(self._columns):
            begin = place * step - left
            text = str(column + 1)
            is_labelled = column == 0 or (column + 1) % _LABELLED == 0 or self.filter != "all"
            if is_labelled and begin >= free and begin + len(text) <= room:
                cells[begin : begin + len(text)] = text
                free = begin + len(text) + 1
        return " " * self._label_width + "".join(cells)

    def _cells(self, index: int, left: int, room: int) -> list[Segment]:
        marks, step = self.grid.rows[self._numbers[index]], self._step
        first = left // step
        shown = self._columns[first : first + room // step + 1]
        segments: list[Segment] = []
        run, tone = "", ""
        for offset, column in enumerate(shown, first):
            mark = marks[column]
            is_cursor = index == self._row and offset == self._column and self.has_focus
            own = "cursor" if is_cursor else TONES[mark]
            if own != tone or is_cursor:
                if run:
                    segments.append(Segment(run, self._style(tone)))
                run, tone = "", own
            if is_cursor:
                segments.append(Segment(mark, self._style(own)))
                run, tone = " " * (step - 1), "faint"
            else:
                run += mark + " " * (step - 1)
        return [*segments, Segment(run, self._style(tone))] if run else segments

    def _style(self, tone: str) -> RichStyle:
        base = self.visual_style
        if tone:
            base += self.get_visual_style(f"grid--{tone}", partial=True)
        return base.rich_style

    def _lay_out(self) -> None:
        width = self._label_width + self._step * len(self._columns)
        room = self.scrollable_content_region.width
        self.virtual_size = Size(max(room, width), 1 + len(self._numbers))

    def _paint(self, index: int) -> None:
        y = index + 1 - round(self.scroll_y)
        if 0 < y <= self.size.height:
            self.refresh(Region(0, y, self.size.width, 1))

    def _move_to(self, row: int, column: int) -> None:
        row = max(0, min(row, len(self._numbers) - 1))
        column = max(0, min(column, len(self._columns) - 1))
        if not self._numbers or (row, column) == (self._row, self._column):
            return
        before, self._row, self._column = self._row, row, column
        self._follows = row == len(self._numbers) - 1
        self._paint(before)
        self._paint(row)
        self._follow_cursor()
        self.post_message(self.Moved())

    def _follow_cursor(self) -> None:
        region = self.scrollable_content_region
        height, room = region.height - 1, region.width - self._label_width
        top, left, x = round(self.scroll_y), round(self.scroll_x), self._column * self._step
        y = self._row if self._row < top else self._row - height + 1 if self._row >= top + height > 0 else top
        if x < left:
            left = x
        elif x >= left + room > 0:
            left = x - room + self._step
        if (y, left) != (top, round(self.scroll_x)):
            self.scroll_to(x=left, y=max(0, y), animate=False, immediate=True)


_GAP = "  "
"""Between the marks of the legend."""


class CellLine(Widget):
    """A row that says what is under the cursor, and at the right what the marks mean.

    The frame would paint all of the panel for that.
    """

    DEFAULT_CSS = "CellLine { height: 1; padding: 0 1; }"

    def __init__(self) -> None:
        super().__init__()
        self._texts = ("", "")

    def say(self, cell: str, legend: str) -> None:
        """Show other texts."""
        if (cell, legend) != self._texts:
            self._texts = cell, legend
            self.refresh()

    def render(self) -> Content:
        """The cell, and the legend as far as there is room for it."""
        width = self.content_size.width
        cell = Content(self._texts[0]).truncate(width, ellipsis=True)
        room = width - cell.cell_length - len(_GAP)
        parts = self._texts[1].split(_GAP)
        while parts and cell_len(_GAP.join(parts)) > room:
            del parts[-1]
        legend = Content.styled(_GAP.join(parts), "$text-muted")
        return Content.assemble(cell, " " * (width - cell.cell_length - legend.cell_length), legend)


class QuestionsPanel(Vertical, Framed, RunPanel):
    """The grid, with its filter and what is under its cursor."""

    ALLOW_MAXIMIZE = True

    DEFAULT_CSS = "QuestionsPanel GridView { height: 1fr; padding: 0 1; }"

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("f", "next_filter", "filter", id="grid.filter"),
    ]

    def __init__(self) -> None:
        super().__init__()
        self.border_title = _("Questions")
        self._picture = Picture()

    def compose(self) -> ComposeResult:
        """What is under the cursor, and the grid."""
        yield CellLine()
        yield GridView()

    def show(self, picture: Picture) -> None:
        """Bring the cells up to date."""
        self._picture = picture
        self.query_one(GridView).show(picture)

    def on_grid_view_moved(self, event: GridView.Moved) -> None:
        """Say what is under the cursor."""
        event.stop()
        self._tell()

    def on_grid_view_chosen(self, event: GridView.Chosen) -> None:
        """Show the answer behind the cell."""
        event.stop()
        if (current := self.query_one(GridView).current) is not None:
            number, question = current
            self.post_message(RoundOpened(number or self._picture.best, question))

    def action_next_filter(self) -> None:
        """Show all columns; those better or worse anywhere; those never better; those with errors."""
        view = self.query_one(GridView)
        view.choose_filter(FILTERS[(FILTERS.index(view.filter) + 1) % len(FILTERS)])
        self._tell()

    def _tell(self) -> None:
        view = self.query_one(GridView)
        current = view.current
        grid = view.grid
        noun = _("row") if grid.is_scored else _("question")
        cell = ""
        if current is not None:
            number, question = current
            title = (
                _("final check, {noun} {question}", noun=noun, question=question + 1)
                if number == CHECK
                else _(
                    "round {number}, {noun} {question}",
                    number=number,
                    noun=noun,
                    question=question + 1,
                )
            )
            mark = grid.rows[number][question]
            cell = f"{title}: {mark} {meaning(mark, number, is_scored=grid.is_scored)}"
        chosen = {
            "all": "",
            "changed": _("only those better or worse anywhere"),
            "never better": _("only those never better"),
            "errors": _("only those with errors"),
        }[view.filter]
        self.query_one(CellLine).say(cell, chosen or _legend(grid))


def _legend(grid: QuestionGrid) -> str:
    marks = set().union(*grid.rows.values()) if grid.rows else set()
    shown = [mark for mark in (BETTER, SAME, WORSE, ERROR, ANSWERED) if mark in marks and mark != OPEN]
    return _GAP.join(f"{mark} {_(MEANINGS[mark])}" for mark in shown)
