"""Mathematical expressions, compared by math-verify in a process."""

import asyncio
from collections.abc import Iterator
from importlib import util
from pathlib import Path

import pytest

from spotui.domain.rows import Row
from spotui.metrics.choose import make_metric, read_choice
from spotui.metrics.mark import MetricError
from spotui.metrics.math import math_file
from spotui.metrics.worker import MetricWorker
from tests.metrics.marking import fault


def test_without_math_verify_it_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("spotui.metrics.math.find_spec", lambda _: None)
    choice, _ = read_choice("math")
    assert choice is not None
    with pytest.raises(MetricError, match=r"not installed.*pip install 'spotui\[math\]'"):
        make_metric(choice, Path())


is_installed = pytest.mark.skipif(
    util.find_spec("math_verify") is None, reason="math-verify is not installed"
)


@pytest.fixture(scope="module")
def worker() -> Iterator[MetricWorker]:
    """One process for all: it imports sympy."""
    made = MetricWorker(math_file())
    yield made
    made.close()


@is_installed
@pytest.mark.parametrize(
    ("answer", "reference", "mark"),
    [
        (r"The answer is $\boxed{\frac{1}{2}}$.", "0.5", 1),
        (r"$\sqrt{50}$", r"5\sqrt{2}", 1),
        (r"$(x+1)^2$", "x^2+2x+1", 1),
        (r"so \boxed{(3,4]}", "(3,4]", 1),
        (r"so \boxed{[3,4]}", "(3,4]", 0),
        ("The answer is 12.", "12", 1),
        ("答案是12", "12", 1),
        (r"\boxed{13}", "12", 0),
        ("I do not know.", "12", 0),
    ],
)
def test_expressions_are_compared_by_value(
    worker: MetricWorker, answer: str, reference: str, mark: int
) -> None:
    assert asyncio.run(worker.mark(answer, Row("?", (reference,)))).value == mark


@is_installed
def test_a_row_without_an_answer_cannot_be_scored() -> None:
    assert fault("math") == "The row has no answer to compare with."
