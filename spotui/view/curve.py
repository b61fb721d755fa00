"""Figures as a row of bars."""

from collections.abc import Sequence

_BARS = "▁▂▃▄▅▆▇█"


def bars(values: Sequence[float | None], top: float, width: int) -> str:
    """One bar for each value, the last `width` of them.

    Args:
        values: From 0 to `top`; None leaves a gap.
        top: What the highest bar stands for.
        width: In cells.
    """
    shown = values[-width:] if width > 0 else ()
    return "".join(" " if value is None else _bar(value, top) for value in shown)


def _bar(value: float, top: float) -> str:
    steps = len(_BARS) - 1
    return _BARS[min(steps, round(value / top * steps))] if top > 0 else _BARS[0]
