"""A person's hint: the optimizer reads it from the next round on, and a resumed run knows it."""

from pathlib import Path

import pytest

from spotui.domain.commands import Hint
from spotui.domain.events import CommandRefused, HintGiven
from spotui.domain.records import HintLine
from spotui.view.retell import retell
from spotui.workspace.history import read_history
from spotui.workspace.journal_reader import read_lines
from tests.model_server import ModelServer
from tests.runs.reactions import at_round, both, resumed_alike
from tests.runs.starting import Stage, text_of, told
from tests.spo_model import climbing, role_of

HINT = "Ask for  one line,\nnot two."
READ = "Ask for one line, not two."


def proposals(stage: Stage) -> list[str]:
    return [text_of(one) for one in stage.server.requests if role_of(one.json) == "propose"]


def test_a_hint_is_read_from_the_next_round_on_kept_and_ended(tmp_path: Path) -> None:
    with ModelServer(climbing) as server:
        stage = Stage(tmp_path, server)
        project = stage.project(max_rounds=5)
        end = told(
            stage.run(project),
            both(at_round(2, Hint(text=HINT)), at_round(4, Hint(text=" "))),
        )
        asked = proposals(stage)
        assert [READ in text for text in asked] == [False, True, True, False]
        assert asked[1].index("<hint>") < asked[1].index("<requirements>")
        assert [(one.text, one.before_round) for one in end.of(HintGiven)] == [(READ, 3), ("", 5)]
        lines = [one for one in read_lines(project.journal, HintLine) if isinstance(one, HintLine)]
        assert [(one.text, one.before_round) for one in lines] == [(READ, 3), ("", 5)]
        assert resumed_alike(stage, project)
        again = stage.go(project)
        assert [(one.text, one.before_round) for one in again.of(HintGiven)] == [(READ, 3), ("", 5)]
    retold = [event for event in retell(project, read_history(project)) if isinstance(event, HintGiven)]
    assert [(one.text, one.before_round) for one in retold] == [(READ, 3), ("", 5)]


def test_a_hint_holds_in_the_next_session(tmp_path: Path) -> None:
    with ModelServer(climbing) as server:
        stage = Stage(tmp_path, server)
        project = stage.project(max_rounds=2)
        told(stage.run(project), at_round(2, Hint(text=HINT)))
        assert not any(READ in text for text in proposals(stage))
        stage.go(project, changes={"rounds": 3})
        assert [READ in text for text in proposals(stage)] == [False, True]


@pytest.mark.parametrize(("text", "why"), [("  ", "there is none to end"), ("a" * 1001, "1,001 characters")])
def test_a_hint_that_says_nothing_or_too_much_is_refused(tmp_path: Path, text: str, why: str) -> None:
    with ModelServer(climbing) as server:
        stage = Stage(tmp_path, server)
        project = stage.project(max_rounds=2)
        end = told(stage.run(project), at_round(2, Hint(text=text)))
    assert end.one(CommandRefused).command == "hint"
    assert why in end.one(CommandRefused).why
    assert not list(read_lines(project.journal, HintLine))
