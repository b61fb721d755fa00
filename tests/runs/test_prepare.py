"""From a template to a project, and back."""

from pathlib import Path
from typing import get_args

import msgspec
import pytest

from spotui.domain.errors import SpotuiError
from spotui.runs.prepare import Prepared, Purpose
from spotui.runs.snapshots import new_project, reopen, stored_settings
from spotui.settings.table import BudgetSettings, RoleSet, RoleSettings, RunSettings
from spotui.templates.model import TemplateError
from spotui.workspace.projects import ProjectError, Workspace
from spotui.workspace.snapshot import read_snapshot, write_snapshot
from tests.row_model import rows
from tests.row_model import template as scored
from tests.runs.starting import TEMPLATE, prepared, template

ROLE = RoleSettings(model="test-model", temperature=0.5, max_tokens=None, timeout=10.0)
ROLES = RoleSet(optimizer=ROLE, evaluator=ROLE, executor=ROLE)


def test_settings_and_task_come_back_as_they_were(tmp_path: Path) -> None:
    settings = RunSettings(
        roles=ROLES,
        seed=7,
        judge="reference",
        reference_answers=False,
        budget=BudgetSettings(usd=0.5, calls=9),
    )
    project = new_project(Workspace(tmp_path), "sea", prepared(template(5, count=9), settings))
    assert stored_settings(project) == settings
    task = reopen(project).task
    assert (task.prompt, task.requirements, task.word_limit) == ("Say it in style 0.", "Vivid.", 9)
    assert not task.reference_answers
    everything = {(one.question, one.answer) for one in (*task.questions, *task.held_out)}
    assert everything == {(f"Question {n}?", f"Fact {n}.") for n in range(5)}
    assert (len(task.questions), len(task.held_out)) == (3, 2)


def test_a_project_holds_all_that_was_prepared(tmp_path: Path) -> None:
    (tmp_path / "rows.jsonl").write_text(rows(30))
    settings = RunSettings(roles=ROLES, seed=3, judge="reference")
    for name, text, parameters in (("poem", template(5), {}), ("sums", scored(), {"few_shot_demos": 2})):
        method = "gpo" if parameters else None
        path = tmp_path / f"{name}.yaml"
        wanted = prepared(text, settings, path=path, method=method, parameters=parameters)
        again = reopen(new_project(Workspace(tmp_path / "workspace"), name, wanted))
        for field in set(Prepared.__struct_fields__) - {"run", "path", "meta", "method"}:
            assert getattr(again, field) == getattr(wanted, field), field
        assert again.run
        assert (again.task, again.layout) == (wanted.task, wanted.layout)
        assert again.meta.texts == wanted.meta.texts


def test_a_method_that_knows_its_rounds_takes_them_unless_somebody_chose_others(tmp_path: Path) -> None:
    (tmp_path / "rows.jsonl").write_text(rows(30))
    settings = RunSettings(roles=ROLES)
    found = {
        rounds_are_default: prepared(
            scored(),
            settings,
            path=tmp_path / "sums.yaml",
            method="gpo",
            parameters={"epochs": 2, "batch_size": 3},
            rounds_are_default=rounds_are_default,
        ).settings.max_rounds
        for rounds_are_default in (True, False)
    }
    assert found == {True: 5, False: 10}


def test_only_models_that_are_asked_have_to_exist(tmp_path: Path) -> None:
    (tmp_path / "rows.jsonl").write_text(rows(30))
    settings = RunSettings(roles=ROLES)
    path, embedding = tmp_path / "sums.yaml", {"relevance": "embedding"}
    asked = {
        purpose: prepared(scored(), settings, path=path, method="gpo", purpose=purpose).settings.asked
        for purpose in get_args(Purpose)
    }
    assert asked == {
        "run": ("optimizer", "executor"),
        "score": ("executor",),
        "headroom": ("optimizer", "executor"),
        "judge-check": ("evaluator", "executor"),
        "rows": ("optimizer",),
        "labels": ("evaluator",),
        "tune": ("optimizer", "evaluator"),
    }
    with pytest.raises(SpotuiError, match="needs an embedding model"):
        prepared(scored(), settings, path=path, method="gpo", parameters=embedding)
    prepared(scored(), settings, path=path, method="gpo", parameters=embedding, purpose="score")


def test_settings_that_are_not_ours_are_refused_by_file(tmp_path: Path) -> None:
    settings = RunSettings(roles=ROLES)
    project = new_project(Workspace(tmp_path), "sea", prepared(TEMPLATE, settings))
    snapshot = msgspec.structs.replace(read_snapshot(project.snapshot), settings={"rounds": "many"})
    write_snapshot(project.snapshot, snapshot)
    for read in (stored_settings, reopen):
        with pytest.raises(SpotuiError, match=r"run\.yaml are damaged"):
            read(project)


def test_a_wrong_template_makes_no_project(tmp_path: Path) -> None:
    with pytest.raises(TemplateError):
        new_project(Workspace(tmp_path), "sea", prepared("prompt: [", RunSettings(roles=ROLES)))
    assert not list(tmp_path.iterdir())


def test_a_second_run_under_a_name_is_refused_and_fresh_archives_the_first(tmp_path: Path) -> None:
    settings = RunSettings(roles=ROLES)
    workspace = Workspace(tmp_path)
    first = new_project(workspace, "sea", prepared(TEMPLATE, settings))
    before = first.journal.read_bytes()
    with pytest.raises(ProjectError, match="a project 'sea' already"):
        new_project(workspace, "sea", prepared(TEMPLATE, settings))
    second = new_project(workspace, "sea", prepared(TEMPLATE, settings), fresh=True)
    assert second.journal.read_bytes() != before
    assert before in [path.read_bytes() for path in tmp_path.rglob("journal.jsonl")]


def test_a_templates_method_is_the_runs(tmp_path: Path) -> None:
    settings = RunSettings(roles=ROLES)
    for name, text in {"named": TEMPLATE + "method: spo\n", "silent": TEMPLATE}.items():
        project = new_project(Workspace(tmp_path), name, prepared(text, settings))
        assert read_snapshot(project.snapshot).method == "spo"
    with pytest.raises(SpotuiError, match="Unknown method 'annealing'"):
        new_project(Workspace(tmp_path), "odd", prepared(TEMPLATE + "method: annealing\n", settings))
    assert Workspace(tmp_path).names() == ["named", "silent"]


def test_criteria_are_the_requirements_where_there_are_no_others() -> None:
    text = template(3).replace(
        "requirements: Vivid.", "requirements: None\ncriteria: [Is polite., Is short.]"
    )
    found = prepared(text, RunSettings(roles=ROLES))
    assert found.task.requirements == found.task.criteria == "Is polite.\nIs short."
    assert msgspec.structs.replace(found, edition=5).task.requirements == ""
