"""Data for fine-tuning: chat messages, ShareGPT, Alpaca."""

import json
from pathlib import Path
from typing import Any

import pytest

from spotui.templates.exchange.imported import SourceError
from tests.templates.exchange.importing import bring


def lines(path: Path, records: list[Any]) -> Path:
    path.write_text("".join(f"{json.dumps(one)}\n" for one in records))
    return path


def said(role: str, content: object) -> dict[str, object]:
    return {"role": role, "content": content}


KIND = said("system", "You are kind. Keep {name} as it is.")


def test_chat_messages_with_one_system_message(tmp_path: Path) -> None:
    records = [
        {"messages": [KIND, said("user", f"Question {at}?"), said("assistant", f"Answer {at}.")]}
        for at in range(4)
    ]

    found = bring(lines(tmp_path / "ft.jsonl", records), has_braces=True)

    assert found.format == "chat"
    assert found.template.prompt == "You are kind. Keep {{name}} as it is."
    assert [(one.question, one.answer) for one in found.template.qa] == [
        (f"Question {at}?", f"Answer {at}.") for at in range(4)
    ]
    assert any("`{name}` is written `{{name}}`" in note for note in found.notes)


def test_chat_messages_with_history_tools_and_weights(tmp_path: Path) -> None:
    records: list[Any] = [
        {
            "messages": [
                said("system", f"Agent {at}"),
                said("user", "Hi"),
                {"role": "assistant", "content": "Hello!", "weight": 0},
                said(
                    "user", [{"type": "text", "text": f"And {at}?"}, {"type": "image_url", "image_url": {}}]
                ),
                said("assistant", f"Fine {at}."),
            ],
            "tools": [{"type": "function"}],
        }
        for at in range(3)
    ]
    records.append({"messages": [said("system", "x"), said("assistant", "y")]})

    found = bring(lines(tmp_path / "ft.jsonl", records), may_be_empty=True)

    assert [row.question for row in found.all_rows] == ["And 0?", "And 1?", "And 2?"]
    assert [one.content for one in found.all_rows[1].history] == ["Agent 1", "Hi", "Hello!"]
    assert [row.references for row in found.all_rows] == [("Fine 0.",), ("Fine 1.",), ("Fine 2.",)]
    notes = "\n".join(found.notes)
    for what in (
        "`weight` of a message",
        "`image_url` of a message",
        "The column `tools`",
        "No message of it is the user's",
        "The system messages stay in the rows.",
        "ft.jsonl, line 4: The row is left out.",
    ):
        assert what in notes


def test_tool_calls_stay_in_the_rows(tmp_path: Path) -> None:
    call = {"id": "c1", "type": "function", "function": {"name": "find", "arguments": "{}"}}
    talks = [
        [
            said("system", "Be brief."),
            said("user", f"Find {at}"),
            {"role": "assistant", "content": None, "tool_calls": [call]},
        ]
        for at in range(3)
    ]

    tools = [{"type": "function", "function": {"name": "find", "parameters": {"type": "object"}}}]

    found = bring(lines(tmp_path / "ft.jsonl", [{"messages": one, "tools": tools} for one in talks]))

    assert (found.template.prompt, found.template.position) == ("Be brief.", "system")
    assert (found.template.tools, found.template.metric) == (tools, "tool_call")
    assert ["find" in row.references[0] for row in found.all_rows] == [True, True, True]


def test_images_at_an_address_stay_in_the_rows(tmp_path: Path) -> None:
    image = {"type": "image_url", "image_url": {"url": "https://example.com/a.png"}}
    lost = {"type": "image_url", "image_url": {"url": "file:///home/me/a.png"}}
    talks = [
        [
            said("system", "Look."),
            said("user", [image, lost, {"type": "text", "text": f"What {at}?"}]),
            said("assistant", "A cat."),
        ]
        for at in range(3)
    ]
    form = {"type": "json_object"}

    found = bring(lines(tmp_path / "ft.jsonl", [{"messages": one, "response_format": form} for one in talks]))

    assert found.template.response_format == "json"
    assert [[file.url for file in row.files] for row in found.all_rows] == [["https://example.com/a.png"]] * 3
    assert any("`image_url` of a message is left out." in note for note in found.notes)


def test_preference_data(tmp_path: Path) -> None:
    records = [
        {
            "input": {"messages": [said("user", f"{at}?")]},
            "preferred_output": [said("assistant", f"good {at}")],
            "non_preferred_output": [said("assistant", "bad")],
        }
        for at in range(3)
    ]

    found = bring(lines(tmp_path / "dpo.jsonl", records), may_be_empty=True)

    assert [(row.question, *row.references) for row in found.all_rows] == [
        (f"{at}?", f"good {at}") for at in range(3)
    ]
    assert any("`non_preferred_output` is left out" in note for note in found.notes)


@pytest.mark.parametrize(
    "shape",
    [
        {"conversations": [{"from": "human", "value": "A?"}, {"from": "gpt", "value": "B"}], "id": "1"},
        {
            "system": "Be brief.",
            "conversations": [
                {"from": "human", "value": "A?"},
                {"from": "gpt", "value": "B"},
                {"from": "human", "value": "C?"},
                {"from": "gpt", "value": "D"},
            ],
        },
        {"items": [{"from": "user", "value": "A?"}, {"from": "chatgpt", "value": "B"}]},
    ],
)
def test_sharegpt(tmp_path: Path, shape: dict[str, Any]) -> None:
    (key,) = shape.keys() & {"conversations", "items"}
    *turns, asking, answering = shape[key]
    records = [
        {**shape, key: [*turns, {**asking, "value": f"{at} {asking['value']}"}, answering]} for at in range(3)
    ]
    path = tmp_path / "share.json"
    path.write_text(json.dumps(records))

    found = bring(path, may_be_empty=True)

    assert found.format == "sharegpt"
    asked, answer = asking["value"], answering["value"]
    assert [(row.question, row.references) for row in found.all_rows] == [
        (f"{at} {asked}", (answer,)) for at in range(3)
    ]
    assert found.template.prompt == shape.get("system", "")


def test_alpaca(tmp_path: Path) -> None:
    rows = [{"instruction": "Add.", "input": f"{at} + 1", "output": str(at + 1)} for at in range(3)]
    found = bring(lines(tmp_path / "same.jsonl", rows))
    assert (found.format, found.template.prompt) == ("alpaca", "Add.")
    assert [row.question for row in found.all_rows] == ["0 + 1", "1 + 1", "2 + 1"]


def test_alpaca_with_different_instructions_and_history(tmp_path: Path) -> None:
    rows: list[dict[str, Any]] = [
        {"instruction": f"Do {at}.", "input": "" if at else "this", "output": "ok"} for at in range(3)
    ]
    rows.append({"instruction": "More.", "input": "", "output": "yes", "history": [["a", "b"]]})
    rows.append({"instruction": "", "input": "x", "output": "y"})
    path = tmp_path / "alpaca.json"
    path.write_text(json.dumps(rows))

    found = bring(path, may_be_empty=True)

    assert found.template.prompt == ""
    assert [row.question for row in found.all_rows] == ["Do 0.\n\nthis", "Do 1.", "Do 2.", "More."]
    notes = "\n".join(found.notes)
    assert "It has no instruction." in notes
    assert "It has no prompt." in notes


def test_alpaca_as_a_table(tmp_path: Path) -> None:
    path = tmp_path / "alpaca.csv"
    path.write_text("instruction,input,output,source\n" + "".join(f"Do {at},,ok,web\n" for at in range(3)))
    found = bring(path, may_be_empty=True)
    assert found.format == "alpaca"
    assert len(found.all_rows) == 3
    assert any("The column `source` is left out." in note for note in found.notes)


@pytest.mark.parametrize(
    ("name", "text", "said"),
    [
        ("a.jsonl", '{"messages": []}\n{"messages" 1}\n', "a.jsonl, line 2: This is not JSON"),
        ("a.jsonl", "", "The file is empty."),
        ("a.json", '{"a": {"b": 1}}', "has no format that spotui can import"),
        ("a.csv", "x,y\n1,2\n", "Its columns are x, y."),
        (
            "a.json",
            '[{"messages": [{"role": "user", "content": "a"}], "instruction": "b", "output": "c"}]',
            "may be chat messages (JSONL), Alpaca. Say which, e.g. --from chat.",
        ),
        ("a.bin", "x", "The formats are"),
    ],
)
def test_what_is_not_known_is_never_guessed(tmp_path: Path, name: str, text: str, said: str) -> None:
    (tmp_path / name).write_text(text)
    with pytest.raises(SourceError) as error:
        bring(tmp_path / name)
    assert said in str(error.value)


def test_an_empty_question_is_left_out(tmp_path: Path) -> None:
    empty: tuple[object, ...] = (None, "", "  ", [])
    records = [
        {"messages": [said("user", asked), said("assistant", "A.")]}
        for asked in ("Q 1?", *empty, "Q 2?", "Q 3?")
    ]

    found = bring(lines(tmp_path / "ft.jsonl", records), may_be_empty=True)

    assert [one.question for one in found.template.qa] == ["Q 1?", "Q 2?", "Q 3?"]
    assert any("line 2 (and 3 more like it)" in note and "is empty" in note for note in found.notes)
