"""Charts as inline SVG: text and lines alone, coloured by the page's style."""

from collections.abc import Sequence
from html import escape
from typing import Final

from spotui.domain.figures import points as in_points
from spotui.domain.text import short, visible
from spotui.view.report.document import Chart, Point

_WIDTH: Final = 760
_HEIGHT: Final = 250
_LEFT: Final = 44
_RIGHT: Final = 12
_TOP: Final = 14
_BOTTOM: Final = 34
_BAR: Final = 26
_NAME: Final = 190
_MOST_LABELS: Final = 15
_NAME_CELLS: Final = 26
_STEPS: Final = (0.01, 0.02, 0.05, 0.1, 0.2, 0.25)
_MOST_STEPS: Final = 6


def draw(chart: Chart) -> str:
    """A chart as an SVG element; empty where it has no points."""
    if not chart.points:
        return ""
    return _trend(chart) if chart.is_trend else _bars(chart)


def _trend(chart: Chart) -> str:
    low, high, steps = _scale(chart)
    inner = _WIDTH - _LEFT - _RIGHT
    gap = inner / max(1, len(chart.points))

    def x(index: int) -> float:
        return _LEFT + gap * (index + 0.5)

    def y(value: float) -> float:
        return _TOP + (_HEIGHT - _TOP - _BOTTOM) * (1 - (value - low) / (high - low))

    parts = []
    for step in steps:
        parts.append(f'<path class="grid" d="M{_LEFT} {y(step):.1f}H{_WIDTH - _RIGHT}"/>')
        parts.append(_text(_LEFT - 6, y(step) + 4, in_points(step).removesuffix(".0"), "end"))
    every = -(-len(chart.points) // _MOST_LABELS)
    for index, point in enumerate(chart.points):
        if index % every == 0:
            parts.append(_text(x(index), _HEIGHT - _BOTTOM + 18, short(point.label, 8), "middle"))
    if chart.line is not None:
        parts.append(f'<path class="line" d="M{_LEFT} {y(chart.line):.1f}H{_WIDTH - _RIGHT}"/>')
        parts.append(_text(_WIDTH - _RIGHT, y(chart.line) - 5, chart.line_label, "end"))
    way = " ".join(f"{x(index):.1f},{y(point.value):.1f}" for index, point in enumerate(chart.points))
    parts.append(f'<polyline class="way" points="{way}"/>')
    radius = 4 if gap > 10 else 2.2
    for index, point in enumerate(chart.points):
        tone = f"dot {point.tone}".strip()
        if point.low is not None and point.high is not None:
            parts.append(f'<path class="range" d="M{x(index):.1f} {y(point.low):.1f}V{y(point.high):.1f}"/>')
        parts.append(
            f'<circle class="{tone}" cx="{x(index):.1f}" cy="{y(point.value):.1f}" r="{radius}">'
            f"<title>{_words(_told(point))}</title></circle>"
        )
    return _svg(chart, _HEIGHT, parts)


def _bars(chart: Chart) -> str:
    low, high, steps = _scale(chart, 0.0)
    height = _TOP + _BAR * len(chart.points) + _BOTTOM

    def x(value: float) -> float:
        return _NAME + (_WIDTH - _NAME - 60) * (value - low) / (high - low)

    parts = []
    for step in steps:
        parts.append(f'<path class="grid" d="M{x(step):.1f} {_TOP}V{height - _BOTTOM}"/>')
        parts.append(_text(x(step), height - _BOTTOM + 18, in_points(step).removesuffix(".0"), "middle"))
    for index, point in enumerate(chart.points):
        middle = _TOP + _BAR * (index + 0.5)
        tone = f"bar {point.tone}".strip()
        parts.append(_text(_NAME - 8, middle + 4, short(point.label, _NAME_CELLS), "end"))
        parts.append(
            f'<rect class="{tone}" x="{x(low):.1f}" y="{middle - 8:.1f}" height="16" '
            f'width="{max(0.0, x(point.value) - x(low)):.1f}"><title>{_words(_told(point))}</title></rect>'
        )
        if point.low is not None and point.high is not None:
            parts.append(f'<path class="range" d="M{x(point.low):.1f} {middle:.1f}H{x(point.high):.1f}"/>')
        end = max(point.value, point.high or 0.0)
        parts.append(_text(x(end) + 6, middle + 4, in_points(point.value), "start"))
    if chart.line is not None:
        parts.append(f'<path class="line" d="M{x(chart.line):.1f} {_TOP}V{height - _BOTTOM}"/>')
    return _svg(chart, height, parts)


def _scale(chart: Chart, *others: float) -> tuple[float, float, Sequence[float]]:
    """The ends of the axis, on which there are other figures, too, and the figures that are named on it."""
    values = [
        one for point in chart.points for one in (point.value, point.low, point.high) if one is not None
    ]
    values += [*others, *([chart.line] if chart.line is not None else [])]
    low, high = min(values), max(values)
    step = next((one for one in _STEPS if (high - low) / one <= _MOST_STEPS), _STEPS[-1])
    first, last = int(low // step), -int(-high // step)
    last = max(last, first + 1)
    return first * step, last * step, [number * step for number in range(first, last + 1)]


def _svg(chart: Chart, height: float, parts: Sequence[str]) -> str:
    return (
        f'<svg viewBox="0 0 {_WIDTH} {height:.0f}" role="img"><title>{_words(chart.title)}</title>'
        f"{''.join(parts)}</svg>"
    )


def _told(point: Point) -> str:
    found = f"{point.label}: {in_points(point.value)}"
    if point.low is None or point.high is None:
        return found
    return f"{found} ({in_points(point.low)} to {in_points(point.high)})"


def _text(x: float, y: float, words: str, anchor: str) -> str:
    return f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}">{_words(words)}</text>'


def _words(text: str) -> str:
    return escape(visible(text))
