"""Projects for the screen to show, made without a run."""

from spotui.domain.records import SessionLine, StopLine, now
from spotui.workspace.moving import create_project
from spotui.workspace.projects import Project, Workspace
from tests.workspace.journal_lines import AT, a_round
from tests.workspace.snapshots import a_snapshot


def finished(workspace: Workspace, name: str) -> Project:
    """A run of three rounds of which the second is the best."""
    rounds = [a_round(1, "seed"), a_round(2, "win"), a_round(3, "loss")]
    session = SessionLine(at=AT, pid=1, host="h", spotui="0")
    stop = StopLine(at=now(), reason="finished", best=2)
    return create_project(
        workspace, name, a_snapshot(settings={"max_rounds": 3}), lines=[session, *rounds, stop]
    )


def damage(project: Project) -> None:
    """Make the third line of a project's journal unreadable."""
    lines = project.journal.read_bytes().splitlines(keepends=True)
    project.journal.write_bytes(b"".join([*lines[:2], b'{"kind":"round","nonsense\n', *lines[2:]]))
