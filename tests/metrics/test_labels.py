"""Which label an answer comes to."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from spotui.metrics.choose import read_choice
from tests.metrics.marking import fault, mark

VALID = ("valid", "invalid")
SENTIMENT = ("positive", "negative", "neutral", "very positive")


@pytest.mark.parametrize(
    ("labels", "answer", "label"),
    [
        (VALID, "valid", "valid"),
        (VALID, "The argument is invalid.", "invalid"),
        (VALID, "**Valid**, because it follows", "valid"),
        (VALID, "The argument is not valid", "invalid"),
        (VALID, "The argument isn't deductively valid.", "invalid"),
        (VALID, "It is not invalid", "valid"),
        (VALID, "The argument is valid, not invalid.", "valid"),
        (VALID, "Is the argument valid or invalid? It is invalid.", "invalid"),
        (VALID, "To be valid, it must follow. It does not. So the argument is invalid.", "invalid"),
        (VALID, r"\boxed{\text{invalid}}", "invalid"),
        (VALID, "The answer is valid. Wait, no. Actually, it is invalid.", "invalid"),
        (VALID, "valid or invalid", None),
        (VALID, "It's neither valid nor invalid.", None),
        (VALID, "Its validity is unknown.", None),
        (SENTIMENT, "Sentiment: very positive.", "very positive"),
        (SENTIMENT, "The sentiment is **positive**.", "positive"),
        (SENTIMENT, "This is not positive but negative.", "negative"),
        (SENTIMENT, "It has positive and negative parts, so neutral.", "neutral"),
        (SENTIMENT, "Neither positive nor negative: neutral", "neutral"),
        (SENTIMENT, "I find it negative because it calls positive things names", "negative"),
        (SENTIMENT, "Although it sounds positive, it is negative.", "negative"),
        (SENTIMENT, "not positive", None),
        (SENTIMENT, "positive or neutral", None),
        (SENTIMENT, "Non-negative", None),
        (("entailment", "not entailment"), "So this is not entailment", "not entailment"),
        (("[A]", "[B]"), "The verdict is [B].", "[B]"),
        (("[[A]]", "[[B]]", "[[C]]"), "After all, [[C]]", "[[C]]"),
        (("(", ")"), "The answer is )", ")"),
        (("C++", "C"), "It is written in C++.", "C++"),
        (("C++", "C"), "It is C.", "C"),
        (("World", "Sci/Tech"), "Category: Sci/Tech", "Sci/Tech"),
        (("1 star", "2 stars"), "I'd give it 2 stars.", "2 stars"),
        (("正面", "负面"), "这条评论是负面的。", "负面"),
        (("正确", "不正确"), "该说法不正确。", "不正确"),
        (("正确", "不正确"), "该说法正确。", "正确"),
        (("A", "a"), "a", "a"),
    ],
)
def test_the_label_an_answer_comes_to(labels: tuple[str, ...], answer: str, label: str | None) -> None:
    metric = {"name": "label", "labels": list(labels)}
    for one in labels:
        assert mark(metric, answer, one).value == (one == label), mark(metric, answer, one).read
    assert mark(metric, answer, labels[0]).read == label


def test_a_reference_has_to_be_one_of_the_labels() -> None:
    metric = {"name": "label", "labels": ["valid", "invalid"]}
    assert fault(metric, "Valid.") == ""
    assert fault(metric, "true") == "The answer “true” is not one of the labels."


@pytest.mark.parametrize(
    ("answer", "right"),
    [
        ("] ) }", True),
        ("The answer is ] ) }.", True),
        ("The missing brackets are: ])}", True),
        ("So we have to add ] ) }", True),
        ("The answer is ] ) } ]", False),
        ("The answer is ) ] }", False),
    ],
)
def test_without_labels_the_conclusion_has_to_be_the_reference(answer: str, right: bool) -> None:
    assert mark("label", answer, "] ) }").value == right


def test_labels_that_yaml_reads_as_something_else_are_texts() -> None:
    choice, faults = read_choice({"name": "label", "labels": [True, False, None, 1, 2.5]})
    assert faults == []
    assert choice is not None
    assert choice.options["labels"] == ["true", "false", "null", "1", "2.5"]


@pytest.mark.parametrize("labels", [[], ["a"], ["a", "a"], ["a", ""], "a", {"a": 1}, [["a"], "b"]])
def test_labels_are_at_least_two_different_texts(labels: object) -> None:
    _, (fault,) = read_choice({"name": "label", "labels": labels})
    assert "at least two different labels" in fault.what


@given(st.lists(st.text(min_size=1, max_size=6), min_size=2, max_size=4, unique=True), st.text(max_size=40))
def test_whatever_is_answered_comes_to_a_label_or_to_none(labels: list[str], answer: str) -> None:
    choice, _ = read_choice({"name": "label", "labels": labels})
    if choice is not None:
        assert mark({"name": "label", "labels": labels}, answer, labels[0]).read in {*labels, None}
