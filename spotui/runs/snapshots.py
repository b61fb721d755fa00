"""A prepared run becomes the snapshot of a project, and is read from it again."""

from collections.abc import Iterable
from pathlib import Path
from typing import Final

import msgspec

from spotui.domain.records import Line, now
from spotui.engine.meta_prompts import MetaPrompts
from spotui.engine.task import Start
from spotui.lang import _
from spotui.methods import load_method
from spotui.methods.parameters import read_parameters
from spotui.runs.prepare import Prepared, pool_size
from spotui.runs.task import (
    questions_of,
)
from spotui.runs.trust import refuse_outside_data
from spotui.settings.programs import program_of
from spotui.settings.table import RunSettings
from spotui.templates.read import parse_template
from spotui.workspace.attached_files import kept_attachments
from spotui.workspace.headroom_file import HeadroomError, read_headroom
from spotui.workspace.journal_reader import run_of
from spotui.workspace.moving import create_project
from spotui.workspace.projects import Project, Workspace, new_run_id
from spotui.workspace.rows_file import read_rows_file
from spotui.workspace.snapshot import SNAPSHOT_VERSION, KeptStart, Snapshot, SnapshotError, read_snapshot
from spotui.workspace.stored_settings import settings_in

_MARK: Final = 12
"""Characters of a program's digest that tell its measurements from those of another version."""


def new_project(
    workspace: Workspace, name: str, prepared: Prepared, *, fresh: bool = False, lines: Iterable[Line] = ()
) -> Project:
    """Make the project of a run.

    Args:
        workspace: Where it goes.
        name: Its name.
        prepared: What was prepared for a run.
        fresh: Move an existing project of that name to the archive.
        lines: The first lines of its journal.

    Raises:
        OutsideDataError: The rows are in a file that the user has not agreed to send.
        ProjectError: The name is taken, or the workspace cannot be written.
    """
    folder, rows = prepared.path.parent, prepared.rows
    if rows is not None:
        refuse_outside_data(prepared.template, folder)
    starts = prepared.starts or starts_of(workspace, prepared)
    snapshot = Snapshot(
        version=SNAPSHOT_VERSION,
        run=new_run_id(),
        created=now(),
        method=prepared.name,
        template_name=prepared.path.name,
        template=prepared.text,
        questions=prepared.questions,
        held_out=prepared.held_out,
        settings=msgspec.to_builtins(prepared.settings),
        meta_prompts=prepared.meta.texts_for(with_rows=rows is not None),
        parameters=prepared.given,
        template_folder=str(folder.resolve()) if rows is not None else "",
        final_test=prepared.final_test,
        edition=prepared.edition,
        starts=tuple(KeptStart(one.prompt, one.modification) for one in starts),
    )
    files = prepared.files
    questions_of(prepared.template, rows, files.attach)  # takes in the files that they come with
    return create_project(workspace, name, snapshot, fresh=fresh, lines=lines, rows=rows, files=files)


def kept_as(prepared: Prepared) -> str:
    """The name that measurements of a template are kept under.

    Those of a program that was changed since do not count.
    """
    program = program_of(prepared.settings.program)
    stem = prepared.path.stem
    return stem if program is None else f"{stem}-{program.digest[:_MARK]}"


def starts_of(workspace: Workspace, prepared: Prepared) -> tuple[Start, ...]:
    """The probes that beat the seed, where a run is to start from them.

    Raises:
        HeadroomError: The headroom of this prompt was not measured.
    """
    if not prepared.settings.start_from_probes:
        return ()
    found = read_headroom(workspace.measured(kept_as(prepared)))
    name = prepared.path.name
    if found is None or found.prompt != prepared.template.prompt:
        what = _("There are no probes of {name} to start from.", name=name)
        if found is not None:
            what = _("The prompt of {name} was changed since its headroom was measured.", name=name)
        raise HeadroomError(what, _("Measure it first: spotui headroom {path}", path=prepared.path))
    return tuple(Start(one.prompt, one.change) for one in found.winners)


def _check_belongs(snapshot: Snapshot, project: Project) -> None:
    """Make sure that snapshot and journal are of one run: what was recorded would be taken for the other's.

    Raises:
        SnapshotError: They are not.
    """
    try:
        run = run_of(project.journal)
    except OSError:  # whoever needs the journal says why it cannot be read
        return
    if run and run != snapshot.run:
        raise SnapshotError(
            _(
                "{snapshot} and {journal} are of two different runs.",
                snapshot=project.snapshot,
                journal=project.journal.name,
            ),
            _("Restore the one that does not belong there from a backup."),
        )


def reopen(project: Project) -> Prepared:
    """What a project's run was started with; changes of its limits are in its journal.

    Raises:
        SnapshotError: The snapshot or the rows are damaged.
        SpotuiError: The method is not there any more, or does not take the parameters.
    """
    snapshot = read_snapshot(project.snapshot)
    _check_belongs(snapshot, project)
    settings = settings_in(snapshot, project)
    method = load_method(snapshot.method)
    given = method.before(snapshot.edition) | snapshot.parameters
    parameters = read_parameters(snapshot.method, method, given)
    template = parse_template(snapshot.template, str(project.snapshot))
    rows = read_rows_file(project.rows)
    positions, size = (*snapshot.questions, *snapshot.held_out), pool_size(template, rows)
    if not all(0 <= index < size for index in positions) or (size and not snapshot.questions):
        raise SnapshotError(
            _(
                "{snapshot} is damaged: its questions are not those of the template.",
                snapshot=project.snapshot,
            ),
            _("Restore it from a backup."),
        )
    meta = MetaPrompts.stored(
        snapshot.meta_prompts,
        str(project.snapshot),
        declared=method.meta_prompts,
        keeps_empty=snapshot.edition < 3,
    )
    return Prepared(
        path=Path(snapshot.template_folder, snapshot.template_name),
        text=snapshot.template,
        template=template,
        name=snapshot.method,
        method=method,
        given=snapshot.parameters,
        parameters=parameters,
        settings=settings,
        meta=meta,
        rows=rows,
        questions=snapshot.questions,
        held_out=snapshot.held_out,
        final_test=snapshot.final_test,
        edition=snapshot.edition,
        starts=tuple(Start(one.prompt, one.modification) for one in snapshot.starts),
        run=snapshot.run,
        files=kept_attachments(project.files),
    )


def stored_settings(project: Project) -> RunSettings:
    """The settings that a project's run was started with.

    Raises:
        SpotuiError: They are damaged.
    """
    return settings_in(read_snapshot(project.snapshot), project)
