"""The system prompt of a support assistant: imported from promptfoo, tuned, and put back from the app."""

import json
from pathlib import Path

import pytest
from textual.pilot import Pilot

from spotui.cli import main
from spotui.settings import locations
from spotui.tui.app import SpotuiApp
from spotui.workspace.projects import Workspace
from tests.command_line import move_in
from tests.model_server import ModelServer
from tests.spo_model import climbing
from tests.tui.piloting import LARGE, drive, until_seen

CHAT = json.dumps(
    [
        {"role": "system", "content": "Answer the question."},
        {"role": "user", "content": "{{first}}"},
        {"role": "assistant", "content": "{{reply}}"},
        {"role": "user", "content": "{{second}}"},
        {"role": "assistant", "content": "{{reply2}}"},
        {"role": "user", "content": "{{question}}"},
    ]
)
CONFIG = f"""\
# live since May
prompts:
  - '{CHAT}'
providers: [echo]
defaultTest:
  vars: {{first: Hi, reply: Hello!, second: My order is late., reply2: Which one?}}
  assert: [{{type: llm-rubric, value: Is friendly}}]
tests:
  - vars: {{question: [Number 1?, Number 2?, Number 3?]}}
"""


def test_a_prompt_goes_from_promptfoo_through_a_run_and_back(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with ModelServer(climbing, api_key="sk-the-key") as model:
        move_in(monkeypatch, tmp_path, OPENAI_API_KEY="sk-the-key", OPENAI_BASE_URL=model.base_url)
        monkeypatch.chdir(tmp_path)
        source = tmp_path / "evals" / "promptfooconfig.yaml"
        source.parent.mkdir()
        source.write_text(CONFIG)
        assert main(["import", "evals", "-o", "support.yaml"]) == 0
        assert (
            main(["run", "support.yaml", "--model", "test-model", "--max-rounds", "2", "--name", "mine"]) == 0
        )
        asked = [one.json["messages"] for one in model.requests if len(one.json["messages"]) == 6]
    assert {messages[0]["content"] for messages in asked} == {
        "Answer the question.",
        "Answer in style 1, with reasons.",
    }
    assert [one["role"] for one in asked[0]] == ["system", *["user", "assistant"] * 2, "user"]

    async def journey(app: SpotuiApp, pilot: Pilot[None]) -> None:
        await until_seen(pilot, "mine", "Templates")
        await pilot.press("enter")
        await until_seen(pilot, "Best: round 2")
        await pilot.press("x")
        await until_seen(pilot, "back into evals")
        await pilot.press("b")
        await until_seen(pilot, "Replace the prompt in promptfooconfig.yaml?")
        await pilot.press("y")
        await until_seen(pilot, "Wrote ")

    drive(tmp_path, journey, LARGE, workspace=Workspace(locations.workspace_dir()))
    assert source.read_text() == CONFIG.replace("Answer the question.", "Answer in style 1, with reasons.")
