"""spotui resume NAME."""

import argparse
from typing import TYPE_CHECKING

from spotui.cli import options
from spotui.errors import SpotuiError

if TYPE_CHECKING:
    from spotui.launch import Launcher


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """What `resume` takes."""
    from spotui.cli.working import add_working

    options.add_project(parser)
    parser.add_argument("--max-rounds", metavar="N", help="rounds in all, more or fewer than before")
    parser.add_argument("--concurrency", metavar="N", help="calls in flight at each endpoint")
    add_working(parser)
    options.add_budget(parser)


def main(parsed: argparse.Namespace) -> int:
    """Go on where the journal ends; nothing that was bought is bought again."""
    from spotui.cli.fetching import fetch_missing_models
    from spotui.cli.working import work
    from spotui.launch import Launcher
    from spotui.run.setup import load_settings
    from spotui.workspace.snapshot import read_snapshot

    launcher = Launcher()
    project = options.workspace(parsed).existing(parsed.name)
    if not project.is_ours:
        raise SpotuiError(
            f"{parsed.name} was written by SPO's reference and has no journal to go on from.",
            f"Start a new run from its best prompt: spotui branch {parsed.name} --name {parsed.name}-2",
        )
    settings = load_settings(read_snapshot(project.snapshot), project.snapshot)
    fetch_missing_models(settings, yes=parsed.yes)
    return work(project, launcher, parsed, _changes(parsed, launcher))


def _changes(parsed: argparse.Namespace, launcher: "Launcher") -> dict[str, float | int | None]:
    """The limits that were typed, checked as every other setting is."""
    from spotui.settings.flags import Flags

    typed = {
        "rounds": "max_rounds",
        "concurrency": "concurrency",
        **{kind: f"budget_{kind}" for kind in ("usd", "tokens", "calls", "minutes")},
    }
    values = {key: getattr(parsed, field) for key, field in typed.items()}
    given = {key: value for key, value in values.items() if value is not None}
    flags = Flags(**{typed[key]: value for key, value in given.items()})
    settings = launcher.settings(flags).settings
    resolved: dict[str, float | int | None] = {
        "rounds": settings.max_rounds,
        "concurrency": settings.concurrency,
        "usd": settings.budget.usd,
        "tokens": settings.budget.tokens,
        "calls": settings.budget.calls,
        "minutes": settings.budget.minutes,
    }
    return {key: resolved[key] for key in given}
