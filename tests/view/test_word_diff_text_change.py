"""The one change between two texts."""

from hypothesis import given
from hypothesis import strategies as st

from spotui.view.word_diff import TextChange, one_change

TEXT = st.text("ab\n", max_size=12)


@given(TEXT, TEXT)
def test_it_turns_the_old_text_into_the_new(old: str, new: str) -> None:
    start, end, text = one_change(old, new)
    assert start <= end
    assert old[:start] + text + old[end:] == new


@given(TEXT, TEXT, TEXT, TEXT)
def test_it_is_no_larger_than_what_was_changed(before: str, old: str, new: str, after: str) -> None:
    start, end, text = one_change(before + old + after, before + new + after)
    assert end - start <= len(old)
    assert len(text) <= len(new)


def test_an_inserted_letter_is_all_there_is() -> None:
    assert one_change("prompt: ac\n", "prompt: abc\n") == TextChange(9, 9, "b")
