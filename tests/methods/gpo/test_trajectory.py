"""How much two texts have in common."""

from hypothesis import given
from hypothesis import strategies as st

from spotui.methods.gpo.trajectory import similarities

TEXTS = st.text(alphabet="abc xyz", max_size=20)


def test_the_text_itself_comes_first_and_a_stranger_last() -> None:
    query = "Count the objects, then add them up."
    same, near, far = similarities(query, [query, "Count the cats, then add them.", "Sing!"])
    assert same > near > far == 0.0


def test_words_that_all_share_say_little() -> None:
    common = ["please answer the question shortly", "please answer the riddle", "please answer the call"]
    rare, shared = similarities("please answer the riddle", [common[1], common[2]])
    assert rare > 2 * shared


@given(TEXTS, st.lists(TEXTS, max_size=8))
def test_similarities_are_of_the_same_order_whatever_the_texts(query: str, texts: list[str]) -> None:
    found = similarities(query, texts)
    assert len(found) == len(texts)
    assert all(0.0 <= one < 3.0 for one in found)
    assert found == similarities(query, texts)
