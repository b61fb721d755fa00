"""Halves of characters made whole."""

from hypothesis import given
from hypothesis import strategies as st

from spotui.domain.text import SurrogateJoiner, whole_text


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


@given(st.text(st.characters(), max_size=30), st.integers(0, 60))
def test_characters_survive_being_cut_into_halves(text: str, cut: int) -> None:
    halves = text.encode("utf-16-le", "surrogatepass")
    units = [halves[n : n + 2].decode("utf-16-le", "surrogatepass") for n in range(0, len(halves), 2)]
    joiner = SurrogateJoiner()
    joined = joiner.feed("".join(units[:cut])) + joiner.feed("".join(units[cut:])) + joiner.flush()
    assert joined == whole_text(text)


@given(st.lists(st.characters(categories=["Cs"]) | st.characters(max_codepoint=0x2FF), max_size=12))
def test_no_half_of_a_pair_is_left(characters: list[str]) -> None:
    joiner = SurrogateJoiner()
    joined = "".join(joiner.feed(character) for character in characters) + joiner.flush()
    joined.encode()
    plain = [character for character in characters if not "\ud800" <= character <= "\udfff"]
    assert [character for character in joined if character in plain] == plain
