"""Making a project so that it is there whole or not at all."""

import os
from collections.abc import Iterable

from spotui.dataset import Dataset
from spotui.locations import make_private
from spotui.workspace.atomic import sync_folder
from spotui.workspace.files import hint_for
from spotui.workspace.journal import Journal
from spotui.workspace.lines import Line
from spotui.workspace.projects import Project, ProjectError, Workspace, namesake, new_run_id
from spotui.workspace.rows_file import write_rows_file
from spotui.workspace.snapshot import Snapshot, write_snapshot


class NameTakenError(ProjectError):
    """A project of that name is there already.

    Args:
        project: It.
    """

    def __init__(self, project: Project) -> None:
        super().__init__(
            f"There is a project {project.name!r} already.",
            f"Go on with it ('spotui resume {project.name}'), give another name (--name), "
            "or start over with --fresh, which keeps the old one in the archive.",
        )
        self.project = project


def create_project(
    workspace: Workspace,
    name: str,
    snapshot: Snapshot,
    *,
    fresh: bool = False,
    lines: Iterable[Line] = (),
    rows: Dataset | None = None,
) -> Project:
    """Make the project of a run that has not begun.

    It is built under a hidden name and takes its own in one step: a process that dies here leaves nothing
    that looks like a project or stands in the way of one, and of two that race for a name one is refused.

    Args:
        workspace: Where; made when it is missing.
        name: The project's name.
        snapshot: What the run is started with.
        fresh: Move an existing project of that name into the archive.
        lines: What the journal begins with, for a run that takes over from another.
        rows: What its prompts are scored on, or None.

    Raises:
        ProjectError: The name is taken or impossible, or the workspace cannot be written.
        LockedError: The project to be replaced is being worked on.
        JournalError: The journal cannot be written.
    """
    project = workspace.project(name)
    check_free(workspace, name, fresh=fresh)
    building = Project(workspace.root / f".new-{new_run_id()}", name)
    try:
        _build(building, snapshot, lines, rows)
        if fresh and project.exists:
            workspace.archive(project)
        make_private(project.folder.parent)
        _take_name(building, project)
    except BaseException as error:
        _remove(building)
        if isinstance(error, OSError):
            raise _unwritable(project, error) from None
        raise
    sync_folder(project.folder.parent)
    return project


def check_free(workspace: Workspace, name: str, *, fresh: bool = False) -> None:
    """Make sure that a project of that name could be made.

    Args:
        workspace: Where.
        name: The project's name.
        fresh: Whether an existing project of that name would be moved into the archive.

    Raises:
        ProjectError: The name is taken or impossible.
    """
    project = workspace.project(name)
    outer = Project(project.folder.parent, project.folder.parent.name)
    if outer.folder != workspace.root and outer.exists:
        raise ProjectError(
            f"{outer.name!r} is a project, and none can be made inside it.", "Give another name (--name)."
        )
    if project.exists and not fresh:
        raise NameTakenError(project)
    if (other := namesake(project.folder)) is not None:
        raise ProjectError(
            f"{name!r} looks like the project {other.name!r}, which is spelled with other characters.",
            "Give another name (--name), or type that one as it is spelled.",
        )


def _build(project: Project, snapshot: Snapshot, lines: Iterable[Line], rows: Dataset | None) -> None:
    make_private(project.prompts)
    write_snapshot(project.snapshot, snapshot)
    if rows is not None:
        write_rows_file(project.rows, rows)
    with Journal(project.journal, run=snapshot.run, writable=True) as journal:
        for line in lines:
            journal.append(line)


def _take_name(building: Project, project: Project) -> None:
    try:
        building.folder.rename(project.folder)
    except OSError:
        if not os.path.lexists(project.folder):
            raise
        raise _occupied(project) from None


def _remove(project: Project) -> None:
    import shutil

    shutil.rmtree(project.folder, ignore_errors=True)


def _unwritable(project: Project, error: OSError) -> ProjectError:
    return ProjectError(
        f"{project.folder} cannot be written: {error.strerror}.",
        hint_for(error, "Choose another place with --workspace or SPOTUI_WORKSPACE."),
    )


def _occupied(project: Project) -> ProjectError:
    if project.exists:
        return NameTakenError(project)
    return ProjectError(
        f"{project.folder} is there already, and it is no project.", "Give another name (--name)."
    )
