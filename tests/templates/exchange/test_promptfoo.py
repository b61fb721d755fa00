"""promptfoo's configurations: prompts, tests wherever they are, defaults, and asserts."""

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from spotui.metrics.choose import make_metric
from spotui.templates.exchange.asserts import assert_of_cell
from spotui.templates.exchange.imported import SourceError
from spotui.templates.sections import metric_of
from tests.templates.exchange.importing import Brought, bring, files

SUPPORT = """\
description: Support assistant
prompts:
  - |
    You answer for {{ company }}. Customer: {{question}}
    Reply as {"tone": "kind"}, and keep {order_id} as it is.
providers:
  - openai:gpt-4o-mini
  - id: anthropic:messages:claude-sonnet
defaultTest:
  vars: &defaults
    company: Acme
  assert: &polite
    - type: not-icontains
      value: unfortunately
    - type: latency
      threshold: 4000
tests:
  - description: refund
    vars:
      question: Where is my refund?
    assert:
      - type: contains-any
        value: [refund, money]
        weight: 2
      - type: javascript
        value: output.length < 300
  - vars:
      <<: *defaults
      question: "Do you ship to {{env.COUNTRY}}?"
    assert:
      - type: contains
        value: "{{company}}"
  - vars:
      question: [Cancel my order, Cancel everything]
    assert: *polite
env:
  COUNTRY: Peru
"""


def test_a_configuration_with_defaults_anchors_and_several_values(tmp_path: Path) -> None:
    files(tmp_path, promptfooconfig_yaml=SUPPORT)

    found = bring(tmp_path, has_braces=True)

    assert found.format == "promptfoo"
    assert found.template.prompt == (
        "You answer for {company}. Customer: {question}\n"
        'Reply as {"tone": "kind"}, and keep {{order_id}} as it is.\n'
    )
    assert [row.values for row in found.all_rows] == [
        {"company": "Acme", "question": question}
        for question in (
            "Where is my refund?",
            "Do you ship to Peru?",
            "Cancel my order",
            "Cancel everything",
        )
    ]
    assert found.template.metric == "checks"
    refund, ship, *cancel = (row.references for row in found.all_rows)
    polite = {"type": "not-icontains", "value": "unfortunately"}
    assert list(map(json.loads, refund)) == [
        polite,
        {"type": "contains-any", "value": ["refund", "money"], "weight": 2},
    ]
    assert json.loads(ship[1]) == {"type": "contains", "value": "Acme"}
    assert [len(one) for one in cancel] == [1, 1]
    assert found.template.source == {"format": "promptfoo", "path": "..", "prompt": 1}
    said = "\n".join(found.notes)
    for what in ("`providers` is left out", "assert `latency`", "assert `javascript`", "`{order_id}`"):
        assert what in said
    assert "spotui never runs code of a source." in said


CSV = """\
country,__expected,__expected2,__description
France,icontains: Paris,"regex: ^[A-Z]",first
Italy,contains-any: Rome|Roma,is-json,
Peru,Lima,similar(0.8): Lima,
Chad,not-contains: Paris,,
"""


def test_prompts_and_tests_in_files(tmp_path: Path) -> None:
    files(
        tmp_path,
        promptfooconfig_yaml="prompts: [file://prompts/*.txt, prompts/more.csv, file://build.py]\n"
        "providers: [echo]\ntests: file://tests/geo.csv\n",
        prompts__a_txt="The capital of {{country}}?\n---\nCapital of {{ country | trim }}, please.",
        prompts__more_csv='prompt,label\n"Say it: {{country}}",short\n',
        tests__geo_csv=CSV,
    )

    found = bring(tmp_path)

    assert [one.prompt for one in found.templates] == [
        "The capital of {country}?",
        "Capital of {country}, please.",
        "Say it: {country}",
    ]
    assert len({json.dumps(one.data) for one in found.templates}) == 1, "templates share their rows"
    france, italy, peru, chad = (list(map(json.loads, row.references)) for row in found.rows[0])
    assert france == [{"type": "icontains", "value": "Paris"}, {"type": "regex", "value": "^[A-Z]"}]
    assert italy == [{"type": "contains-any", "value": ["Rome|Roma"]}, {"type": "is-json"}]
    assert peru == [{"type": "equals", "value": "Lima"}]
    assert chad == [{"type": "not-contains", "value": "Paris"}]
    said = "\n".join(found.notes)
    assert "tests/geo.csv, line 4.assert[2]: The assert `similar` is left out." in said
    assert "The prompt file://build.py is left out. spotui never runs code of a source." in said


def test_a_json_configuration_with_scenarios_rubrics_and_facts(tmp_path: Path) -> None:
    config = {
        "prompts": [{"raw": "{{q}} In {{language}}.", "label": "plain"}],
        "targets": ["echo"],
        "scenarios": [
            {
                "config": [{"vars": {"language": "French"}}, {"vars": {"language": "German"}}],
                "tests": [
                    {"vars": {"q": "Why?"}, "assert": [{"type": "llm-rubric", "value": "Is polite"}]},
                    {
                        "vars": {"q": "Who?"},
                        "assert": [
                            {"type": "llm-rubric", "value": "Is polite"},
                            {"type": "factuality", "value": "Ada wrote it."},
                        ],
                    },
                ],
            }
        ],
        "tests": "more.jsonl",
    }
    more = {
        "vars": {"q": "When?", "language": "Thai"},
        "assert": [{"type": "model-graded-closedqa", "value": "Is polite"}],
        "threshold": 0.5,
    }
    files(tmp_path, promptfooconfig_json=json.dumps(config), more_jsonl=f"{json.dumps(more)}\n")

    found = bring(tmp_path / "promptfooconfig.json")

    assert found.template.prompt == "{q} In {language}."
    assert found.template.metric == "judge"
    assert found.template.criteria == [
        "Is polite",
        "The answer is factually consistent with the reference answer.",
    ]
    shown = [(row.values["q"], row.values["language"], row.references) for row in found.all_rows]
    assert shown == [
        ("When?", "Thai", ()),
        ("Why?", "French", ()),
        ("Who?", "French", ("Ada wrote it.",)),
        ("Why?", "German", ()),
        ("Who?", "German", ("Ada wrote it.",)),
    ]
    assert "`threshold` of a test is left out." in "\n".join(found.notes)
    assert "It says nowhere what a good answer is like." not in "\n".join(found.notes)


CHATS = """\
prompts: [file://system.json, file://talk.yaml, file://loop.json]
providers: [echo]
tests:
  - {vars: {q: Where is it?, shop: A, past: Hi, reply: Hello, question: Late?}}
  - {vars: {q: When?, shop: B, past: Hey, reply: Yes, question: Lost?}}
  - {vars: {q: Who?, shop: C, past: Ho, reply: No, question: Broken?}}
"""


def test_chat_prompts_are_system_prompts_with_messages_around(tmp_path: Path) -> None:
    system = [{"role": "system", "content": "You help {{shop}}."}, {"role": "user", "content": "{{q}}"}]
    files(
        tmp_path,
        promptfooconfig_yaml=CHATS,
        system_json=json.dumps(system),
        talk_yaml="- role: system\n  content: Be kind.\n- role: user\n  content: '{{past}}'\n"
        "- role: assistant\n  content: '{{reply}}'\n- role: user\n  content: 'Shop {{shop}}: {{question}}'\n",
        loop_json='["{% for one in turns %}"]',
    )

    found = bring(tmp_path)

    plain, talk = found.templates
    assert (plain.prompt, plain.position, plain.messages) == ("You help {shop}.", "system", None)
    assert [(row.question, row.slots) for row in found.rows[0]] == [
        ("Where is it?", {"shop": "A"}),
        ("When?", {"shop": "B"}),
        ("Who?", {"shop": "C"}),
    ]
    assert talk.prompt == "Be kind."
    assert talk.messages == [
        {"role": "system", "content": "{prompt}"},
        {"role": "user", "content": "{past}"},
        {"role": "assistant", "content": "{reply}"},
        {"role": "user", "content": "Shop {shop}: {question}"},
    ]
    assert found.rows[1][0].values == {
        "shop": "A",
        "past": "Hi",
        "reply": "Hello",
        "question": "Late?",
    }


def _one(tmp_path: Path, asserts: object, prompt: str = "{{q}}") -> Brought:
    tests = [{"vars": {"q": f"{at}?"}, "assert": asserts} for at in range(3)]
    files(tmp_path, p_json=json.dumps({"prompts": [prompt], "providers": ["echo"], "tests": tests}))
    return bring(tmp_path / "p.json")


@pytest.mark.parametrize(
    ("asserts", "metric"),
    [
        ([{"type": "equals", "value": "{{q}}"}], "exact"),
        ([{"type": "icontains", "value": "x"}], {"name": "checks", "type": "icontains"}),
        ([{"type": "contains-all", "value": ["x"]}], "checks"),
        ([{"type": "is-json", "value": {"type": "object"}}], "checks"),
        ([{"type": "javascript", "value": "true"}], None),
        ([{"type": "assert-set", "assert": [{"type": "contains", "value": "a"}]}], None),
    ],
)
def test_the_metric_is_the_simplest_that_holds_all_asserts(
    tmp_path: Path, asserts: list[dict[str, object]], metric: object
) -> None:
    found = _one(tmp_path, asserts)
    if asserts[0]["type"] == "assert-set":
        metric = {"name": "checks", "type": "contains"}
    assert found.template.metric == metric
    if metric == "exact":
        assert [row.references for row in found.all_rows] == [("0?",), ("1?",), ("2?",)]


def test_schemas_of_json_are_kept_and_broken_ones_named(tmp_path: Path) -> None:
    asserts = [
        {"type": "is-json", "value": "required: [a]\ntype: object\n"},
        {"type": "contains-json", "value": {"type": 7}},
        {"type": "is-json", "value": "just text"},
    ]
    found = _one(tmp_path, asserts)
    assert list(map(json.loads, found.all_rows[0].references)) == [
        {"type": "is-json", "value": {"required": ["a"], "type": "object"}},
        {"type": "contains-json"},
        {"type": "is-json"},
    ]
    said = "\n".join(found.notes)
    assert (
        "The schema of `contains-json` is left out; that it is JSON is checked. The schema of a check" in said
    )
    assert "The schema of `is-json` is left out; that it is JSON is checked. It is not a schema." in said


def test_the_marks_are_those_of_promptfoo(tmp_path: Path) -> None:
    asserts = [{"type": "contains", "value": "a"}, {"type": "regex", "value": "b+", "weight": 3}]
    found = _one(tmp_path, asserts)
    choice = metric_of(found.template)
    assert choice is not None
    metric = make_metric(choice, tmp_path)
    assert metric.mark("xbbx", found.all_rows[0]).value == 0.75


@pytest.mark.parametrize(
    ("texts", "said"),
    [
        (
            {"promptfooconfig_yaml": "prompts: [a\nproviders: [x]\n"},
            "promptfooconfig.yaml, line",
        ),
        ({"promptfooconfig_yaml": "prompts: ['{{q}}']\nproviders: [x]\n"}, "has no tests"),
        ({"promptfooconfig_yaml": "prompts: [hi]\ntests: [{vars: {q: 1}}]\n"}, "has a variable"),
        ({"promptfooconfig_yaml": "prompts: [file://a.js]\ntests: [{vars: {q: 1}}]\n"}, "no prompt that can"),
        (
            {"promptfooconfig_yaml": "prompts: ['{{q}}']\ntests: file://nope.csv\n", "note_csv": "q\n1\n"},
            "refers to nope.csv, which does not exist. Did you mean",
        ),
        (
            {"promptfooconfig_yaml": "prompts: ['{{q}}']\ntests: file://a.jsonl\n", "a_jsonl": "{}\n{x}\n"},
            "a.jsonl, line 2: This is not JSON",
        ),
        (
            {
                "promptfooconfig_yaml": "prompts: ['{{q}}']\ntests: file://a.yaml\n",
                "a_yaml": "- file://b.yaml\n",
                "b_yaml": "- file://a.yaml\n",
            },
            "in a circle: a.yaml → b.yaml → a.yaml.",
        ),
        (
            {"promptfooconfig_yaml": "prompts: ['{{q}}']\ntests: file://../secret.yaml\n"},
            "outside of the folder",
        ),
        (
            {
                "promptfooconfig_yaml": "prompts: ['{{q}}']\ntests: [{vars: {q: 'file://.env/key.txt'}}]\n",
                ".env__key_txt": "sk-1",
            },
            "--trust",
        ),
    ],
)
def test_bad_input_is_a_sentence_with_place_and_fix(tmp_path: Path, texts: dict[str, str], said: str) -> None:
    folder = tmp_path / "evals"
    files(folder, **texts)
    files(tmp_path, secret_yaml="- vars: {q: secret}\n")

    with pytest.raises(SourceError) as error:
        bring(folder)

    assert said in str(error.value)
    assert error.value.hint
    assert not (folder / "brought").exists()


def test_a_file_outside_is_read_when_the_user_agrees_and_a_variable_when_named(tmp_path: Path) -> None:
    files(
        tmp_path,
        evals__promptfooconfig_yaml="prompts: ['{{q}} {{env.TOWN}} {{env.KEY}}']\ntests: file://../more.yaml\n",
        more_yaml="".join(f"- vars: {{q: {at}}}\n" for at in range(3)),
    )
    asked: list[tuple[str, Path]] = []

    def agrees(where: str, path: Path) -> bool:
        asked.append((where, path))
        return True

    found = bring(
        tmp_path / "evals",
        agrees=agrees,
        environ={"TOWN": "Oslo"},
        has_braces=True,
    )

    assert asked == [("promptfooconfig.yaml, tests[1]", tmp_path / "more.yaml")]
    assert found.template.prompt == "{q} Oslo {{env.KEY}}"
    assert any("The environment variable KEY is not read" in note for note in found.notes)


def test_ten_thousand_tests_that_share_their_asserts(tmp_path: Path) -> None:
    tests = "".join(f"  - vars: {{q: question {at}}}\n    assert: *same\n" for at in range(10_000))
    files(
        tmp_path,
        promptfooconfig_yaml="prompts: ['{{q}}']\nx-same: &same\n  - {type: contains, value: a}\n"
        f"  - {{type: cost, threshold: 1}}\ntests:\n{tests}",
    )

    found = bring(tmp_path)

    assert len(found.all_rows) == 10_000
    assert any("(and 9,999 more like it): The assert `cost` is left out." in note for note in found.notes)


def test_wrong_encodings_are_read_or_named(tmp_path: Path) -> None:
    text = "prompts: ['Où est {{q}} ?']\ntests: [{vars: {q: [été, À, ç]}}]\n"
    for encoding, name in (("cp1252", "a.yaml"), ("utf-16", "b.yaml")):
        (tmp_path / name).write_bytes(text.encode(encoding))
        found = bring(tmp_path / name)
        assert found.template.prompt == "Où est {q} ?"
        assert any("not UTF-8" in note for note in found.notes) is (encoding == "cp1252")
        for path in (tmp_path / "brought").iterdir():
            path.unlink()
    (tmp_path / "c.json").write_bytes(b'{"prompts": ["\xff\x00"]')
    with pytest.raises(SourceError, match=r"c\.json"):
        bring(tmp_path / "c.json")


@given(st.text(max_size=60))
def test_any_cell_is_an_assert(cell: str) -> None:
    found = assert_of_cell(cell)
    assert isinstance(found["type"], str)
    if found["type"] == "equals":
        assert found["value"] == cell or cell.strip().startswith("equals:")
