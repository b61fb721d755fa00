"""Counting words."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from spotui.domain.text import count_words


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", 0),
        ("Think step by step.", 4),
        ("  Think\n\nstep  by\tstep.  ", 4),
        ("Don't use e.g. state-of-the-art words", 5),
        ("yes - no", 2),
        ("... !", 0),
        ("1. First, 2. second", 4),
        ("café über naïve", 3),
        ("请一步一步思考", 7),
        ("请一步一步思考。", 7),
        ("用JSON回答", 4),
        ("用 JSON 回答", 4),
        ("ひらがな", 4),
        ("𠀀𠀁", 2),
    ],
)
def test_words_are_counted_as_a_person_counts_them(text: str, words: int) -> None:
    assert count_words(text) == words


@given(st.lists(st.from_regex(r"[a-z]{1,8}", fullmatch=True)), st.lists(st.sampled_from("请一步思考")))
def test_english_words_and_chinese_characters_add_up(english: list[str], chinese: list[str]) -> None:
    assert count_words(" ".join(english) + "".join(chinese)) == len(english) + len(chinese)
