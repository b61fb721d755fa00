"""Runs made from other runs: branches, replays, and workspaces of SPO's own tool."""

import math
from collections.abc import Iterator, Sequence
from pathlib import Path

import msgspec

from spotui.domain.errors import SpotuiError
from spotui.domain.records import (
    AnyLine,
    CallLine,
    DroppedLine,
    EditLine,
    HintLine,
    LimitsLine,
    Line,
    MarkLine,
    OverrideLine,
    RoundLine,
    SentLine,
    VoteLine,
    now,
)
from spotui.domain.verdicts import BEST_SO_FAR, Outcome
from spotui.lang import _
from spotui.llm.connections import Connection, Connections
from spotui.llm.limits import Limiter
from spotui.llm.providers.playback import RecordedProvider
from spotui.llm.routing import Endpoint, Limits
from spotui.runs.launch import Launcher
from spotui.runs.prepare import Prepared
from spotui.runs.run import Run
from spotui.runs.trust import only_recorded
from spotui.settings.resolve import Flags
from spotui.settings.table import BudgetSettings, RunSettings, is_embedded
from spotui.workspace.attached_files import kept_attachments
from spotui.workspace.history import read_history
from spotui.workspace.journal import Journal
from spotui.workspace.moving import create_project
from spotui.workspace.projects import Project, Workspace, new_run_id
from spotui.workspace.rows_file import read_rows_file
from spotui.workspace.snapshot import Origin, read_snapshot
from spotui.workspace.spo_files import project_rounds, write_rounds

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
    rows, files = read_rows_file(project.rows), kept_attachments(project.files)
    added = [one for one in read_history(project).rounds if one.added]
    with Journal(project.journal) as journal:
        lines = _lines(journal, added, line)
        return create_project(workspace, name, snapshot, lines=lines, rows=rows, files=files)


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
    if outcome not in BEST_SO_FAR:
        yield OverrideLine(round=last.round, outcome="win", before_round=last.round + 1)


def _belongs(line: AnyLine, last: int) -> bool:
    match line:
        case SentLine() | CallLine() | DroppedLine():
            return line.key.round <= last and not line.key.purpose.startswith(_AT_THE_END)
        case RoundLine() | VoteLine() | EditLine():
            return line.round <= last
        case OverrideLine() | HintLine():
            return line.before_round <= last
        case LimitsLine() | MarkLine():
            return True
        case _:
            return False


_UNLIMITED = 1024


class _Bound(msgspec.Struct):
    """A recorded request, as far as it says whether its reply was bound by a grammar."""

    model: str
    grammar: str | None = None


def _decode_bound(call: CallLine) -> _Bound:
    return msgspec.json.decode(call.request, type=_Bound)


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
            files=kept_attachments(project.files),
        )
    provider = RecordedProvider(calls, speed)
    bound = {one.model for one in map(_decode_bound, calls) if one.grammar is not None}

    def connect(model: str) -> Connection:
        return Connection(
            Endpoint(model=model, timeout=math.inf),  # a recording takes as long as it took
            provider,
            Limiter(Limits(concurrency=_UNLIMITED)),
            takes_grammar=is_embedded(model) or model in bound,
        )

    def connections(_settings: RunSettings) -> Connections:
        return Connections(connect)

    return Run(copy, connections, start_metric=only_recorded)


def _decisions(journal: Journal) -> Iterator[Line]:
    for line in journal.lines():
        match line:
            case EditLine() | HintLine() | MarkLine() | OverrideLine() | VoteLine():
                yield line
            case RoundLine(added=True):
                yield line
            case LimitsLine(changes={"rounds": rounds}):
                yield LimitsLine(changes={"rounds": rounds})
            case _:
                pass


def prepare_adoption(
    launcher: Launcher, project: Project, path: Path, flags: Flags, *, more_rounds: int
) -> Prepared:
    """Settle how a workspace that SPO's own tool wrote is continued.

    Args:
        launcher: The config file and the environment.
        project: Written by SPO's own tool.
        path: The template it was made with, for requirements and questions.
        flags: The settings that were typed.
        more_rounds: Rounds to run after those that are there.

    Raises:
        SpotuiError: There is nothing to continue, or the template's method cannot continue it.
    """
    history = read_history(project)
    if not history.rounds:
        raise SpotuiError(
            _("{name} was written by SPO's own tool and has no round to continue from.", name=project.name),
            _("Remove {folder}, or give another name.", folder=project.folder),
        )
    seed = history.round(1)
    prepared = launcher.prepare(
        path,
        Flags(**{**flags, "max_rounds": history.last_round + more_rounds}),
        prompt=seed.prompt if seed is not None else None,
    )
    if prepared.method.scores:
        raise SpotuiError(
            _(
                "{name} was written by SPO's own tool, and {method} cannot continue it: its rounds have "
                "no scores.",
                name=project.name,
                method=prepared.name,
            ),
            _(
                "Continue it with the method spo, or start a run of {method} under another name.",
                method=prepared.name,
            ),
        )
    return prepared


def adopt(launcher: Launcher, workspace: Workspace, project: Project, prepared: Prepared) -> Project:
    """Make a run of a workspace that SPO's own tool wrote; the original goes to the archive as it is.

    Its rounds are recorded as that tool wrote them, and round 1 is the seed. Which models answered is not
    known, so the run asks the questions again with the seed and with a best prompt before it compares them.

    Args:
        launcher: The config file and the environment.
        workspace: Where it is.
        project: Written by SPO's own tool.
        prepared: What `prepare_adoption` made of it.

    Raises:
        SpotuiError: It cannot be written, or the budget cannot be kept.
    """
    rounds = read_history(project).rounds
    adopted = launcher.new_project(workspace, project.name, prepared, fresh=True, lines=rounds)
    try:
        write_rounds(adopted.prompts, project_rounds(rounds))
    except OSError as error:
        raise SpotuiError(
            _("{prompts} cannot be written: {strerror}.", prompts=adopted.prompts, strerror=error.strerror),
            _("Make room, and resume the run."),
        ) from None
    return adopted
