"""What a migration says to do, in sentences."""

import msgspec
import pytest

from spotui.domain.answer_cost import AnswerCost
from spotui.view.migration import advice_in_words, explained, table_lines
from spotui.workspace.migration_file import Advice, Incumbent, MigrationRecord, Tried

SAME = Tried(
    model="mini",
    kind="same",
    prompt="Answer.",
    rows=40,
    score=0.5,
    interval=(0.35, 0.65),
    difference=0.01,
    difference_interval=(-0.031, 0.05),
    floor=0.0,
    won=3,
    lost=2,
    unanswered=1,
    finding="no_loss",
    cost=AnswerCost(answers=39, prompt_tokens=100, completion_tokens=50, usd=0.0015, seconds=0.6),
)
RECORD = MigrationRecord(
    words=(),
    template="t.yaml",
    prompt="Answer.",
    old="old",
    models=("mini",),
    by="rows",
    margin=0.05,
    incumbent=Incumbent(
        model="old",
        answers=40,
        score=0.49,
        interval=(0.34, 0.64),
        cost=AnswerCost(answers=40, prompt_tokens=100, completion_tokens=50, usd=0.003, seconds=1.4),
    ),
    tried=(SAME,),
)


@pytest.mark.parametrize(
    ("advice", "text"),
    [
        (
            Advice(action="same", model="mini", reason="no_loss"),
            (
                "Move to mini with the same prompt: it loses at most the margin of 5 points against old "
                "(+1.0 (-3.1 to +5.0)). An answer costs 50% less: $0.00150 instead of $0.00300."
            ),
        ),
        (
            Advice(action="stay", model="mini", reason="unclear"),
            (
                "Stay with old: 40 rows cannot show that a new model loses at most 5 points. mini with the "
                "same prompt comes closest: +1.0 (-3.1 to +5.0) points. Add rows, or accept more "
                "with --margin 4."
            ),
        ),
        (
            Advice(action="stay", model="mini", reason="worse"),
            (
                "Stay with old: every new model is worse or not shown to be as good. mini with the same "
                "prompt comes closest: +1.0 (-3.1 to +5.0) points."
            ),
        ),
        (
            Advice(action="stay", model="mini", reason="dearer"),
            (
                "Stay with old: mini with the same prompt shows no loss and no gain (+1.0 (-3.1 to +5.0) "
                "points). An answer costs 50% less: $0.00150 instead of $0.00300. If old goes away, move "
                "there."
            ),
        ),
        (
            Advice(action="stay", reason="unmeasured"),
            "Stay with old: no answer of a new model could be compared.",
        ),
        (None, "The migration is not finished; the same command resumes."),
    ],
)
def test_the_recommendation_has_its_reason(advice: Advice | None, text: str) -> None:
    assert advice_in_words(msgspec.structs.replace(RECORD, advice=advice)) == text


def test_the_table_has_prices_and_what_was_not_answered() -> None:
    head, old, same = table_lines(RECORD)
    assert head.split()[:2] == ["model", "prompt"]
    assert "49.0 (34.0 to 64.0)" in old
    assert old.endswith("$0.00300     1.4 s")
    assert same.endswith("$0.00150     0.6 s  no loss")
    assert "mini: 1 question got no answer and counts as lost." in explained(RECORD)
