"""What charts look like as cells, for few, many and unusable values, and in small rooms."""

import math
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len

from spotui.tui.canvas import Bar, Gain, Line, Plot, Point, draw_bars, draw_forest, draw_plot, ticks

SOME = Plot(
    points=(
        Point(10, 50, 30, 70, "◆", "best", "1"),
        Point(30, 42, 22, 62, "○", "faint", "2"),
        Point(60, 75, 55, 95, "●", "best", "3"),
    ),
    steps=((10, 50), (60, 75)),
    x_title="calls",
    y_title="score",
    y_bounds=(0, 100),
)

numbers = st.floats() | st.integers(-1000, 1000).map(float)
points = st.builds(Point, numbers, numbers, st.none() | numbers, st.none() | numbers, tone=st.just("faint"))


def text(lines: list[Line]) -> str:
    return "\n".join("".join(part for part, _tone in line).rstrip() for line in lines)


def test_a_plot_has_points_whiskers_a_line_of_steps_and_axes() -> None:
    assert text(draw_plot(SOME, 36, 12)).splitlines() == [
        "score",
        "  │                                ┬",
        "  │                                │",
        "80┤                                ●",
        "  │┬                               │",
        "60┤│            ┬                  │",
        "  │◆───────────────────────────────╯",
        "40┤│            ○",
        "  │┴            │",
        "20┤             ┴",
        "  └──────┬────────────┬─────────────",
        "        20           40        calls",
    ]


def test_one_point_has_its_own_number_below_it_and_no_axis_of_numbers_that_cannot_be() -> None:
    only = Plot((Point(0, 50, 30, 70, "◆", "best"),), steps=((0, 50),), x_title="calls", y_bounds=(0, 100))
    assert text(draw_plot(only, 30, 6)).splitlines()[-3:] == [
        "  │             ┴",
        "  └─────────────┬─────────────",
        "                0        calls",
    ]
    assert "48 " in text(draw_plot(Plot((Point(48, 50),), x_title="calls"), 30, 6)).splitlines()[-1]
    unknown = Plot((Point(3, math.nan), Point(math.nan, 3)), steps=((math.nan, 1),))
    assert not text(draw_plot(unknown, 30, 6)).strip()
    beside = Plot((Point(4, 50, math.nan, math.inf),), on_axis=(Point(9, 0, mark="×"),), x_title="calls")
    drawn = text(draw_plot(beside, 30, 6))
    assert drawn.count("●") == drawn.count("×") == 1


def test_a_forest_of_one_of_none_and_of_what_is_no_number_can_be_read_in_any_room() -> None:
    one, none = Gain("gpo", 12, 4, 19, "+12.0"), Gain("spo", None, text="running")
    broken = Gain("ape", math.nan, math.nan, math.inf, "unknown")
    assert text(draw_forest([one], 30)).count("●") == 1
    assert text(draw_forest([none], 30)).split() == ["spo", "running"]
    drawn = text(draw_forest([one, broken], 36)).splitlines()
    assert "●" in drawn[0]
    assert drawn[1].split() == ["ape", "┊", "unknown"]
    for width in range(40):
        assert all(
            sum(cell_len(part) for part, _tone in line) == width for line in draw_forest([one, none], width)
        )
    assert text(draw_forest([one], 16)).startswith("gpo")


@given(st.lists(points, max_size=30), st.integers(0, 80), st.integers(0, 30))
def test_any_values_fit_any_room(some: list[Point], width: int, height: int) -> None:
    steps = tuple((one.x, one.y) for one in some)
    plot = Plot(tuple(some), steps=steps, reference=0.5, x_title="calls", y_title="score", y_bounds=(0, 1))
    lines = draw_plot(plot, width, height)
    assert len(lines) == height
    assert all(sum(cell_len(part) for part, _tone in line) == width for line in lines)


def test_a_few_thousand_points_leave_the_best_readable() -> None:
    many = [Point(x, 50 + x % 7, 40, 60, "○", "faint") for x in range(2000)]
    drawn = text(
        draw_plot(Plot((*many, Point(1500, 90, 80, 99, "●", "best")), steps=((0, 50), (1500, 90))), 70, 14)
    )
    assert drawn.count("●") == 1
    assert "○" not in drawn
    assert drawn.count("┬") <= 10
    small = text(draw_plot(Plot((*many, Point(1500, 90, 80, 99, "●", "best"))), 36, 7))
    assert small.count("●") == 1
    assert re.search(r"0 +1\.0k", small.splitlines()[-1])


@pytest.mark.parametrize(
    ("low", "high", "most", "expected"),
    [
        (0, 100, 6, [0, 20, 40, 60, 80, 100]),
        (0, 100, 5, [0, 50, 100]),
        (0.1, 0.34, 4, [0.1, 0.2, 0.3]),
        (5, 5, 4, []),
        (0, math.nan, 3, []),
    ],
)
def test_ticks_are_round_numbers(low: float, high: float, most: int, expected: list[float]) -> None:
    assert ticks(low, high, most) == expected


def test_bars_are_as_long_as_their_values_and_say_what_has_none() -> None:
    bars = [Bar("swapped", 0.5, "50%"), Bar("缩短", 1.0, "100%"), Bar("lost", math.nan, "no score")]
    assert text(draw_bars(bars, 32)).splitlines() == [
        "swapped ███████▌······· 50%",
        "缩短    ███████████████ 100%",
        "lost                    no score",
    ]


def test_a_forest_plot_says_which_gains_are_beyond_doubt() -> None:
    gains = [
        Gain("gpo", 12, 4, 19, "+12.0"),
        Gain("spo", -1, -9, 6, "-1.0"),
        Gain("later", None, text="running"),
        Gain("open", -5, -math.inf, -2, "-5.0"),
    ]
    lines = draw_forest(gains, 60)
    drawn = text(lines).splitlines()
    assert drawn[0].count("●") == drawn[3].count("●") == 1
    assert drawn[1].count("○") == 1
    assert "┊" in drawn[2]
    assert "◂" in drawn[3]
    assert "0" in drawn[-1]
    assert {tone for _part, tone in lines[0]} >= {"win"}
    assert {tone for _part, tone in lines[3]} >= {"loss"}
