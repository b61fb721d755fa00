"""The prompts of a program in promptfoo: the program is asked at its address, as spotui asks it."""

from pathlib import Path

from spotui.domain.program_prompts import join_prompts
from spotui.domain.rows import Row
from spotui.metrics.choose import read_choice
from spotui.templates.exchange.imported import Notes
from spotui.templates.exchange.outgoing import Outgoing
from spotui.templates.exchange.outgoing_programs import write
from spotui.templates.exchange.source import Source

PARTS = {"planner": 'Plan {{as is}}.\n{"a": "{city}"}', "writer": "Write: {question}"}


def test_promptfoo_asks_a_program_at_its_address(tmp_path: Path) -> None:
    prompt = join_prompts(PARTS)
    outgoing = Outgoing(
        project="two",
        round=3,
        prompt=prompt,
        messages=[{"role": "user", "content": f"{prompt}\n\n{{question}}"}],
        rows=[Row("Where?", ("There",), {"city": "Oslo"}), Row("When?", ("Then",), {"city": "Bergen"})],
        metric=read_choice("exact")[0],
        parts=PARTS,
        url="http://localhost:8000/answer",
    )
    notes = Notes()
    (tmp_path / "out.yaml").write_text(write("promptfoo", outgoing, notes))
    config = Source(tmp_path / "out.yaml").document
    assert config["prompts"] == ["{{question}}"]
    (provider,) = config["providers"]
    assert (provider["id"], provider["config"]["url"]) == ("http", "http://localhost:8000/answer")
    assert provider["config"]["transformResponse"] == "json.answer"
    body = provider["config"]["body"]
    assert (body["question"], body["row"]) == ("{{prompt}}", {"city": "{{city}}"})
    assert list(body["prompts"]) == ["planner", "writer"]
    assert "{city}" in body["prompts"]["planner"]
    assert "{{as is}}" not in body["prompts"]["planner"]
    assert body["prompts"]["writer"] == PARTS["writer"]
    assert [one["vars"] for one in config["tests"]] == [
        {"question": "Where?", "city": "Oslo"},
        {"question": "When?", "city": "Bergen"},
    ]
    assert config["tests"][0]["assert"] == [{"type": "equals", "value": "There"}]
    (note,) = map(str, notes)
    assert note.startswith("two: A key for http://localhost:8000/answer is not written.")
