"""spotui wait NAME."""

import argparse

from spotui.cli import exit_codes, options
from spotui.lang import _
from spotui.workspace.projects import Project


def add_wait_arguments(parser: argparse.ArgumentParser) -> None:
    """What `wait` takes."""
    from spotui.cli.trusting import add_trust_address
    from spotui.cli.working import add_batches, add_working

    options.add_project(parser)
    add_working(parser)
    add_batches(parser)
    add_trust_address(parser)


def wait_command(parsed: argparse.Namespace) -> int:
    """Wait for the batches of a run, collect their replies, and continue the run."""
    from spotui.cli.fetching import fetch_missing_models
    from spotui.cli.trusting import settle_address, settle_trust_of
    from spotui.cli.working import work
    from spotui.runs.launch import Launcher
    from spotui.runs.snapshots import stored_settings

    project = options.workspace(parsed).existing(parsed.name)
    settings = stored_settings(project) if project.is_ours else None
    if settings is None or not settings.batched or _is_done(project):
        print(_("{name} waits for no batch. Continue it with: spotui resume {name}", name=project.name))
        return exit_codes.OK
    launcher = Launcher()
    settle_trust_of(parsed, project)
    settle_address(parsed, launcher, settings.base_url)
    fetch_missing_models(settings, yes=parsed.yes)
    return work(project, launcher, parsed, {})


def _is_done(project: Project) -> bool:
    """Whether the run has ended as planned; one that died between two batches has not."""
    from spotui.domain.records import AS_PLANNED
    from spotui.workspace.history import read_history

    stop = read_history(project).stop
    return stop is not None and stop.reason in AS_PLANNED
