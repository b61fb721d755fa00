"""Calls that are bought outside of any run, and kept: what was asked once is never paid for again."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import msgspec

from spotui.locations import make_private
from spotui.workspace.journal import Journal
from spotui.workspace.lines import CallLine, Line
from spotui.workspace.lock import ProjectLock
from spotui.workspace.projects import new_run_id


class _Rejected(msgspec.Struct):
    rejected: str = ""


_rejected = msgspec.json.Decoder(_Rejected)


class KeptCalls(Journal):
    """Replies that were bought. A refusal cost nothing, and the endpoint may have changed: it is not kept."""

    def append(self, line: Line) -> None:
        """Add a line; see `Journal.append`."""
        if not (isinstance(line, CallLine) and _rejected.decode(line.reply).rejected):
            super().append(line)


@contextmanager
def open_kept(folder: Path) -> Iterator[KeptCalls]:
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
        with KeptCalls(path, run=run, writable=True) as journal:
            yield journal
    finally:
        lock.release()
