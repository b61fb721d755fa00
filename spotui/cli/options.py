"""Options that several verbs share."""

import argparse
from pathlib import Path
from typing import TYPE_CHECKING, Any

from spotui.lang import _
from spotui.settings import locations
from spotui.settings.locations import expanded
from spotui.workspace.projects import Workspace

if TYPE_CHECKING:
    from spotui.runs.launch import Launcher
    from spotui.runs.prepare import Prepared, Purpose
    from spotui.settings.resolve import Flags
    from spotui.settings.table import Group, Setting


def add_workspace(parser: argparse.ArgumentParser) -> None:
    """The option that chooses another workspace."""
    parser.add_argument(
        "--workspace", metavar="DIR", help=_("where projects are kept (see 'spotui locate' for the default)")
    )


def workspace(parsed: argparse.Namespace) -> Workspace:
    """The workspace that was chosen."""
    chosen = parsed.workspace
    return Workspace(expanded(chosen) if chosen else locations.workspace_dir())


def add_project(parser: argparse.ArgumentParser) -> None:
    """The name of a project, and its workspace."""
    parser.add_argument("name", metavar="NAME", help=_("the project ('spotui list' shows them)"))
    add_workspace(parser)


def add_settings(
    parser: argparse.ArgumentParser, *groups: "Group", title: str = "", only_limits: bool = False
) -> None:
    """Settings of a run, as the table has them. The reference's flags have its names.

    Args:
        parser: Takes them.
        groups: Those that the verb uses; all where none is named.
        title: The heading, where there is one group with another meaning.
        only_limits: Leave out what cannot be changed once a run has begun.
    """
    from spotui.settings.table import SETTINGS, Group

    for group in groups or Group:
        flags = {
            one.flags[0]: one for one in SETTINGS if one.group == group and (one.limit or not only_limits)
        }
        if group == Group.MODELS and not only_limits:
            flags = {**{one.flags[1]: one for one in SETTINGS if one.shared}, **flags}
        if flags:
            section = parser.add_argument_group(title or _(group))
            for flag, setting in flags.items():
                _add_setting(section, flag, setting)


def _add_setting(section: "argparse._ArgumentGroup", flag: str, setting: "Setting") -> None:
    from spotui.settings.table import option
    from spotui.settings.values import base, placeholder

    about = setting.help if flag == setting.flags[0] else setting.shared
    about = _("{what} (default: {value})", what=_(about), value=_(setting.usual)).replace("%", "%%")
    if base(setting.kind) is bool:
        section.add_argument(
            option(flag), dest=flag, action=argparse.BooleanOptionalAction, default=None, help=about
        )
    else:
        section.add_argument(option(flag), dest=flag, metavar=placeholder(setting.kind), help=about)


def add_yes(parser: argparse.ArgumentParser) -> None:
    """What a verb needs not ask before it begins."""
    parser.add_argument(
        "--yes", "-y", action="store_true", help=_("fetch a missing embedded model without asking")
    )


def add_method(parser: argparse.ArgumentParser) -> None:
    """The method and its parameters."""
    method = parser.add_argument_group(_("method ('spotui methods' shows them with their parameters)"))
    method.add_argument("--method", metavar="NAME", help=_("in place of the template's (default: spo)"))
    method.add_argument(
        "--set",
        dest="set",
        metavar="NAME=VALUE",
        action="append",
        default=[],
        help=_("a parameter of the method; give it again for another"),
    )


def parameters(parsed: argparse.Namespace) -> "dict[str, Any]":
    """The parameters that were typed.

    Raises:
        ParameterError: One of them has no value.
    """
    if not getattr(parsed, "set", ()):  # a verb may take a method without parameters
        return {}
    from spotui.methods.parameters import parse_assignment

    return dict(parse_assignment(text) for text in parsed.set)


def typed(parsed: argparse.Namespace) -> dict[str, str | bool | None]:
    """Every flag that is a setting of a run; None for one that was not typed."""
    from spotui.settings.resolve import FLAGS

    return {name: getattr(parsed, name, None) for name in FLAGS}


def flags(parsed: argparse.Namespace) -> "Flags":
    """The settings that were typed."""
    from spotui.settings.resolve import Flags

    return Flags(**typed(parsed))


def untracked(given: "Flags") -> "Flags":
    """The settings that belong to runs: what this machine reports to does not, and is named again."""
    from spotui.settings.resolve import Flags

    return Flags(**{name: value for name, value in given.items() if name != "track"})


def as_words(given: "Flags") -> list[str]:
    """Settings as somebody would type them again."""
    from spotui.settings.table import option

    words = []
    for name, value in given.items():
        if value is False:
            words.append(f"--no-{option(name).removeprefix('--')}")
        else:
            words.append(option(name) if value is True else f"{option(name)}={value}")
    return words


def limits(parsed: argparse.Namespace) -> "Flags":
    """Those of them that can be changed once a run has begun."""
    from spotui.settings.resolve import Flags
    from spotui.settings.table import LIMITS

    return Flags(**{one.flags[0]: getattr(parsed, one.flags[0]) for one in LIMITS.values()})


def prepare(
    launcher: "Launcher", path: Path, parsed: argparse.Namespace, purpose: "Purpose" = "run"
) -> "Prepared":
    """Settle what the typed words ask for on a template; see `Launcher.prepare`."""
    return launcher.prepare(
        path, flags(parsed), method=parsed.method, parameters=parameters(parsed), purpose=purpose
    )
