"""Charts: points over two axes, horizontal bars, and differences with their intervals.

They are drawn here rather than by a library: plotext takes 50 ms to import in version 5 and 330 ms in
version 6, and 120 ms for 200 points with whiskers; textual-plot takes 150 ms and 20 MB, and brings numpy.
Neither can say which cells have changed, and over SSH the bytes follow the area that is painted.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import ClassVar

from rich.cells import cell_len
from rich.segment import Segment
from rich.style import Style as RichStyle
from textual.binding import Binding, BindingType
from textual.content import Content
from textual.geometry import Region, Size
from textual.message import Message
from textual.strip import Strip
from textual.widget import Widget

from spotui.tui.canvas import Bar, Gain, Line, Plot, draw_bars, draw_forest, draw_plot, number_label

_TONES = ("axis", "whisker", "line", "bar", "plain", "faint", "win", "loss", "tie", "error", "best", "cursor")


class Chart(Widget):
    """A drawing of lines, of which only the cells that changed are painted again.

    Attributes:
        empty: What is said where there is nothing to draw.
    """

    COMPONENT_CLASSES: ClassVar[set[str]] = {f"chart--{tone}" for tone in _TONES}

    DEFAULT_CSS = """
    Chart {
        background: $background;
        & .chart--axis, & .chart--whisker, & .chart--faint, & .chart--loss { color: $text-muted; }
        & .chart--line, & .chart--bar { color: $primary; }
        & .chart--win { text-style: bold; color: $text-success; }
        & .chart--best { text-style: bold; color: $accent; }
        & .chart--tie { color: $text-warning; }
        & .chart--error { color: $text-error; }
        & .chart--cursor { text-style: bold reverse; }
    }
    """

    def __init__(self, *, id: str | None = None, classes: str = "") -> None:  # noqa: A002 - Textual's name
        super().__init__(id=id, classes=classes)
        self.empty = ""
        self._lines: list[Line] = []
        self._strips: dict[int, Strip] = {}

    def draw(self, width: int, height: int) -> list[Line]:
        """The lines for a size in cells, or none where there is nothing to draw."""
        raise NotImplementedError

    def redraw(self) -> None:
        """Draw again, and paint what has become of each row from its first changed cell to its last."""
        width, height = self.content_size
        if width <= 0 or height <= 0:
            self._lines = []
            return
        old, self._lines = self._lines, self._drawn(width, height)
        if len(old) != len(self._lines):
            self._strips.clear()
            self.refresh()
            return
        for y, (before, after) in enumerate(zip(old, self._lines, strict=True)):
            if before != after:
                self._strips.pop(y, None)
                first, last = _changed(before, after)
                self.refresh(Region(first, y, last - first, 1))

    def render_line(self, y: int) -> Strip:
        """A row of the drawing."""
        base = self.visual_style.rich_style
        width = self.content_size.width
        if y >= len(self._lines):
            return Strip.blank(width, base)
        if (strip := self._strips.get(y)) is None:
            strip = self._strips[y] = Strip(
                [Segment(text, self._style(tone)) for text, tone in self._lines[y] if text]
            ).adjust_cell_length(width, base)
        return strip

    def on_resize(self) -> None:
        """Draw for the new size."""
        self._strips.clear()
        self.redraw()
        self.refresh()

    def notify_style_update(self) -> None:
        """Paint in the new colours."""
        super().notify_style_update()
        self._strips.clear()

    def _drawn(self, width: int, height: int) -> list[Line]:
        if lines := self.draw(width, height):
            return lines
        said: list[Line] = [((line.plain, "faint"),) for line in Content(self.empty).wrap(width)]
        return said[:height]

    def _style(self, tone: str) -> RichStyle:
        base = self.visual_style
        if tone:
            base += self.get_visual_style(f"chart--{tone}", partial=True)
        return base.rich_style


def _changed(before: Line, after: Line) -> tuple[int, int]:
    """The first cell that is another, and the one after the last."""
    width = max(sum(cell_len(text) for text, _tone in line) for line in (before, after))
    first = 0
    for one, other in zip(before, after, strict=False):
        if one != other:
            break
        first += cell_len(one[0])
    last = width
    for one, other in zip(reversed(before), reversed(after), strict=False):
        if one != other:
            break
        last -= cell_len(one[0])
    return (first, last) if first < last else (0, width)


class PlotChart(Chart, can_focus=True):
    """Points with whiskers, and a line of steps, over two axes; a cursor goes from point to point."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("left", "step(-1)", "point before", id="chart.previous", show=False),
        Binding("right", "step(1)", "point after", id="chart.next", show=False),
        Binding("home", "step(-1000000)", "first point", id="chart.first", show=False),
        Binding("end", "step(1000000)", "last point", id="chart.last", show=False),
        Binding("enter", "choose", "choose", id="chart.choose"),
    ]

    CARRIED: ClassVar[tuple[str, ...]] = ("_cursor",)

    @dataclass
    class Moved(Message):
        """Another point is under the cursor."""

        chart: "PlotChart"
        key: str

    @dataclass
    class Chosen(Message):
        """A point was chosen with Enter."""

        chart: "PlotChart"
        key: str

    def __init__(self, *, id: str | None = None, classes: str = "") -> None:  # noqa: A002 - Textual's name
        super().__init__(id=id, classes=classes)
        self.plot = Plot()
        self._cursor = ""

    @property
    def current(self) -> str:
        """The key of the point under the cursor; empty while nobody moved it."""
        return self._cursor

    def show(self, plot: Plot) -> None:
        """Show another plot; the cursor stays on its point as long as there is one."""
        if plot != self.plot:
            self.plot = plot
            self.redraw()

    def select(self, key: str) -> None:
        """Put the cursor on a point; an empty key takes it away."""
        if key != self._cursor:
            self._cursor = key
            self.redraw()

    def draw(self, width: int, height: int) -> list[Line]:
        """The plot with its axes."""
        if not self.plot.shown and not self.plot.steps:
            return []
        return draw_plot(self.plot, width, height, self._cursor)

    def action_step(self, by: int) -> None:
        """Move the cursor along the points, from left to right; the first step is to the last point."""
        keys = [
            one.key
            for one in sorted([*self.plot.shown, *self.plot.on_axis], key=lambda one: one.x)
            if one.key
        ]
        if not keys:
            return
        now = keys.index(self._cursor) + by if self._cursor in keys else len(keys) - 1
        self.select(keys[max(0, min(now, len(keys) - 1))])
        self.post_message(self.Moved(self, self._cursor))

    def action_choose(self) -> None:
        """Choose the point under the cursor."""
        if self._cursor:
            self.post_message(self.Chosen(self, self._cursor))


class BarChart(Chart):
    """A row for each bar; it is as high as it has bars, unless its style says otherwise."""

    DEFAULT_CSS = "BarChart { height: auto; }"

    def __init__(self, *, id: str | None = None, classes: str = "") -> None:  # noqa: A002 - Textual's name
        super().__init__(id=id, classes=classes)
        self._bars: tuple[Bar, ...] = ()
        self._top = 1.0

    def show(self, bars: Sequence[Bar], top: float = 1.0) -> None:
        """Show other bars.

        Args:
            bars: From top to bottom.
            top: The value that fills the row.
        """
        is_other_height = len(bars) != len(self._bars)
        self._bars, self._top = tuple(bars), top
        self.redraw()
        if is_other_height:
            self.refresh(layout=True)

    def draw(self, width: int, height: int) -> list[Line]:  # noqa: ARG002 - what does not fit is cut
        """The bars."""
        return draw_bars(self._bars, width, self._top) if self._bars else []

    def get_content_height(self, container: Size, viewport: Size, width: int) -> int:  # noqa: ARG002
        """As many rows as bars, or one to say that there are none."""
        return max(1, len(self._bars))


class ForestChart(Chart):
    """A row for each difference with its interval around 0, and an axis below."""

    DEFAULT_CSS = "ForestChart { height: auto; }"

    def __init__(self, *, id: str | None = None, classes: str = "") -> None:  # noqa: A002 - Textual's name
        super().__init__(id=id, classes=classes)
        self._gains: tuple[Gain, ...] = ()
        self._label_of: Callable[[float], str] = number_label

    def show(self, gains: Sequence[Gain], label_of: Callable[[float], str] = number_label) -> None:
        """Show other differences.

        Args:
            gains: From top to bottom.
            label_of: Writes a number below the axis.
        """
        is_other_height = len(gains) != len(self._gains)
        self._gains, self._label_of = tuple(gains), label_of
        self.redraw()
        if is_other_height:
            self.refresh(layout=True)

    def draw(self, width: int, height: int) -> list[Line]:  # noqa: ARG002 - what does not fit is cut
        """The differences and their axis."""
        return draw_forest(self._gains, width, self._label_of) if self._gains else []

    def get_content_height(self, container: Size, viewport: Size, width: int) -> int:  # noqa: ARG002
        """A row for each difference and two for the axis, or one to say that there are none."""
        return len(self._gains) + 2 if self._gains else 1
