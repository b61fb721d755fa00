"""Demonstrations are text in the prompt, in front of the question wherever the prompt stands."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from spotui.domain.messages import POSITIONS, Attachment, Message
from spotui.domain.rows import Row, slot_names
from spotui.engine.demonstrations import Demonstration, draw_sets, labelled, shown_with, solved
from spotui.engine.layout import Layout
from spotui.engine.task import RowOutcome, RowSet

DEMOS = [
    Demonstration(0, Row("2 plus 2?", slots={"unit": "cm"}), "It is 4."),
    Demonstration(1, Row("3 plus 3?", slots={"unit": "mm"}), "It is 6."),
]
ROW = Row("5 plus 5?", slots={"unit": "km"})


@pytest.mark.parametrize("position", POSITIONS)
@pytest.mark.parametrize("labels", [False, True])
@pytest.mark.parametrize("prompt", ["Add up.", "Add {question} in {unit}.", "Give {unit}.", ""])
def test_they_come_before_the_question_and_the_prompt_is_whole(
    position: str, labels: bool, prompt: str
) -> None:
    layout = Layout(position=position, labels=labels)  # type: ignore[arg-type]
    text = shown_with(prompt, DEMOS, layout)
    assert slot_names(text) - {"question"} == slot_names(prompt) - {"question"}
    before, after = (layout.messages(one, ROW) for one in (prompt, text))
    shown = "\n\n".join(one.content for one in after)
    for demo in DEMOS:
        question, answer = (shown.index(part) for part in (demo.row.question, demo.answer))
        assert question < answer < shown.index(ROW.question)
    assert shown.count(ROW.question) == 1
    assert ("unit: cm" in shown) is ("{unit}" in prompt)
    if prompt and not slot_names(prompt):
        assert "Add up." in shown
    if position == "system" and prompt and not slot_names(prompt):
        assert [one.role for one in after] == [one.role for one in before] == ["system", "user"]
        assert after[1] == before[1]
    assert (
        (shown.index("Add up.") > shown.index(ROW.question)) is (position in ("question_end", "answer_start"))
        if prompt == "Add up."
        else True
    )


def test_around_the_prompt_they_are_at_its_end() -> None:
    around = (Message("system", "{prompt}"), Message("user", "Q {question}"))
    found = Layout(around=around).messages(shown_with("Add up.", DEMOS, Layout(around=around)), ROW)
    assert found[0].content.startswith("Add up.\n\n")
    assert "It is 6." in found[0].content
    assert found[1].content == "Q 5 plus 5?"


ROWS = [
    Row("1 plus 1?", ("2",)),
    Row("2 plus 2?", ("4",)),
    Row("A set {x} plus 2?", ("4",)),
    Row("What is on it?", ("A cat.",), files=(Attachment("a.png", "image/png", sha256="0" * 64),)),
    Row("Say it.", ("Yes.",), turns=("And again.",)),
    Row("x" * 5000, ("Long.",)),
    Row("3 plus 3?"),
]


def test_only_full_marks_are_shown_and_only_what_is_text_without_slots() -> None:
    rows = RowSet("train", ROWS)
    marks = [1, 0.5, 1, 1, 1, 1, 1]
    outcomes = [RowOutcome(at, f" own {at} ", mark) for at, mark in enumerate(marks)]
    assert [(one.position, one.answer) for one in solved(rows, outcomes)] == [(0, "own 0"), (6, "own 6")]
    assert [(one.position, one.answer) for one in labelled(rows)] == [(0, "2"), (1, "4")]
    assert not solved(rows, [RowOutcome(0, "an {x}", 1), RowOutcome(1, " ", 1), RowOutcome(6, "", None)])


@given(st.integers(1, 6), st.integers(1, 6), st.integers(1, 12), st.text(max_size=3))
def test_sets_are_drawn_once_each_and_the_same_for_a_seed(
    size: int, most: int, count: int, seed: str
) -> None:
    pool = [Demonstration(at, Row(str(at)), "yes") for at in range(size)]
    tried: set[tuple[int, ...]] = set()
    drawn = list(draw_sets(pool, most, count, tried, seed=seed))
    assert 1 <= len(drawn) <= count
    assert len(drawn[0]) == min(most, size)
    assert all(1 <= len(one) <= most and len({d.position for d in one}) == len(one) for one in drawn)
    assert len({tuple(d.position for d in one) for one in drawn}) == len(drawn) == len(tried)
    assert list(draw_sets(pool, most, count, set(), seed=seed)) == drawn
