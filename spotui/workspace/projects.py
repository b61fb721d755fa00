"""The projects of a workspace: named, listed, opened, archived."""

import os
import unicodedata
from collections.abc import Iterator
from pathlib import Path

from spotui.domain.errors import SpotuiError
from spotui.domain.records import now
from spotui.domain.text import visible
from spotui.lang import _
from spotui.settings.locations import make_private
from spotui.workspace.files import sync_folder
from spotui.workspace.lock import ProjectLock
from spotui.workspace.spo_files import RESULTS

PROMPTS = "prompts"
ARCHIVE = ".archive"
MEASURED = ".scores"

# A name is a directory's on every file system, with room behind it for the date of its archive.
_LONGEST_NAME = 200
# Scripts and emoji need the joiners in places, and Chinese has a blank of its own; Python calls none of them
# printable.
_JOINERS = str.maketrans("\u3000", " ", "\u200c\u200d")


class ProjectError(SpotuiError):
    """A project that is not there, or is there already, or has a name it cannot have."""


class Project:
    """One directory of the workspace and the places in it.

    Args:
        folder: The project's directory; it need not exist.
        name: What the user calls it.
    """

    def __init__(self, folder: Path, name: str) -> None:
        self.folder = folder
        self.name = name

    @property
    def snapshot(self) -> Path:
        """run.yaml, the settings of the run."""
        return self.folder / "run.yaml"

    @property
    def rows(self) -> Path:
        """rows.jsonl, what prompts are scored on; only runs that score have it."""
        return self.folder / "rows.jsonl"

    @property
    def files(self) -> Path:
        """files, the images and files that go with questions; missing where there are none."""
        return self.folder / "files"

    @property
    def journal(self) -> Path:
        """journal.jsonl, the run itself."""
        return self.folder / "journal.jsonl"

    @property
    def lock(self) -> Path:
        """The lock of the process that writes here."""
        return self.folder / "lock"

    @property
    def prompts(self) -> Path:
        """SPO's folder of prompts and results."""
        return self.folder / PROMPTS

    @property
    def results(self) -> Path:
        """SPO's results.json."""
        return self.prompts / RESULTS

    @property
    def is_ours(self) -> bool:
        """Whether a journal stands behind it, so that it can be resumed."""
        return _changed(self.journal) is not None

    @property
    def exists(self) -> bool:
        """Whether it is a project, ours or the reference's; a folder alone is none."""
        return self.changed is not None

    @property
    def changed(self) -> int | None:
        """When it was last worked on, in nanoseconds since 1970; None when it is no project."""
        ours = _changed(self.journal)
        return _changed(self.results) if ours is None else ours


class Workspace:
    """A directory of projects in SPO's layout.

    Args:
        root: The directory; it need not exist.
    """

    def __init__(self, root: Path) -> None:
        self.root = root

    def project(self, name: str) -> Project:
        """The project of that name, whether or not it exists.

        A name may be `session/template`, as SPO's web apps nest them.

        Raises:
            ProjectError: The name cannot be a directory's.
        """
        parts = name.split("/")
        if len(parts) > 2 or not all(is_name(part) for part in parts):
            raise ProjectError(
                _("{name!r} cannot be a project's name.", name=name),
                _(
                    "Use up to {longest_name} letters, digits and spaces ({longest_name2} in Chinese); "
                    "no slash or backslash, and no dot, dash or space in front.",
                    longest_name=_LONGEST_NAME,
                    longest_name2=_LONGEST_NAME // 3,
                ),
            )
        if len(parts) == 2:
            _refuse_link(self.root / parts[0])
        return Project(self.root.joinpath(*parts), name)

    def measured(self, name: str) -> Path:
        """Where measurements of that name are kept; it is no project, and need not exist.

        Raises:
            ProjectError: The name cannot be a directory's.
        """
        self.project(name)
        _refuse_link(self.root / MEASURED)
        return self.root / MEASURED / name.replace("/", "-")

    def existing(self, name: str) -> Project:
        """The project of that name.

        Raises:
            ProjectError: There is none; the message names the nearest.
        """
        project = self.project(name)
        if project.exists:
            return project
        from spotui.domain.errors import nearest

        near = nearest(name, self.names())
        raise ProjectError(
            _("There is no project {name!r} in {root}.", name=name, root=self.root),
            _("Did you mean {near!r}?", near=near) if near else _("List the projects with 'spotui list'."),
        )

    def names(self) -> list[str]:
        """Every project's name, nested ones of SPO's web apps included; the last worked on comes last.

        Raises:
            ProjectError: The workspace cannot be read.
        """
        try:
            folders = [folder for folder in folders_in(self.root) if is_name(folder.name)]
        except OSError as error:
            raise ProjectError(
                _(
                    "The workspace {root} cannot be read: {strerror}.",
                    root=self.root,
                    strerror=error.strerror,
                ),
                _("Check its permissions, or choose another with --workspace or SPOTUI_WORKSPACE."),
            ) from None
        return [
            name for _unused, name in sorted(found for folder in folders for found in _projects_in(folder))
        ]

    @property
    def is_empty(self) -> bool:
        """Whether there is no project; one that cannot be read is not empty."""
        try:
            return not any(_projects_in(folder) for folder in folders_in(self.root) if is_name(folder.name))
        except OSError:
            return False

    def free_name(self, wanted: str) -> str:
        """The wanted name, or with the first number behind it that is free."""
        number, name = 2, wanted
        while os.path.lexists(self.project(name).folder):
            end = f"-{number}"
            name, number = _cut(wanted, _LONGEST_NAME - len(end)) + end, number + 1
        return name

    def archive(self, project: Project) -> Path:
        """Move a project out of the way, whole; nothing is deleted.

        Returns:
            Where it is now.

        Raises:
            LockedError: Somebody is working on it.
            OSError: The workspace cannot be written.
        """
        _refuse_link(self.root / ARCHIVE)
        target = self.root / ARCHIVE / f"{project.name}-{now():%Y%m%d-%H%M%S-%f}"
        lock = ProjectLock(project.lock, project.name)
        lock.acquire()
        try:
            make_private(target.parent)
            project.folder.rename(target)
        finally:
            lock.release()
        sync_folder(target.parent)
        sync_folder(project.folder.parent)
        return target


def new_run_id() -> str:
    """An id no other run has."""
    return os.urandom(16).hex()


def namesake(folder: Path) -> Path | None:
    """Another folder beside this one whose name looks the same, spelled with other characters, or None.

    An é may be one character or two, and a letter of full width: a reader cannot tell such names apart.
    """
    if folder.name.isascii():
        return None
    spelled = unicodedata.normalize("NFKC", folder.name)
    try:
        others = [other for other in folders_in(folder.parent) if other.name != folder.name]
    except OSError:  # making the folder says what is wrong
        return None
    return next((one for one in others if unicodedata.normalize("NFKC", one.name) == spelled), None)


def is_name(part: str) -> bool:
    """Whether a file or folder can be called that on every system, and be seen and typed."""
    printed = part.translate(_JOINERS)
    if not printed or not printed.isprintable() or part != part.strip() or visible(part) != part:
        return False
    return part[0] not in ".-" and not {"/", "\\"} & set(part) and len(part.encode()) <= _LONGEST_NAME


def _cut(name: str, size: int) -> str:
    parent, slash, last = name.rpartition("/")
    return parent + slash + last.encode()[:size].decode(errors="ignore").rstrip()


def folders_in(folder: Path) -> Iterator[Path]:
    """The folders in a folder, and the links: what those lead to is for whoever opens them to refuse.

    Raises:
        OSError: It cannot be read.
    """
    try:
        with os.scandir(folder) as entries:
            for entry in entries:
                if entry.is_dir(follow_symlinks=False) or entry.is_symlink():
                    yield Path(entry)
    except (FileNotFoundError, NotADirectoryError):
        return


def _refuse_link(folder: Path) -> None:
    if folder.is_symlink():
        raise ProjectError(
            _("{folder} is a symbolic link, and links in a workspace are not followed.", folder=folder),
            _("Name the folder that it leads to with --workspace, or move that folder here."),
        )


def _projects_in(folder: Path) -> list[tuple[int, str]]:
    project = Project(folder, folder.name)
    if (changed := project.changed) is not None:
        return [(changed, project.name)]
    if folder.is_symlink():
        return []
    try:
        inside = [inner for inner in folders_in(folder) if is_name(inner.name)]
        nested = [Project(inner, f"{folder.name}/{inner.name}") for inner in inside]
    except OSError:  # somebody else's folder
        return []
    return [(changed, inner.name) for inner in nested if (changed := inner.changed) is not None]


def _changed(path: Path) -> int | None:
    try:
        return path.lstat().st_mtime_ns
    except OSError:
        return None
