import re
from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from spotui.domain.figures import aligned, clock, count, duration, limit, moment, size, usd


@pytest.mark.parametrize(
    ("cost", "unpriced", "text"),
    [
        (0.0, 0, "$0.00"),
        (None, 0, "$ unknown"),
        (0.0, 2, "$ unknown"),
        (0.0123, 0, "$0.0123"),
        (0.00004, 0, "under $0.0001"),
        (0.00004, 1, "under $0.0001 + unknown"),
        (12.345, 0, "$12.35"),
        (0.5, 1, "$0.5000 + unknown"),
    ],
)
def test_a_price_that_is_unknown_or_tiny_is_never_nothing(
    cost: float | None, unpriced: int, text: str
) -> None:
    assert usd(cost, unpriced) == text


@pytest.mark.parametrize(
    ("cost", "unpriced", "text"),
    [
        (0.0123, 0, "~$0.0123"),
        (0.5, 1, "~$0.5000 + unknown"),
        (0.00004, 0, "~under $0.0001"),
        (None, 0, "$ unknown"),
        (0.0, 0, "$0.00"),
    ],
)
def test_a_tilde_marks_an_estimated_price_and_no_other(cost: float | None, unpriced: int, text: str) -> None:
    assert usd(cost, unpriced, estimated=True) == text


def test_a_tilde_marks_an_estimated_count() -> None:
    assert (count(12_345, estimated=True), count(12_345)) == ("~12.3k", "12.3k")


@pytest.mark.parametrize(
    ("number", "text"),
    [
        *((0, "0"), (999, "999"), (1000, "1.0k"), (12_345, "12.3k"), (999_949, "999.9k"), (999_950, "1.00M")),
        *((999_994_000, "999.99M"), (999_996_000, "1.00B"), (2_322_000_000, "2.32B")),
        *((5 * 10**13, "50,000.00B"), (-12_345, "-12.3k")),
    ],
)
def test_large_counts_are_short(number: int, text: str) -> None:
    assert count(number) == text


@given(st.integers(min_value=0, max_value=10**12))
def test_a_short_count_or_size_has_the_value_within_its_last_digit(number: int) -> None:
    counts, sizes = {"": 0, "k": 3, "M": 6, "B": 9}, {"B": 0, "kB": 3, "MB": 6, "GB": 9}
    for shown, units in ((count(number), counts), (size(number), sizes)):
        text, unit = re.fullmatch(r"([\d.,]+) ?(\D*)", shown).groups()  # type: ignore[union-attr]
        value = float(text.replace(",", ""))
        assert value < 1000 or units[unit] == 9
        half = 0.5001 * 10 ** -len(text.partition(".")[2])
        assert value == pytest.approx(number / 10 ** units[unit], abs=half)


@pytest.mark.parametrize(
    ("number", "text"),
    [
        (0, "0 B"),
        (999, "999 B"),
        (1000, "1 kB"),
        (999_700, "1 MB"),
        (1_117_320_736, "1.12 GB"),
        (999_500_000_000, "1000 GB"),
    ],
)
def test_sizes_are_short(number: int, text: str) -> None:
    assert size(number) == text


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0.04, "0.0 s"),
        (9.94, "9.9 s"),
        (9.96, "10 s"),
        (59.4, "59 s"),
        (59.6, "1 min"),
        (187, "3 min 7 s"),
        (3599.6, "1 h"),
        (3753, "1 h 3 min"),
        (86_369, "23 h 59 min"),
        (86_380, "1 d"),
        (86_400 + 5 * 3600 - 1, "1 d 5 h"),
    ],
)
def test_a_time_in_a_sentence_names_its_units_and_never_has_sixty_of_one(seconds: float, text: str) -> None:
    assert duration(seconds) == text


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (59.4, "59 s"),
        (59.6, "1:00"),
        (187, "3:07"),
        (3599.6, "1:00:00"),
        (3753, "1:02:33"),
        (86_369, "23:59:29"),
        (86_400 + 5 * 3600 - 1, "1 d 5 h"),
    ],
)
def test_a_time_in_a_column_is_short(seconds: float, text: str) -> None:
    assert clock(seconds) == text


NOW = datetime(2026, 11, 21, 17, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("at", "text"),
    [
        (datetime(2026, 11, 21, 9, 5, tzinfo=UTC), "09:05"),
        (datetime(2026, 11, 20, 23, 59, tzinfo=UTC), "20 Nov 23:59"),
        (datetime(2026, 11, 21, 1, 0, tzinfo=timezone(timedelta(hours=2))), "20 Nov 23:00"),
        (datetime(2025, 11, 21, 17, 0, tzinfo=UTC), "21 Nov 2025"),
    ],
)
def test_a_moment_is_as_short_as_it_is_clear(at: datetime, text: str) -> None:
    assert moment(at, NOW) == text


@pytest.mark.parametrize(
    ("value", "text"),
    [(None, "no limit"), (0.5, "0.5"), (20, "20"), (2_000_000, "2,000,000"), (1e6, "1,000,000")],
)
def test_a_limit_is_said_in_full(value: float | None, text: str) -> None:
    assert limit(value) == text


def test_columns_stay_below_each_other_where_characters_take_two_cells() -> None:
    rows = [["model", "won", "finding"], ["模型", "12", "更差"], ["a", "3", ""]]
    assert aligned(rows, left=(0, 2)) == ["model  won  finding", "模型    12  更差", "a        3"]
