"""spotui run TEMPLATE, spotui resume NAME."""

import argparse
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from spotui.cli import options
from spotui.cli.exit_codes import UsageError
from spotui.lang import _

if TYPE_CHECKING:
    from spotui.runs.launch import Launcher
    from spotui.workspace.projects import Project


def add_run_arguments(parser: argparse.ArgumentParser) -> None:
    """What `run` takes; the reference's flags have its names."""
    from spotui.cli.working import add_working

    parser.add_argument(
        "template",
        nargs="?",
        metavar="TEMPLATE",
        help=_("a YAML file, or the name of your template or of an example"),
    )
    parser.add_argument(
        "--template", dest="template_flag", metavar="TEMPLATE", help=_("the same, as SPO has it")
    )
    parser.add_argument("--name", metavar="NAME", help=_("the project (default: the template's name)"))
    parser.add_argument(
        "--fresh", action="store_true", help=_("start over; an old project of that name goes to the archive")
    )
    parser.add_argument(
        "--initial-round",
        metavar="N",
        type=int,
        default=1,
        help=_("1 starts a run; above 1 resumes the project, whose next round must be N (default 1)"),
    )
    parser.add_argument(
        "--mode",
        choices=("base_model", "reasoning_model"),
        help=_("accepted as SPO has it, and not needed: reasoning is kept apart from answers in any reply"),
    )
    options.add_workspace(parser)
    add_working(parser)
    options.add_method(parser)
    options.add_settings(parser)


def run_command(parsed: argparse.Namespace) -> int:
    """Set a project up and work on it."""
    from spotui.cli.working import work
    from spotui.runs.launch import Launcher

    if parsed.initial_round < 1:
        raise UsageError(_("--initial-round cannot be below 1."), _("Leave it out to start a run."))
    if parsed.template and parsed.template_flag and parsed.template != parsed.template_flag:
        raise UsageError(_("Two templates are named."), _("Give one of them; a run works on one."))
    launcher = Launcher()
    wanted = parsed.template or parsed.template_flag
    if parsed.initial_round > 1:
        project, changes = _go_on(parsed, launcher, wanted)
        return work(project, launcher, parsed, changes)
    if not wanted:
        raise UsageError(_("Which template?"), _("Name a YAML file or a bundled example: spotui run poem"))
    return work(_begin(parsed, launcher, wanted), launcher, parsed, {})


def _begin(parsed: argparse.Namespace, launcher: "Launcher", wanted: str) -> "Project":
    from spotui.cli.estimate import expected
    from spotui.cli.fetching import fetch_missing_models
    from spotui.cli.tracking import refuse_broken_trackers
    from spotui.cli.trusting import settle_trust
    from spotui.runs.snapshots import starts_of
    from spotui.settings.resolve import unknown_variables
    from spotui.settings.resources import find_template
    from spotui.workspace.moving import check_free

    refuse_broken_trackers(parsed, launcher)
    path = find_template(wanted)
    workspace, name = options.workspace(parsed), parsed.name or path.stem
    check_free(workspace, name, fresh=parsed.fresh)  # before gigabytes are fetched for nothing
    for warning in unknown_variables(launcher.environ):  # one may be why what follows is refused
        print(f"spotui: {warning.what} {warning.hint}", file=sys.stderr)
    prepared = options.prepare(launcher, path, parsed)
    starts_of(workspace, prepared)  # before anything is fetched: there may be none
    connector = launcher.connector(prepared.settings)
    connector.check_budget()
    connector.check_batches()
    estimate = None if parsed.json else expected(launcher, prepared, workspace)
    settle_trust(parsed, launcher, prepared)
    fetch_missing_models(prepared.settings, yes=parsed.yes)
    if estimate is not None:
        print(_("Expected: {estimate}", estimate=estimate.line), file=sys.stderr)
        if estimate.is_batched:
            print(estimate.batch_line, file=sys.stderr)
        for warned in estimate.warnings:
            print(f"spotui: {warned}", file=sys.stderr)
    return launcher.new_project(workspace, name, prepared, fresh=parsed.fresh)


def _go_on(
    parsed: argparse.Namespace, launcher: "Launcher", wanted: str | None
) -> "tuple[Project, dict[str, float | int | None]]":
    """The reference's way to continue: so many more rounds, from round N on."""
    from spotui.cli.trusting import settle_trust_of
    from spotui.cli.working import NEW_ROUNDS, changed_limits, resumable
    from spotui.settings.table import LIMITS, option

    name = parsed.name or Path(wanted or "").stem
    if not name:
        raise UsageError(_("Which project?"), _("Name it with --name, or name its template."))
    changes = changed_limits(parsed, launcher)
    more = int(changes.get("rounds") or NEW_ROUNDS)
    first, is_ours = parsed.initial_round, options.workspace(parsed).existing(name).is_ours
    total = first - 1 + more
    project = resumable(parsed, name, launcher, wanted, first_round=first, rounds=total)
    settle_trust_of(parsed, project)
    changed = {setting.flags[0] for setting in LIMITS.values()}
    kept = [option(flag) for flag in options.flags(parsed) if flag not in changed]
    if kept and is_ours:
        text = _(
            "{name} keeps the settings it was started with; {kept} changes nothing.",
            name=name,
            kept=", ".join(kept),
        )
        print(f"spotui: {text}", file=sys.stderr)
    return project, {**changes, "rounds": total}


def add_resume_arguments(parser: argparse.ArgumentParser) -> None:
    """What `resume` takes."""
    from spotui.cli.trusting import add_trust_address
    from spotui.cli.working import add_batches, add_working
    from spotui.settings.table import Group

    options.add_project(parser)
    parser.add_argument(
        "--template",
        metavar="TEMPLATE",
        help=_("for a workspace that SPO's own tool wrote, which keeps no requirements: take them from here"),
    )
    add_working(parser)
    add_batches(parser)
    add_trust_address(parser)
    options.add_settings(parser, only_limits=True)
    options.add_settings(parser, Group.TRACKING)


def resume_command(parsed: argparse.Namespace) -> int:
    """Go on where the journal ends; nothing that was bought is bought again."""
    from spotui.cli.fetching import fetch_missing_models
    from spotui.cli.trusting import settle_address, settle_trust_of
    from spotui.cli.working import changed_limits, resumable, work
    from spotui.runs.launch import Launcher
    from spotui.runs.snapshots import stored_settings

    launcher = Launcher()
    limits = changed_limits(parsed, launcher)
    total = limits.get("rounds")
    project = resumable(
        parsed, parsed.name, launcher, parsed.template, rounds=None if total is None else int(total)
    )
    settings = stored_settings(project)
    settle_trust_of(parsed, project)
    settle_address(parsed, launcher, settings.base_url)
    fetch_missing_models(settings, yes=parsed.yes)
    return work(project, launcher, parsed, limits)
