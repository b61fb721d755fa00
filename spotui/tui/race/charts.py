"""The charts of a race: the gain of each method with its interval, and its best score by calls."""

from math import isfinite

from spotui.lang import _
from spotui.tui.canvas import Gain, Plot, Point
from spotui.view.race import Lane, Race, is_tested

_MARKS = "●▲■◆○△□◇"
"""What tells the curves of methods apart without colours."""


def legend_of(race: Race) -> str:
    """The mark of each method that has a curve."""
    marked = zip(_MARKS, race.lanes, strict=False)
    return "  ".join(f"{mark} {lane.method}" for mark, lane in marked if lane.curve)


def gain_of(lane: Lane) -> Gain:
    """The gain of a method on the seed, as a row of a forest plot."""
    tested = lane.tested
    if tested is None:
        return Gain(lane.method, None)
    if not tested.improved:
        return Gain(lane.method, 0.0, text=_("no better prompt"))
    if not isfinite(tested.gain):
        return Gain(lane.method, None, text=_("unknown"))
    low, high = tested.gain_interval
    return Gain(lane.method, 100 * tested.gain, 100 * low, 100 * high, f"{100 * tested.gain:+.1f}")


def signed(value: float) -> str:
    """A number of points below the axis."""
    return f"{value:+g}" if value else "0"


def curves_of(race: Race) -> Plot:
    """The best score of each method after each of its rounds, by the calls that it took."""
    found = [
        Point(calls, 100 * score, mark=mark, key=f"{lane.method} {number}", tone=_curve_tone(race, lane))
        for mark, lane in zip(_MARKS, race.lanes, strict=False)
        for number, (calls, score) in enumerate(lane.curve)
    ]
    seed = next((100 * lane.curve[0][1] for lane in race.lanes if lane.curve), None)
    return Plot(
        tuple(found),
        reference=seed,
        x_title=_("calls"),
        y_title=_("best score on the rows it chooses by"),
        y_bounds=(0.0, 100.0),
    )


def _curve_tone(race: Race, lane: Lane) -> str:
    """The one that is ahead, or wins, stands out."""
    scores = {one.method: one.score for one in race.lanes if one.score is not None}
    if is_tested(race):
        return "best" if lane is race.lanes[0] else "plain"
    return "best" if scores and lane.score == max(scores.values()) else "plain"
