"""Halves of characters made whole."""

from hypothesis import given
from hypothesis import strategies as st

from spotui.workspace.whole_text import whole_text


@given(st.text())
def test_whole_text_stays_as_it_is(text: str) -> None:
    assert whole_text(text) == text


@given(st.text(st.characters(exclude_categories=[])))
def test_any_text_can_be_written_after(text: str) -> None:
    whole_text(text).encode()


def test_two_halves_are_joined_and_a_lone_one_is_replaced() -> None:
    assert whole_text("a\ud83d\udc08b") == "a🐈b"
    assert whole_text("a\ud83db\udc08") == "a\ufffdb\ufffd"
    assert whole_text("\udc08\ud83d🐈") == "\ufffd\ufffd🐈"
