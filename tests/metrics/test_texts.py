"""Texts that are equal, or equal but for what makes no difference."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from spotui.metrics.texts import tokens
from tests.metrics.marking import fault, mark


@pytest.mark.parametrize(
    ("answer", "reference", "exact", "normalised", "contains"),
    [
        ("Paris", "Paris", 1, 1, 1),
        (" Paris\n", "Paris", 1, 1, 1),
        ("paris.", "Paris", 0, 1, 1),
        ('"PARIS"!', "Paris", 0, 1, 1),
        ("It is Paris.", "Paris", 0, 0, 1),
        ("Parisian", "Paris", 0, 0, 0),
        ("New  york", "New York", 0, 1, 1),
        ("York New", "New York", 0, 0, 0),
        ("state-of-the-art", "state of the art", 0, 1, 1),
        ("don’t", "don't", 0, 1, 1),
        ("-8", "8", 0, 0, 0),
        ("8", "-8", 0, 0, 0),
        ("−8", "-8", 0, 1, 1),
        ("2.5", "2", 0, 0, 0),
        ("2.5", "25", 0, 0, 0),
        ("2.5.", "2.5", 0, 1, 1),
        ("18", "8", 0, 0, 0),
        ("1,000", "1000", 0, 1, 1),
        ("10:30", "1030", 0, 0, 0),
        ("3/4", "34", 0, 0, 0),
        ("50%", "50", 0, 0, 0),
        ("C++", "C", 0, 0, 1),
        ("C#", "C", 0, 0, 0),
        ("It is written in C#.", "C#", 0, 0, 1),
        ("Ｐａｒｉｓ", "Paris", 0, 1, 1),
        ("答案是北京。", "北京", 0, 0, 1),
        ("] ) >", "] ) >", 1, 1, 1),
        ("] )", ") ]", 0, 0, 0),
        ("", "Paris", 0, 0, 0),
    ],
)
def test_what_makes_a_difference(
    answer: str, reference: str, exact: int, normalised: int, contains: int
) -> None:
    found = [mark(metric, answer, reference).value for metric in ("exact", "normalised", "contains")]
    assert found == [exact, normalised, contains]


def test_one_of_several_references_is_enough() -> None:
    assert mark("exact", "b", "a", "b").value == 1
    assert mark("normalised", "c", "a", "b").value == 0


def test_a_row_without_an_answer_cannot_be_scored() -> None:
    assert fault("exact") == "The row has no answer to compare with."
    assert fault("contains", "a", " ").endswith("is not an answer.")
    assert fault("exact", "a") == ""


@given(st.text())
def test_tokens_of_tokens_are_the_same(text: str) -> None:
    words = tokens(text)
    assert " ".join(tokens(" ".join(words))).split() == " ".join(words).split()


@given(st.text(min_size=1))
def test_a_text_is_right_for_itself(text: str) -> None:
    assert mark("normalised", text, text.upper().lower() if text.isascii() else text).value == 1
