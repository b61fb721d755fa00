"""Embeddings as text, and how they are compared."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from spotui.llm.protocol import cosine, pack, unpack

floats = st.floats(width=32, allow_nan=False, allow_infinity=False)


@given(st.lists(floats, min_size=1, max_size=50))
def test_a_vector_comes_back_as_it_was(numbers: list[float]) -> None:
    assert list(unpack(pack(numbers))) == numbers


def test_it_is_as_openai_writes_it() -> None:
    assert pack([1.0, -2.0]) == "AACAPwAAAMA="


@pytest.mark.parametrize("numbers", [[], [math.nan], [math.inf, 1.0]])
def test_what_is_no_vector_is_refused(numbers: list[float]) -> None:
    with pytest.raises(ValueError, match="finite"):
        pack(numbers)


@pytest.mark.parametrize("text", ["not base64!", "AAAA"])
def test_what_holds_no_floats_is_refused(text: str) -> None:
    with pytest.raises(ValueError):  # noqa: PT011 - the words are Python's
        unpack(text)


@given(
    st.lists(st.floats(-1e6, 1e6), min_size=1, max_size=9).filter(lambda one: any(abs(x) > 1e-3 for x in one))
)
def test_a_vector_points_its_own_way_however_long_it_is(one: list[float]) -> None:
    assert cosine(one, [3 * x for x in one]) == pytest.approx(1)
    assert cosine(one, [-x for x in one]) == pytest.approx(-1)


def test_vectors_that_cannot_be_compared_have_nothing_in_common() -> None:
    assert cosine([1.0, 0.0], [0.0, 5.0]) == 0
    assert cosine([1.0], [1.0, 2.0]) == 0
    assert cosine([0.0], [1.0]) == 0
    assert cosine((), ()) == 0
