"""The projects of a workspace: names, listing, the way into the archive."""

import os
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from spotui.workspace.journal import Journal
from spotui.workspace.lock import LockedError, ProjectLock
from spotui.workspace.moving import check_free
from spotui.workspace.projects import Project, ProjectError, Workspace, new_run_id
from tests.workspace.journal_lines import RUN
from tests.workspace.reference import write_round


@pytest.fixture
def workspace(tmp_path: Path) -> Workspace:
    return Workspace(tmp_path / "workspace")


def make(workspace: Workspace, name: str) -> Project:
    """A project of ours with an empty run."""
    project = workspace.project(name)
    project.prompts.mkdir(parents=True)
    with Journal(project.journal, run=RUN, writable=True):
        pass
    return project


@pytest.mark.parametrize(
    "name",
    [
        "poem",
        "My poem 2",
        "詩",
        "猫\u3000犬",
        "née",
        "👩\u200d🚀",
        "a.b",
        "session/poem",
        "x" * 200,
        "詩" * 66,
        "a;rm -rf *",
    ],
)
def test_a_name_that_a_folder_can_have_is_taken_as_it_is(name: str, workspace: Workspace) -> None:
    project = make(workspace, name)
    assert project.folder.relative_to(workspace.root).as_posix() == name
    assert workspace.names() == [name]
    assert workspace.existing(name).folder == project.folder


@pytest.mark.parametrize(
    "name",
    [
        "",
        " ",
        ".",
        "..",
        ".hidden",
        "../poem",
        "a/..",
        "a/../../b",
        "/etc",
        "a//b",
        "a/",
        "a/b/c",
        "a\\b",
        "-flag",
        " a",
        "a ",
        "a\nb",
        "a\0b",
        "a\x1b[31m",
        "\u200b",
        "\u200d",
        "po\u200dem",
        "po\u200cem",
        "poem\ufe0f",
        "poem\u3164",
        "poem\U000e0100",
        "\u202emeop",
        "poem\U000e0041",
        "po\u00adem",
        "po\0em",
        "po\x1bem",
        "po\ud800em",
        "a\u202eb",
        "half \ud83d",
        "x" * 201,
        "詩" * 67,
        "a/" + "x" * 201,
    ],
)
def test_a_name_that_could_lead_elsewhere_or_mislead_is_refused(name: str, workspace: Workspace) -> None:
    for find in (workspace.project, workspace.existing, workspace.free_name):
        with pytest.raises(ProjectError, match="cannot be a project's name") as caught:
            find(name)
    assert "200 letters" in caught.value.hint


@given(name=st.text(st.characters(exclude_categories=[])))
def test_no_name_leads_out_of_the_workspace(name: str) -> None:
    root = Path("/workspace")
    try:
        folder = Workspace(root).project(name).folder
    except ProjectError:
        return
    assert os.path.normpath(folder) == str(folder)
    assert folder.is_relative_to(root)
    assert folder != root
    assert len(os.fsencode(folder.name)) <= 200


def test_names_come_in_the_order_of_work_nested_ones_included(workspace: Workspace) -> None:
    for second, name in enumerate(["b", "session/one", "a", "session/two"], 1):
        os.utime(make(workspace, name).journal, (second, second))
    write_round(workspace.project("reference").folder, 1, succeed=True)
    os.utime(workspace.project("reference").results, (2.5, 2.5))
    assert workspace.names() == ["b", "session/one", "reference", "a", "session/two"]


def test_what_is_no_project_is_not_listed(workspace: Workspace) -> None:
    make(workspace, "poem")
    (workspace.root / "empty").mkdir()
    (workspace.root / "file").touch()
    (workspace.root / ".hidden" / "prompts").mkdir(parents=True)
    (workspace.root / ".hidden" / "prompts" / "results.json").touch()
    (workspace.root / "dangling").symlink_to("nowhere")
    (workspace.root / os.fsdecode(b"caf\xe9")).mkdir()
    assert workspace.names() == ["poem"]


def test_a_linked_project_is_listed(workspace: Workspace, tmp_path: Path) -> None:
    workspace.root.mkdir()
    make(Workspace(tmp_path / "elsewhere"), "poem")
    (workspace.root / "linked").symlink_to(tmp_path / "elsewhere" / "poem")
    assert workspace.names() == ["linked"]


def test_a_workspace_that_is_missing_or_a_file_has_no_projects(workspace: Workspace) -> None:
    assert workspace.names() == []
    workspace.root.touch()
    assert workspace.names() == []
    assert not workspace.project("poem").exists


def test_a_workspace_that_cannot_be_read_is_a_clear_error(tmp_path: Path) -> None:
    (tmp_path / "loop").symlink_to("loop")
    with pytest.raises(ProjectError, match="cannot be read: Too many levels") as caught:
        Workspace(tmp_path / "loop").names()
    assert "SPOTUI_WORKSPACE" in caught.value.hint


@pytest.mark.parametrize(
    ("wanted", "near"),
    [("peom", "poem"), ("Poem", "poem"), ("support_reply", "support-reply"), ("session/on", "session/one")],
)
def test_a_project_that_is_not_there_is_answered_with_the_nearest(
    wanted: str, near: str, workspace: Workspace
) -> None:
    for name in ("poem", "support-reply", "session/one"):
        make(workspace, name)
    with pytest.raises(ProjectError) as caught:
        workspace.existing(wanted)
    assert caught.value.what == f"There is no project {wanted!r} in {workspace.root}."
    assert caught.value.hint == f"Did you mean {near!r}?"


def test_a_project_that_is_like_no_other_is_answered_with_the_way_to_the_list(workspace: Workspace) -> None:
    make(workspace, "poem")
    with pytest.raises(ProjectError) as caught:
        workspace.existing("zebra")
    assert caught.value.hint == "List the projects with 'spotui list'."


def test_a_free_name_is_the_wanted_one_or_the_next_number(workspace: Workspace) -> None:
    assert workspace.free_name("poem") == "poem"
    make(workspace, "poem")
    assert workspace.free_name("poem") == "poem-2"
    (workspace.root / "poem-2").touch()
    (workspace.root / "poem-3").symlink_to("nowhere")
    assert workspace.free_name("poem") == "poem-4"


@pytest.mark.parametrize("name", ["x" * 200, "詩" * 66, "session/" + "x" * 200, "x" * 197 + " y"])
def test_a_free_name_of_the_longest_name_is_a_name(name: str, workspace: Workspace) -> None:
    make(workspace, name)
    free = workspace.free_name(name)
    assert free.endswith("-2")
    assert free.rpartition("/")[0] == name.rpartition("/")[0]
    make(workspace, free)


@pytest.mark.parametrize("name", ["poem", "session/poem", "詩" * 66])
def test_the_archive_keeps_everything_and_frees_the_name(name: str, workspace: Workspace) -> None:
    project = make(workspace, name)
    (project.folder / "note.txt").write_text("mine")
    journal = project.journal.read_bytes()
    target = workspace.archive(project)
    assert target.is_relative_to(workspace.root / ".archive")
    assert (target / "note.txt").read_text() == "mine"
    assert (target / "journal.jsonl").read_bytes() == journal
    assert not project.folder.exists()
    assert workspace.names() == []
    assert workspace.free_name(name) == name


def test_two_projects_of_one_name_archived_in_one_second_are_both_kept(workspace: Workspace) -> None:
    targets = []
    for text in ("one", "two", "three"):
        project = make(workspace, "poem")
        (project.folder / "note.txt").write_text(text)
        targets.append(workspace.archive(project))
    assert [(target / "note.txt").read_text() for target in targets] == ["one", "two", "three"]


def test_a_project_that_is_worked_on_is_not_archived(workspace: Workspace) -> None:
    project = make(workspace, "session/poem")
    lock = ProjectLock(project.lock, project.name)
    lock.acquire()
    with pytest.raises(LockedError, match="session/poem is being worked on") as caught:
        workspace.archive(project)
    assert "'spotui attach session/poem'" in caught.value.hint
    lock.release()
    assert project.exists
    workspace.archive(project)
    assert not project.exists


def test_an_archived_project_is_no_longer_locked(workspace: Workspace) -> None:
    target = workspace.archive(make(workspace, "poem"))
    assert ProjectLock(target / "lock", "poem").acquire() is None


def test_an_archive_that_cannot_be_made_leaves_the_project(workspace: Workspace) -> None:
    project = make(workspace, "poem")
    (workspace.root / ".archive").touch()
    with pytest.raises(OSError, match="File exists"):
        workspace.archive(project)
    assert project.exists
    assert ProjectLock(project.lock, project.name).living_owner() is None


def test_a_project_of_the_reference_is_one_although_it_has_no_journal(workspace: Workspace) -> None:
    workspace.project("poem").prompts.mkdir(parents=True)
    assert not workspace.project("poem").exists
    write_round(workspace.root / "poem", 1, succeed=True)
    project = workspace.existing("poem")
    assert not project.is_ours
    assert make(workspace, "ours").is_ours


def test_every_run_has_an_id_of_its_own() -> None:
    assert len({new_run_id() for _ in range(1000)}) == 1000


def test_a_workspace_is_empty_until_there_is_a_project(workspace: Workspace) -> None:
    assert workspace.is_empty
    (workspace.root / "notes").mkdir(parents=True)
    (workspace.root / ".archive" / "poem").mkdir(parents=True)
    assert workspace.is_empty
    make(workspace, "session/poem")
    assert not workspace.is_empty


@pytest.mark.parametrize(
    ("first", "second"), [("caf\u00e9", "cafe\u0301"), ("poem", "\uff50oem"), ("s/Å", "s/\u212b")]
)
def test_a_name_that_looks_like_another_is_refused(first: str, second: str, workspace: Workspace) -> None:
    check_free(workspace, second)
    make(workspace, first)
    with pytest.raises(ProjectError, match="looks like the project"):
        check_free(workspace, second)
    check_free(workspace, f"{second} 2")


@pytest.mark.parametrize("what", ["a link", "a folder link", "a pipe"])
def test_what_lies_in_the_workspace_cannot_stop_the_list(what: str, workspace: Workspace) -> None:
    make(workspace, "poem")
    match what:
        case "a link":
            (workspace.root / "round").symlink_to("/dev/zero")
        case "a folder link":
            (workspace.root / "everything").symlink_to("/")
            (workspace.root / "itself").symlink_to(".")
        case _:
            os.mkfifo(workspace.root / "pipe")
    assert workspace.names() == ["poem"]
    assert not workspace.is_empty
