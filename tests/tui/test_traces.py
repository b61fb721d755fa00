"""What a program reports of its answers, where its answers are shown: in the app and in `show`."""

import json
from pathlib import Path

import pytest
from textual.pilot import Pilot

from spotui.cli import main
from spotui.tui.app import SpotuiApp
from spotui.view.traces import trace_text, trace_values
from spotui.workspace.projects import Workspace
from tests.command_line import TEMPLATE, move_in, write_template
from tests.model_server import ModelServer
from tests.spo_model import climbing
from tests.tui.piloting import LARGE, drive, until_told
from tests.tui.test_answers_screen import lines_of, opened

AGENT = """\
import json, os, sys
for line in sys.stdin:
    asked = json.loads(line)
    steps = [f"step {n} of {asked['prompt'][:20]}" for n in range(60)]
    trace = {"key": os.environ["OPENAI_API_KEY"], "hidden": "a\\u202eb", "steps": steps}
    print(json.dumps({"id": asked["id"], "answer": asked["prompt"] + asked["question"], "trace": trace}))
"""
KEY = "sk-the-key-that-nobody-may-read"


def test_a_trace_is_shown_in_brief_and_whole_and_holds_no_key(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    text = TEMPLATE + "models: {executor: {command: [python, agent.py]}}\n"
    path = write_template(tmp_path, text)
    (tmp_path / "agent.py").write_text(AGENT)
    with ModelServer(climbing) as server:
        move_in(monkeypatch, tmp_path, OPENAI_API_KEY=KEY, OPENAI_BASE_URL=server.base_url)
        words = [
            "--model",
            "m",
            "--max-rounds",
            "2",
            "--no-final-check",
            "--trust",
            str(tmp_path / "agent.py"),
        ]
        assert main(["run", path, *words]) == 0
    capsys.readouterr()

    assert main(["show", "why", "2"]) == 0
    shown = capsys.readouterr().out
    assert "Trace 1:\nkey: [key]\n" in shown
    assert "a<U+202E>b" in shown
    assert 'steps: ["step 0 of Answer in style 1, w",' in shown
    assert "step 59" not in shown
    assert "characters more" in shown
    assert main(["show", "why", "--json"]) == 0
    printed = capsys.readouterr().out
    rounds = json.loads(printed)["rounds"]
    assert rounds[1]["answers"][2]["trace"]["steps"][59] == "step 59 of Answer in style 1, w"
    assert KEY not in shown + printed
    assert main(["show", "why", "seed", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["answers"][0]["trace"]["steps"][0].startswith("step 0")

    async def journey(app: SpotuiApp, pilot: Pilot[None]) -> None:
        async with opened(app, pilot, Workspace(tmp_path / "data" / "workspace").project("why")) as screen:
            await until_told(pilot, "trace", "characters more", "whole traces", "a⇄b")
            assert "step 59" not in lines_of(screen)
            await pilot.press("t")
            await until_told(pilot, "step 9 of Answer in")
            assert "step 59 of Answer in style 1, w" in lines_of(screen)
            await pilot.press("h")
            await until_told(pilot, "left or right?")
            assert "step 9" not in lines_of(screen)

    drive(tmp_path, journey, LARGE, workspace=Workspace(tmp_path / "data" / "workspace"))


def test_a_trace_is_a_text_or_json_and_one_that_was_cut_stays_as_it_is() -> None:
    traces = ['"two\\nlines"', '{"a":1}', '{"cut":"of…']
    assert trace_values(traces) == ["two\nlines", {"a": 1}, '{"cut":"of…']
    assert trace_text(traces) == 'two\nlines\n{\n  "a": 1\n}\n{"cut":"of…'
    assert trace_text(traces, 2) == "two\nlines\n… 15 characters more"
    assert trace_text(['{"a":[1,2],"b":"x\\ny"}'], 4) == "a: [1,2]\nb: x\ny"
    assert trace_text(['[{"a":1},2]'], 1) == '{"a":1}\n… 1 character more'
    assert trace_text(["x" * 500], 4) == "x" * 200 + "…\n… 300 characters more"
    assert trace_text(["x" * 30_000]).endswith("x\n… 10,000 characters more")
