"""spotui run TEMPLATE."""

import argparse
import sys
from typing import TYPE_CHECKING

from spotui.cli import options
from spotui.errors import SpotuiError

if TYPE_CHECKING:
    from spotui.launch import Launcher
    from spotui.workspace.projects import Project


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """What `run` takes; the reference's flags have its names."""
    from spotui.cli.working import add_working

    parser.add_argument(
        "template", nargs="?", metavar="TEMPLATE", help="a YAML file, or the name of a bundled example"
    )
    parser.add_argument(
        "--template", dest="template_flag", metavar="TEMPLATE", help="the same, as SPO has it"
    )
    parser.add_argument("--name", metavar="NAME", help="the project (default: the template's name)")
    parser.add_argument(
        "--fresh", action="store_true", help="start over; an old project of that name goes to the archive"
    )
    parser.add_argument(
        "--initial-round",
        metavar="N",
        type=int,
        default=1,
        help="1 starts a run; above 1 goes on with the project, whose next round must be N (default 1)",
    )
    options.add_workspace(parser)
    add_working(parser)
    options.add_settings(parser)


def main(parsed: argparse.Namespace) -> int:
    """Set a project up and work on it."""
    from spotui.cli.working import work
    from spotui.launch import Launcher

    launcher = Launcher()
    changes: dict[str, float | int | None] = {}
    if parsed.initial_round > 1:
        project, changes["rounds"] = _go_on(parsed)
    else:
        project = _begin(parsed, launcher)
    return work(project, launcher, parsed, changes)


def _begin(parsed: argparse.Namespace, launcher: "Launcher") -> "Project":
    from spotui.cli.fetching import fetch_missing_models
    from spotui.estimate import estimate_run
    from spotui.resources import find_template
    from spotui.run.setup import new_project
    from spotui.template.read import parse_template, read_text

    wanted = parsed.template or parsed.template_flag
    if not wanted:
        raise SpotuiError("Which template?", "Name a YAML file or a bundled example: spotui run poem")
    path = find_template(wanted)
    text = read_text(path)
    template = parse_template(text, path.name)
    resolution = launcher.settings(options.flags(parsed), template)
    for warning in resolution.warnings:
        print(f"spotui: {warning.what} {warning.mend}", file=sys.stderr)
    settings = resolution.settings
    fetch_missing_models(settings, yes=parsed.yes)
    if not parsed.json:
        estimate = estimate_run(template, settings, launcher.connector(settings))
        print(f"Expected: {estimate.line}", file=sys.stderr)
        for text in estimate.warnings:
            print(f"spotui: {text}", file=sys.stderr)
    return new_project(
        options.workspace(parsed),
        parsed.name or path.stem,
        text,
        settings,
        template_name=path.name,
        fresh=parsed.fresh,
    )


def _go_on(parsed: argparse.Namespace) -> "tuple[Project, int]":
    """The reference's way to continue: so many more rounds, from round N on."""
    from spotui.workspace.history import read_history

    wanted = parsed.template or parsed.template_flag or ""
    name = parsed.name or wanted.rsplit("/", 1)[-1].removesuffix(".yaml")
    project = options.workspace(parsed).existing(name)
    if not project.is_ours:
        raise SpotuiError(
            f"{name} was written by SPO's reference and has no journal to go on from.",
            f"Start a new run from its best prompt: spotui branch {name} --name {name}-2",
        )
    last = max((line.round for line in read_history(project).rounds), default=0)
    if parsed.initial_round != last + 1:
        raise SpotuiError(
            f"The next round of {name} is {last + 1}, not {parsed.initial_round}.",
            f"Use --initial-round {last + 1}, or 'spotui resume {name} --max-rounds N'.",
        )
    return project, last + int(parsed.max_rounds or 10)
