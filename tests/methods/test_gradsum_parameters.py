"""What each parameter of GRAD-SUM changes in what the models are asked, and who is asked what."""

from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from spotui.domain.events import BlockShown, CandidateScored, NoteWritten
from spotui.methods import load_method
from spotui.methods.parameters import read_parameters
from spotui.settings.table import RoleSet, RoleSettings
from tests.methods.scored import scored_project
from tests.model_server import JsonObject, ModelServer, Persona, conversation
from tests.row_model import adding, answer, kind_of, note, propose, template
from tests.runs.starting import Stage, Told


def go(
    folder: Path, parameters: dict[str, Any], model: Persona = adding, **options: Any
) -> tuple[Told, ModelServer]:
    with ModelServer(model) as server:
        stage = Stage(folder, server)
        wanted = {"iterations": 2, "candidates_per_parent": 2, **parameters}
        return stage.go(
            scored_project(
                stage, "gradsum", **{"count": 100, "few_tested": True, "parameters": wanted, **options}
            )
        ), server


def test_the_known_settings_are_the_defaults() -> None:
    found: Any = read_parameters("gradsum", load_method("gradsum"), {})
    assert (found.iterations, found.beam, found.train_rows) == (10, 3, 30)


def test_the_evaluator_writes_gradients_and_summaries_and_the_optimizer_edits(tmp_path: Path) -> None:
    def role(model: str) -> RoleSettings:
        return RoleSettings(model=model, temperature=0.5, max_tokens=None, timeout=10.0)

    roles = RoleSet(optimizer=role("strong"), evaluator=role("small"), executor=role("task"))
    _, server = go(tmp_path, {"optimizer_temperature": 0.8}, roles=roles)
    seen = {(kind_of(one.json), one.json["model"], one.json["temperature"]) for one in server.requests}
    assert seen == {("propose", "strong", 0.8), ("likelihood", "small", 0.0), ("execute", "task", 0.5)}


def test_gradients_come_from_so_many_train_rows_always_the_same(tmp_path: Path) -> None:
    def wrong(_: JsonObject) -> str:
        return "no idea"

    model = Persona(kind_of, propose=propose, execute=wrong, likelihood=note)
    end, _ = go(tmp_path, {"train_rows": 7}, model)
    gradients = Counter((one.round, one.prompt) for one in end.of(NoteWritten) if one.what == "gradient")
    assert set(gradients.values()) == {7}


@pytest.mark.parametrize("beam", [1, 4])
def test_so_many_go_on_and_all_of_them_meet_all_rows_at_the_end(tmp_path: Path, beam: int) -> None:
    end, _ = go(tmp_path, {"beam": beam, "subset_rows": 5, "candidates_per_parent": 4})
    assert [len(one.items) for one in end.of(BlockShown)] == [beam, beam]
    assert {member.rows for one in end.of(BlockShown) for member in one.items} == {5}
    whole = {one.prompt for one in end.of(CandidateScored) if one.rows == 20 and one.split == "eval"}
    assert {one.text for one in end.of(BlockShown)[-1].items} <= whole


def test_so_many_edits_of_each_parent_are_asked_for(tmp_path: Path) -> None:
    _, server = go(tmp_path, {"iterations": 1, "candidates_per_parent": 5})
    assert Counter(kind_of(one.json) for one in server.requests)["propose"] == 5


def test_a_row_between_right_and_wrong_has_a_gradient_when_marks_have_degrees(tmp_path: Path) -> None:
    def half(_: JsonObject) -> str:
        return "<reason>It is only half right.</reason><score>0.5</score>"

    text = template(metric="{name: judge, scale: graded}", criteria="The sum, with a reason.")
    model = Persona(kind_of, propose=propose, execute=answer, judge=half, likelihood=note)
    end, server = go(tmp_path, {"iterations": 1, "train_rows": 6}, model, text=text)
    written = [one for one in server.requests if "<failure>" in conversation(one.json)]
    assert len(written) == 6
    asked = conversation(written[0].json)
    for part in ("The right sum.", "Add in style 0.", "The sum, with a reason.", "only half right"):
        assert part in asked
    assert {one.score for one in end.of(CandidateScored)} == {0.5}


def test_rows_are_asked_with_labels_when_that_is_wanted(tmp_path: Path) -> None:
    _, server = go(tmp_path, {"iterations": 1, "qa_labels": True, "prompt_position": "question_end"})
    execute = [conversation(one.json) for one in server.requests if kind_of(one.json) == "execute"]
    assert all(one.startswith("Q: ") and one.endswith("\nA:") for one in execute)
