"""What a migration may claim: the interval decides, and noise is no claim."""

import random

from spotui.domain.answer_cost import AnswerCost
from spotui.domain.verdicts import Choice
from spotui.runs.migrate.verdict import advise, by_duels, by_rows, finding_of
from spotui.workspace.migration_file import Finding, Incumbent, MigrationRecord, Tried

MARGIN = 0.05


def cost(usd: float) -> AnswerCost:
    return AnswerCost(answers=20, prompt_tokens=10, completion_tokens=10, usd=usd, seconds=1.0)


def tried(
    finding: Finding, *, model: str = "a", kind: str = "same", usd: float | None = None, by: float = 0.0
) -> Tried:
    return Tried(
        model=model,
        kind=kind,  # type: ignore[arg-type]
        prompt=kind,
        rows=20,
        score=0.5 + by,
        interval=(0.3, 0.7),
        difference=by,
        difference_interval=(by - 0.1, by + 0.1),
        floor=0.0,
        won=0,
        lost=0,
        finding=finding,
        cost=None if usd is None else cost(usd),
    )


def record(*some: Tried, usd: float | None = 0.01) -> MigrationRecord:
    return MigrationRecord(
        words=(),
        template="t.yaml",
        prompt="same",
        old="old",
        models=("a", "b"),
        by="duels",
        margin=MARGIN,
        incumbent=Incumbent(model="old", answers=20, cost=None if usd is None else cost(usd)),
        tried=some,
    )


def test_a_few_questions_and_ties_alone_show_nothing_and_many_ties_show_no_loss() -> None:
    ties: list[Choice] = ["tie"]
    assert finding_of(by_duels(ties * 3).comparison, MARGIN) == "unclear"
    assert finding_of(by_duels(["win", "win"]).comparison, MARGIN) == "unclear"
    assert finding_of(by_duels(ties * 80).comparison, MARGIN) == "no_loss"
    assert finding_of(by_duels(ties * 80).comparison, 0.0) == "unclear"
    assert finding_of(by_duels(["win"] * 8).comparison, MARGIN) == "better"
    assert finding_of(by_duels(["loss"] * 8).comparison, MARGIN) == "worse"
    assert finding_of(by_duels(["void"] * 8).comparison, MARGIN) == "unmeasured"
    half = by_duels(["win", "tie", "tie", "loss", "win", "void"])
    assert (half.score, half.comparison.left_out) == (0.6, 1)
    assert half.interval.low < 0.5 < half.interval.high


def test_equal_models_are_seldom_called_better_and_a_loss_is_seldom_called_none() -> None:
    chance = random.Random(16)
    claims, misses, worlds = 0, 0, 600
    for _world in range(worlds):
        size = chance.choice((6, 12, 30, 60))
        even: list[Choice] = [chance.choice(("win", "tie", "loss")) for _row in range(size)]
        claims += finding_of(by_duels(even).comparison, MARGIN) == "better"
        old = [float(chance.random() < 0.7) for _row in range(size)]
        new = [mark if chance.random() < 0.8 else float(chance.random() < 0.45) for mark in old]
        misses += finding_of(by_rows(old, new, seed=0).comparison, 0.05) in ("no_loss", "better")
    assert claims / worlds <= 0.04  # one side of 95%, with room for chance
    assert misses / worlds <= 0.04  # the new one is 5 points worse on average


def test_the_advice_is_the_cheapest_prompt_without_a_loss_and_else_to_stay() -> None:
    none = record(tried("unclear", by=-0.02), tried("worse", model="b", by=-0.3))
    assert (advise(none).action, advise(none).reason, advise(none).model) == ("stay", "unclear", "a")
    assert advise(record()).reason == "unmeasured"
    both = record(tried("no_loss", usd=0.004), tried("better", model="b", usd=0.008, by=0.2))
    assert (advise(both).model, advise(both).action) == ("a", "same")
    unpriced = record(tried("no_loss"), tried("better", model="b", usd=0.008, by=0.2))
    assert advise(unpriced).model == "b"
    dear = record(tried("no_loss", usd=0.03))
    assert (advise(dear).action, advise(dear).reason) == ("stay", "dearer")
    gain = record(tried("no_loss", usd=0.03), tried("better", kind="new", usd=0.03, by=0.2))
    assert (advise(gain).action, advise(gain).reason) == ("new", "better")
    enough = record(tried("no_loss", usd=0.001), tried("no_loss", kind="new", usd=0.001, by=0.1))
    assert advise(enough).action == "same"
