"""Working on a project, here or in the background."""

import argparse
import time
from collections.abc import Mapping
from typing import TYPE_CHECKING

from spotui.cli import exit_codes, options
from spotui.cli.trusting import add_trust
from spotui.errors import SpotuiError
from spotui.settings.flags import flag_name

if TYPE_CHECKING:
    from spotui.launch import Launcher
    from spotui.workspace.projects import Project


_START_SECONDS = 20.0
_LOOK_SECONDS = 0.05


def add_working(parser: argparse.ArgumentParser) -> None:
    """How a run is worked on and shown."""
    parser.add_argument("--detach", action="store_true", help="work in the background; see 'spotui attach'")
    options.add_yes(parser)
    add_trust(parser)
    output = parser.add_argument_group("output (default: live on a terminal, plain lines in a pipe)")
    output.add_argument("--plain", action="store_true", help="plain lines, also on a terminal")
    output.add_argument(
        "--json", action="store_true", help="one event a line; commands are read from standard input"
    )
    output.add_argument(
        "--on-failure",
        choices=("halt", "pause"),
        default="halt",
        help="when a call fails for good: end the run, or wait for a 'resume' command (default: halt)",
    )


def work(
    project: "Project",
    launcher: "Launcher",
    parsed: argparse.Namespace,
    changes: Mapping[str, float | int | None],
) -> int:
    """Work on a project as the options say, and return the exit code."""
    if parsed.detach:
        return _detach(project, changes)
    from spotui.cli.conduct import conduct

    return conduct(launcher.run(project, on_trouble=parsed.on_failure, changes=changes), parsed)


def resumable(parsed: argparse.Namespace, name: str) -> "Project":
    """The project of that name, which has a journal to go on from.

    Raises:
        SpotuiError: There is none, or SPO's reference wrote it.
    """
    project = options.workspace(parsed).existing(name)
    if project.is_ours:
        return project
    raise SpotuiError(
        f"{name} was written by SPO's reference and has no journal to go on from.",
        f"Start a new run from its best prompt: spotui branch {name} --template FILE",
    )


def changed_limits(parsed: argparse.Namespace, launcher: "Launcher") -> dict[str, float | int | None]:
    """The limits that were typed, checked as every other setting is."""
    from spotui.launch import LIMITS
    from spotui.settings.flags import Flags

    return launcher.limits(Flags(**{flag: getattr(parsed, flag) for flag in LIMITS.values()}))


def _detach(project: "Project", changes: Mapping[str, float | int | None]) -> int:
    """A process of its own that outlives this terminal and waits for a person when a call fails."""
    from spotui.launch import LIMITS
    from spotui.own_process import OwnProcess

    words = ["resume", project.name]
    for key, value in changes.items():
        words += [flag_name(LIMITS[key]), "none" if value is None else str(value)]
    process = OwnProcess(project, words)
    deadline = time.monotonic() + _START_SECONDS
    while not process.is_ready() and time.monotonic() < deadline:
        time.sleep(_LOOK_SECONDS)
    print(
        f"{project.name} runs in the background. Watch it: spotui attach {project.name}    Log: {process.log}"
    )
    return exit_codes.OK
