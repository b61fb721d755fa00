"""The error rates and the calls of the decision rules: computed exactly, and held as a run holds them."""

from math import sqrt

import pytest

from benchmarks.judging import exact
from benchmarks.judging.judges import JudgeModel, Quality, simulate
from benchmarks.judging.rules import CONTENDERS, QUALITIES, Contender
from benchmarks.judging.search import Aims, cheapest
from spotui.judging.decision import AT_ONCE, BALANCED, THOROUGH, Boundaries

REFERENCE = CONTENDERS[1]
UNBIASED = JudgeModel(accuracy=0.8)
BLANKS = [(0.0, 0.0), (0.3, 0.0), (0.0, 0.4), (0.3, 0.3)]
FAULTY = JudgeModel(accuracy=0.75, bias=0.3, ties=0.15, voids=0.25, shared=0.2)


def rates(boundaries: Boundaries, judge: JudgeModel = UNBIASED) -> tuple[float, float, float]:
    """How often a better, an equal and a worse candidate wins."""
    better, equal, worse = (exact.sequential(boundaries, judge, one).accepted for one in QUALITIES)
    return better, equal, worse


def calls(boundaries: Boundaries, at_once: float = 1.0) -> tuple[float, float, float]:
    better, equal, worse = (exact.sequential(boundaries, UNBIASED, one, at_once).calls for one in QUALITIES)
    return better, equal, worse


def waves(boundaries: Boundaries, at_once: float = 1.0) -> tuple[float, float, float]:
    better, equal, worse = (exact.sequential(boundaries, UNBIASED, one, at_once).waves for one in QUALITIES)
    return better, equal, worse


def test_the_references_rule_has_the_error_rates_of_three_of_four() -> None:
    found = [REFERENCE.character(UNBIASED, one) for one in QUALITIES]
    assert [one.accepted for one in found] == pytest.approx([0.8192, 0.3125, 0.0272])
    assert [one.calls for one in found] == [4, 4, 4]
    by_position = REFERENCE.character(JudgeModel(bias=1.0), "equal").accepted
    assert by_position == pytest.approx(0.3125)
    assert 1 - (1 - by_position) ** 9 == pytest.approx(0.966, abs=0.001)


def test_the_default_has_the_same_error_rates_at_no_more_than_85_percent_of_the_calls() -> None:
    assert rates(BALANCED) == pytest.approx((0.8192, 0.3125, 0.0272))
    assert calls(BALANCED) == pytest.approx((3.344, 3.125, 2.456))
    assert max(calls(BALANCED)) <= 0.85 * 4


@pytest.mark.parametrize(
    ("boundaries", "asked", "waited"),
    [
        (BALANCED, (3.384, 3.375, 3.096), (1.384, 1.375, 1.096)),
        (THOROUGH, (6.61, 5.59, 3.45), (2.47, 1.99, 1.13)),
    ],
    ids=["balanced", "thorough"],
)
def test_asking_likely_votes_at_once_saves_time_for_few_calls(
    boundaries: Boundaries, asked: tuple[float, ...], waited: tuple[float, ...]
) -> None:
    assert calls(boundaries, AT_ONCE) == pytest.approx(asked, abs=0.005)
    assert waves(boundaries, AT_ONCE) == pytest.approx(waited, abs=0.005)
    others = 1 + 3  # a proposal and the answers to three questions
    assert others + sum(asked) / 3 <= 1.06 * (others + sum(calls(boundaries)) / 3)
    assert 2 + sum(waited) / 3 <= 0.87 * (2 + sum(waves(boundaries)) / 3)
    one_by_one = [exact.sequential(boundaries, UNBIASED, one, 1.0).accepted for one in QUALITIES]
    assert rates(boundaries) == pytest.approx(one_by_one)


def test_thorough_halves_the_false_wins_at_no_less_power() -> None:
    better, equal, worse = rates(THOROUGH)
    assert better >= 0.8192
    assert equal <= 0.3125 / 2
    assert worse <= 0.0272
    assert calls(THOROUGH) == pytest.approx((6.527, 5.092, 2.680), abs=0.001)


@pytest.mark.parametrize("boundaries", [BALANCED, THOROUGH], ids=["balanced", "thorough"])
@pytest.mark.parametrize(("ties", "voids"), BLANKS)
def test_a_judge_that_decides_by_position_accepts_nothing(
    boundaries: Boundaries, ties: float, voids: float
) -> None:
    assert rates(boundaries, JudgeModel(bias=1.0, ties=ties, voids=voids)) == (0.0, 0.0, 0.0)
    assert REFERENCE.character(JudgeModel(bias=1.0, ties=ties, voids=voids), "equal").accepted > 0.05


@pytest.mark.parametrize("accuracy", [0.6, 0.7, 0.8, 0.9, 0.95])
@pytest.mark.parametrize("bias", [0.0, 0.25, 0.5, 0.75, 1.0])
def test_no_bias_makes_the_default_accept_what_the_reference_would_not(accuracy: float, bias: float) -> None:
    judge = JudgeModel(accuracy=accuracy, bias=bias)
    _, equal, worse = rates(BALANCED, judge)
    assert equal <= REFERENCE.character(judge, "equal").accepted + 1e-12
    assert worse <= REFERENCE.character(judge, "worse").accepted + 1e-12


@pytest.mark.parametrize("contender", CONTENDERS, ids=lambda one: one.name)
@pytest.mark.parametrize("judge", [UNBIASED, FAULTY], ids=["unbiased", "faulty"])
def test_what_is_computed_is_what_happens(contender: Contender, judge: JudgeModel) -> None:
    duels = 600
    for quality in QUALITIES:
        seen = simulate(contender.rule, judge, quality, duels, seed=7)
        expected = contender.character(judge, quality)
        noise = sqrt(expected.accepted * (1 - expected.accepted) / duels)
        assert abs(seen.accepted - expected.accepted) <= 4 * noise + 1e-9, quality
        assert seen.calls == pytest.approx(expected.calls, rel=0.1), quality


def aims(equal: float, cap: int) -> Aims:
    return Aims(accuracy=0.8, power=0.8192, equal=equal, worse=0.0272, cap=cap)


def test_no_rule_with_the_same_error_rates_is_cheaper_than_the_default() -> None:
    assert cheapest(aims(0.3125, cap=3)) is None
    for cap in (4, 12):
        found = cheapest(aims(0.3125, cap))
        assert found is not None
        assert found.calls == pytest.approx(sum(calls(BALANCED)) / 3)


def test_thorough_is_the_cheapest_of_the_shortest_rules_that_reach_its_aim() -> None:
    assert cheapest(aims(0.3125 / 2, cap=9)) is None
    found = cheapest(aims(0.3125 / 2, cap=10))
    assert found is not None
    assert found.calls == pytest.approx(sum(calls(THOROUGH)) / 3)


@pytest.mark.parametrize(("quality", "share"), [("better", 1.0), ("equal", 0.5), ("worse", 0.0)])
def test_a_shared_opinion_cannot_be_averaged_out(quality: Quality, share: float) -> None:
    judge = JudgeModel(accuracy=1.0, shared=1.0)
    for boundaries in (BALANCED, THOROUGH):
        assert exact.sequential(boundaries, judge, quality).accepted == pytest.approx(share)
