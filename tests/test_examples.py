"""The bundled templates: they read without a word, and what they claim is true."""

import json
import re
import unicodedata
from collections.abc import Callable
from pathlib import Path

import pytest
import yaml

from spotui.settings.resources import every_example
from spotui.templates.model import QA
from spotui.templates.read import check_template, read_template
from spotui.templates.save import edit_yaml

PATHS = {path.stem: path for path in every_example()}
OPEN_ENDED = {
    *("poem", "support-reply", "role-play", "chinese-idioms"),
    *("weekly-report", "bank-assistant"),
}
each_example = pytest.mark.parametrize("path", PATHS.values(), ids=PATHS.keys())
WITH_FILES = {"handbook", "review-sentiment"}
LISTING = {name: path for name, path in PATHS.items() if name not in WITH_FILES}
every_list = pytest.mark.parametrize("path", LISTING.values(), ids=LISTING.keys())


def rows(name: str) -> list[QA]:
    return list(read_template(PATHS[name]).qa)


def test_the_handbook_has_all_that_its_program_reads() -> None:
    folder = PATHS["handbook"].with_name("handbook")
    assert {path.name for path in folder.iterdir()} >= {
        "agent.py",
        "passages.txt",
        "prompt.txt",
        "rows.jsonl",
    }
    assert folder.joinpath("prompt.txt").read_text().strip() == read_template(PATHS["handbook"]).prompt


def test_there_are_at_least_eight_with_plain_names() -> None:
    assert len(PATHS) >= 8
    assert PATHS.keys() >= OPEN_ENDED | {"product-name", "navigate", "word-problems", "order-to-json"}
    assert all(re.fullmatch(r"[a-z]+(-[a-z]+)*\.yaml", path.name) for path in PATHS.values())


@each_example
def test_an_example_has_no_problem(path: Path) -> None:
    assert check_template(path) == []
    text = path.read_text("utf-8")
    assert edit_yaml(text, read_template(path)) == text
    assert text.startswith("# ")


@every_list
def test_an_example_leaves_questions_to_hold_out(path: Path) -> None:
    template = read_template(path)
    assert 5 <= len(template.qa) <= 6
    assert all(len(qa.question) <= 200 for qa in template.qa)
    assert template.requirements.strip()
    assert template.count is None or len(template.prompt.split()) <= template.count


@every_list
def test_spo_can_read_an_example(path: Path) -> None:
    data = yaml.safe_load(path.read_text("utf-8"))
    assert isinstance(data["prompt"], str)
    assert isinstance(data["requirements"], str)
    assert data["count"] == "None" or isinstance(data["count"], int)
    assert all(isinstance(row["question"], str) and "answer" in row for row in data["qa"])


@every_list
def test_open_ended_examples_have_no_answers_and_closed_ones_have_all(path: Path) -> None:
    answers = [qa.answer for qa in read_template(path).qa]
    if path.stem in OPEN_ENDED:
        assert not any(answers)
    elif path.stem != "commit-message":
        assert all(answers)


def test_the_first_example_explains_every_key() -> None:
    text = PATHS["product-name"].read_text("utf-8")
    comments = "".join(line for line in text.splitlines() if line.startswith("#"))
    assert all(f"`{key}`" in comments for key in ("answer", "method", "models", "data", "metric", "criteria"))
    keys = [line.partition(":")[0] for line in text.splitlines() if re.match(r"\w+:", line)]
    above = text.splitlines()
    assert keys == ["prompt", "requirements", "count", "qa"]
    assert all(above[above.index(line) - 1].startswith("#") for line in above if re.match(r"\w+:", line))


def test_product_names_are_as_short_as_required() -> None:
    for qa in rows("product-name"):
        assert 1 <= len(qa.answer.split()) <= 2
        assert qa.answer.replace(" ", "").isalpha()
        assert len(qa.question.split()) <= 12


def is_back(walk: str) -> bool:
    """Follow the instructions on a grid."""
    headings = {"north": 1j, "east": 1, "south": -1j, "west": -1}
    turns = {"left": 1j, "right": -1j, "around": -1}
    first, *moves = walk.rstrip(".").split(". ")
    heading, place = headings[first.removeprefix("You face ")], 0j
    for move in moves:
        verb, word, *_ = move.split()
        if verb == "Turn":
            heading *= turns[word]
        else:
            place += heading * int(word)
    return place == 0


def test_the_walks_end_where_the_answers_say() -> None:
    walks = rows("navigate")
    assert [qa.answer for qa in walks] == ["Yes" if is_back(qa.question) else "No" for qa in walks]
    assert {qa.answer for qa in walks} == {"Yes", "No"}


SUMS: list[tuple[str, Callable[..., float]]] = [
    ("baker", lambda trays, rolls, sold: trays * rolls - sold),
    ("Nora", lambda coins, cards, card, pens, pen: coins - cards * card - pens * pen),
    ("train", lambda minutes, days: 2 * minutes * days / 60),
    ("tank", lambda litres, hose: (litres - litres / 4) / hose),
    ("seats", lambda seats: (seats - seats / 2) * 2 / 3),
    ("aunt", lambda tom, times, later: tom * times + later - tom),
]


def test_the_sums_come_to_their_answers() -> None:
    problems = rows("word-problems")
    for qa, (word, result) in zip(problems, SUMS, strict=True):
        assert word in qa.question
        assert result(*map(int, re.findall(r"\d+", qa.question))) == int(qa.answer)


def test_the_orders_hold_what_the_messages_say() -> None:
    orders = [(qa.question, json.loads(qa.answer)) for qa in rows("order-to-json")]
    for message, order in orders:
        assert list(order) == ["name", "item", "quantity", "city"]
        assert all(str(value) in message for value in order.values() if value is not None)
        numbers = re.findall(r"\d+", message)
        assert order["quantity"] == (int(numbers[-1]) if numbers else None)
    assert any(None in order.values() for _, order in orders)


def test_the_labels_are_the_two_that_are_required() -> None:
    assert {qa.answer for qa in rows("fact-or-opinion")} == {"Fact", "Opinion"}


def test_the_commit_messages_keep_their_own_rules() -> None:
    messages = [qa.answer for qa in rows("commit-message") if qa.answer]
    assert 0 < len(messages) < len(rows("commit-message"))
    for message in messages:
        subject, *rest = message.rstrip("\n").split("\n")
        assert len(subject) <= 50
        assert not subject.endswith(".")
        assert not rest or (rest[0] == "" and len(rest) == 2)


def test_each_support_question_has_a_customer_and_facts() -> None:
    assert all(re.fullmatch(r"Customer: .+\nFacts: .+\n", qa.question) for qa in rows("support-reply"))


@each_example
def test_the_language_is_the_one_the_name_promises(path: Path) -> None:
    template = read_template(path)
    texts = [template.prompt, template.requirements, *(qa.question + qa.answer for qa in template.qa)]
    for text in texts:
        letters = [letter for letter in text if letter.isalpha()]
        chinese = [letter for letter in letters if unicodedata.name(letter).startswith("CJK")]
        assert len(chinese) == (
            len(letters) if path.stem.startswith("chinese") or path.parent.name == "zh_CN" else 0
        )
