"""Projects under other names: nothing is lost, nothing is overwritten, nobody is disturbed."""

from pathlib import Path

import pytest

from spotui.workspace.history import read_history
from spotui.workspace.journal import Journal
from spotui.workspace.journal_reader import JournalError
from spotui.workspace.lock import LockedError, ProjectLock
from spotui.workspace.moving import archived, create_project, duplicate, free_copy_name, rename, restore
from spotui.workspace.projects import Project, ProjectError, Workspace
from spotui.workspace.snapshot import read_snapshot
from tests.workspace.journal_lines import a_round
from tests.workspace.reference import write_round
from tests.workspace.snapshots import a_snapshot


@pytest.fixture
def workspace(tmp_path: Path) -> Workspace:
    return Workspace(tmp_path / "workspace")


def make(workspace: Workspace, name: str = "poem") -> Project:
    project = create_project(workspace, name, a_snapshot(), lines=[a_round(1, "seed"), a_round(2, "win")])
    (project.prompts / "results.json").write_text("[]")
    return project


def files(folder: Path) -> dict[str, bytes]:
    found = (path for path in folder.rglob("*") if path.is_file() and path.name != "lock")
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in found}


@pytest.mark.parametrize("name", ["song", "session/song"])
def test_a_renamed_project_is_the_same_under_its_new_name(workspace: Workspace, name: str) -> None:
    project = make(workspace)
    before = files(project.folder)
    new = rename(workspace, project, name)
    assert files(new.folder) == before
    assert workspace.names() == [name]
    with Journal(new.journal, writable=True) as journal:
        journal.append(a_round(3))  # and it can be gone on with


def test_its_own_name_is_no_change(workspace: Workspace) -> None:
    project = make(workspace)
    assert rename(workspace, project, "poem").folder == project.folder
    assert workspace.names() == ["poem"]


@pytest.mark.parametrize("name", ["song", "notes", ".hidden", "a/b/c", "song/inside"])
def test_a_name_that_is_taken_or_impossible_changes_nothing(workspace: Workspace, name: str) -> None:
    project = make(workspace)
    make(workspace, "song")
    (workspace.root / "notes").mkdir()
    before = files(workspace.root)
    with pytest.raises(ProjectError):
        rename(workspace, project, name)
    assert files(workspace.root) == before


def test_a_project_that_is_worked_on_keeps_its_name(workspace: Workspace) -> None:
    project = make(workspace)
    lock = ProjectLock(project.lock, project.name)
    lock.acquire()
    with pytest.raises(LockedError, match="poem is being worked on"):
        rename(workspace, project, "song")
    lock.release()
    rename(workspace, project, "song")
    assert workspace.names() == ["song"]


def test_a_copy_holds_everything_and_is_a_run_of_its_own(workspace: Workspace) -> None:
    project = make(workspace)
    copy = duplicate(workspace, project, "poem-2")
    assert read_history(copy).rounds == read_history(project).rounds
    assert (copy.prompts / "results.json").read_text() == "[]"
    old, new = read_snapshot(project.snapshot), read_snapshot(copy.snapshot)
    assert new.run != old.run
    assert (new.template, new.questions, new.settings) == (old.template, old.questions, old.settings)
    with Journal(copy.journal) as journal:
        assert next(journal.lines()).run == new.run  # type: ignore[union-attr]


def test_a_project_that_is_worked_on_can_be_copied(workspace: Workspace) -> None:
    project = make(workspace)
    lock = ProjectLock(project.lock, project.name)
    lock.acquire()
    copy = duplicate(workspace, project, "copy")
    assert read_history(copy).state == "interrupted"
    assert read_history(project).state == "running"
    lock.release()


def test_a_project_of_the_reference_is_copied_as_it_is(workspace: Workspace) -> None:
    project = workspace.project("theirs")
    write_round(project.folder, 1, succeed=True)
    copy = duplicate(workspace, project, "mine")
    assert files(copy.prompts) == files(project.prompts)
    assert read_history(copy).state == "foreign"


def test_a_copy_never_takes_the_place_of_a_project(workspace: Workspace) -> None:
    theirs = workspace.project("theirs")
    write_round(theirs.folder, 1, succeed=True)
    project = make(workspace)
    before = files(workspace.root)
    for one in (project, theirs):
        with pytest.raises(ProjectError):
            duplicate(workspace, one, "poem")
    assert files(workspace.root) == before
    assert not list(workspace.root.glob(".new-*"))


def test_a_damaged_project_is_not_copied_half(workspace: Workspace) -> None:
    project = make(workspace)
    lines = project.journal.read_bytes().splitlines(keepends=True)
    project.journal.write_bytes(lines[0] + b"damage\n" + lines[2])
    with pytest.raises(JournalError, match="Line 2"):
        duplicate(workspace, project, "copy")
    assert workspace.names() == ["poem"]


@pytest.mark.parametrize("name", ["poem", "session/poem"])
def test_what_was_archived_comes_back_as_it_was(workspace: Workspace, name: str) -> None:
    project = make(workspace, name)
    before = files(project.folder)
    folder = workspace.archive(project)
    assert workspace.names() == []
    assert [(one.name, one.folder) for one in archived(workspace)] == [(name, folder)]
    back = restore(workspace, folder)
    assert back.name == name
    assert files(back.folder) == before
    assert archived(workspace) == []


def test_of_two_that_had_one_name_the_newest_is_told_first_and_both_come_back(workspace: Workspace) -> None:
    older = workspace.archive(make(workspace))
    newer = workspace.archive(make(workspace))
    assert [one.folder for one in archived(workspace)] == [newer, older]
    assert [restore(workspace, one).name for one in (newer, older)] == ["poem", "poem-2"]


def test_what_is_gone_cannot_come_back(workspace: Workspace) -> None:
    folder = workspace.archive(make(workspace))
    restore(workspace, folder)
    with pytest.raises(ProjectError, match="no project in"):
        restore(workspace, folder)


def test_other_things_in_the_archive_are_no_projects(workspace: Workspace) -> None:
    assert archived(workspace) == []
    (workspace.root / ".archive" / "poem-20260101-000000-000000").mkdir(parents=True)
    (workspace.root / ".archive" / "note.txt").touch()
    assert archived(workspace) == []


def test_copies_are_numbered(workspace: Workspace) -> None:
    make(workspace)
    assert free_copy_name(workspace, "poem") == "poem-2"
    make(workspace, "poem-2")
    assert free_copy_name(workspace, "poem-2") == "poem-3"
    assert free_copy_name(workspace, "poem-7") == "poem-3"
