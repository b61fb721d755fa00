from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from spotui.llm.providers.chat.text_stream import SurrogateJoiner, ThinkSplitter, split_unopened
from spotui.workspace.whole_text import whole_text

ANSWERS = [
    ("<think>2 + 2</think>\n\n4", "4", "2 + 2"),
    ("  \n<think>\n2 + 2\n</think>4 ", "4 ", "\n2 + 2\n"),
    ("<think>a</think> <think>b</think> c", "c", "ab"),
    ("<think>never ends </thi", "", "never ends </thi"),
    ("<think></think>", "", ""),
    ("<thinker> is a word", "<thinker> is a word", ""),
    ("  plain, with <think>a tag</think> inside", "  plain, with <think>a tag</think> inside", ""),
    ("<thin", "<thin", ""),
    (" \n", " \n", ""),
    ("", "", ""),
]


def split(pieces: list[str]) -> tuple[str, str]:
    splitter = ThinkSplitter()
    settled = [splitter.feed(piece) for piece in pieces] + [splitter.flush()]
    return "".join(text for text, _ in settled), "".join(reasoning for _, reasoning in settled)


@given(st.sampled_from(ANSWERS), st.lists(st.integers(0, 50)))
def test_reasoning_is_told_apart_however_the_pieces_are_cut(
    answer: tuple[str, str, str], cuts: list[int]
) -> None:
    whole, text, reasoning = answer
    bounds = sorted({0, len(whole), *(cut for cut in cuts if cut < len(whole))})
    pieces = [whole[start:end] for start, end in pairwise(bounds)]
    assert split(pieces) == (text, reasoning)


def test_text_is_passed_on_as_soon_as_it_cannot_be_a_tag() -> None:
    splitter = ThinkSplitter()
    assert splitter.feed("<th") == ("", "")
    assert splitter.feed("e answer") == ("<the answer", "")
    assert splitter.feed(" is") == (" is", "")


def test_reasoning_is_passed_on_but_for_what_may_be_the_closing_tag() -> None:
    splitter = ThinkSplitter()
    assert splitter.feed("<think>so </th") == ("", "so ")
    assert splitter.feed("en </think>yes") == ("yes", "</then ")


def test_reasoning_without_an_opening_tag_ends_at_a_closing_tag_on_its_own_line() -> None:
    assert split_unopened("Two and two.\n</think>\n\nFour") == ("Four", "Two and two.\n")
    assert split_unopened("The tag </think> ends a thought") == ("The tag </think> ends a thought", "")
    shown = "Write\n<think>\n...\n</think>\nfirst."
    assert split_unopened(shown) == (shown, "")


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
