"""What a run is set up with."""

from pathlib import Path

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from spotui.domain.errors import SpotuiError
from spotui.runs.setup import draw_questions, load_settings, new_project
from spotui.runs.work import load_work
from spotui.settings.run_settings import BudgetSettings, RoleSet, RoleSettings, RunSettings
from spotui.templates.model import TemplateError
from spotui.workspace.projects import ProjectError, Workspace
from spotui.workspace.snapshot import read_snapshot
from tests.runs.starting import TEMPLATE, template

ROLE = RoleSettings(model="test-model", temperature=0.5, max_tokens=None, timeout=10.0)
ROLES = RoleSet(optimizer=ROLE, evaluator=ROLE, executor=ROLE)


@given(count=st.integers(0, 40), sample=st.integers(1, 40), seed=st.integers())
def test_every_question_is_either_asked_or_held_out(count: int, sample: int, seed: int) -> None:
    asked, held_out = draw_questions(count, sample, seed)
    assert sorted((*asked, *held_out)) == list(range(count))
    assert len(asked) == min(sample, count)
    assert (list(asked), list(held_out)) == (sorted(asked), sorted(held_out))
    assert draw_questions(count, sample, seed) == (asked, held_out)


def test_another_seed_draws_other_questions() -> None:
    assert len({draw_questions(20, 3, seed)[0] for seed in range(20)}) > 10


def test_settings_and_task_come_back_as_they_were(tmp_path: Path) -> None:
    settings = RunSettings(
        roles=ROLES,
        seed=7,
        judge="reference",
        reference_answers=False,
        budget=BudgetSettings(usd=0.5, calls=9),
    )
    project = new_project(Workspace(tmp_path), "sea", template(5, count=9), settings, template_name="a.yaml")
    snapshot = read_snapshot(project.snapshot)
    assert load_settings(snapshot, project.snapshot) == settings
    task = load_work(snapshot, project, settings).task
    assert (task.prompt, task.requirements, task.word_limit) == ("Say it in style 0.", "Vivid.", 9)
    assert not task.reference_answers
    everything = {(one.question, one.answer) for one in (*task.questions, *task.held_out)}
    assert everything == {(f"Question {n}?", f"Fact {n}.") for n in range(5)}
    assert (len(task.questions), len(task.held_out)) == (3, 2)


def test_settings_that_are_not_ours_are_refused_by_file(tmp_path: Path) -> None:
    settings = RunSettings(roles=ROLES)
    project = new_project(Workspace(tmp_path), "sea", TEMPLATE, settings, template_name="a.yaml")
    snapshot = msgspec.structs.replace(read_snapshot(project.snapshot), settings={"rounds": "many"})
    with pytest.raises(SpotuiError, match=r"run\.yaml are damaged"):
        load_settings(snapshot, project.snapshot)


def test_a_wrong_template_makes_no_project(tmp_path: Path) -> None:
    with pytest.raises(TemplateError):
        new_project(Workspace(tmp_path), "sea", "prompt: [", RunSettings(roles=ROLES), template_name="a.yaml")
    assert not list(tmp_path.iterdir())


def test_a_second_run_under_a_name_is_refused_and_fresh_archives_the_first(tmp_path: Path) -> None:
    settings = RunSettings(roles=ROLES)
    workspace = Workspace(tmp_path)
    first = new_project(workspace, "sea", TEMPLATE, settings, template_name="a.yaml")
    before = first.journal.read_bytes()
    with pytest.raises(ProjectError, match="a project 'sea' already"):
        new_project(workspace, "sea", TEMPLATE, settings, template_name="a.yaml")
    second = new_project(workspace, "sea", TEMPLATE, settings, template_name="a.yaml", fresh=True)
    assert second.journal.read_bytes() != before
    assert before in [path.read_bytes() for path in tmp_path.rglob("journal.jsonl")]


def test_a_templates_method_is_the_runs(tmp_path: Path) -> None:
    settings = RunSettings(roles=ROLES)
    for name, text in {"named": TEMPLATE + "method: spo\n", "silent": TEMPLATE}.items():
        project = new_project(Workspace(tmp_path), name, text, settings, template_name="a.yaml")
        assert read_snapshot(project.snapshot).method == "spo"
    with pytest.raises(SpotuiError, match="no method 'annealing'"):
        new_project(
            Workspace(tmp_path), "odd", TEMPLATE + "method: annealing\n", settings, template_name="a.yaml"
        )
    assert Workspace(tmp_path).names() == ["named", "silent"]
