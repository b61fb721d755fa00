"""Rows of bars."""

from hypothesis import given
from hypothesis import strategies as st

from spotui.domain.figures import bars

SHARES = st.none() | st.floats(0.0, 1.0)


def test_a_bar_is_as_high_as_its_value() -> None:
    assert bars([0.0, 0.5, 1.0], 1.0, 10) == "▁▅█"
    assert bars([3.0, 6.0], 6.0, 10) == "▅█"


def test_what_has_no_value_leaves_a_gap() -> None:
    assert bars([1.0, None, 1.0], 1.0, 10) == "█ █"


def test_where_nothing_was_spent_every_bar_is_low() -> None:
    assert bars([0.0, 0.0], 0.0, 10) == "▁▁"


def test_the_latest_are_shown_where_there_is_no_room_for_all() -> None:
    assert bars([0.0, 0.5, 1.0], 1.0, 2) == "▅█"
    assert bars([1.0], 1.0, 0) == bars([1.0], 1.0, -3) == bars([], 1.0, 5) == ""


@given(st.lists(SHARES, max_size=40), st.integers(0, 50))
def test_there_is_one_cell_for_each_value_that_fits(values: list[float | None], width: int) -> None:
    assert len(bars(values, 1.0, width)) == min(len(values), width)


@given(st.lists(st.floats(0.0, 1.0), min_size=2, max_size=2).map(sorted))
def test_a_higher_value_never_has_a_lower_bar(pair: list[float]) -> None:
    drawn = bars(pair, 1.0, 2)
    assert drawn[0] <= drawn[1]
