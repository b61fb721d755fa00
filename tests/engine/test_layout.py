"""Where a prompt stands when a row is asked."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from spotui.domain.messages import POSITIONS, Message, Position, user, without_system
from spotui.domain.rows import Row
from spotui.engine.layout import Layout

ROW = Row("How many?", references=("3",), slots={"context": "A cat, a dog, a cow."})


@pytest.mark.parametrize(
    ("position", "labels", "expected"),
    [
        ("before_question", False, "Count.\n\nHow many?"),
        ("question_start", False, "Count.\nHow many?"),
        ("question_end", False, "How many?\n\nCount."),
        ("answer_start", False, "How many?\n\nCount."),
        ("before_question", True, "Count.\n\nQ: How many?\nA:"),
        ("question_start", True, "Q: Count.\nHow many?\nA:"),
        ("question_end", True, "Q: How many?\nCount.\nA:"),
        ("answer_start", True, "Q: How many?\nA: Count."),
    ],
)
def test_the_four_positions(position: Position, labels: bool, expected: str) -> None:
    assert Layout(position, labels).render("Count.", ROW) == expected


@pytest.mark.parametrize("position", POSITIONS)
def test_a_prompt_that_shows_the_question_stands_alone(position: Position) -> None:
    prompt = "{context} {question} Count, {{please}}."
    assert Layout(position).render(prompt, ROW) == "A cat, a dog, a cow. How many? Count, {{please}}."
    assert "How many?" in Layout(position).render("{context} Count.", ROW).replace("A cat, a dog, a cow.", "")


def test_demos_are_solved_rows_in_front() -> None:
    demo = Row("One and one?", references=("2", "two"))
    assert Layout("question_end", True, (demo,)).render("Count.", ROW) == (
        "Q: One and one?\nA: 2\n\nQ: How many?\nCount.\nA:"
    )
    assert Layout("before_question", False, (demo,)).render("Count.", ROW) == (
        "One and one?\n\n2\n\nCount.\n\nHow many?"
    )


@given(st.sampled_from(POSITIONS), st.booleans(), st.text(alphabet="ab {}$\n", min_size=1).filter(str.strip))
def test_prompt_and_question_are_always_there(position: Position, labels: bool, prompt: str) -> None:
    shown = Layout(position, labels).render(prompt, Row("Why?"))
    assert prompt.strip() in shown
    assert shown.count("Why?") == 1


def test_the_fifth_position_is_the_system_message() -> None:
    layout = Layout("system", True, (Row("One and one?", references=("2",)),))
    assert layout.messages("Count.", ROW) == (
        Message("system", "Count."),
        Message("user", "Q: One and one?\nA:"),
        Message("assistant", "2"),
        Message("user", "Q: How many?\nA:"),
    )
    assert Layout("system").messages("", ROW) == (user("How many?"),)
    assert Layout("system").messages("Say {question}", ROW) == (user("Say How many?"),)
    assert Layout("system").render("Count.", ROW) == "System: Count.\n\nUser: How many?"


TALK = Row(
    "And now?",
    history=(Message("system", "Be short."), user("Hi"), Message("assistant", "Hello")),
    slots={"name": "{prompt}"},
)


@pytest.mark.parametrize(
    ("layout", "expected"),
    [
        (Layout("system"), ["system: Count.\n\nBe short.", "user: Hi", "assistant: Hello", "user: And now?"]),
        (Layout(), ["system: Be short.", "user: Hi", "assistant: Hello", "user: Count.\n\nAnd now?"]),
        (
            Layout(around=(Message("system", "For {name}: {prompt}"), user("Look."), user("{question}!"))),
            [
                *("system: For {prompt}: Count.\n\nBe short.", "user: Look.", "user: Hi", "assistant: Hello"),
                "user: And now?!",
            ],
        ),
    ],
    ids=["system", "before", "around"],
)
def test_earlier_turns_stand_before_the_question_and_one_message_is_the_system_s(
    layout: Layout, expected: list[str]
) -> None:
    assert [f"{one.role}: {one.content}" for one in layout.messages("Count.", TALK)] == expected
    moved = without_system(layout.messages("Count.", TALK))
    assert not any(one.role == "system" for one in moved)
    assert moved[0].content.startswith(expected[0].removeprefix("system: "))
