"""Agreement of a judge with people."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from spotui.judging.agreement import Decision, agreement, by_kind

CHOICES = st.sampled_from(["first", "second", "tie"])
decisions = st.lists(
    st.builds(Decision, CHOICES, CHOICES | st.just("void"), st.sampled_from("xy")), max_size=30
)


def test_kappa_of_a_worked_example() -> None:
    """The usual example: two readers of 50 grant proposals."""
    cells = [("yes", "yes", 20), ("yes", "no", 5), ("no", "yes", 10), ("no", "no", 15)]
    found = agreement([Decision(one, other) for one, other, count in cells for _ in range(count)])
    assert (found.labels, found.agreed, found.share) == (50, 35, 0.7)
    assert found.expected == pytest.approx(0.5)
    assert found.kappa == pytest.approx(0.4)
    assert found.interval == pytest.approx((0.5625, 0.8090), abs=1e-3)
    assert found.confusion == {"yes": {"yes": 20, "no": 5}, "no": {"yes": 10, "no": 15}}
    assert found.is_beyond_chance


@given(decisions)
def test_figures_are_bounded_and_the_kinds_add_up(cases: list[Decision]) -> None:
    found = agreement(cases)
    assert 0 <= found.interval[0] <= (found.share or 0) <= found.interval[1] <= 1
    assert found.kappa is None or -1 <= found.kappa <= 1
    assert sum(sum(row.values()) for row in found.confusion.values()) == len(cases)
    assert sum(one.agreed for one in by_kind(cases).values()) == (found.agreed if cases else 0)
    same = agreement([one._replace(judge=one.people) for one in cases])
    assert same.agreed == len(cases)
    assert same.kappa in (None, 1.0)


def test_who_always_says_the_same_agrees_by_chance() -> None:
    found = agreement([Decision("first", "first")] * 20)
    assert (found.kappa, found.is_beyond_chance) == (None, False)
    assert not agreement([]).is_beyond_chance
    assert by_kind([Decision("first", "first")]) == {}
