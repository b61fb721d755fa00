"""Creates, renames, copies, trashes and restores projects."""

import os
import re
import shutil
from collections.abc import Iterable
from contextlib import suppress
from datetime import datetime
from pathlib import Path
from typing import NamedTuple

import msgspec

from spotui.domain.records import JournalLine, Line
from spotui.lang import _
from spotui.settings.locations import make_private
from spotui.templates.data.attachments import Attachments
from spotui.templates.data.load import Dataset
from spotui.workspace.attached_files import keep_attachments, kept_attachments
from spotui.workspace.files import copy_files, hint_for, sync_folder
from spotui.workspace.journal import Journal
from spotui.workspace.lock import ProjectLock
from spotui.workspace.projects import (
    ARCHIVE,
    Project,
    ProjectError,
    Workspace,
    folders_in,
    namesake,
    new_run_id,
)
from spotui.workspace.rows_file import write_rows_file
from spotui.workspace.snapshot import Snapshot, read_snapshot, write_snapshot


class NameTakenError(ProjectError):
    """A project of that name is there already.

    Args:
        project: It.
    """

    def __init__(self, project: Project) -> None:
        super().__init__(
            _("There is a project {project!r} already.", project=project.name),
            _(
                "Resume it ('spotui resume {project}'), give another name (--name), or start "
                "over with --fresh, which keeps the old one in the archive.",
                project=project.name,
            ),
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
    files: Attachments | None = None,
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
        files: The images and files that go with its questions.

    Raises:
        ProjectError: The name is taken or impossible, or the workspace cannot be written.
        LockedError: The project to be replaced is being worked on.
        JournalError: The journal cannot be written.
    """
    project = workspace.project(name)
    check_free(workspace, name, fresh=fresh)
    building = Project(workspace.root / f".new-{new_run_id()}", name)
    try:
        _build(building, snapshot, lines, rows, files)
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
            _("{outer!r} is a project, and none can be made inside it.", outer=outer.name),
            _("Give another name (--name)."),
        )
    if project.exists and not fresh:
        raise NameTakenError(project)
    if (other := namesake(project.folder)) is not None:
        raise ProjectError(
            _(
                "{name!r} looks like the project {other!r}, which is spelled with other characters.",
                name=name,
                other=other.name,
            ),
            _("Give another name (--name), or type that one as it is spelled."),
        )


def _build(
    project: Project,
    snapshot: Snapshot,
    lines: Iterable[Line],
    rows: Dataset | None,
    files: Attachments | None,
) -> None:
    make_private(project.prompts)
    if files is not None:
        keep_attachments(project.files, files)
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
        _("{folder} cannot be written: {strerror}.", folder=project.folder, strerror=error.strerror),
        hint_for(error, _("Choose another place with --workspace or SPOTUI_WORKSPACE.")),
    )


def _occupied(project: Project) -> ProjectError:
    if project.exists:
        return NameTakenError(project)
    return ProjectError(
        _("{folder} is there already, and it is no project.", folder=project.folder),
        _("Give another name (--name)."),
    )


_ARCHIVED = re.compile(r"(?P<name>.+)-(?P<at>\d{8}-\d{6}-\d{6})")
_AT = "%Y%m%d-%H%M%S-%f"


class Archived(NamedTuple):
    """A project that was moved out of the way.

    Attributes:
        name: What it was called.
        at: When it was moved, local time.
        folder: Where it is.
    """

    name: str
    at: datetime
    folder: Path


def rename(workspace: Workspace, project: Project, name: str) -> Project:
    """Give a project another name.

    Args:
        workspace: Where it is.
        project: A project that exists.
        name: The new name.

    Raises:
        ProjectError: The name is taken or impossible.
        LockedError: Somebody is working on it.
        OSError: The workspace cannot be written.
    """
    new = workspace.project(name)
    if new.folder == project.folder:
        return project
    lock = ProjectLock(project.lock, project.name)
    lock.acquire()
    try:
        _move(workspace, project.folder, new)
    finally:
        lock.release()
    sync_folder(project.folder.parent)
    return new


def duplicate(workspace: Workspace, project: Project, name: str) -> Project:
    """Copy a project with everything it holds; the copy is a separate run.

    Args:
        workspace: Where it is.
        project: A project that exists; it is only read, so somebody may be working on it.
        name: What the copy is called.

    Raises:
        ProjectError: The name is taken or impossible, or the workspace cannot be written.
        JournalError: The project's journal is damaged.
        SnapshotError: Its run.yaml is damaged.
        OSError: It cannot be read.
    """
    if project.is_ours:
        snapshot = msgspec.structs.replace(read_snapshot(project.snapshot), run=new_run_id())
        with Journal(project.journal) as journal:
            lines = (line for line in journal.lines() if not isinstance(line, JournalLine))
            files = kept_attachments(project.files)
            copy = create_project(workspace, name, snapshot, lines=lines, files=files)
        with suppress(FileNotFoundError):
            copy_files(project.prompts, copy.prompts)
        return copy
    copy = workspace.project(name)
    check_free(workspace, name)
    building = workspace.root / f".new-{new_run_id()}"
    try:
        make_private(building)
        copy_files(project.prompts, building / project.prompts.name)
        _move(workspace, building, copy)
    except BaseException:
        shutil.rmtree(building, ignore_errors=True)
        raise
    return copy


def archived(workspace: Workspace) -> list[Archived]:
    """What is in the archive, the newest first."""
    archive = workspace.root / ARCHIVE
    outer = list(folders_in(archive))
    inner = [one for folder in outer for one in folders_in(folder)]
    found = [_archived(archive, one) for one in (*outer, *inner)]
    return sorted((one for one in found if one is not None), key=lambda one: one.at, reverse=True)


def restore(workspace: Workspace, folder: Path) -> Project:
    """Bring a project back from the archive, under its old name or with a number behind it.

    Args:
        workspace: Where it was.
        folder: Where it is now, as `Workspace.archive` and `archived` tell.

    Raises:
        ProjectError: It is not there any more, or its name is impossible now.
        OSError: The workspace cannot be written.
    """
    found = _archived(workspace.root / ARCHIVE, folder)
    if found is None:
        raise ProjectError(_("There is no project in {folder} any more.", folder=folder))
    project = workspace.project(workspace.free_name(found.name))
    _move(workspace, folder, project)
    sync_folder(folder.parent)
    return project


def free_copy_name(workspace: Workspace, name: str) -> str:
    """A name for a copy: the same with the next number behind it."""
    return workspace.free_name(re.sub(r"-\d+$", "", name) or name)


def _move(workspace: Workspace, folder: Path, project: Project) -> None:
    check_free(workspace, project.name)
    if os.path.lexists(project.folder):
        raise ProjectError(
            _("{folder} is there already, and it is no project.", folder=project.folder),
            _("Give another name."),
        )
    make_private(project.folder.parent)
    folder.rename(project.folder)
    sync_folder(project.folder.parent)


def _archived(archive: Path, folder: Path) -> Archived | None:
    match = _ARCHIVED.fullmatch(folder.name)
    if match is None or archive.is_symlink() or folder.parent.is_symlink() or not Project(folder, "").exists:
        return None
    parent = folder.parent.relative_to(archive)
    at = datetime.strptime(match["at"], _AT).astimezone()
    return Archived((parent / match["name"]).as_posix(), at, folder)
