"""spotui branch NAME."""

import argparse

from spotui.cli import exit_codes, options
from spotui.cli.exit_codes import UsageError
from spotui.cli.show import pick_round
from spotui.lang import _


def add_branch_arguments(parser: argparse.ArgumentParser) -> None:
    """What `branch` takes."""
    options.add_project(parser)
    parser.add_argument(
        "--round", metavar="ROUND", default="best", help=_("seed, best, last or a number (default: best)")
    )
    parser.add_argument(
        "--as", dest="new_name", metavar="NEW", help=_("the new project (default: NAME-2, …)")
    )
    parser.add_argument(
        "--template",
        metavar="TEMPLATE",
        help=_(
            "for a workspace that SPO's reference wrote, which keeps no requirements: take them from here"
        ),
    )
    options.add_settings(parser)


def branch_command(parsed: argparse.Namespace) -> int:
    """Make a new run that starts from a round of this one."""
    from spotui.runs.branch import branch
    from spotui.runs.snapshots import stored_settings
    from spotui.workspace.history import read_history

    workspace = options.workspace(parsed)
    project = workspace.existing(parsed.name)
    line = pick_round(project, read_history(project), parsed.round)
    name = parsed.new_name or workspace.free_name(parsed.name.rsplit("/", 1)[-1])
    if project.is_ours:
        if any(value is not None for value in (parsed.template, *options.typed(parsed).values())):
            raise UsageError(
                _(
                    "{parsed} has its own template and settings, and its branch keeps them.",
                    parsed=parsed.name,
                ),
                _("Leave them out; limits can be changed by 'spotui resume'."),
            )
        new = branch(workspace, project, line, name)
        wanted = stored_settings(new).max_rounds
        more = f" --max-rounds {line.round + wanted}" if line.round >= wanted else ""
        command = f"spotui resume {new.name}{more}"
        print(
            _(
                "{new} has the rounds of {parsed} up to round {round}. Run it: {command}",
                new=new.name,
                parsed=parsed.name,
                round=line.round,
                command=command,
            )
        )
        return exit_codes.OK
    if not parsed.template:
        raise UsageError(
            _("{parsed} was written by SPO's reference, which keeps no requirements.", parsed=parsed.name),
            _("Name the template it was made with: --template FILE"),
        )
    _seed_from(parsed, line.prompt, name)
    print(
        _(
            "{name} starts from round {round} of {parsed}. Run it: spotui resume {name}",
            name=name,
            round=line.round,
            parsed=parsed.name,
        )
    )
    return exit_codes.OK


def _seed_from(parsed: argparse.Namespace, prompt: str, name: str) -> None:
    from spotui.runs.launch import Launcher
    from spotui.settings.resources import find_template

    launcher = Launcher()
    prepared = launcher.prepare(find_template(parsed.template), options.flags(parsed), prompt=prompt)
    launcher.new_project(options.workspace(parsed), name, prepared)
