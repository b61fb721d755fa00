"""Whatever a file holds, it is imported or refused with a sentence, in every format."""

import json
import tempfile
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from spotui.domain.errors import SpotuiError
from spotui.templates.exchange.imported import SourceError
from spotui.templates.exchange.registry import NAMES, format_of, formats, read_source
from spotui.templates.exchange.source import Source
from spotui.templates.exchange.write import draft

WORDS = st.sampled_from(
    [
        *("prompts", "tests", "vars", "assert", "type", "value", "providers", "messages", "role", "content"),
        *(
            "user",
            "system",
            "llm-rubric",
            "contains",
            "conversations",
            "from",
            "instruction",
            "input",
            "output",
        ),
        *(
            "ideal",
            "inputs",
            "outputs",
            "kwargs",
            "constructor",
            "template",
            "prompt",
            "name",
            "version",
            "text",
        ),
        *("examples", "target", "entries", "question", "answer", "#### 3", "{{q}}", "file://x.yaml", "demos"),
        *(
            "signature",
            "instructions",
            "fields",
            "prefix",
            "object",
            "eval.run",
            "data_source",
            "item",
            "label",
        ),
        *("attributes", "context.span_id", "expectedOutput", "metadata", "split", "train", "class", "args"),
    ]
)
VALUES: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | st.integers(-3, 3) | st.floats(allow_nan=False, allow_infinity=False) | WORDS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(WORDS, inner, max_size=4),
    max_leaves=25,
)


@given(VALUES, st.sampled_from(NAMES), st.sampled_from(["json", "jsonl", "yaml"]))
def test_any_value_is_read_or_refused_with_a_sentence(value: Any, name: str, ending: str) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / f"any.{ending}"
        path.write_text(json.dumps(value))
        for wanted in (None, name):
            source = Source(path)
            with suppress(SpotuiError):
                chosen, imported = read_source(source, wanted)
                target = path.with_name("new.yaml")
                draft(imported, source.notes, format_name=chosen.name, source=path, target=target)


@pytest.mark.parametrize("name", NAMES)
def test_every_format_is_described(name: str) -> None:
    document = (Path(__file__).parents[3] / "docs" / "exchange.md").read_text()
    assert f"`{name}`" in document
    assert format_of(name) in formats()


def test_an_unknown_format_is_named() -> None:
    with pytest.raises(SourceError, match=r"Did you mean langfuse\?"):
        format_of("langfuze")


def test_a_broken_file_beside_a_source_is_no_matter_unless_there_is_nothing_else(tmp_path: Path) -> None:
    (tmp_path / "tsconfig.json").write_text("{ // a comment\n}")
    with pytest.raises(SourceError, match=r"tsconfig\.json, line 1: This is not JSON"):
        read_source(Source(tmp_path))
    (tmp_path / "promptfooconfig.yaml").write_text(
        "prompts: ['{{q}}']\nproviders: [echo]\ntests: [{vars: {q: 1}}]\n"
    )
    assert read_source(Source(tmp_path))[0].name == "promptfoo"


@pytest.mark.parametrize(
    ("name", "record"),
    [
        ("chat", {"messages": [{"role": "user", "content": "Q?"}, {"role": "assistant", "content": "A."}]}),
        ("sharegpt", {"conversations": [{"from": "human", "value": "Q?"}, {"from": "gpt", "value": "A."}]}),
        ("alpaca", {"instruction": "Answer.", "input": "Q?", "output": "A."}),
        ("openai-evals", {"input": "Q?", "ideal": "A."}),
        ("openai", {"item": {"question": "Q?", "answer": "A."}}),
        ("langfuse", {"id": "1", "input": {"question": "Q?"}, "expectedOutput": "A.", "datasetId": "d"}),
        ("langsmith", {"inputs": {"question": "Q?"}, "outputs": {"answer": "A."}}),
        ("phoenix", {"input": {"question": "Q?"}, "output": {"answer": "A."}}),
        ("gsm8k", {"question": "Q?", "answer": "So it is\n#### 3"}),
        (
            "wsc",
            {
                "text": "A b c.",
                "label": True,
                "target": {"span1_text": "A", "span2_text": "b", "span1_index": 0},
            },
        ),
    ],
)
def test_a_damaged_record_does_not_hide_the_format(tmp_path: Path, name: str, record: Any) -> None:
    damaged: list[Any] = [{}, None, [1], {next(iter(record)): None}]
    for one in damaged:
        path = tmp_path / "rows.jsonl"
        path.write_text("".join(json.dumps(line) + "\n" for line in (record, one, record, record)))
        source = Source(path)
        chosen, imported = read_source(source)
        assert chosen.name == name
        target = path.with_name("new.yaml")
        (made,) = draft(imported, source.notes, format_name=name, source=path, target=target)
        assert [len(rows) for rows in imported[0].rows.values()] == [3], made
        assert any("rows.jsonl, line 2" in str(note) for note in source.notes)
