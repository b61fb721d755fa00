"""spotui replay NAME."""

import argparse

from spotui.cli import options
from spotui.cli.usage import UsageError
from spotui.errors import SpotuiError


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """What `replay` takes."""
    options.add_project(parser)
    parser.add_argument(
        "--speed",
        type=float,
        default=1.0,
        metavar="X",
        help="times as fast as it was; 0 is at once (default 1)",
    )
    parser.add_argument("--plain", action="store_true", help="plain lines, also on a terminal")
    parser.add_argument(
        "--json", action="store_true", help="one event a line; commands are read from standard input"
    )


def main(parsed: argparse.Namespace) -> int:
    """Run a project again from its journal, in a copy that is thrown away."""
    import tempfile
    from pathlib import Path

    from spotui.cli.conduct import conduct
    from spotui.run.replaying import rehearse

    if parsed.speed < 0:
        raise UsageError("The speed cannot be below 0.", "Give 1 for as it was, 10 for ten times as fast.")
    project = options.workspace(parsed).existing(parsed.name)
    if not project.is_ours:
        raise SpotuiError(
            f"{parsed.name} has no journal to replay.", f"See its rounds: spotui show {parsed.name}"
        )
    with tempfile.TemporaryDirectory() as scratch:
        run = rehearse(project, Path(scratch), parsed.speed)
        return conduct(run, parsed, rehearsal=True)
