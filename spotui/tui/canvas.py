"""Charts as cells: characters with tones, and what is drawn with them; nothing here knows a screen."""

import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Final, TypeAlias

from rich.cells import cell_len, get_character_cell_size, set_cell_size

from spotui.domain.figures import count

Run: TypeAlias = tuple[str, str]
"""A text and its tone."""

Line: TypeAlias = tuple[Run, ...]
"""A row of a chart, from left to right; together its texts are as wide as the chart."""

_EIGHTHS: Final = " ▏▎▍▌▋▊▉"
_MOST_LABEL: Final = 0.4
"""The share of a row that labels may take."""


def number_label(value: float) -> str:
    """A number beside an axis: 0.5, 40, 12.3k."""
    return count(round(value)) if abs(value) >= 1000 else f"{value:.6g}"


@dataclass(frozen=True)
class Point:
    """A point of a plot.

    Attributes:
        x: Where it is; a point whose `x` or `y` is not finite is left out.
        y: Its value.
        low: The lower end of its interval, if it has one.
        high: The upper end.
        mark: Its character, one cell wide.
        tone: How it looks: plain, faint, win, loss, tie, error or best.
        key: What it is known by, for the cursor.
    """

    x: float
    y: float
    low: float | None = None
    high: float | None = None
    mark: str = "●"
    tone: str = "plain"
    key: str = ""


@dataclass(frozen=True)
class Plot:
    """What a plot shows.

    Attributes:
        points: The points; of several in one cell the last one is shown.
        on_axis: Points without a value, whose marks are on the horizontal axis; their `y` counts for nothing.
        steps: A line of steps: each value holds from its `x` to the next one, the last to the right edge.
        reference: A value that is marked by a faint line across the plot.
        x_title: What the horizontal axis counts.
        y_title: What the vertical axis counts.
        x_label: Writes a number beside the horizontal axis.
        y_label: Writes one beside the vertical axis.
        legend: What the marks mean, or what is known of the point under the cursor, above the plot.
        y_bounds: The least and the greatest possible value, which the axis never passes.
    """

    points: tuple[Point, ...] = ()
    on_axis: tuple[Point, ...] = ()
    steps: tuple[tuple[float, float], ...] = ()
    reference: float | None = None
    x_title: str = ""
    y_title: str = ""
    legend: str = ""
    x_label: Callable[[float], str] = number_label
    y_label: Callable[[float], str] = number_label
    y_bounds: tuple[float, float] = (-math.inf, math.inf)

    def x_ticks(self, low: float, high: float, most: int) -> list[float]:
        """The numbers beside the horizontal axis: that of its only point alone, or round ones.

        Args:
            low: Where the axis begins.
            high: Where it ends.
            most: How many there are at most.
        """
        drawn = [one.x for one in (*self.points, *self.on_axis)] + [x for x, _y in self.steps]
        only = {x for x in drawn if math.isfinite(x)}
        return [*only] if len(only) == 1 else ticks(low, high, most)

    @property
    def shown(self) -> list[Point]:
        """The points that have a place."""
        return [one for one in self.points if math.isfinite(one.x) and math.isfinite(one.y)]


@dataclass(frozen=True)
class Bar:
    """A horizontal bar.

    Attributes:
        label: What it stands for.
        value: Its length; one that is None or not finite has no bar.
        text: What is written at its right.
        tone: How it looks.
    """

    label: str
    value: float | None
    text: str = ""
    tone: str = "bar"


@dataclass(frozen=True)
class Gain:
    """A row of a forest plot: a difference with its interval.

    Attributes:
        label: Whose it is.
        value: The difference; None while it is unknown.
        low: The lower end of its interval.
        high: The upper end.
        text: What is written at its right.
    """

    label: str
    value: float | None
    low: float | None = None
    high: float | None = None
    text: str = ""

    @property
    def tone(self) -> str:
        """A gain or a loss where the interval leaves no doubt, else plain."""
        if self.low is not None and self.low > 0:
            return "win"
        return "loss" if self.high is not None and self.high < 0 else "plain"


class Canvas:
    """Cells of characters with tones.

    Args:
        width: In cells.
        height: In rows.
    """

    def __init__(self, width: int, height: int) -> None:
        self.width, self.height = width, height
        self._cells = [[" "] * width for _ in range(height)]
        self._tones = [[""] * width for _ in range(height)]

    def put(self, x: int, y: int, text: str, tone: str = "") -> None:
        """Write a text over what is there, as far as it is inside."""
        if not 0 <= y < self.height:
            return
        for character in text:
            size = get_character_cell_size(character)
            if x >= 0 and x + size <= self.width and size:
                self._cells[y][x] = character
                self._tones[y][x] = tone
                if size == 2:
                    self._cells[y][x + 1], self._tones[y][x + 1] = "", tone
            x += size

    def lines(self) -> list[Line]:
        """The rows, neighbours of one tone together."""
        found: list[Line] = []
        for cells, tones in zip(self._cells, self._tones, strict=True):
            runs: list[Run] = []
            begin = 0
            for end in range(1, self.width + 1):
                if end == self.width or tones[end] != tones[begin]:
                    runs.append(("".join(cells[begin:end]), tones[begin]))
                    begin = end
            found.append(tuple(runs))
        return found


def ticks(low: float, high: float, most: int) -> list[float]:
    """Round numbers from `low` to `high`, at most `most` of them and evenly spaced: steps of 1, 2 or 5."""
    if not math.isfinite(high - low) or high <= low or most < 1:
        return []
    size = 10.0 ** math.floor(math.log10((high - low) / most))
    for factor in (1, 2, 5, 10, 20, 50):
        step = factor * size
        if not math.isfinite(step):
            return []
        first, last = math.ceil(low / step - 1e-9), math.floor(high / step + 1e-9)
        if last - first < most:
            return [round(number * step, 12) for number in range(first, last + 1)]
    return []


@dataclass(frozen=True)
class _Scale:
    """Values laid out over cells, the first one in the middle of cell 0."""

    low: float
    high: float
    cells: int

    def cell(self, value: float) -> int:
        # Halves, since the difference of two numbers can be too large for one.
        share = (value / 2 - self.low / 2) / (self.high / 2 - self.low / 2)
        return round(min(max(share, -1.0), 2.0) * (self.cells - 1))

    def __contains__(self, value: float) -> bool:
        return self.low <= value <= self.high


_FARTHEST: Final = 1e300
"""An axis ends here, so that its length is a number, too."""


def _span(
    values: Iterable[float], bounds: tuple[float, float] = (-math.inf, math.inf)
) -> tuple[float, float]:
    """The least and the greatest finite value, a little apart even if there is only one."""
    finite = [min(max(value, -_FARTHEST), _FARTHEST) for value in values if math.isfinite(value)]
    if not finite:
        return 0.0, 1.0
    low, high = min(finite), max(finite)
    margin = (high - low) * 0.05 or abs(high) * 0.1 or 0.5
    return max(low - margin, min(bounds[0], low)), min(high + margin, max(bounds[1], high))


def draw_plot(plot: Plot, width: int, height: int, cursor: str = "") -> list[Line]:
    """A plot with its axes.

    Whiskers are drawn for every point while there is room between them, later only for the best ones and the
    one under the cursor, which are what a reader compares. Faint points become dots where they are many.

    Args:
        plot: What it shows.
        width: Of the chart, in cells.
        height: Of the chart, in rows.
        cursor: The key of the point under the cursor.
    """
    canvas = Canvas(width, height)
    points = plot.shown
    steps = [(x, y) for x, y in plot.steps if math.isfinite(x) and math.isfinite(y)]
    if width < 8 or height < 4 or not (points or steps):
        return canvas.lines()
    title = 1 if plot.y_title and height >= 6 else 0
    rows = height - 2 - title
    is_dense = len(points) > 2 * width
    whiskers = _whiskers(points, width, cursor)
    ends = [end for one in whiskers for end in (one.low, one.high) if end is not None]
    marked = [] if plot.reference is None else [plot.reference]
    low, high = _span([*(one.y for one in points), *(y for _x, y in steps), *ends, *marked], plot.y_bounds)
    y_ticks = {value: plot.y_label(value) for value in ticks(low, high, max(1, rows // 2))}
    left = min(max(map(cell_len, y_ticks.values()), default=0), width // 3)
    columns = width - left - 1
    beside = [one for one in plot.on_axis if math.isfinite(one.x)]
    xs = [one.x for one in [*points, *beside]] + [x for x, _y in steps]
    across = _Scale(*((min(xs), max(xs)) if max(xs) > min(xs) else _span(xs)), columns)
    down = _Scale(low, high, rows)

    def row(value: float) -> int:
        return title + rows - 1 - down.cell(value)

    if title:
        legend = _cut(plot.legend, width)
        canvas.put(0, 0, _cut(plot.y_title, max(0, width - cell_len(legend) - 1)), "axis")
        canvas.put(width - cell_len(legend), 0, legend)
    for y in range(title, title + rows):
        canvas.put(left, y, "│", "axis")
    for value, label in y_ticks.items():
        size = min(left, cell_len(label))
        canvas.put(left - size, row(value), f"{set_cell_size(label, size)}┤", "axis")
    if plot.reference is not None:
        canvas.put(left + 1, row(plot.reference), "┈" * columns, "axis")
    _horizontal_axis(canvas, plot, across, left + 1, height - 2)
    for one in beside:
        tone = "cursor" if cursor and one.key == cursor else one.tone
        canvas.put(left + 1 + across.cell(one.x), height - 2, one.mark, tone)
    for one in whiskers:
        _whisker(canvas, one, left + 1 + across.cell(one.x), row, title, title + rows - 1)
    _steps(canvas, [(left + 1 + across.cell(x), row(y)) for x, y in steps], width)
    for one in sorted(points, key=lambda one: (one.tone == "best", one.key == cursor and bool(cursor))):
        tone = "cursor" if cursor and one.key == cursor else one.tone
        mark = "·" if is_dense and tone == "faint" else one.mark
        canvas.put(left + 1 + across.cell(one.x), row(one.y), mark, tone)
    return canvas.lines()


def _whiskers(points: Sequence[Point], width: int, cursor: str) -> list[Point]:
    if len(points) * 3 <= width:
        return list(points)
    return [one for one in points if one.tone == "best" or (cursor and one.key == cursor)][-width // 3 :]


def _whisker(
    canvas: Canvas, point: Point, x: int, row: Callable[[float], int], top: int, bottom: int
) -> None:
    if point.low is None or point.high is None or not point.low < point.high:
        return
    # An interval without an end goes on beyond the edge, so it has no cap there.
    upper = row(point.high) if math.isfinite(point.high) else top - 1
    lower = row(point.low) if math.isfinite(point.low) else bottom + 1
    if lower <= upper:
        return
    for y in range(max(top, upper), min(bottom, lower) + 1):
        canvas.put(x, y, "┬" if y == upper else "┴" if y == lower else "│", "whisker")


def _steps(canvas: Canvas, corners: Sequence[tuple[int, int]], width: int) -> None:
    """A line through cells, to the right edge: of several values in one column the last one counts."""
    by_column = dict(corners)
    columns = sorted(by_column)
    if not columns:
        return
    for column, end in zip(columns, [*columns[1:], width], strict=True):
        canvas.put(column, by_column[column], "─" * (end - column), "line")
    for before, column in pairwise(columns):
        old, new = by_column[before], by_column[column]
        if old == new:
            continue
        is_rising = new < old
        for y in range(min(old, new) + 1, max(old, new)):
            canvas.put(column, y, "│", "line")
        canvas.put(column, old, "╯" if is_rising else "╮", "line")
        canvas.put(column, new, "╭" if is_rising else "╰", "line")


def _horizontal_axis(canvas: Canvas, plot: Plot, across: _Scale, left: int, y: int) -> None:
    canvas.put(left - 1, y, "└" + "─" * across.cells, "axis")
    room = canvas.width - cell_len(plot.x_title) - 1
    free = 0
    for value in plot.x_ticks(across.low, across.high, max(2, across.cells // 10)):
        label, x = plot.x_label(value), left + across.cell(value)
        begin = max(0, x - cell_len(label) // 2)
        if begin >= free and begin + cell_len(label) <= room:
            canvas.put(x, y, "┬", "axis")
            canvas.put(begin, y + 1, label, "axis")
            free = begin + cell_len(label) + 2
    if cell_len(plot.x_title) <= canvas.width:
        canvas.put(canvas.width - cell_len(plot.x_title), y + 1, plot.x_title, "axis")


def _columns(labels: Sequence[str], texts: Sequence[str], width: int) -> tuple[int, int, int]:
    """The cells of the labels, the drawing between, and the texts; what is drawn gives way last."""
    most = int(width * _MOST_LABEL)
    label = min(max(map(cell_len, labels), default=0), most)
    text = min(max(map(cell_len, texts), default=0), most)
    middle = width - label - text - (label > 0) - (text > 0)
    if middle < 6:
        middle, text = middle + text + 1, 0
    return label, max(0, middle), text


def _cut(text: str, width: int) -> str:
    size = cell_len(text)
    return text if size <= width else set_cell_size(text, max(0, width - 1)) + "…" if width > 0 else ""


def draw_bars(bars: Sequence[Bar], width: int, top: float = 1.0) -> list[Line]:
    """A row for each bar: its label, the bar, and its text.

    Args:
        bars: From top to bottom.
        width: Of the chart, in cells.
        top: The value that fills the row.
    """
    canvas = Canvas(width, len(bars))
    label, middle, text = _columns([one.label for one in bars], [one.text for one in bars], width)
    left = label + (label > 0)
    for y, one in enumerate(bars):
        canvas.put(0, y, _cut(one.label, label))
        if one.value is not None and math.isfinite(one.value) and top > 0:
            eighths = round(min(max(one.value / top, 0.0), 1.0) * middle * 8)
            drawn = "█" * (eighths // 8) + (_EIGHTHS[eighths % 8] if eighths % 8 else "")
            canvas.put(left, y, "·" * middle, "axis")
            canvas.put(left, y, drawn, one.tone)
        if text:
            canvas.put(width - text, y, _cut(one.text, text))
    return canvas.lines()


def draw_forest(
    gains: Sequence[Gain], width: int, label_of: Callable[[float], str] = number_label
) -> list[Line]:
    """A row for each difference with its interval, around a line at 0, and an axis below them.

    A filled mark says that the interval leaves 0 out. An interval that is wider than the chart ends in an
    arrow.

    Args:
        gains: From top to bottom.
        width: Of the chart, in cells.
        label_of: Writes a number below the axis.
    """
    canvas = Canvas(width, len(gains) + 2)
    label, middle, text = _columns([one.label for one in gains], [one.text for one in gains], width)
    left = label + (label > 0)
    values = [value for one in gains for value in (one.value, one.low, one.high) if value is not None]
    if middle < 3:
        values = []
    scale = _Scale(*_span([0.0, *values]), max(2, middle))
    zero = left + scale.cell(0.0)
    for y, one in enumerate(gains):
        canvas.put(0, y, _cut(one.label, label))
        if values:
            canvas.put(zero, y, "┊", "axis")
            _interval(canvas, one, y, left, scale)
        if text:
            canvas.put(width - text, y, _cut(one.text, text))
    if values:
        canvas.put(left, len(gains), "─" * middle, "axis")
        canvas.put(zero, len(gains), "┴", "axis")
        free = left
        for value in ticks(scale.low, scale.high, max(2, middle // 8)):
            written = label_of(value)
            begin = max(left, left + scale.cell(value) - cell_len(written) // 2)
            if begin >= free and begin + cell_len(written) <= left + middle:
                canvas.put(begin, len(gains) + 1, written, "axis")
                free = begin + cell_len(written) + 2
    return canvas.lines()


def _interval(canvas: Canvas, gain: Gain, y: int, left: int, scale: _Scale) -> None:
    if gain.value is None or not math.isfinite(gain.value):
        return
    if gain.low is not None and gain.high is not None and gain.low < gain.high:
        first = scale.cell(max(gain.low, scale.low)) if gain.low in scale else 0
        last = scale.cell(min(gain.high, scale.high)) if gain.high in scale else scale.cells - 1
        canvas.put(left + first, y, "─" * (last - first + 1), gain.tone)
        canvas.put(left + first, y, "├" if gain.low in scale else "◂", gain.tone)
        canvas.put(left + last, y, "┤" if gain.high in scale else "▸", gain.tone)
    mark = "○" if gain.tone == "plain" else "●"
    canvas.put(left + scale.cell(gain.value), y, mark, gain.tone)
