"""No answer that lm-evaluation-harness reads right is read wrong here."""

import pytest

from benchmarks.reading.__main__ import is_right, only_harness
from benchmarks.reading.corpus import cases, families

FOUND = families(cases())


@pytest.mark.parametrize("family", FOUND)
def test_every_answer_that_the_harness_reads_right_is_read_right(family: str) -> None:
    found = FOUND[family]
    assert len(found) >= 300
    assert sum(case.harness_is_right for case in found) >= 200, "the comparison would say nothing"
    assert [case.answer for case in only_harness(found)] == []
    assert sum(map(is_right, found)) >= 0.99 * len(found)


def test_another_draw_of_the_corpus_is_read_as_well() -> None:
    assert [case.answer for case in only_harness(cases(seed=7))] == []
