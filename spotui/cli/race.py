"""spotui race TEMPLATE."""

import argparse
import asyncio
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from spotui.cli import exit_codes, options
from spotui.cli.exit_codes import UsageError
from spotui.cli.trusting import add_trust, settle_trust
from spotui.domain.errors import SpotuiError
from spotui.domain.records import AS_PLANNED
from spotui.lang import _
from spotui.settings.table import Group

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from contextlib import AbstractAsyncContextManager

    from spotui.cli.tracking import GroupReports
    from spotui.domain.events import Event
    from spotui.llm.door import Trouble
    from spotui.runs.launch import Launcher
    from spotui.runs.prepare import Prepared
    from spotui.runs.score import Ruler
    from spotui.settings.table import BudgetSettings
    from spotui.workspace.projects import Project
    from spotui.workspace.race_file import Continued, RaceFolder, RaceRecord


_DONE = {*AS_PLANNED, "budget"}


def add_race_arguments(parser: argparse.ArgumentParser) -> None:
    """What `race` takes."""
    parser.add_argument(
        "template", metavar="TEMPLATE", help=_("a YAML file with rows and test rows among them")
    )
    parser.add_argument(
        "--methods",
        metavar="A,B,…",
        default="spo,gpo,gradsum",
        help=_("who races (default: spo,gpo,gradsum)"),
    )
    parser.add_argument(
        "--set",
        dest="set",
        metavar="METHOD.NAME=VALUE",
        action="append",
        default=[],
        help=_("a parameter of one of the methods; give it again for another"),
    )
    parser.add_argument(
        "--continue",
        dest="continues",
        action="store_true",
        help=_("share half of the budget, and give the rest to the most promising method"),
    )
    parser.add_argument("--name", metavar="NAME", help=_("the folder of the runs (default: TEMPLATE-race)"))
    parser.add_argument("--json", action="store_true", help=_("the result as one JSON object"))
    options.add_yes(parser)
    add_trust(parser)
    parser.add_argument(
        "--on-failure",
        choices=("halt", "pause"),
        default="halt",
        help=_("when a call fails for good: end the race, or wait for a 'resume' command (default: halt)"),
    )
    options.add_workspace(parser)
    options.add_settings(parser, *(group for group in Group if group is not Group.FINAL_CHECK))


def race_command(parsed: argparse.Namespace) -> int:
    """Run every method to the end of its budget, then ask the test rows; the same command goes on.

    With --continue, that budget is a share, and the most promising method has the rest before the test.
    """
    import msgspec

    from spotui.cli.fetching import fetch_missing_models
    from spotui.cli.tracking import chosen_trackers, tracking_group
    from spotui.runs.continuation import sharing
    from spotui.runs.launch import Launcher
    from spotui.runs.race import entrant, without_budget
    from spotui.settings.locations import make_private
    from spotui.settings.resources import find_template
    from spotui.workspace.projects import new_run_id
    from spotui.workspace.race_file import RaceFolder, RaceRecord

    launcher, path, flags = Launcher(), find_template(parsed.template), options.flags(parsed)
    trackers = chosen_trackers(parsed, launcher)
    parameters = _parameters(parsed)
    test = without_budget(launcher.prepare(path, flags, purpose="score"))
    if not test.sizes["test"]:
        raise UsageError(
            _("{path} has no test rows.", path=path.name), _("A race is decided on unseen rows.")
        )
    entrants = {
        method: entrant(launcher.prepare(path, flags, method=method, parameters=given))
        for method, given in parameters.items()
    }
    budget = next(iter(entrants.values())).settings.budget
    if parsed.continues:
        entrants = {method: sharing(one, len(entrants)) for method, one in entrants.items()}
        _expect(parsed, launcher, entrants)
    settle_trust(parsed, launcher, test)
    for prepared in entrants.values():
        fetch_missing_models(prepared.settings, yes=parsed.yes)
    folder = RaceFolder(options.workspace(parsed), parsed.name or f"{path.stem}-race")
    record = RaceRecord(template=path.name, methods=tuple(parameters), words=_words(parsed, path))
    make_private(folder.folder)
    folder.lock.acquire()
    try:
        before = folder.read() if folder.exists else record
        record = msgspec.structs.replace(record, tracked_as=before.tracked_as or new_run_id())
        if before.methods != record.methods or not before.tested:
            if before.methods == record.methods and parsed.continues:
                record = msgspec.structs.replace(record, continued=before.continued)
            folder.write(record)
        else:
            record = msgspec.structs.replace(record, continued=before.continued)
        projects = {
            method: _project(folder, launcher, method, prepared) for method, prepared in entrants.items()
        }
        facts: dict[str, str | int | float | bool | None] = {
            "template": path.name,
            "methods": ", ".join(projects),
            "test rows": test.sizes["test"],
        }
        prompt = test.template.prompt
        with tracking_group(trackers, "race", folder.name, record.tracked_as, facts, prompt) as reports:
            return _race(parsed, folder, record, launcher, test, projects, budget, reports)
    finally:
        folder.lock.release()


def _race(
    parsed: argparse.Namespace,
    folder: "RaceFolder",
    record: "RaceRecord",
    launcher: "Launcher",
    test: "Prepared",
    projects: "dict[str, Project]",
    budget: "BudgetSettings",
    reports: "GroupReports",
) -> int:
    """Work on every method's project, choose who continues, and test; say the exit code."""
    from spotui.cli.race_result import halted, judge
    from spotui.llm.limits import Halted
    from spotui.runs.continuation import is_begun
    from spotui.runs.score import open_ruler
    from spotui.view.race import continued_in_words

    def run(method: str, changes: "Mapping[str, float | int | None] | None" = None) -> int:
        tags = {"template": record.template, "method": method}
        return _run(launcher, method, projects[method], parsed.on_failure, changes, reports, tags)

    for method in projects:
        if (code := run(method)) != exit_codes.OK:
            return code

    def opened() -> "AbstractAsyncContextManager[Ruler]":
        return open_ruler(test, folder.folder, launcher.connections(test.settings), _ignore)

    if parsed.continues:
        try:
            record = _chosen(folder, record, opened(), projects, budget)
        except Halted as halt:
            return halted(halt)
        continued = record.continued
        if continued is not None and not is_begun(continued, projects[continued.method]):
            print(continued_in_words(continued), file=sys.stderr)
            if (code := run(continued.method, continued.limits)) != exit_codes.OK:
                return code
    return judge(parsed, folder, record, opened(), projects, reports, seed=test.settings.seed)


def _expect(parsed: argparse.Namespace, launcher: "Launcher", entrants: "dict[str, Prepared]") -> None:
    """Say what each method gets, and what is expected of it."""
    from spotui.cli.estimate import expected
    from spotui.workspace.race_file import share_in_words

    share = next(iter(entrants.values())).settings.budget
    print(share_in_words(share, len(entrants)), file=sys.stderr)
    for method, prepared in entrants.items():
        estimate = expected(launcher, prepared, options.workspace(parsed))
        if estimate is None:
            continue
        print(_("Expected of {method}: {estimate}", method=method, estimate=estimate.line), file=sys.stderr)
        for warning in estimate.warnings:
            print(f"spotui: {method}: {warning}", file=sys.stderr)


def _chosen(
    folder: "RaceFolder",
    record: "RaceRecord",
    opened: "AbstractAsyncContextManager[Ruler]",
    projects: "dict[str, Project]",
    budget: "BudgetSettings",
) -> "RaceRecord":
    """The race with the method that continues, which is chosen once.

    Raises:
        Halted: A call failed for good.
    """
    import msgspec

    from spotui.runs.continuation import choose

    if record.continued is not None:
        return record

    async def chosen() -> "Continued":
        async with opened as ruler:
            return await choose(ruler, projects, budget)

    record = msgspec.structs.replace(record, continued=asyncio.run(chosen()))
    folder.write(record)
    return record


def _project(folder: "RaceFolder", launcher: "Launcher", method: str, prepared: "Prepared") -> "Project":
    """The project of one method: the one that is there, or a new one.

    Raises:
        SpotuiError: The one that is there was begun with other rows, limits or models: it would race with
            those.
    """
    project = folder.project(method)
    if not project.exists:
        return launcher.new_project(folder.workspace, project.name, prepared)
    from spotui.runs.race import difference

    if what := difference(project, prepared):
        raise SpotuiError(
            _(
                "{project} was begun with {what}, so it cannot race with this.",
                project=project.name,
                what=what,
            ),
            _("Repeat the command that began it, or begin another race with --name."),
        )
    return project


def _run(
    launcher: "Launcher",
    method: str,
    project: "Project",
    on_failure: "Trouble",
    changes: "Mapping[str, float | int | None] | None",
    reports: "GroupReports",
    tags: "Mapping[str, str]",
) -> int:
    from spotui.cli.conduct import serve
    from spotui.workspace.history import read_history

    stop = read_history(project).stop
    if not changes and stop is not None and stop.reason in _DONE:
        reports.retell(project, tags)
        return exit_codes.OK
    run = launcher.run(project, on_trouble=on_failure, changes=changes)
    run.subscribe(_teller(method))
    if (listener := reports.listen(project, tags)) is not None:
        run.subscribe(listener)
    stopped = asyncio.run(serve(run))
    if stopped.reason in _DONE:
        return exit_codes.OK
    print(
        _("spotui: {method}: {cause} The same command resumes.", method=method, cause=stopped.cause),
        file=sys.stderr,
    )
    return exit_codes.of_run(stopped)


def _teller(method: str) -> "Callable[[Event], None]":
    from spotui.domain.events import Noticed, RoundFinished, RunStopped
    from spotui.view.telling import line

    def tell(event: "Event") -> None:
        if isinstance(event, RoundFinished | Noticed):
            print(f"{method}: {line(event)}", file=sys.stderr)
        elif isinstance(event, RunStopped):
            print(f"{method}: {event.cause}", file=sys.stderr)

    return tell


def _words(parsed: argparse.Namespace, path: Path) -> tuple[str, ...]:
    """The arguments that resume the race, whatever the settings of the day."""
    words = ["race", str(path.resolve()), f"--methods={parsed.methods}"]
    words += [f"--set={one}" for one in parsed.set]
    words += ["--continue"] if parsed.continues else []
    words += [f"--name={parsed.name}"] if parsed.name else []
    return (*words, *options.as_words(options.untracked(options.flags(parsed))))


def _parameters(parsed: argparse.Namespace) -> dict[str, dict[str, Any]]:
    """The parameters of each method that races, by the method's name.

    Raises:
        UsageError: Fewer than two methods are named, or a parameter names none of them.
        ParameterError: A parameter has no value.
    """
    from spotui.methods.parameters import parse_assignment

    names = [name.strip() for name in parsed.methods.split(",") if name.strip()]
    if len(set(names)) < 2:
        raise UsageError(_("A race needs at least two methods."), _("For example: --methods spo,gpo,gradsum"))
    found: dict[str, dict[str, Any]] = {name: {} for name in names}
    for text in parsed.set:
        method, dot, assignment = text.partition(".")
        if not dot or method not in found:
            raise UsageError(
                _("{text!r} is not a parameter of one of the methods.", text=text),
                _("For example: --set gpo.max_steps=6"),
            )
        key, value = parse_assignment(assignment)
        found[method][key] = value
    return found


def _ignore(_event: "Event") -> None:
    """What the test asks is not worth a line."""
