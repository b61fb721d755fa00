"""Degrees of likeness, against figures that can be worked out by hand or are published."""

import sys

import pytest

from spotui.metrics.mark import MetricError
from tests.metrics.marking import fault, mark


@pytest.mark.parametrize(
    ("answer", "reference", "f1"),
    [
        ("police killed the gunman", "police kill the gunman", 0.75),
        ("the gunman kill police", "police killed the gunman", 0.5),
        ("The cat.", "the cat", 1.0),
        ("a b c d", "a c", 2 * 2 / 6),
        ("北京很大", "北京大", 2 * 3 / 7),
        ("", "a", 0.0),
        ("!?", "a", 0.0),
    ],
)
def test_rouge_l_is_the_f1_of_the_longest_common_subsequence(answer: str, reference: str, f1: float) -> None:
    assert mark("rouge_l", answer, reference).value == pytest.approx(f1)


@pytest.mark.parametrize(
    ("metric", "answer", "reference", "f1"),
    [
        ("rouge_1", "the cat sat on the mat", "the cat is on the mat", 5 / 6),
        ("rouge_2", "the cat sat on the mat", "the cat is on the mat", 3 / 5),
        ("rouge_1", "police killed", "killed police", 1.0),
        ("rouge_2", "police killed", "killed police", 0.0),
        ("rouge_1", "a a a", "a", 0.5),
        ("rouge_1", "北京很大", "北京大", 2 * 3 / 7),
        ("rouge_2", "北京很大", "北京大", 2 * 1 / 5),
        ("rouge_1", "", "a", 0.0),
        ("f1", "The cat sat.", "a cat sat", 1.0),
        ("f1", "the Eiffel Tower in Paris", "Eiffel Tower", 2 * 2 / 6),
        ("f1", "北京很大", "北京大", 2 * 3 / 7),
        ("f1", "London", "Paris", 0.0),
        ("f1", "Caf\u00e9", "Cafe\u0301", 1.0),
        ("rouge_1", "Caf\u00e9", "Cafe\u0301", 1.0),
        ("rouge_1", "हिन्दी भाषा", "हिन्दू भाषा", 0.5),
        ("f1", "", "Paris", 0.0),
    ],
)
def test_f1_and_rouge_count_what_is_in_common(metric: str, answer: str, reference: str, f1: float) -> None:
    assert mark(metric, answer, reference).value == pytest.approx(f1)
    assert mark(metric, answer, "nothing like it at all", reference).value == pytest.approx(f1)


def test_rouge_takes_the_mean_of_the_references_where_that_is_wanted() -> None:
    for name in ("rouge_1", "rouge_2"):
        assert mark({"name": name, "over": "mean"}, "a b", "a b", "c d").value == 0.5


def test_rouge_l_takes_the_best_reference_or_the_mean() -> None:
    mean = {"name": "rouge_l", "over": "mean"}
    assert mark("rouge_l", "a b", "a b", "c").value == 1
    assert mark(mean, "a b", "a b", "c").value == 0.5


def test_bleu_and_chrf_are_those_of_sacrebleu() -> None:
    answer = "The dog bit the man."
    references = ("The dog had bit the man.", "It was not unexpected.")
    precisions = 6 / 6 * 4 / 5 * 2 / 4 * 1 / 3
    assert mark("bleu", answer, *references).value == pytest.approx(precisions**0.25)
    assert 0.5 < mark("chrf", answer, *references).value < 1
    assert mark("chrf", "xyz", "abc").value == 0
    assert mark("bleu", answer, answer).value == mark("chrf", answer, answer).value == 1
    assert mark("bleu", "北京很大也很美", "北京很大也很美丽").value > 0.5
    assert mark("bleu", "", "a").value == mark("chrf", "", "a").value == 0


@pytest.mark.parametrize("metric", ["f1", "rouge_1", "rouge_2", "rouge_l", "bleu", "chrf"])
def test_a_row_without_an_answer_cannot_be_scored(metric: str) -> None:
    assert fault(metric) == "The row has no answer to compare with."


def test_without_sacrebleu_its_metrics_say_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "sacrebleu", None)
    with pytest.raises(MetricError, match=r"spotui\[metrics\]"):
        mark("bleu", "a", "a")
