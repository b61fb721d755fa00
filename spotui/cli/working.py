"""Working on a project, here or in the background."""

import argparse
import sys
import time
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from spotui.cli import exit_codes, options
from spotui.cli.exit_codes import UsageError
from spotui.cli.trusting import add_trust
from spotui.domain.errors import SpotuiError
from spotui.lang import _

if TYPE_CHECKING:
    from spotui.runs.launch import Launcher
    from spotui.workspace.projects import Project


NEW_ROUNDS = 10
"""Rounds of a run when nobody chooses, as in SPO's own tool."""

_START_SECONDS = 20.0
_LOOK_SECONDS = 0.05


def add_working(parser: argparse.ArgumentParser) -> None:
    """How a run is worked on and shown."""
    parser.add_argument(
        "--detach", action="store_true", help=_("work in the background; see 'spotui attach'")
    )
    options.add_yes(parser)
    add_trust(parser)
    parser.add_argument(
        "--no-wait",
        action="store_true",
        help=_("with --batch: exit when everything left to do waits for a batch; 'spotui wait' continues"),
    )
    output = parser.add_argument_group(_("output (default: live on a terminal, plain lines in a pipe)"))
    output.add_argument(
        "--json", action="store_true", help=_("one event a line; commands are read from standard input")
    )
    output.add_argument(
        "--on-failure",
        choices=("halt", "pause"),
        default="halt",
        help=_("when a call fails for good: end the run, or wait for a 'resume' command (default: halt)"),
    )


def add_batches(parser: argparse.ArgumentParser) -> None:
    """What to do about batches that a run waits for."""
    parser.add_argument(
        "--live",
        action="store_true",
        help=_("send the calls that are in no batch yet live, at the usual price"),
    )
    parser.add_argument(
        "--give-up",
        metavar="BATCH",
        action="append",
        default=[],
        help=_("send the calls of a lost batch again; give it again for another"),
    )


def work(
    project: "Project",
    launcher: "Launcher",
    parsed: argparse.Namespace,
    changes: Mapping[str, float | int | None],
) -> int:
    """Work on a project as the options say, and return the exit code."""
    is_live, given_up = getattr(parsed, "live", False), tuple(getattr(parsed, "give_up", ()))
    if parsed.detach:
        tracks = getattr(parsed, "track", None)
        more = [f"--track={tracks}"] if tracks else []
        more += [*(["--no-wait"] if parsed.no_wait else []), *(["--live"] if is_live else [])]
        return _detach(project, changes, [*more, *(f"--give-up={name}" for name in given_up)])
    from spotui.cli.conduct import conduct
    from spotui.cli.tracking import chosen_trackers
    from spotui.runs.session import BatchMode

    trackers = chosen_trackers(parsed, launcher)

    mode = BatchMode(leaves=parsed.no_wait, is_live=is_live, given_up=given_up)
    run = launcher.run(project, on_trouble=parsed.on_failure, changes=changes, batch_mode=mode)
    return conduct(run, parsed, trackers=trackers)


def resumable(
    parsed: argparse.Namespace,
    name: str,
    launcher: "Launcher",
    template: str | None,
    *,
    first_round: int | None = None,
    rounds: int | None = None,
) -> "Project":
    """The project of that name, with a journal to continue from; a workspace of SPO's own tool gets one.

    Args:
        parsed: What was typed.
        name: The project's name.
        launcher: What runs are made with.
        template: The template that a workspace of SPO's own tool was made with.
        first_round: The round it must continue with, if that was typed.
        rounds: Rounds in all, if that was typed; otherwise it gets as many more as a new run.

    Raises:
        SpotuiError: There is no such project, or nothing to continue it with.
    """
    from spotui.workspace.history import read_history

    workspace = options.workspace(parsed)
    project = workspace.existing(name)
    if project.is_ours and first_round is None and not template:
        return project  # its rounds are read once, by the run itself
    last = read_history(project).last_round
    if first_round not in (None, last + 1):
        raise UsageError(
            _(
                "The next round of {name} is {last}, not {first_round}.",
                name=name,
                last=last + 1,
                first_round=first_round,
            ),
            _(
                "Use --initial-round {last}, or 'spotui resume {name} --max-rounds N'.",
                last=last + 1,
                name=name,
            ),
        )
    if project.is_ours and template and first_round is None:
        raise UsageError(
            _("{name} has its own template, and keeps it.", name=name), _("Leave --template out.")
        )
    if project.is_ours:
        return project
    if not template:
        raise SpotuiError(
            _("{name} was written by SPO's own tool, which keeps no requirements.", name=name),
            _(
                "Name the template it was made with: spotui resume {name} --template FILE; or start "
                "a new run from its best prompt: spotui branch {name} --template FILE",
                name=name,
            ),
        )
    from spotui.cli.fetching import fetch_missing_models
    from spotui.cli.trusting import settle_trust
    from spotui.runs.branch import adopt, prepare_adoption
    from spotui.settings.resources import find_template

    if rounds is not None and rounds <= last:
        raise UsageError(
            _("{name} has {last} rounds already.", name=name, last=last),
            _("Give a larger --max-rounds than {rounds}.", rounds=rounds),
        )
    path, more = find_template(template), NEW_ROUNDS if rounds is None else rounds - last
    prepared = prepare_adoption(launcher, project, path, options.flags(parsed), more_rounds=more)
    settle_trust(parsed, launcher, prepared)
    fetch_missing_models(prepared.settings, yes=parsed.yes)
    adopted = adopt(launcher, workspace, project, prepared)
    text = _(
        "{name} continues after the {last} rounds of SPO's own tool; the original is in the archive.",
        name=name,
        last=last,
    )
    print(f"spotui: {text}", file=sys.stderr)
    return adopted


def changed_limits(parsed: argparse.Namespace, launcher: "Launcher") -> dict[str, float | int | None]:
    """The limits that were typed, checked as every other setting is."""
    return launcher.limits(options.limits(parsed))


def _detach(project: "Project", changes: Mapping[str, float | int | None], more: Sequence[str]) -> int:
    """A separate process that outlives this terminal and waits for a person when a call fails."""
    from spotui.settings.table import LIMITS, option
    from spotui.wire.process import OwnProcess

    words = ["resume", project.name, *more]
    for key, value in changes.items():
        words += [option(LIMITS[key].flags[0]), "none" if value is None else str(value)]
    process = OwnProcess(project, words)
    deadline = time.monotonic() + _START_SECONDS
    while not process.is_ready() and time.monotonic() < deadline:
        time.sleep(_LOOK_SECONDS)
    print(
        _(
            "{project} runs in the background. Watch it: spotui attach {project}    Log: {log}",
            project=project.name,
            log=process.log,
        )
    )
    return exit_codes.OK
