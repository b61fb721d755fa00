import time
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from spotui.view.word_diff import Piece, word_diff, words_changed

TEXTS = st.text(st.sampled_from("ab .\n\t海の\u3000é")) | st.text()


@given(TEXTS, TEXTS)
def test_kept_and_removed_are_the_old_text_kept_and_added_the_new(old: str, new: str) -> None:
    pieces = word_diff(old, new)

    assert "".join(piece.text for piece in pieces if piece.change != "added") == old
    assert "".join(piece.text for piece in pieces if piece.change != "removed") == new


@given(TEXTS, TEXTS)
def test_no_piece_is_empty_and_no_two_neighbours_are_of_a_kind(old: str, new: str) -> None:
    changes = [piece.change for piece in word_diff(old, new)]

    assert all(piece.text for piece in word_diff(old, new))
    assert all(one != other for one, other in pairwise(changes))


@given(TEXTS)
def test_nothing_changed_is_one_piece(text: str) -> None:
    assert word_diff(text, text) == ([Piece("same", text)] if text else [])


@pytest.mark.parametrize(
    ("old", "new", "pieces"),
    [
        ("Be brief.", "Be very brief.", [("same", "Be "), ("added", "very "), ("same", "brief.")]),
        ("Be brief", "Be brief now", [("same", "Be brief"), ("added", " now")]),
        ("a cat sat", "a dog sat", [("same", "a "), ("removed", "cat "), ("added", "dog "), ("same", "sat")]),
        ("one two", "one\ntwo", [("same", "one"), ("removed", " "), ("added", "\n"), ("same", "two")]),
        ("写一首诗", "写一首短诗", [("same", "写一首"), ("added", "短"), ("same", "诗")]),
        ("", "new", [("added", "new")]),
    ],
)
def test_a_change_is_told_by_words(old: str, new: str, pieces: list[tuple[str, str]]) -> None:
    assert word_diff(old, new) == pieces


def test_changed_words_are_counted_as_people_count_them() -> None:
    assert words_changed(word_diff("Write a poem - now.", "Write a short, sad poem.")) == (3, 2)
    assert words_changed(word_diff("诗", "长诗")) == (1, 0)


def test_long_prompts_take_no_time() -> None:
    words = [f"word{number % 300}" for number in range(2000)]
    changed = [f"other{at}" if at % 7 == 0 else word for at, word in enumerate(words)]

    began = time.process_time()
    word_diff(" ".join(words), " ".join(changed))
    assert time.process_time() - began < 2
