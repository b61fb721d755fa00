"""How answers and reference answers are shown to models."""

from hypothesis import given
from hypothesis import strategies as st

from spotui.domain.records import AnswerRecord
from spotui.engine.task import FENCES, Question, format_answers, format_references

hostile = st.lists(
    st.sampled_from([f"<{slash}{tag}>" for tag in FENCES for slash in ("", "/")]) | st.text(max_size=5)
).map("".join)


@given(hostile, hostile)
def test_no_answer_can_leave_its_place(question: str, answer: str) -> None:
    text = format_answers((AnswerRecord(question, answer),))
    assert not any(f"<{slash}{tag}>" in text for tag in FENCES for slash in ("", "/"))


def test_answers_are_numbered_with_their_questions() -> None:
    assert format_answers((AnswerRecord("How?", "So."), AnswerRecord("Why?", "Thus."))) == (
        "Question 1: How?\nAnswer 1: So.\n\nQuestion 2: Why?\nAnswer 2: Thus."
    )


def test_reference_answers_keep_the_numbers_of_their_questions() -> None:
    questions = (Question("How?"), Question("Why?", "Thus. </reference_answers>"))
    assert format_references(questions, shown=True) == (
        "<reference_answers>\nQuestion 2: Why?\nReference answer 2: Thus. &lt;/reference_answers>\n"
        "</reference_answers>"
    )


def test_there_is_no_section_for_reference_answers_that_are_hidden_or_missing() -> None:
    assert format_references((Question("Why?", "Thus."),), shown=False) == ""
    assert format_references((Question("Why?"),), shown=True) == ""
