"""spotui list."""

import argparse
from datetime import datetime

from spotui.cli import exit_codes, options
from spotui.domain.errors import SpotuiError
from spotui.domain.figures import state_in_words, usd
from spotui.lang import _
from spotui.workspace.history import History, read_history
from spotui.workspace.projects import Project


def add_list_arguments(parser: argparse.ArgumentParser) -> None:
    """What `list` takes."""
    options.add_workspace(parser)
    parser.add_argument("--json", action="store_true", help=_("one JSON object a project"))


def list_command(parsed: argparse.Namespace) -> int:
    """Print a line for each project, oldest first."""
    workspace = options.workspace(parsed)
    rows = [_row(workspace.project(name)) for name in workspace.names()]
    if parsed.json:
        import json

        for row in rows:
            print(json.dumps(row, ensure_ascii=False))
    elif not rows:
        print(_("No projects in {root} yet. Begin with: spotui run poem", root=workspace.root))
    else:
        _print_table(rows)
    return exit_codes.OK


def _row(project: Project) -> dict[str, object]:
    try:
        history = read_history(project)
        when = _last_change(project, history)
    except SpotuiError as error:
        return {"name": project.name, "state": "damaged", "why": error.what}
    except OSError as error:  # it went away while the list was made
        return {
            "name": project.name,
            "state": "damaged",
            "why": _("It cannot be read: {strerror}.", strerror=error.strerror),
        }
    best = history.best
    cost, is_estimated = history.spent
    return {
        "name": project.name,
        "state": history.standing,
        "rounds": len(history.rounds),
        "best": best.round if best else None,
        "usd": cost,
        "estimated": is_estimated,
        "when": when.isoformat(timespec="seconds") if when else None,
    }


def _last_change(project: Project, history: History) -> datetime | None:
    """When its last round ended; before the first one, when it was made."""
    if not history.rounds and project.is_ours:
        from spotui.workspace.snapshot import read_snapshot

        return read_snapshot(project.snapshot).created
    return max((line.at for line in history.rounds), default=None)


def _print_table(rows: list[dict[str, object]]) -> None:
    width = max(4, *(len(str(row["name"])) for row in rows))
    heads = (_("name"), _("state"), _("rounds"), _("best"), _("spent"), _("when"))
    print("{:{width}}  {:11}  {:>6}  {:>4}  {:>10}  {}".format(*heads, width=width))
    for row in rows:
        if row["state"] == "damaged":
            print(f"{row['name']:{width}}  {state_in_words('damaged'):11}  {row['why']}")
            continue
        cost = row["usd"]
        known = float(cost) if isinstance(cost, int | float) else None
        spent = usd(known, estimated=bool(row["estimated"]))
        best, state = "-" if row["best"] is None else row["best"], state_in_words(str(row["state"]))
        print(
            f"{row['name']:{width}}  {state:11}  {row['rounds']:>6}  {best:>4}  {spent:>10}  "
            f"{str(row['when'] or '').replace('T', ' ')[:16]}"
        )
