"""A text is taken once where a server repeats it, and as often as it comes where the model does."""

import itertools

import pytest

from spotui.llm.providers.chat.strand import Strand

SAID = "The answer is 42, because 6 times 7 is 42."


def taken(*pieces: str) -> str:
    strand = Strand()
    for piece in pieces:
        strand.add(piece)
    return strand.text()


def cut(text: str, size: int) -> list[str]:
    return [text[start : start + size] for start in range(0, len(text), size)]


def so_far(*pieces: str) -> list[str]:
    return list(itertools.accumulate(pieces))


@pytest.mark.parametrize(
    "pieces",
    [
        pytest.param(["never ending words "] * 50, id="a sentence that loops"),
        pytest.param(["I must not talk in class.\n"] * 2, id="a line that comes twice"),
        pytest.param(["ha ha ha"] * 9, id="a word that loops"),
        pytest.param(["a"] * 300, id="a letter that loops"),
        pytest.param(["=", "==", "===", "====", "====="], id="a letter in pieces that grow"),
        pytest.param(["a", "ab", "abc"], id="pieces that happen to begin with the one before"),
        pytest.param(["In", "In", " ", "In short"], id="a word that is written again"),
        pytest.param(["never ending words ", "never ending words ", "never"], id="a loop that is cut"),
        pytest.param(["over and over ", "over and over ", "over and over and over"], id="a loop with an end"),
        pytest.param(
            ["The answer is", "The answer is 42.", " The end."], id="one piece that repeats, then no more"
        ),
        pytest.param(["ha ha ", "ha ha ", "ha ha ha ha "], id="a loop in pieces of two lengths"),
        pytest.param(cut("no, no, no, never again, no, no. " * 20, 7), id="a loop that is cut anywhere"),
    ],
)
def test_a_model_that_repeats_itself_loses_nothing(pieces: list[str]) -> None:
    assert taken(*pieces) == "".join(pieces)


@pytest.mark.parametrize("size", [1, 2, 7, 13])
@pytest.mark.parametrize("again", [0, 1, 3])
def test_text_so_far_is_taken_once(size: int, again: int) -> None:
    pieces = so_far(*cut(SAID, size))
    assert taken(*pieces, *pieces[-1:] * again) == SAID


@pytest.mark.parametrize(
    "pieces",
    [
        pytest.param([*cut(SAID, 5), SAID], id="all of it after its pieces"),
        pytest.param(
            [*cut(SAID, 5)[:4], *so_far(SAID[:25], SAID[25:31], SAID[31:])], id="so far, after deltas"
        ),
        pytest.param([*so_far(*cut(SAID[:30], 5)), SAID[30:]], id="a delta, after so far"),
        pytest.param([SAID[:10], SAID[:10], SAID[:20], SAID[:30], SAID], id="so far, the first one twice"),
        pytest.param([SAID[:20], SAID[:20], *[SAID[:30]] * 3, SAID, SAID], id="so far, each one often"),
    ],
)
def test_a_server_that_repeats_itself_is_seen_through(pieces: list[str]) -> None:
    assert taken(*pieces) == SAID


def test_a_loop_is_passed_on_piece_by_piece() -> None:
    strand = Strand()
    pieces = ["never ending words "] * 100
    assert [strand.add(piece) for piece in pieces] == pieces
    assert strand.size == len("".join(pieces))


def test_a_long_text_so_far_is_passed_on_once_and_kept_once() -> None:
    strand = Strand()
    pieces = so_far(*(f"{number} " for number in range(5000)))
    heard = [strand.add(piece) for piece in pieces]
    assert strand.text() == pieces[-1]
    assert strand.size == len(pieces[-1])
    assert len("".join(heard)) < 1.01 * len(pieces[-1])
