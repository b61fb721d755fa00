"""A server's words are repeated on one line, cut, and without the key."""

from hypothesis import given
from hypothesis import strategies as st

from spotui.domain.secret import Secret
from spotui.llm.providers.faults.http_errors import Target

KEY = "sk-very-secret-0123456789"
PLACE = Target("test-model", "http://localhost/v1", [Secret(KEY), Secret("")], has_key=True)


@given(st.text(max_size=400), st.text(max_size=400))
def test_no_words_bring_the_key_out(before: str, after: str) -> None:
    quoted = PLACE.quote(before + KEY + after)
    assert KEY not in quoted
    # What is cut off at the end is no part of the key either.
    assert not any(quoted.removesuffix("…").endswith(KEY[:length]) for length in range(6, len(KEY)))


@given(st.text())
def test_a_quotation_is_one_line_of_modest_length(words: str) -> None:
    quoted = PLACE.quote(words)
    assert len(quoted) <= 300
    assert quoted == " ".join(quoted.split())
    assert all(character.isprintable() for character in quoted)


def test_a_sentence_ends_once() -> None:
    assert PLACE.sentence("It failed") == "It failed."
    assert PLACE.sentence("It failed", "no idea why") == "It failed: no idea why."
    assert PLACE.sentence("It failed", "No idea why!") == "It failed: No idea why!"
    assert PLACE.sentence("It failed", " \n ") == "It failed."
