"""A new run from a round of another."""

import msgspec

from spotui.run.setup import make
from spotui.workspace.journal import Journal
from spotui.workspace.lines import (
    AnyLine,
    CallLine,
    DroppedLine,
    EditLine,
    LimitsLine,
    OverrideLine,
    RoundLine,
    VoteLine,
    now,
)
from spotui.workspace.projects import Project, Workspace, new_run_id
from spotui.workspace.snapshot import Origin, read_snapshot


def branch(workspace: Workspace, project: Project, line: RoundLine, name: str) -> Project:
    """Copy a run up to a round, whose prompt is then the best of the copy.

    Going on with the copy buys nothing again: every call up to that round is in its journal.

    Args:
        workspace: Where the copy goes.
        project: A project of ours; it is only read.
        line: The round to start from.
        name: What the copy is called.

    Raises:
        ProjectError: The name is taken.
        JournalError: The project's journal is damaged.
    """
    snapshot = msgspec.structs.replace(
        read_snapshot(project.snapshot),
        run=new_run_id(),
        created=now(),
        origin=Origin(project=project.name, round=line.round),
    )
    new = make(workspace, name, snapshot)
    with Journal(project.journal) as old, Journal(new.journal, writable=True) as journal:
        for one in old.lines():
            if _belongs(one, line.round):
                journal.append(one)
        if line.outcome not in {"seed", "win"}:
            journal.append(OverrideLine(round=line.round, outcome="win", before_round=line.round + 1))
    return new


def _belongs(line: AnyLine, last: int) -> bool:
    match line:
        case CallLine() | DroppedLine():
            return line.key.round <= last and not line.key.purpose.startswith("held_out")
        case RoundLine() | VoteLine() | EditLine():
            return line.round <= last
        case OverrideLine():
            return line.before_round <= last
        case LimitsLine():
            return True
        case _:
            return False
