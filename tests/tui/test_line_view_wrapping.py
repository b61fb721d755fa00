"""Lines that fit, lose nothing but blanks, and are no more than needed."""

import re
from itertools import pairwise

from hypothesis import example, given
from hypothesis import strategies as st
from rich.cells import cell_len

from spotui.tui.line_view import wrap

LETTERS = st.sampled_from("aé-.1猫。ｱ😀👍🏽 \u3000\u00a0\t\n")
TEXTS = st.lists(LETTERS | st.sampled_from(["word", "猫が好き", "👨‍👩‍👧", "  ", "\r\n"]), max_size=40).map(
    "".join
)
WIDTHS = st.integers(2, 30)


def squeezed(text: str) -> str:
    """A text without its blanks."""
    return "".join(text.split())


@given(TEXTS, WIDTHS)
@example("     abcdefgh", 10)
@example("abcdefghijk lm", 10)
def test_no_line_is_wider_than_asked_and_none_ends_in_blanks(text: str, width: int) -> None:
    for line in wrap(text, width):
        assert cell_len(line) <= width
        assert line == line.rstrip()


@given(TEXTS, WIDTHS)
def test_nothing_but_blanks_is_lost(text: str, width: int) -> None:
    lines = wrap(text, width)
    assert squeezed("".join(lines)) == squeezed(text)
    assert len(lines) >= max(1, len(text.splitlines()))


@given(
    st.lists(st.sampled_from("猫好，。！？）a1"), min_size=1, max_size=60).map("".join), st.integers(8, 30)
)
@example("好的回答说明原因，并且简短。", 16)
@example("猫猫猫猫猫猫猫，，，", 18)
def test_no_line_begins_with_punctuation_unless_there_is_much_of_it(text: str, width: int) -> None:
    for upper, lower in pairwise(wrap(text, width)):
        assert lower[0] not in "，。！？）" or all(mark in "，。！？）" for mark in upper[-2:])


@given(TEXTS, WIDTHS)
@example("abcdefghijk lm", 10)
def test_words_are_never_glued_to_each_other(text: str, width: int) -> None:
    words = set(text.split())
    pieces = [piece for line in wrap(text, width) for piece in line.split()]
    assert all(any(piece in word for word in words) for piece in pieces)
    assert len(pieces) >= len(text.split())


@given(TEXTS, WIDTHS)
def test_a_word_that_fits_is_never_broken_and_moves_down_only_where_it_must(text: str, width: int) -> None:
    words = [word for word in text.split() if cell_len(word) <= width]
    line = "".join(letter if not letter.isspace() else " " for letter in text).strip()
    if len(words) < len(text.split()):
        line = " ".join(words)
    lines = wrap(line, width)
    assert [word for one in lines for word in one.split()] == line.split()
    rest = line
    for upper, lower in pairwise(lines):
        rest = rest[len(upper) :]
        blanks = re.match(r"\s*", rest)
        assert blanks is not None
        assert cell_len(upper + blanks[0] + lower.split()[0]) > width
        rest = rest[blanks.end() :]


def test_lines_of_the_text_stay_lines_and_an_indent_stays_where_it_fits() -> None:
    assert wrap("one\n\n  two", 10) == ["one", "", "  two"]
    assert wrap("", 10) == [""]
    assert wrap("   ", 10) == [""]
    assert wrap("a\tb", 10) == ["a b"]


def test_texts_without_blanks_break_anywhere_but_not_within_a_letter() -> None:
    assert wrap("猫が好きです", 5) == ["猫が", "好き", "です"]
    assert wrap("abcdefg", 3) == ["abc", "def", "g"]
    assert wrap("👨‍👩‍👧👨‍👩‍👧", 3) == ["👨‍👩‍👧", "👨‍👩‍👧"]


def test_a_width_that_nothing_fits_still_loses_nothing() -> None:
    assert squeezed("".join(wrap("ab 猫", 1))) == "ab猫"
    assert wrap("ab", 0) == ["a", "b"]
