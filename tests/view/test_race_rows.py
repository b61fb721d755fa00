"""Two entries of a race row by row, whatever is known of them."""

from spotui.view.race_rows import in_words, pair_rows, passages_of, tally_of
from spotui.workspace.race_rows import RaceRow, RowAnswer


def row(**marks: float | None) -> RaceRow:
    return RaceRow("Why?\n", ("So.",), {name: RowAnswer(mark, f"of {name}") for name, mark in marks.items()})


ROWS = (row(a=1, b=1), row(a=0, b=0.5), row(a=1, b=None), row(a=1, b=0.5), row(a=1), row(a=0.5, b=0))


def test_rows_that_were_won_come_first_and_those_without_a_mark_last() -> None:
    pairs = pair_rows(ROWS, "a", "b")
    assert [pair.number for pair in pairs] == [4, 6, 2, 1, 3, 5]
    assert tally_of(pairs) == {"won": 2, "lost": 1, "same": 1, "errored": 2}
    assert in_words(pairs, "a", "b") == (
        "a answers 2 rows better than b and 1 worse; 1 are the same. 2 rows errored."
    )
    assert [pair.verdict for pair in pair_rows(ROWS, "b", "a")][:2] == ["won", "lost"]
    assert in_words(pair_rows((), "a", "b"), "a", "b").startswith("a answers 0 rows")


def test_a_row_is_told_with_both_answers() -> None:
    (pair,) = pair_rows(ROWS[1:2], "a", "b")
    asked, one, other = passages_of(pair, "a", "b")
    assert (asked.title, asked.facts, asked.parts[0].text) == ("row 1", "lost", "Why?")
    assert (one.title, one.facts, one.parts[0].text, one.tone) == ("a", "0", "of a", "plain")
    assert (other.title, other.facts, other.parts[0].text, other.tone) == ("b", "0.5", "of b", "win")
