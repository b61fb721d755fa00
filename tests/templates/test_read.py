"""Reading and checking templates: the idioms of SPO's files, and every wrong shape."""

import os
import subprocess
import sys
from pathlib import Path

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from spotui.domain.errors import SpotuiError
from spotui.templates.model import QA, Problem, Template, TemplateError
from spotui.templates.read import check_template, check_text, parse_template, read_template

GOOD = "prompt: p\nrequirements: r\nqa:\n  - question: q\n    answer: a\n"


def with_(old: str, new: str) -> str:
    assert old in GOOD
    return GOOD.replace(old, new)


def only(text: str) -> Problem:
    problems = check_text(text)
    assert len(problems) == 1, problems
    return problems[0]


def test_a_file_in_the_style_of_spo_is_read() -> None:
    text = """\
prompt: |
  Answer in verse.

requirements: |
  None

count: None

qa:
  - question: |
      Sing of rain
    answer: |
      None

  - question: Sing of snow
    answer: White.
"""
    assert check_text(text) == []
    assert parse_template(text) == Template(
        prompt="Answer in verse.\n", qa=(QA("Sing of rain\n"), QA("Sing of snow", "White."))
    )


@pytest.mark.parametrize(
    "written", ["Yes", "12", "1e3", "0x10", "2024-01-01", "on", "1.50", "true", "-1", "007"]
)
def test_unquoted_words_are_texts(written: str) -> None:
    text = (
        f"prompt: {written}\nrequirements: {written}\nqa:\n  - question: {written}\n    answer: {written}\n"
    )
    found = parse_template(text)
    assert (found.prompt, found.requirements, found.qa) == (written, written, (QA(written, written),))


@pytest.mark.parametrize("answer", ["", "None", "'None'", "null", "~", '""', "|\n      None"])
def test_an_answer_may_be_empty_in_every_way(answer: str) -> None:
    assert parse_template(with_("answer: a", f"answer: {answer}")).qa == (QA("q", ""),)


def test_an_answer_may_be_absent() -> None:
    assert parse_template(with_("    answer: a\n", "")).qa == (QA("q", ""),)


def test_quoted_null_is_a_text_and_a_question_may_be_none() -> None:
    assert parse_template(with_("answer: a", "answer: 'null'")).qa == (QA("q", "null"),)
    assert parse_template(with_("question: q", "question: None")).qa == (QA("None", "a"),)


def test_faq_is_another_name_for_qa() -> None:
    text = with_("qa:", "faq:")
    assert check_text(text) == []
    assert parse_template(text).qa == (QA("q", "a"),)


@pytest.mark.parametrize(
    ("written", "count"), [("50", 50), ("'50'", 50), ("None", None), ("", None), ("~", None)]
)
def test_count_is_a_limit_or_none(written: str, count: int | None) -> None:
    assert parse_template(f"{GOOD}count: {written}\n").count == count


def test_the_optional_keys_are_kept_as_plain_data() -> None:
    text = f"""\
{GOOD}method: gpo
models:
  executor: 4.5
  optimizer: {{model: big, temperature: 0.5}}
data: {{path: rows.jsonl, limit: 10}}
metric: exact
criteria: [short, kind]
"""
    found = parse_template(text)
    assert found.method == "gpo"
    assert found.models == {"executor": "4.5", "optimizer": {"model": "big", "temperature": 0.5}}
    assert found.data == {"path": "rows.jsonl", "limit": 10}
    assert (found.metric, found.criteria) == ("exact", ["short", "kind"])


def test_rows_may_come_from_data_alone() -> None:
    assert check_text("prompt: p\nrequirements: r\ndata: rows.jsonl\n") == []
    assert check_text("prompt: p\nrequirements: r\ndata: None\n")[0].key == "qa"


def test_the_word_none_is_empty_in_a_template_made_in_python_too() -> None:
    made = Template(prompt="p", requirements=" None\n", qa=(QA("None", "None"),), method="None", data="None")
    assert made == Template(prompt="p", qa=(QA("None"),))


def test_a_template_survives_msgspec() -> None:
    made = Template(
        prompt="p", count=3, qa=(QA("q", "a"),), models={"executor": {"model": "m", "temperature": 0}}
    )
    assert msgspec.json.decode(msgspec.json.encode(made), type=Template) == made


ERRORS = [
    ("- a\n- b\n", "", 1, "no keys"),
    ("just words\n", "", 1, "no keys"),
    (with_("prompt: p\n", ""), "prompt", 1, "missing"),
    (with_("prompt: p", "prompt: {question}"), "prompt", 1, "mapping"),
    (with_("prompt: p", "prompt:\n  - a"), "prompt", 1, "list"),
    (with_("requirements: r\n", ""), "requirements", 1, "missing"),
    (with_("requirements: r", "requirements: [a, b]"), "requirements", 2, "list"),
    ("prompt: p\nrequirements: r\n", "qa", 1, "missing"),
    ("prompt: p\nrequirements: r\nqa:\n", "qa", 3, "no questions"),
    ("prompt: p\nrequirements: r\nqa: []\n", "qa", 3, "no questions"),
    ("prompt: p\nrequirements: r\nqa: some words\n", "qa", 3, "text"),
    ("prompt: p\nrequirements: r\nqa:\n  question: q\n  answer: a\n", "qa", 3, "no dash"),
    ("prompt: p\nrequirements: r\nfaq: {}\n", "faq", 3, "no dash"),
    (with_("answer: a", "answer: a\n  - only words"), "qa[2]", 6, "Question 2"),
    (with_("answer: a", "answer: a\n  - [x]"), "qa[2]", 6, "a list"),
    (with_("answer: a", "answer: a\n  -"), "qa[2]", 6, "empty"),
    (with_("question: q\n    ", ""), "qa[1].question", 4, "no `question`"),
    (with_("question: q", "question:"), "qa[1].question", 4, "empty"),
    (with_("question: q", "question: ' '"), "qa[1].question", 4, "empty"),
    (with_("question: q", "question: [a, b]"), "qa[1].question", 4, "list"),
    (with_("answer: a", "answer: {a: 1}"), "qa[1].answer", 5, "mapping"),
    (f"{GOOD}faq: []\n", "faq", 6, "both"),
    (f"{GOOD}count: -1\n", "count", 6, "`-1`"),
    (f"{GOOD}count: 0\n", "count", 6, "`0`"),
    (f"{GOOD}count: fifty words\n", "count", 6, "`fifty words`"),
    (f"{GOOD}count: 50.0\n", "count", 6, "`50.0`"),
    (f"{GOOD}count: true\n", "count", 6, "`true`"),
    (f"{GOOD}count: [50]\n", "count", 6, "a list"),
    (f"{GOOD}count: {'9' * 5000}\n", "count", 6, "…"),
    (f"{GOOD}method: [spo]\n", "method", 6, "a list"),
    (f"{GOOD}models: gpt\n", "models", 6, "a text"),
    (f"{GOOD}models: [a]\n", "models", 6, "a list"),
    (f"{GOOD}models:\n  optimiser: m\n", "models.optimiser", 7, "no role"),
    (f"{GOOD}models:\n  executor:\n", "models.executor", 7, "empty"),
    (f"{GOOD}models:\n  executor: [a]\n", "models.executor", 7, "a list"),
    (f"{GOOD}prompt: again\n", "", 6, "twice"),
    ("prompt: 'p\n", "", 1, "never closed"),
    ("", "", 1, "empty"),
]


@pytest.mark.parametrize(("text", "key", "line", "word"), ERRORS)
def test_a_wrong_shape_is_one_error_that_says_where_and_what_to_do(
    text: str, key: str, line: int, word: str
) -> None:
    problem = only(text)
    assert (problem.severity, problem.key, problem.line) == ("error", key, line)
    assert word in problem.what
    assert problem.hint.endswith((".", "?", "indented."))
    with pytest.raises(TemplateError) as caught:
        parse_template(text, "my.yaml")
    assert isinstance(caught.value, SpotuiError)
    assert caught.value.what.startswith(f"my.yaml, line {line}:")
    assert caught.value.hint == problem.hint


@pytest.mark.parametrize(
    ("text", "key", "line", "word", "hint"),
    [
        (f"{GOOD}requirments: x\n", "requirments", 6, "requirments", "Did you mean `requirements`?"),
        (f"{GOOD}Count: 5\n", "Count", 6, "Count", "Did you mean `count`?"),
        (f"{GOOD}zzz: x\n", "zzz", 6, "zzz", "Delete it"),
        (with_("answer: a", "anser: a"), "qa[1].anser", 5, "anser", "Did you mean `answer`?"),
        (
            with_("answer: a", "answer: a\n  - question: ' q'"),
            "qa[2].question",
            6,
            "same as question 1",
            "Delete",
        ),
        (with_("requirements: r", "requirements:"), "requirements", 2, "empty", "None"),
    ],
)
def test_what_is_probably_not_meant_is_a_warning(
    text: str, key: str, line: int, word: str, hint: str
) -> None:
    problem = only(text)
    assert (problem.severity, problem.key, problem.line) == ("warning", key, line)
    assert word in problem.what
    assert hint in problem.hint
    assert parse_template(text).prompt == "p"


NOTHING = ["", "None", "none", "NONE", "null", "'null'", "~", "''", "'  '", "|\n  None\n"]


@pytest.mark.parametrize("nothing", NOTHING)
def test_nothing_is_written_in_every_way(nothing: str) -> None:
    keys = ("requirements", "count", "method", "models", "parameters", "metric", "criteria")
    written = "".join(f"{key}: {nothing}\n" for key in keys)
    found = parse_template(f"prompt: p\n{written}qa:\n  - question: q\n    answer: a\n")
    assert found == Template(prompt="p", qa=(QA("q", "a"),))
    if "\n" not in nothing:
        listed = f"{GOOD}criteria: [{nothing or '~'}, {nothing or '~'}]\n"
        assert parse_template(listed).criteria is None


@pytest.mark.parametrize("nothing", NOTHING)
def test_an_empty_prompt_is_a_warning(nothing: str) -> None:
    text = with_("prompt: p", f"prompt: {nothing}")
    problem = only(text)
    assert (problem.severity, problem.key, problem.line) == ("warning", "prompt", 1)
    assert "starts from what the model answers without one" in problem.what
    assert parse_template(text).prompt == ""


def test_a_misspelt_key_is_named_where_the_right_one_is_missing() -> None:
    problems = check_text(with_("requirements:", "requirments:"))
    assert [(each.severity, each.key) for each in problems] == [
        ("error", "requirements"),
        ("warning", "requirments"),
    ]
    assert problems[0].hint == "Rename `requirments` on line 2 to `requirements`."
    problems = check_text(with_("question:", "Question:"))
    assert "Rename `Question` to `question`." in [each.hint for each in problems]


def test_all_errors_are_told_in_the_order_of_the_file() -> None:
    text = """\
requirements: {a: 1}
count: no
qa:
  - question:
  - 5
  - answer: x
    color: red
models: 3
"""
    problems = check_text(text)
    assert [(each.line, each.key) for each in problems] == [
        (1, "prompt"),
        (1, "requirements"),
        (2, "count"),
        (4, "qa[1].question"),
        (5, "qa[2]"),
        (6, "qa[3].question"),
        (7, "qa[3].color"),
        (8, "models"),
    ]
    with pytest.raises(TemplateError) as caught:
        parse_template(text)
    assert caught.value.problems == tuple(problems)
    assert all(each.what in str(caught.value) for each in problems if each.severity == "error")


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
        lambda below: (
            st.lists(below, max_size=3)
            | st.dictionaries(
                st.sampled_from(
                    ["prompt", "requirements", "count", "qa", "question", "answer", "models", "data", "x"]
                ),
                below,
                max_size=6,
            )
        ),
        max_leaves=12,
    )
)
def test_no_shape_gives_a_traceback(data: object) -> None:
    text = msgspec.json.encode(data).decode()
    if any(problem.severity == "error" for problem in check_text(text)):
        with pytest.raises(TemplateError):
            parse_template(text)
    else:
        template = parse_template(text)
        assert template.prompt.strip() or template.method in {None, "spo", "gpo", "ape", "opro"}


def test_a_file_is_read(tmp_path: Path) -> None:
    path = tmp_path / "t.yaml"
    path.write_bytes(b"\xef\xbb\xbf" + GOOD.replace("\n", "\r\n").encode())
    assert read_template(path) == read_template(str(path)) == parse_template(GOOD)
    assert check_template(path) == []


def test_a_missing_file_is_an_error_that_names_the_nearest(tmp_path: Path) -> None:
    (tmp_path / "poem.yaml").write_text(GOOD)
    (problem,) = check_template(tmp_path / "peom.yaml")
    assert (problem.severity, problem.line) == ("error", 0)
    assert str(tmp_path / "poem.yaml") in problem.hint
    with pytest.raises(TemplateError, match="no such file"):
        read_template(tmp_path / "nowhere" / "t.yaml")
    with pytest.raises(TemplateError, match="no such file"):
        read_template(tmp_path / "poem.yaml" / "t.yaml")


def test_what_is_no_file_of_text_is_an_error(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.yaml")
    (tmp_path / "image.yaml").write_bytes(b"\x89PNG\0")
    (tmp_path / "old.yaml").write_bytes("prompt: schön\n".encode("latin-1"))
    (tmp_path / "loop.yaml").symlink_to(tmp_path / "loop.yaml")
    with (tmp_path / "huge.yaml").open("wb") as file:
        file.truncate(50_000_000)
    for path, word in [
        (tmp_path, "folder"),
        (tmp_path / "pipe.yaml", "ordinary"),
        (tmp_path / "image.yaml", "not a text"),
        (tmp_path / "old.yaml", "UTF-8"),
        (tmp_path / "loop.yaml", "cannot be read"),
        (tmp_path / "huge.yaml", "50 MB"),
        (tmp_path / ("x" * 300), "cannot be read"),
        (Path("a\0b"), "not a file name"),
    ]:
        (problem,) = check_template(path)
        assert word in problem.what
        assert problem.hint


@pytest.mark.skipif(os.geteuid() == 0, reason="root reads every file")
def test_an_unreadable_file_is_an_error(tmp_path: Path) -> None:
    path = tmp_path / "t.yaml"
    path.write_text(GOOD)
    path.chmod(0)
    with pytest.raises(TemplateError, match="Permission"):
        read_template(path)


COST = """
import sys, time
start = time.process_time()
import yaml
beside = time.process_time() - start
start = time.process_time()
from spotui.templates.read import read_template
cost = time.process_time() - start
template = read_template(sys.argv[1])
heavy = {"ruamel", "difflib", "json", "asyncio", "tempfile", "rich", "aiohttp"} & set(sys.modules)
print(cost / beside, ",".join(sorted(heavy)))
"""


def test_reading_loads_nothing_heavy_and_costs_little_beside_yaml(tmp_path: Path) -> None:
    path = tmp_path / "t.yaml"
    path.write_text(GOOD)
    costs = []
    environment = {key: value for key, value in os.environ.items() if key != "PYTHONDONTWRITEBYTECODE"}
    for _ in range(5):  # the first writes the bytecode, and the machine has other work
        done = subprocess.run(
            [sys.executable, "-c", COST, str(path)],
            capture_output=True,
            text=True,
            check=True,
            env=environment,
        )
        cost, heavy = done.stdout.rstrip("\n").split(" ")
        assert heavy == ""
        costs.append(float(cost))
    assert min(costs) < 2.5
