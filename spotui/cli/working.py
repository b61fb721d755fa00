"""Working on a project, here or in the background."""

import argparse
import subprocess
import sys
from collections.abc import Mapping
from typing import TYPE_CHECKING

from spotui import locations
from spotui.cli import exit_codes

if TYPE_CHECKING:
    from spotui.launch import Launcher
    from spotui.workspace.projects import Project


def add_working(parser: argparse.ArgumentParser) -> None:
    """How a run is worked on and shown."""
    parser.add_argument("--detach", action="store_true", help="work in the background; see 'spotui attach'")
    parser.add_argument(
        "--yes", "-y", action="store_true", help="fetch a missing embedded model without asking"
    )
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


def _detach(project: "Project", changes: Mapping[str, float | int | None]) -> int:
    """A process of its own that outlives this terminal and waits for a person when a call fails."""
    log = locations.log_dir() / f"{project.name.replace('/', '-')}.log"
    log.parent.mkdir(parents=True, exist_ok=True)
    root = project.folder.parents[project.name.count("/")]
    command = [sys.executable, "-m", "spotui", "resume", project.name, "--workspace", str(root), "--plain"]
    command += ["--on-failure", "pause", "--yes"]
    for key, value in changes.items():
        flag = "--max-rounds" if key == "rounds" else f"--budget-{key}"
        command += [flag, "none" if value is None else str(value)]
    with log.open("ab") as output:
        subprocess.Popen(
            command, stdin=subprocess.DEVNULL, stdout=output, stderr=output, start_new_session=True
        )
    print(f"{project.name} runs in the background. Watch it: spotui attach {project.name}    Log: {log}")
    return exit_codes.OK
