"""A new run from a round of another."""

from collections.abc import Iterator, Sequence

import msgspec

from spotui.workspace.create import create_project
from spotui.workspace.history import read_history
from spotui.workspace.journal import Journal
from spotui.workspace.lines import (
    AnyLine,
    CallLine,
    DroppedLine,
    EditLine,
    LimitsLine,
    Line,
    MarkLine,
    Outcome,
    OverrideLine,
    RoundLine,
    SentLine,
    VoteLine,
    now,
)
from spotui.workspace.projects import Project, Workspace, new_run_id
from spotui.workspace.rows_file import read_rows_file
from spotui.workspace.snapshot import Origin, read_snapshot

_AT_THE_END = ("held_out", "check", "score_test", "mark_test")
"""What the calls are filed under that belong to no round."""


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
    rows = read_rows_file(project.rows)
    added = [one for one in read_history(project).rounds if one.added]
    with Journal(project.journal) as journal:
        return create_project(workspace, name, snapshot, lines=_lines(journal, added, line), rows=rows)


def _lines(journal: Journal, added: Sequence[RoundLine], last: RoundLine) -> Iterator[Line]:
    # A verdict that a person gave afterwards is not part of the copy, so what the judge said counts.
    outcome: Outcome = "void"
    recorded: set[int] = set()
    for one in journal.lines():
        if _belongs(one, last.round):
            yield one
        if isinstance(one, RoundLine):
            recorded.add(one.round)
            if one.round == last.round:
                outcome = one.outcome
    for line in added:  # what SPO's own tool added since the run was last resumed
        if line.round not in recorded and line.round <= last.round:
            yield line
            outcome = line.outcome if line.round == last.round else outcome
    if outcome not in {"seed", "win"}:
        yield OverrideLine(round=last.round, outcome="win", before_round=last.round + 1)


def _belongs(line: AnyLine, last: int) -> bool:
    match line:
        case SentLine() | CallLine() | DroppedLine():
            return line.key.round <= last and not line.key.purpose.startswith(_AT_THE_END)
        case RoundLine() | VoteLine() | EditLine():
            return line.round <= last
        case OverrideLine():
            return line.before_round <= last
        case LimitsLine() | MarkLine():
            return True
        case _:
            return False
