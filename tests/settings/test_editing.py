"""A change is done once more on a text that has been changed elsewhere."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from spotui.settings.editing import patched

LINES = st.lists(st.sampled_from(["a\n", "b\n", "c\n", "d\r\n", "\n"]), max_size=8).map("".join)


@given(LINES, LINES)
def test_on_the_same_text_it_is_the_change_itself(old: str, new: str) -> None:
    assert patched(old, old, new) == new


@given(LINES, LINES, st.text("xyz", min_size=1))
def test_what_was_added_at_the_end_stays(old: str, new: str, more: str) -> None:
    old, new = f"{old}end\n", f"{new}end\n"
    assert patched(f"{old}{more}\n", old, new) == f"{new}{more}\n"


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("1\n2\n4\n5\n", "1\n2\n3\n4\n5\n"),
        ("0\n1\n2\n4\n", "0\n1\n2\n3\n4\n"),
        ("2\n9\n4\n", "2\n3\n9\n4\n"),
        ("1\n4\n", None),
        ("", None),
    ],
)
def test_a_line_comes_back_behind_the_one_it_stood_behind(text: str, found: str | None) -> None:
    assert patched(text, "1\n2\n4\n", "1\n2\n3\n4\n") == found
