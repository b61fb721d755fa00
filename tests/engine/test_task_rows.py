"""Rows as methods see them: parts of a split, and batches that go through all of it."""

from collections import Counter

from hypothesis import given
from hypothesis import strategies as st

from spotui.domain.rows import Row
from spotui.engine.task import RowSet, batches


def some(count: int) -> RowSet:
    return RowSet("train", [Row(f"Question {number}?") for number in range(count)])


@given(st.integers(1, 60), st.integers(1, 70), st.text(max_size=3))
def test_a_draw_is_a_part_in_order_and_the_same_for_the_same_seed(rows: int, count: int, seed: str) -> None:
    drawn = some(rows).draw(count, seed=seed)
    assert len(drawn) == min(rows, count)
    assert list(drawn.positions) == sorted(set(drawn.positions))
    assert list(drawn.positions) == list(some(rows).draw(count, seed=seed).positions)
    assert [drawn.row(position).question for position in drawn.positions] == [
        f"Question {position}?" for position in drawn.positions
    ]


@given(st.integers(1, 60), st.integers(1, 20))
def test_the_batches_of_an_epoch_hold_every_row_at_most_once(rows: int, size: int) -> None:
    count = batches(rows, size)
    seen = Counter(
        position
        for number in range(count)
        for position in some(rows).batch(number + 1, size, seed="s").positions
    )
    assert max(seen.values()) == 1
    left_out = rows - len(seen)
    assert left_out * 2 < size
    again = some(rows).batch(count + 1, size, seed="s")
    assert 0 < len(again) <= size


def test_the_next_epoch_goes_another_way() -> None:
    rows = some(40)
    first = [tuple(rows.batch(number, 8, seed="s").positions) for number in range(1, 6)]
    second = [tuple(rows.batch(number, 8, seed="s").positions) for number in range(6, 11)]
    assert sorted(sum(first, ())) == sorted(sum(second, ())) == list(range(40))
    assert first != second
