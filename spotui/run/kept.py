"""Calls that are bought outside of any run, and kept: what was asked once is never paid for again."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from spotui.locations import make_private
from spotui.workspace.journal import Journal
from spotui.workspace.lock import ProjectLock
from spotui.workspace.projects import new_run_id


@contextmanager
def open_kept(folder: Path) -> Iterator[Journal]:
    """Open a journal that belongs to no project; nobody else writes it meanwhile.

    Args:
        folder: Where it is; made when it is missing.

    Raises:
        LockedError: Another process has it open.
        JournalError: It is damaged.
        OSError: The folder cannot be made.
    """
    make_private(folder)
    lock = ProjectLock(folder / "lock", folder.name)
    lock.acquire()
    try:
        path = folder / "journal.jsonl"
        run = None if path.exists() and path.stat().st_size else new_run_id()
        with Journal(path, run=run, writable=True) as journal:
            yield journal
    finally:
        lock.release()
