"""A run once more, from its journal alone: the same engine, with a recording where the models were."""

import math
from collections.abc import Iterator
from pathlib import Path

import msgspec

from spotui.llm.connection import Connection, Connections
from spotui.llm.endpoint import Endpoint, Limits
from spotui.llm.limiter import Limiter
from spotui.llm.providers.recorded import RecordedProvider
from spotui.run.run import Run
from spotui.run.trusting import only_recorded
from spotui.settings.roles import is_embedded
from spotui.settings.run_settings import BudgetSettings, RunSettings
from spotui.workspace.create import create_project
from spotui.workspace.journal import Journal
from spotui.workspace.lines import (
    CallLine,
    EditLine,
    LimitsLine,
    Line,
    MarkLine,
    OverrideLine,
    RoundLine,
    VoteLine,
)
from spotui.workspace.projects import Project, Workspace
from spotui.workspace.rows_file import read_rows_file
from spotui.workspace.snapshot import read_snapshot

_UNLIMITED = 1024


def rehearse(project: Project, scratch: Path, speed: float) -> Run:
    """A run that plays a project's journal back into a copy; the project itself is only read.

    Args:
        project: A project of ours.
        scratch: A folder for the copy, which the caller removes.
        speed: How many times as fast as it was; 0 is at once.

    Raises:
        JournalError: The journal is damaged.
    """
    snapshot = read_snapshot(project.snapshot)
    unlimited = {**snapshot.settings, "budget": msgspec.to_builtins(BudgetSettings())}
    with Journal(project.journal) as journal:
        calls = [line for line in journal.lines() if isinstance(line, CallLine)]
        copy = create_project(
            Workspace(scratch),
            project.name,
            msgspec.structs.replace(snapshot, settings=unlimited),
            lines=_decisions(journal),
            rows=read_rows_file(project.rows),
        )
    provider = RecordedProvider(calls, speed)

    def connect(model: str) -> Connection:
        return Connection(
            Endpoint(model=model, timeout=math.inf),  # a recording takes as long as it took
            provider,
            Limiter(Limits(concurrency=_UNLIMITED)),
            takes_grammar=is_embedded(model),
        )

    def connections(_settings: RunSettings) -> Connections:
        return Connections(connect)

    return Run(copy, connections, start_metric=only_recorded)


def _decisions(journal: Journal) -> Iterator[Line]:
    for line in journal.lines():
        match line:
            case EditLine() | MarkLine() | OverrideLine() | VoteLine():
                yield line
            case RoundLine(added=True):
                yield line
            case LimitsLine(changes={"rounds": rounds}):
                yield LimitsLine(changes={"rounds": rounds})
            case _:
                pass
