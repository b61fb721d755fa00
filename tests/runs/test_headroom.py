"""The fixed rewrites of a seed prompt: made of what a template says of a good answer."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from spotui.domain.rows import Row
from spotui.engine import fold
from spotui.engine.task import Task
from spotui.metrics.choose import METRICS, MetricChoice, read_choice
from spotui.runs.headroom.probes import NAMES, Wanted, rewrites
from spotui.templates.language import language_of
from spotui.templates.read import parse_template
from tests.metrics.marking import mark

OPTIONS = "Which one?\n(A) a cat\n(B) a dog"
ROWS = tuple(Row(f"What is {n}?", (("yes", "no")[n % 2],)) for n in range(8))


def made(
    metric: object = None,
    *,
    prompt: str = "Answer.",
    rows: tuple[Row, ...] = ROWS,
    criteria: str = "",
    tokens: int | None = None,
    limit: int | None = None,
    slots: frozenset[str] = frozenset(),
    language: str = "",
) -> dict[str, str]:
    """The rewrites by their names."""
    choice = None if metric is None else read_choice(metric)[0]
    task = Task(
        prompt=prompt, requirements="", questions=(), word_limit=limit, slots=slots, language=language
    )
    return {one.name: one.prompt for one in rewrites(task, Wanted(choice, criteria, rows, tokens))}


@pytest.mark.parametrize(
    ("metric", "form"),
    [
        ("number", "the final number alone on the last line"),
        ("yes_no", "one word, yes or no"),
        ("json", "one JSON value and nothing else"),
        (
            {"name": "label", "labels": ["valid", "invalid"]},
            "exactly one of these, and nothing else: valid, invalid.",
        ),
        ("label", "nothing else: no, yes."),
        (
            {"name": "tag", "tag": "answer", "metric": "number"},
            "between <answer> and </answer>. Put the final number",
        ),
        ("f1", "the answer itself and nothing else"),
    ],
)
def test_the_form_is_one_that_the_metric_can_read(metric: object, form: str) -> None:
    found = made(metric)
    assert form in found["form"]
    assert found["form"].startswith("Answer.\n\n")


def test_questions_with_options_are_answered_with_a_letter() -> None:
    rows = tuple(Row(f"{n}. {OPTIONS}", ("(A)",)) for n in range(3))
    assert "for example (A)" in made("multiple_choice", rows=rows)["form"]
    assert "for example (A)" in made("exact", rows=rows)["form"]


def test_what_cannot_apply_is_left_out() -> None:
    assert {"form", "steps", "role", "example"} == made("number").keys()
    assert "steps" not in made("number", tokens=32)  # too short an answer for steps
    assert "steps" not in made("json")  # the answer is the JSON alone
    assert made("number", rows=()).keys() == {"form", "steps", "role"}
    assert made(criteria="").keys() == {"steps", "role"}
    assert "- Be kind.\n- Be short." in made(criteria="Be kind.\n- Be short.")["form"]
    assert made("number", limit=5) == {}
    assert made("number", rows=(Row("Fill {x}.", ("yes",)), Row("And {x}.", ("no",)))).keys() == {
        "form",
        "steps",
        "role",
    }  # it would bring a slot that nothing fills


def test_a_prompt_that_shows_the_question_gets_what_is_added_in_front_of_it() -> None:
    found = made("number", prompt="Read {question} and answer:", slots=frozenset({"question"}))
    assert all(text.endswith("Read {question} and answer:") for text in found.values())
    assert made("number", prompt="")["form"].startswith("Put the final number")


def test_the_rewrites_of_a_chinese_template_are_chinese_and_are_read_as_the_others_are() -> None:
    text = (
        "prompt: 请计算。\nrequirements: 简短，友好。\nqa:\n"
        "  - {question: 一加一是多少？, answer: 二}\n  - {question: 二加二是多少？, answer: 四}\n"
        "  - {question: 三加三是多少？, answer: 六}\n"
    )
    found = made("number", prompt="请计算。", language=language_of(parse_template(text)))
    assert found["form"] == "请计算。\n\n把最终的数字单独写在回答的最后一行，后面不要再写任何内容。"
    assert found["steps"].endswith("以“答案：”开头。")
    assert mark("number", "一加二。\n答案：3", "3").value == mark("yes_no", "是", "yes").value == 1.0
    options = tuple(Row(f"{n}. 哪一个？\nA、猫\nB、狗", ("A",)) for n in range(3))
    assert "例如 (A)" in made("exact", rows=options, language="zh")["form"]
    assert "：no、yes。" in made("label", language="zh")["form"]


@given(st.sampled_from(sorted(METRICS)), st.text(max_size=300), st.text(max_size=300))
def test_every_rewrite_is_another_prompt_with_the_same_slots(name: str, prompt: str, criteria: str) -> None:
    task = Task(prompt=prompt, requirements="", questions=(), slots=frozenset())
    found = rewrites(task, Wanted(MetricChoice(name), criteria, ROWS))
    assert [one.name for one in found] == [name for name in NAMES if name in {one.name for one in found}]
    assert len({fold(one.prompt) for one in found} | {fold(prompt)}) == len(found) + 1
    assert all(not task.slot_fault(one.prompt) and one.change for one in found)
