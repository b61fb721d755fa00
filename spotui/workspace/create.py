"""Making a project so that it is there whole or not at all."""

import errno
from collections.abc import Iterable

from spotui.workspace.atomic import sync_folder
from spotui.workspace.journal import Journal
from spotui.workspace.lines import Line
from spotui.workspace.projects import Project, ProjectError, Workspace, new_run_id
from spotui.workspace.snapshot import Snapshot, write_snapshot

_OCCUPIED = {errno.EEXIST, errno.ENOTEMPTY, errno.ENOTDIR}


def create_project(
    workspace: Workspace,
    name: str,
    snapshot: Snapshot,
    *,
    fresh: bool = False,
    lines: Iterable[Line] = (),
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

    Raises:
        ProjectError: The name is taken or impossible, or the workspace cannot be written.
        LockedError: The project to be replaced is being worked on.
        JournalError: The journal cannot be written.
    """
    project = workspace.project(name)
    _check_free(workspace, project, fresh=fresh)
    building = Project(workspace.root / f".new-{new_run_id()}", name)
    try:
        _build(building, snapshot, lines)
        if fresh and project.exists:
            workspace.archive(project)
        project.folder.parent.mkdir(exist_ok=True)
        building.folder.rename(project.folder)
    except BaseException as error:
        _remove(building)
        if isinstance(error, OSError):
            raise _refusal(project, error) from None
        raise
    sync_folder(project.folder.parent)
    return project


def _build(project: Project, snapshot: Snapshot, lines: Iterable[Line]) -> None:
    project.prompts.mkdir(parents=True)
    with Journal(project.journal, run=snapshot.run, writable=True) as journal:
        for line in lines:
            journal.append(line)
    write_snapshot(project.snapshot, snapshot)


def _remove(project: Project) -> None:
    import shutil

    shutil.rmtree(project.folder, ignore_errors=True)


def _check_free(workspace: Workspace, project: Project, *, fresh: bool) -> None:
    outer = Project(project.folder.parent, project.folder.parent.name)
    if outer.folder != workspace.root and outer.exists:
        raise ProjectError(
            f"{outer.name!r} is a project, and none can be made inside it.", "Give another name (--name)."
        )
    if project.exists and not fresh:
        raise _exists(project)


def _refusal(project: Project, error: OSError) -> ProjectError:
    if project.exists:
        return _exists(project)
    if error.errno in _OCCUPIED:
        return ProjectError(
            f"{project.folder} is there already, and it is no project.", "Give another name (--name)."
        )
    return ProjectError(
        f"{project.folder} cannot be written: {error.strerror}.",
        "Choose another place with --workspace or SPOTUI_WORKSPACE.",
    )


def _exists(project: Project) -> ProjectError:
    return ProjectError(
        f"There is a project {project.name!r} already.",
        f"Go on with it ('spotui resume {project.name}'), give another name (--name), "
        "or start over with --fresh, which keeps the old one in the archive.",
    )
