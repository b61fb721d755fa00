"""What a run left behind: in the project's files, and in the record of the server it asked."""

import json
from collections import Counter
from pathlib import Path

from spotui.domain.records import CallLine
from spotui.workspace.history import History, read_history
from spotui.workspace.journal_reader import read_lines
from spotui.workspace.projects import Project
from tests.model_server import JsonObject, ModelServer, conversation
from tests.spo_model import execute, role_of


def project(home: Path, name: str = "why") -> Project:
    return Project(home / "data" / "workspace" / name, name)


def history(home: Path, name: str = "why") -> History:
    return read_history(project(home, name))


def results(home: Path, name: str = "why") -> list[JsonObject]:
    """What results.json says, but for when."""
    path = project(home, name).results
    rounds: list[JsonObject] = json.loads(path.read_text()) if path.exists() else []
    for one in rounds:
        del one["time"]
    return rounds


def journalled(home: Path, name: str = "why") -> Counter[str]:
    """How often each conversation is in the journal with its reply."""
    lines = read_lines(project(home, name).journal, CallLine)
    return Counter(
        conversation(json.loads(bytes(line.request))) for line in lines if isinstance(line, CallLine)
    )


def check_that_only_answers_were_judged(server: ModelServer) -> None:
    """What was judged, and what a proposal starts from, are whole answers that the executor has given."""
    given = {execute(one.json).strip() for one in server.requests if role_of(one.json) == "execute"}
    for one in server.requests:
        text = conversation(one.json)
        match role_of(one.json):
            case "judge":
                for side in "AB":
                    shown = text.split(f"<answers_of_{side}>")[1].split(f"</answers_of_{side}>")[0]
                    # The final check shows one alone.
                    assert sum(answer in shown for answer in given) in {1, 3}, shown
            case "propose":
                assert sum(answer in text for answer in given) == 3, text
            case _:
                pass
