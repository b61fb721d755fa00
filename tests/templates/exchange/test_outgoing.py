"""What is exported is imported as it was: prompts, rows, checks; and a prompt returns to its source."""

import json
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from spotui.domain.messages import Message
from spotui.domain.rows import Row, fill, normalise
from spotui.metrics.choose import read_choice
from spotui.templates.exchange.imported import Notes, SourceError
from spotui.templates.exchange.outgoing import WRITERS, Outgoing
from spotui.templates.exchange.put_back import put_back
from spotui.templates.exchange.source import Source
from spotui.templates.read import read_template
from spotui.templates.sections import origin_of
from tests.templates.exchange.importing import bring, files

PIECES = st.sampled_from(
    [
        "Say ",
        "{place}",
        "{question}",
        " and\n",
        "{{as is}}",
        "{{x}}",
        '{"a": [1]}',
        "{% if %}",
        "{# c #}",
        "$5 ",
        "é ",
    ]
)
PROMPTS = st.lists(PIECES, max_size=6).map(lambda parts: f"Do {''.join(parts)} {{question}}.")
WORDS = st.text(
    st.characters(codec="utf-8", exclude_categories=["Cs", "Cc"]), min_size=1, max_size=12
).filter(lambda text: text.strip() == text)
CHECKS = st.one_of(
    st.builds(
        lambda kind, value: {"type": kind, "value": value},
        st.sampled_from(["contains", "not-icontains"]),
        WORDS,
    ),
    st.builds(
        lambda values: {"type": "contains-any", "value": values}, st.lists(WORDS, min_size=1, max_size=3)
    ),
    st.just({"type": "is-json"}),
)


def outgoing(prompt: str, rows: list[Row], metric: object = None, **more: Any) -> Outgoing:
    choice, faults = read_choice(metric) if metric else (None, [])
    assert not faults
    messages = [{"role": "user", "content": prompt}]
    return Outgoing(
        project="sea",
        round=3,
        prompt=prompt,
        messages=more.pop("messages", messages),
        rows=rows,
        metric=choice,
        **more,
    )


def written(name: str, one: Outgoing, ending: str, folder: Path) -> Path:
    path = folder / f"export.{ending}"
    path.write_text(WRITERS[name](one, Notes()))
    return path


def shown(row: Row, prompt: str) -> str:
    return fill(prompt, row.values)


@given(
    PROMPTS,
    st.lists(st.tuples(WORDS, CHECKS), min_size=3, max_size=5, unique_by=lambda one: normalise(one[0])),
)
def test_promptfoo_brings_prompt_rows_and_checks_back(
    prompt: str, pairs: list[tuple[str, Mapping[str, Any]]]
) -> None:
    rows = [Row(word, (json.dumps(check),), {"place": f"<{word}>"}) for word, check in pairs]
    with tempfile.TemporaryDirectory() as folder:
        path = written("promptfoo", outgoing(prompt, rows, "checks"), "yaml", Path(folder))
        found = bring(path, has_braces=True)

    assert found.template.prompt == prompt
    assert [shown(row, prompt) for row in found.all_rows] == [shown(row, prompt) for row in rows]
    metric = found.template.metric
    for row, (_word, check) in zip(found.all_rows, pairs, strict=True):
        if metric == "checks":
            assert [json.loads(one) for one in row.references] == [check]
        else:
            assert (metric["type"], list(row.references)) == (check["type"], [check["value"]])


@given(
    PROMPTS,
    st.lists(st.tuples(WORDS, WORDS), min_size=3, max_size=5, unique_by=lambda one: normalise(one[0])),
)
def test_dspy_brings_prompt_and_rows_back(prompt: str, pairs: list[tuple[str, str]]) -> None:
    instructions = prompt.replace("{place}", "here").replace("{question}", "it")
    rows = [Row(question, (answer,)) for question, answer in pairs]
    around = [{"role": "system", "content": instructions}, {"role": "user", "content": "{question}"}]
    with tempfile.TemporaryDirectory() as folder:
        path = written("dspy", outgoing(instructions, rows, messages=around), "json", Path(folder))
        found = bring(path, has_braces=True)

    assert found.template.prompt == instructions
    brought = [(one.question, (one.answer,)) for one in found.template.qa]
    if found.all_rows and not brought:
        brought = [(row.question, (row.references[0],)) for row in found.all_rows]
    assert brought == [(row.question, row.references) for row in rows]


def test_conversations_come_back_from_promptfoo(tmp_path: Path) -> None:
    talks = [
        tuple(
            Message("user" if turn % 2 == 0 else "assistant", f'turn {turn} of "{at}"')
            for turn in range(2 * at)
        )
        for at in range(4)
    ]
    rows = [Row(f"Question {at}?", (f"A{at}",), history=talk) for at, talk in enumerate(talks)]
    around = [{"role": "system", "content": "Help."}, {"role": "user", "content": "{question}"}]
    path = written("promptfoo", outgoing("Help.", rows, "exact", messages=around), "yaml", tmp_path)

    found = bring(path)

    assert (found.template.prompt, found.template.position) == ("Help.", "system")
    assert [(row.question, row.history, row.references) for row in found.all_rows] == [
        (row.question, row.history, row.references) for row in rows
    ]


@given(PROMPTS, WORDS)
def test_the_python_module_makes_the_same_messages(prompt: str, word: str) -> None:
    row = Row(word, (), {"place": "{question}"})
    around = [{"role": "system", "content": prompt}, {"role": "user", "content": "{question}"}]
    module: dict[str, Any] = {}
    exec(WRITERS["python"](outgoing(prompt, [row], messages=around), Notes()), module)  # noqa: S102 - ours

    made = module["messages"](
        **{name: value for name, value in row.values.items() if name in module["messages"].__annotations__},
        history=[{"role": "user", "content": "Hi"}],
    )
    asked = [{**one, "content": fill(one["content"], row.values)} for one in around]
    at = 0 if "{question}" in prompt else 1
    assert made == [*asked[:at], {"role": "user", "content": "Hi"}, *asked[at:]]
    assert module["PROMPT"] == prompt


def test_openai_messages_have_double_braces() -> None:
    around = [{"role": "system", "content": "Help {shop}. {x}"}, {"role": "user", "content": "{question}"}]
    text = WRITERS["messages"](outgoing("Help", [Row("a", (), {"shop": "A"})], messages=around), Notes())
    assert json.loads(text) == [
        {"role": "system", "content": "Help {{shop}}. {x}"},
        {"role": "user", "content": "{{question}}"},
    ]


@pytest.mark.parametrize(
    ("metric", "references", "criteria", "asserts"),
    [
        ("exact", ("Paris",), (), [{"type": "equals", "value": "Paris"}]),
        ("exact", ("A.", "B"), (), [{"type": "regex", "value": r"^\s*(?:A\.|B)\s*$"}]),
        ("contains", ("a", "b"), (), [{"type": "icontains-any", "value": ["a", "b"]}]),
        ({"name": "regex", "pattern": "a+"}, (), (), [{"type": "regex", "value": "a+"}]),
        ("number", ("3",), (), None),
        (None, ("So it is.",), (), [{"type": "factuality", "value": "So it is."}]),
        (
            "judge",
            ("Is kind.",),
            ("The answer meets the rubric that is given as its reference answer.",),
            [{"type": "llm-rubric", "value": "Is kind."}],
        ),
        (
            {"name": "checks", "type": "contains"},
            ("a", "b"),
            (),
            [
                {
                    "type": "assert-set",
                    "threshold": 0.5,
                    "assert": [{"type": "contains", "value": "a"}, {"type": "contains", "value": "b"}],
                }
            ],
        ),
    ],
)
def test_metrics_become_asserts_or_are_named(
    tmp_path: Path, metric: object, references: tuple[str, ...], criteria: tuple[str, ...], asserts: object
) -> None:
    notes = Notes()
    one = outgoing("{question}", [Row("Q", references)], metric, criteria=[*criteria, "Is short."])
    path = tmp_path / "out.yaml"
    path.write_text(WRITERS["promptfoo"](one, notes))
    config = Source(path).document
    assert config["tests"][0].get("assert") == asserts
    assert config["defaultTest"] == {"assert": [{"type": "llm-rubric", "value": "Is short."}]}
    assert config["providers"] == ["echo"]
    if asserts is None:
        assert config["tests"][0]["metadata"] == {"expected": ["3"]}
        assert any("The metric number is left out" in str(note) for note in notes)


CONFIG = """\
# Our support evals
prompts:
  - "Be kind to {{ customer }}: {{question}}"   # the one that is live
  - file://prompts/b.txt
  - id: file://chat.json
    label: chat
providers: [openai:gpt-4o-mini]
tests:
  - vars: {customer: Ann, question: Where?}
    assert:
      - {type: icontains, value: here}
      - {type: javascript, value: 'output.length < 9'}   # never run here
  - vars: {customer: Bob, question: When?}
    assert: [{type: icontains, value: now}]
  - vars: {customer: Cy, question: Who?}
    assert: [{type: icontains, value: me}]
"""


@pytest.mark.parametrize(
    ("number", "new", "file", "change"),
    [
        (
            1,
            "Help {customer}.\nAsked: {question} {{raw}}",
            "promptfooconfig.yaml",
            ("Help {{ customer }}.", "Asked: {{question}} {% raw %}{{{% endraw %}raw}}"),
        ),
        (2, "First {question}", "prompts/b.txt", ("First {{question}}\n---\nOther {{question}}",)),
        (4, "You are {customer}'s friend.", "chat.json", ('"You are {{customer}}\'s friend."',)),
    ],
)
def test_a_prompt_returns_to_its_place_in_promptfoo(
    tmp_path: Path, number: int, new: str, file: str, change: tuple[str, ...]
) -> None:
    files(
        tmp_path,
        promptfooconfig_yaml=CONFIG,
        prompts__b_txt="One {{question}}\n---\nOther {{question}}\n",
        chat_json='[{"role": "system", "content": "Help {{customer}}."},\n'
        ' {"role": "user", "content": "{{question}}"}]',
    )
    found = bring(tmp_path)
    template = read_template(found.paths[number - 1])
    origin = origin_of(template)
    assert origin is not None

    ((path, text),) = put_back(Source(tmp_path), origin, template.prompt, new)

    assert path == tmp_path / file
    for part in change:
        assert part in text
    old = path.read_text()
    path.write_text(text)
    again = bring_again(tmp_path)
    assert again.templates[number - 1].prompt.strip() == new
    assert [one.prompt for at, one in enumerate(again.templates) if at != number - 1] == [
        one.prompt for at, one in enumerate(found.templates) if at != number - 1
    ]
    assert again.rows == found.rows
    if file == "promptfooconfig.yaml":
        assert [line for line in old.splitlines() if line not in text.splitlines()] == [
            '  - "Be kind to {{ customer }}: {{question}}"   # the one that is live'
        ]
    with pytest.raises(SourceError, match="has changed"):
        put_back(Source(tmp_path), origin, template.prompt, "x")


def bring_again(folder: Path) -> Any:
    for path in (folder / "brought").iterdir():
        path.unlink()
    return bring(folder, has_braces=True)


CHAT = [
    {"messages": [{"role": "system", "content": 'Say "{x}".'}, {"role": "user", "content": f"{at}"}]}
    for at in range(3)
]


@pytest.mark.parametrize(
    ("name", "text", "new", "change"),
    [
        ("ft.jsonl", "".join(f"{json.dumps(one)}\n" for one in CHAT), "New {{x}}", '"New {x}"'),
        (
            "program.json",
            json.dumps(
                {"p": {"demos": [{"q": "1", "a": "2"}], "signature": {"instructions": "Old.", "fields": []}}},
                indent=4,
            ),
            "New é.",
            '        "signature": {\n            "instructions": "New \\u00e9."',
        ),
        (
            "prompt.json",
            '{"name": "a", "type": "text", "prompt": "Hi {{ who }}", "version": 1}',
            "Ho {who}!",
            '"prompt": "Ho {{ who }}!"',
        ),
        (
            "hub.json",
            '{"type": "constructor", "kwargs": {"template": "Hi {who} {{x}}"}}',
            "Ho {who} {}",
            '"template": "Ho {who} {{}}"',
        ),
    ],
)
def test_a_prompt_returns_to_other_sources(
    tmp_path: Path, name: str, text: str, new: str, change: str
) -> None:
    (tmp_path / name).write_text(text)
    template = _template_of(tmp_path / name)
    origin = origin_of(template)
    assert origin is not None
    ((_path, changed),) = put_back(Source(tmp_path / name), origin, template.prompt, new)
    assert change in changed
    (tmp_path / name).write_text(changed)
    assert _template_of(tmp_path / name, again=True).prompt == new


def _template_of(path: Path, *, again: bool = False) -> Any:
    from spotui.templates.exchange.registry import read_source
    from spotui.templates.exchange.write import draft

    source = Source(path)
    chosen, imported = read_source(source)
    (one,) = draft(
        imported, source.notes, format_name=chosen.name, source=path, target=path.with_suffix(".yaml")
    )
    return one.template


def test_what_has_no_prompt_takes_none(tmp_path: Path) -> None:
    (tmp_path / "law_test.csv").write_text("Q1?,a,b,c,d,A\nQ2?,a,b,c,d,B\nQ3?,a,b,c,d,C\n")
    found = bring(tmp_path / "law_test.csv", may_be_empty=True)
    origin = origin_of(found.template)
    assert origin is not None
    with pytest.raises(SourceError, match="has no prompt that could be replaced"):
        put_back(Source(tmp_path / "law_test.csv"), origin, "", "New")
