"""Damaged copies are other texts, and the same ones every time."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from spotui.runs.judge_check import DAMAGES, Damage, damaged

ANSWERS = ["The tide follows the moon.", "Rivers carry salt into the sea.", "It is eleven kilometres deep."]


@pytest.mark.parametrize(
    ("kind", "first"),
    [
        ("truncated", "The"),
        ("off_topic", "Rivers carry salt into the sea."),
        ("wrong_format", "1. The\n2. tide\n3. follows\n4. the\n5. moon."),
    ],
)
def test_each_kind_damages_in_its_own_way(kind: Damage, first: str) -> None:
    copies = damaged(ANSWERS, kind, 0)
    assert copies is not None
    assert copies[0] == first


def test_shuffled_words_are_the_same_words() -> None:
    copies = damaged(ANSWERS, "shuffled", 3)
    assert copies is not None
    assert copies == damaged(ANSWERS, "shuffled", 3)
    for copy, answer in zip(copies, ANSWERS, strict=True):
        assert copy != answer
        assert sorted(copy.split()) == sorted(answer.split())


@given(st.lists(st.text(max_size=40), min_size=1, max_size=4), st.sampled_from(DAMAGES), st.integers(0, 9))
def test_a_copy_is_never_as_good_as_its_answer(answers: list[str], kind: Damage, seed: int) -> None:
    copies = damaged(answers, kind, seed)
    assert copies is None or all(
        copy.split() != answer.split() for copy, answer in zip(copies, answers, strict=True)
    )


@pytest.mark.parametrize("kind", DAMAGES)
def test_a_language_without_spaces_is_damaged_too(kind: Damage) -> None:
    assert damaged(["潮汐是月球的引力。", "河流把盐带进海里。"], kind, 0) is not None


def test_one_answer_alone_cannot_be_off_topic() -> None:
    assert damaged(ANSWERS[:1], "off_topic", 0) is None
    assert damaged(["x"], "truncated", 0) is None
