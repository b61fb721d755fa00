"""spotui resume NAME."""

import argparse

from spotui.cli import options


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """What `resume` takes."""
    from spotui.cli.trusting import add_trust_address
    from spotui.cli.working import add_working

    options.add_project(parser)
    parser.add_argument(
        "--template",
        metavar="TEMPLATE",
        help="for a workspace that SPO's own tool wrote, which keeps no requirements: take them from here",
    )
    parser.add_argument("--max-rounds", metavar="N", help="rounds in all, more or fewer than before")
    parser.add_argument("--concurrency", metavar="N", help="calls in flight at each endpoint")
    options.add_stopping(parser)
    add_working(parser)
    add_trust_address(parser)
    options.add_budget(parser)


def main(parsed: argparse.Namespace) -> int:
    """Go on where the journal ends; nothing that was bought is bought again."""
    from spotui.cli.fetching import fetch_missing_models
    from spotui.cli.trusting import settle_address, settle_trust_of
    from spotui.cli.working import changed_limits, resumable, work
    from spotui.launch import Launcher
    from spotui.run.setup import load_settings
    from spotui.workspace.snapshot import read_snapshot

    launcher = Launcher()
    limits = changed_limits(parsed, launcher)
    total = limits.get("rounds")
    project = resumable(
        parsed, parsed.name, launcher, parsed.template, rounds=None if total is None else int(total)
    )
    settings = load_settings(read_snapshot(project.snapshot), project.snapshot)
    settle_trust_of(parsed, project)
    settle_address(parsed, launcher, settings.base_url)
    fetch_missing_models(settings, yes=parsed.yes)
    return work(project, launcher, parsed, limits)
