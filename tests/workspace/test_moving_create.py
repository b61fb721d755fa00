"""Making a project: whole or not at all, and of two that race one gets the name."""

import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from spotui.domain.records import EditLine, Line
from spotui.workspace import moving as create
from spotui.workspace.journal import Journal
from spotui.workspace.journal_reader import JournalError
from spotui.workspace.lock import LockedError, ProjectLock
from spotui.workspace.moving import create_project
from spotui.workspace.projects import ProjectError, Workspace
from spotui.workspace.snapshot import read_snapshot
from tests.workspace.full_disk import no_file_beyond
from tests.workspace.journal_lines import RUN, a_round
from tests.workspace.other_process import heard, other_process, tell
from tests.workspace.reference import write_round
from tests.workspace.snapshots import a_snapshot


@pytest.fixture
def workspace(tmp_path: Path) -> Workspace:
    return Workspace(tmp_path / "deep" / "workspace")


def names_in(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def content(folder: Path) -> dict[str, bytes]:
    """Every file under a folder."""
    return {
        path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()
    }


@pytest.mark.parametrize("name", ["poem", "session/poem"])
def test_a_project_is_there_whole_with_what_its_journal_begins_with(name: str, workspace: Workspace) -> None:
    project = create_project(workspace, name, a_snapshot(), lines=[a_round(1, "seed"), a_round(2)])
    assert project.is_ours
    assert project.prompts.is_dir()
    assert read_snapshot(project.snapshot) == a_snapshot()
    with Journal(project.journal, writable=True) as journal:
        first, *rest = journal.lines()
    assert first.run == RUN  # type: ignore[union-attr]
    assert rest == [a_round(1, "seed"), a_round(2)]
    assert workspace.names() == [name]
    assert names_in(workspace.root) == [name.partition("/")[0]]


def test_a_name_that_is_taken_is_refused_with_three_ways_out(workspace: Workspace) -> None:
    project = create_project(workspace, "poem", a_snapshot("old"))
    before = content(workspace.root)
    with pytest.raises(ProjectError, match="There is a project 'poem' already") as caught:
        create_project(workspace, "poem", a_snapshot("new"))
    for way in ("spotui resume poem", "--name", "--fresh"):
        assert way in caught.value.hint
    assert content(workspace.root) == before
    assert read_snapshot(project.snapshot).template == "old"


def test_a_project_of_the_reference_is_not_built_over(workspace: Workspace) -> None:
    write_round(workspace.root / "poem", 1, succeed=True)
    before = content(workspace.root)
    with pytest.raises(ProjectError, match="There is a project 'poem' already"):
        create_project(workspace, "poem", a_snapshot())
    assert content(workspace.root) == before


def test_fresh_archives_the_old_one_whole(workspace: Workspace) -> None:
    old = create_project(workspace, "poem", a_snapshot("old"), lines=[a_round(1, "seed")])
    (old.folder / "note.txt").write_text("mine")
    before = content(old.folder)
    new = create_project(workspace, "poem", a_snapshot("new"), fresh=True)
    assert read_snapshot(new.snapshot).template == "new"
    (archived,) = (workspace.root / ".archive").iterdir()
    kept = content(archived)
    assert kept.pop("lock") == b""
    assert kept == before


def test_fresh_without_an_old_one_makes_no_archive(workspace: Workspace) -> None:
    create_project(workspace, "poem", a_snapshot(), fresh=True)
    assert names_in(workspace.root) == ["poem"]


def test_fresh_does_not_touch_a_project_that_is_worked_on(workspace: Workspace) -> None:
    project = create_project(workspace, "poem", a_snapshot("old"))
    lock = ProjectLock(project.lock, project.name)
    lock.acquire()
    with pytest.raises(LockedError):
        create_project(workspace, "poem", a_snapshot("new"), fresh=True)
    lock.release()
    assert read_snapshot(project.snapshot).template == "old"
    assert names_in(workspace.root) == ["poem"]


def test_nothing_is_made_inside_a_project(workspace: Workspace) -> None:
    project = create_project(workspace, "poem", a_snapshot())
    before = content(workspace.root)
    for name in ("poem/prompts", "poem/new"):
        with pytest.raises(ProjectError, match="'poem' is a project"):
            create_project(workspace, name, a_snapshot(), fresh=True)
    assert content(workspace.root) == before
    assert names_in(project.folder) == ["journal.jsonl", "prompts", "run.yaml"]


@pytest.mark.parametrize("kind", ["file", "folder with something in it", "nested project", "link"])
def test_what_is_no_project_is_not_built_over_even_when_fresh(kind: str, workspace: Workspace) -> None:
    workspace.root.mkdir(parents=True)
    place = workspace.root / "poem"
    if kind == "file":
        place.write_text("mine")
    elif kind == "link":
        place.symlink_to("nowhere")
    elif kind == "nested project":
        create_project(workspace, "poem/inner", a_snapshot())
    else:
        place.mkdir()
        (place / "note.txt").write_text("mine")
    before = content(workspace.root)
    for fresh in (False, True):
        with pytest.raises(ProjectError, match="is there already, and it is no project"):
            create_project(workspace, "poem", a_snapshot(), fresh=fresh)
    assert content(workspace.root) == before
    assert names_in(workspace.root) == ["poem"]


def test_an_empty_folder_is_taken(workspace: Workspace) -> None:
    (workspace.root / "poem").mkdir(parents=True)
    assert create_project(workspace, "poem", a_snapshot()).is_ours


@pytest.mark.parametrize("place", ["a file", "below a file", "a loop"])
def test_a_workspace_that_cannot_be_written_is_a_clear_error(place: str, tmp_path: Path) -> None:
    root = tmp_path / "workspace"
    if place == "a loop":
        root.symlink_to(root)
    else:
        root.touch()
    with pytest.raises(ProjectError) as caught:
        create_project(Workspace(root / "deep" if place == "below a file" else root), "poem", a_snapshot())
    assert "cannot be written" in caught.value.what
    assert "SPOTUI_WORKSPACE" in caught.value.hint
    assert [path.name for path in tmp_path.iterdir()] == ["workspace"]


def test_a_file_where_the_folder_around_it_should_be_is_a_clear_error(workspace: Workspace) -> None:
    workspace.root.mkdir(parents=True)
    (workspace.root / "session").touch()
    with pytest.raises(ProjectError, match="cannot be written: File exists"):
        create_project(workspace, "session/poem", a_snapshot())
    assert names_in(workspace.root) == ["session"]


@pytest.mark.parametrize("room", [0, 50, 150])
def test_a_full_disk_leaves_nothing_and_the_old_one_in_its_place(room: int, workspace: Workspace) -> None:
    with no_file_beyond(room), pytest.raises(ProjectError, match="poem cannot be written: File too large"):
        create_project(workspace, "poem", a_snapshot("x" * 200))
    assert names_in(workspace.root) == []
    create_project(workspace, "poem", a_snapshot("old"))
    before = content(workspace.root)
    with no_file_beyond(room), pytest.raises(ProjectError, match="poem cannot be written: File too large"):
        create_project(workspace, "poem", a_snapshot("x" * 200), fresh=True)
    assert content(workspace.root) == before
    assert names_in(workspace.root) == ["poem"]


def test_an_archive_that_cannot_be_made_is_told_and_keeps_the_old_one(workspace: Workspace) -> None:
    project = create_project(workspace, "poem", a_snapshot("old"))
    (workspace.root / ".archive").touch()
    with pytest.raises(ProjectError, match="cannot be written: File exists"):
        create_project(workspace, "poem", a_snapshot("new"), fresh=True)
    assert read_snapshot(project.snapshot).template == "old"
    assert names_in(workspace.root) == [".archive", "poem"]


@pytest.mark.parametrize("error", [KeyboardInterrupt, RuntimeError])
def test_whatever_goes_wrong_while_it_is_built_leaves_nothing(
    error: type[BaseException], workspace: Workspace
) -> None:
    def lines() -> Iterator[Line]:
        yield a_round(1, "seed")
        raise error

    with pytest.raises(error):
        create_project(workspace, "poem", a_snapshot(), lines=lines())
    assert names_in(workspace.root) == []


def test_a_line_that_cannot_be_written_leaves_nothing(workspace: Workspace) -> None:
    with pytest.raises(JournalError, match="surrogate"):
        create_project(workspace, "poem", a_snapshot(), lines=[EditLine(round=2, prompt="\ud83d")])
    assert names_in(workspace.root) == []


@pytest.mark.parametrize("step", ["archive", "rename"])
def test_a_process_killed_in_the_middle_leaves_nothing_in_the_way(step: str, workspace: Workspace) -> None:
    code = """
import os, signal, sys
from pathlib import Path
from spotui.workspace import moving as create
from spotui.workspace.projects import Workspace
from tests.workspace.snapshots import a_snapshot

def die(*arguments):
    os.kill(os.getpid(), signal.SIGKILL)

if sys.argv[2] == "archive":
    Workspace.archive = die
else:
    Path.rename = die
create.create_project(Workspace(Path(sys.argv[1])), "poem", a_snapshot("new"), fresh=True)
"""
    create_project(workspace, "poem", a_snapshot("old"))
    with other_process(code, workspace.root, step) as child:
        assert child.wait(60) == -signal.SIGKILL
    assert workspace.names() == ["poem"]
    project = workspace.existing("poem")
    assert read_snapshot(project.snapshot).template == "old"
    create_project(workspace, "poem", a_snapshot("next"), fresh=True)
    assert read_snapshot(project.snapshot).template == "next"
    assert workspace.names() == ["poem"]


def test_of_two_processes_that_race_for_a_name_one_gets_it_whole(workspace: Workspace) -> None:
    code = """
import sys
from pathlib import Path
from spotui.workspace.moving import create_project
from spotui.workspace.projects import ProjectError, Workspace
from tests.workspace.snapshots import a_snapshot
print("ready", flush=True)
for name in sys.stdin:
    try:
        create_project(Workspace(Path(sys.argv[1])), name.strip(), a_snapshot(sys.argv[2]))
        print(sys.argv[2], flush=True)
    except ProjectError as error:
        assert "There is a project" in error.what, error
        print("refused", flush=True)
"""
    with other_process(code, workspace.root, "one") as one, other_process(code, workspace.root, "two") as two:
        assert [heard(one), heard(two)] == ["ready", "ready"]
        for number in range(30):
            name = f"poem {number}"
            tell(one, name)
            tell(two, name)
            said = {heard(one), heard(two)}
            template = read_snapshot(workspace.existing(name).snapshot).template
            assert said == {"refused", template}
    assert len(names_in(workspace.root)) == 30


def test_one_that_takes_the_name_at_the_last_moment_is_not_overwritten(
    workspace: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    build = create._build

    def build_while_another_does(*arguments: object) -> None:
        monkeypatch.setattr(create, "_build", build)
        build(*arguments)  # type: ignore[arg-type]
        create_project(workspace, "poem", a_snapshot("theirs"))

    monkeypatch.setattr(create, "_build", build_while_another_does)
    with pytest.raises(ProjectError, match="There is a project 'poem' already"):
        create_project(workspace, "poem", a_snapshot("ours"))
    assert read_snapshot(workspace.existing("poem").snapshot).template == "theirs"
    assert names_in(workspace.root) == ["poem"]
