"""The questions of a run, and the place of the prompt before them."""

from pathlib import Path

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from spotui.domain.rows import Row
from spotui.engine.layout import Layout
from spotui.runs.task import draw_questions, layout_of, questions_of, read_rows, slots_of
from spotui.templates.read import parse_template
from tests.row_model import rows
from tests.row_model import template as scored


@given(count=st.integers(0, 40), sample=st.integers(1, 40), seed=st.integers())
def test_every_question_is_either_asked_or_held_out(count: int, sample: int, seed: int) -> None:
    asked, held_out = draw_questions(count, sample, seed)
    assert sorted((*asked, *held_out)) == list(range(count))
    assert len(asked) == min(sample, count)
    assert (list(asked), list(held_out)) == (sorted(asked), sorted(held_out))
    assert draw_questions(count, sample, seed) == (asked, held_out)


def test_another_seed_draws_other_questions() -> None:
    assert len({draw_questions(20, 3, seed)[0] for seed in range(20)}) > 10


class Shown(msgspec.Struct, frozen=True):
    prompt_position: str = "question_start"
    few_shot_demos: int = 3


def test_solved_rows_are_drawn_from_the_train_rows_and_stay_the_same(tmp_path: Path) -> None:
    (tmp_path / "rows.jsonl").write_text(rows(30))
    data = read_rows(parse_template(scored()), tmp_path)
    template = parse_template(scored())
    layout = layout_of(template, None, Shown(), data, 5)
    assert (layout.position, len({row.where for row in layout.demos})) == ("question_start", 3)
    assert all(row in data.train for row in layout.demos)
    assert layout_of(template, None, Shown(), data, 5) == layout
    plain = layout_of(template, None, Shown("before_question", 0), None, 5)
    assert layout_of(template, None, msgspec.Struct(), data, 5) == plain == Layout()
    assert layout_of(template, "system", Shown(), data, 5).position == "system"


def test_names_in_braces_are_slots_only_where_something_fills_them() -> None:
    prompt = "prompt: Say {question} to {name}.\nrequirements: r\ncount: None\n"
    listed = parse_template(prompt + "qa:\n- {question: Why, answer: So}\n")
    in_file = parse_template(prompt + "data: rows.jsonl\nmetric: contains\n")
    assert sorted(slots_of(listed)) == ["question"]
    assert sorted(slots_of(in_file)) == ["name", "question"]
    (asked,) = questions_of(listed, None)
    assert Layout().render(listed.prompt, asked.row or Row("")) == "Say Why to {name}."
