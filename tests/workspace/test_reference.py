"""Our workspaces in the reference's reader, and the reference's workspaces here."""

import json
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from spotui.domain.records import AnswerRecord, OverrideLine, RoundLine
from spotui.workspace.history import apply_overrides, read_history
from spotui.workspace.moving import create_project
from spotui.workspace.projects import Project, Workspace
from spotui.workspace.spo_files import SpoRound, encode_results, project_rounds, read_rounds, write_rounds
from tests.workspace import reference
from tests.workspace.journal_lines import AT, a_round, a_verdict
from tests.workspace.snapshots import a_snapshot

SEED = a_round(1, "seed")


def finished(
    workspace: Workspace, name: str, rounds: list[RoundLine], verdicts: list[OverrideLine]
) -> Project:
    """A project of ours whose run has ended these rounds, with its files as the run leaves them."""
    project = create_project(workspace, name, a_snapshot(), lines=[*rounds, *verdicts])
    write_rounds(project.prompts, project_rounds(apply_overrides(rounds, verdicts)))
    return project


def agrees_with_the_reference(project: Project) -> None:
    """The reference finds the same best round here as we do, and every text where it looks for it."""
    best = read_history(project).best
    assert best is not None
    theirs = reference.best_entry(project.folder)
    assert (theirs["round"], theirs["prompt"]) == (best.round, best.prompt)
    assert [(one["question"], one["answer"]) for one in theirs["answers"]] == [
        (one.question, one.answer) for one in best.answers
    ]
    folder = project.prompts / f"round_{best.round}"
    assert (folder / "prompt.txt").read_bytes().decode() == best.prompt


def test_the_reference_optimises_from_our_best_round(tmp_path: Path) -> None:
    rounds = [
        SEED,
        a_round(2, "loss"),
        a_round(3, "win"),
        a_round(4, "tie"),
        a_round(5, "void", "", answers=()),
    ]
    project = finished(Workspace(tmp_path), "poem", rounds, [])
    agrees_with_the_reference(project)
    assert reference.best_entry(project.folder)["round"] == 3
    assert reference.listing(project.folder) == (
        4,
        2,
        [
            f"{number} {how} 11 tokens\n2026-03-04T05:06:07.000089\nPrompt {number}.\nQ?: A."
            for number, how in [(1, "won"), (2, "lost"), (3, "won"), (4, "lost")]
        ],
    )


@pytest.mark.parametrize(
    ("verdicts", "best"),
    [
        ([a_verdict(4, "win")], 4),
        ([a_verdict(3, "loss")], 1),
        ([a_verdict(3, "loss"), a_verdict(2, "win")], 2),
        ([a_verdict(2, "win")], 3),
        ([a_verdict(4, "win"), a_verdict(4, "loss")], 3),
    ],
)
def test_the_reference_sees_what_a_person_decided(
    verdicts: list[OverrideLine], best: int, tmp_path: Path
) -> None:
    rounds = [SEED, a_round(2, "loss"), a_round(3, "win"), a_round(4, "undecided")]
    project = finished(Workspace(tmp_path), "poem", rounds, verdicts)
    agrees_with_the_reference(project)
    assert reference.best_entry(project.folder)["round"] == best


texts = st.text(max_size=20)
answers = st.lists(st.builds(AnswerRecord, texts, texts), min_size=1, max_size=3).map(tuple)
later_rounds = st.lists(
    st.builds(
        lambda outcome, prompt, answers: RoundLine(
            at=AT, round=0, outcome=outcome, prompt=prompt, answers=answers
        ),
        st.sampled_from(["win", "loss", "tie", "undecided"]),
        texts,
        answers,
    ),
    max_size=5,
)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    later=later_rounds,
    verdicts=st.lists(st.builds(a_verdict, st.integers(2, 6), st.sampled_from(["win", "loss"]))),
)
def test_the_reference_agrees_on_the_best_of_any_run(
    later: list[RoundLine], verdicts: list[OverrideLine], tmp_path: Path
) -> None:
    numbered = [
        RoundLine(at=AT, round=number, outcome=one.outcome, prompt=one.prompt, answers=one.answers)
        for number, one in enumerate(later, 2)
    ]
    workspace = Workspace(tmp_path)
    project = finished(workspace, workspace.free_name("poem"), [SEED, *numbered], verdicts)
    agrees_with_the_reference(project)


@pytest.mark.parametrize("name", ["poem", "0f8fad5b-d9cb-469f-a165-70867728950e/poem"])
def test_a_workspace_of_the_reference_opens_flat_and_by_session(name: str, tmp_path: Path) -> None:
    workspace = Workspace(tmp_path)
    for number, succeed in [(1, True), (2, False), (3, True)]:
        reference.write_round(tmp_path / name, number, prompt=f"詩 {number}", succeed=succeed)
    assert workspace.names() == [name]
    project = workspace.existing(name)
    agrees_with_the_reference(project)
    history = read_history(project)
    assert history.state == "foreign"
    assert [one.prompt for one in history.rounds] == ["詩 1", "詩 2", "詩 3"]
    assert encode_results(read_rounds(project.prompts)) == project.results.read_bytes()


def test_two_templates_of_one_session_are_two_projects(tmp_path: Path) -> None:
    for name in ("poem", "navigate"):
        reference.write_round(tmp_path / "0f8fad5b" / name, 1, succeed=True)
    assert sorted(Workspace(tmp_path).names()) == ["0f8fad5b/navigate", "0f8fad5b/poem"]


def test_where_the_reference_ran_twice_the_newer_rounds_are_shown_and_its_file_is_left_alone(
    tmp_path: Path,
) -> None:
    for number in (1, 2, 3):
        reference.write_round(tmp_path / "poem", number, prompt=f"Old {number}.", succeed=True)
    for number in (1, 2):
        reference.write_round(tmp_path / "poem", number, prompt=f"New {number}.", succeed=True)
    project = Workspace(tmp_path).existing("poem")
    before = project.results.read_bytes()
    # The reference's own rule: a round of the older run is the best, since its number is the highest.
    agrees_with_the_reference(project)
    assert [one.prompt for one in read_history(project).rounds] == ["New 1.", "New 2.", "Old 3."]
    assert project.results.read_bytes() == before


def test_a_question_that_yaml_made_a_number_is_a_text_here(tmp_path: Path) -> None:
    answers = [{"question": 12, "answer": "twelve"}, {"question": True, "answer": "yes"}]
    reference.write_round(tmp_path / "poem", 1, prompt=7, answers=answers, succeed=True)
    (only,) = read_history(Workspace(tmp_path).existing("poem")).rounds
    assert only.prompt == "7"
    assert only.answers == (AnswerRecord("12", "twelve"), AnswerRecord("True", "yes"))


def test_a_workspace_of_the_reference_is_not_changed_by_looking_at_it(tmp_path: Path) -> None:
    reference.write_round(tmp_path / "poem", 1, succeed=True)
    before = {path: path.stat().st_mtime_ns for path in tmp_path.rglob("*")}
    workspace = Workspace(tmp_path)
    for name in workspace.names():
        read_history(workspace.existing(name))
    assert {path: path.stat().st_mtime_ns for path in tmp_path.rglob("*")} == before


def test_odd_entries_are_read_as_text(tmp_path: Path) -> None:
    entries = [
        {
            "round": 1,
            "answers": [{"question": 12, "answer": True}, {"question": None, "answer": 0.5}, {}],
            "prompt": None,
            "succeed": True,
            "mood": "calm",
        },
        {"round": 2, "answers": [], "prompt": "half \ud83d", "succeed": False, "tokens": 3, "time": None},
    ]
    (tmp_path / "results.json").write_text(json.dumps(entries))
    assert read_rounds(tmp_path) == [
        SpoRound(
            round=1,
            answers=(AnswerRecord("12", "True"), AnswerRecord("", "0.5"), AnswerRecord("", "")),
            prompt="",
            succeed=True,
            tokens=0,
            time="",
        ),
        SpoRound(round=2, answers=(), prompt="half \ufffd", succeed=False, tokens=3, time=""),
    ]


def test_results_that_an_editor_saved_with_a_mark_in_front_are_read(tmp_path: Path) -> None:
    (tmp_path / "results.json").write_bytes(b"\xef\xbb\xbf" + encode_results(project_rounds([SEED])))
    assert [one.round for one in read_rounds(tmp_path)] == [1]
