"""How long the texts of a template are."""

import pytest

from spotui.templates.read import parse_template
from spotui.view.template_text import Sizes

HEAD = "prompt: Add.\nrequirements: The sum.\n"


@pytest.mark.parametrize(
    ("rest", "said"),
    [
        ("qa:\n- question: One?\n- question: Two?\n", "2 questions, ~"),
        ("data: rows.jsonl\nmetric: number\n", "rows of rows.jsonl, ~"),
        ("data: {train: a.csv, eval: b.csv, test: a.csv}\nmetric: number\n", "rows of a.csv, b.csv, ~"),
        ("qa:\n- question: One?\ndata: {test: t.csv}\nmetric: number\n", "1 question, rows of t.csv, ~"),
    ],
)
def test_a_template_is_as_large_as_what_it_asks(rest: str, said: str) -> None:
    assert Sizes().of_template(parse_template(HEAD + rest)).startswith(said)


def test_tokens_are_estimated_until_they_are_counted() -> None:
    template = parse_template(HEAD + "qa:\n- question: One?\n")
    counted = {"Add.": 2, "The sum.": 3, "One?": 2}
    assert Sizes(counted).of_template(template) == "1 question, 7 tokens"
    assert Sizes({"Add.": 2}).of_template(template).startswith("1 question, ~")
    assert Sizes(counted).say("Add.", 5) == "1 of 5 words, 2 tokens"
    assert Sizes().say("") == ""
