"""spotui report NAME."""

import argparse
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Final, TextIO

from spotui.cli import exit_codes, options
from spotui.cli.exit_codes import UsageError
from spotui.domain.errors import SpotuiError
from spotui.lang import _
from spotui.settings.locations import expanded

if TYPE_CHECKING:
    from spotui.view.report.document import Report
    from spotui.workspace.projects import Workspace

_STDOUT: Final = "-"
_HEAD: Final = 4096
"""Characters at the beginning of a file that say whether it is a report."""


def add_report_arguments(parser: argparse.ArgumentParser) -> None:
    """What `report` takes."""
    parser.add_argument("name", metavar="NAME", help=_("a project, a race, a sweep, or a migration"))
    form = parser.add_mutually_exclusive_group()
    form.add_argument(
        "--html", action="store_true", help=_("one HTML file without network or script (default)")
    )
    form.add_argument("--md", action="store_true", help=_("Markdown"))
    parser.add_argument(
        "--round", metavar="ROUND", default="best", help=_("seed, best, last or a number (default: best)")
    )
    parser.add_argument(
        "--output",
        "-o",
        metavar="FILE",
        help=_("where to; - for standard output (default: NAME.html or NAME.md in this folder)"),
    )
    options.add_workspace(parser)


def report_command(parsed: argparse.Namespace) -> int:
    """Write the report of a run, a race, a sweep or a migration; no model is asked."""
    output = parsed.output
    is_markdown = parsed.md or (not parsed.html and _is_markdown(output or ""))
    report = _report(parsed.name, options.workspace(parsed), parsed.round)
    name = f"{parsed.name.replace('/', '-')}{'.md' if is_markdown else '.html'}"
    write_report(report, output or name, is_markdown=is_markdown, to=sys.stderr if output is None else None)
    return exit_codes.OK


def write_report(
    report: "Report", output: str, *, is_markdown: bool | None = None, to: TextIO | None = None
) -> None:
    """Write a report into a file; an earlier report there is replaced, and nothing else.

    Args:
        report: The report.
        output: The file, or - for standard output.
        is_markdown: Whether it is Markdown in place of HTML; None lets the file's name say so.
        to: Where it is said that the file is written (default: standard output).

    Raises:
        SpotuiError: There is another file of that name, or it cannot be written.
    """
    from spotui.cli.export import write_text
    from spotui.view.report.html import as_html
    from spotui.view.report.markdown import as_markdown

    wants_markdown = _is_markdown(output) if is_markdown is None else is_markdown
    text = as_markdown(report) if wants_markdown else as_html(report)
    if output == _STDOUT:
        write_text(text, None)
        return
    path = expanded(output)
    _refuse_other_file(path)
    write_text(text, path, to=to)


def _is_markdown(output: str) -> bool:
    return Path(output).suffix.lower() in (".md", ".markdown")


def _report(name: str, workspace: "Workspace", wanted: str) -> "Report":
    if not workspace.project(name).exists and (found := _of_several(name, workspace)) is not None:
        if wanted != "best":
            raise UsageError(
                _("{name} has several runs, and --round is for one.", name=name),
                _("Name one of its runs; 'spotui list' shows them."),
            )
        return found
    from spotui.cli.show import pick_round
    from spotui.view.report.of_run import report_of_run
    from spotui.workspace.history import read_history

    project = workspace.existing(name)
    history = read_history(project)
    return report_of_run(project, history, pick_round(project, history, wanted))


def _of_several(name: str, workspace: "Workspace") -> "Report | None":
    """The report of a race, a sweep or a migration; None where nothing of them has that name."""
    from spotui.workspace.migration_file import MigrationFolder
    from spotui.workspace.race_file import RaceFolder
    from spotui.workspace.sweep_file import SweepFolder

    if (race := RaceFolder(workspace, name)).exists:
        from spotui.view.report.of_race import report_of_race

        return report_of_race(race)
    if (sweep := SweepFolder(workspace, name)).exists:
        from spotui.view.report.of_sweep import report_of_sweep

        return report_of_sweep(sweep)
    if (migration := MigrationFolder(workspace, name)).exists:
        from spotui.view.report.of_migration import report_of_migration

        return report_of_migration(migration)
    return None


def _refuse_other_file(path: Path) -> None:
    """Replace an earlier report, and nothing else.

    Raises:
        SpotuiError: There is another file of that name.
    """
    from spotui.view.report import html, markdown

    try:
        with path.open("r", encoding="utf-8", errors="replace") as file:
            head = file.read(_HEAD)
    except FileNotFoundError:
        return
    except OSError as error:
        raise SpotuiError(
            _("{path} cannot be written: {strerror}.", path=path, strerror=error.strerror),
            _("Choose another file with --output."),
        ) from None
    if head and html.MARK not in head and not head.startswith(markdown.MARK):
        raise SpotuiError(
            _("{path} exists and is not a report of spotui, so it is left as it is.", path=path),
            _("Choose another file with --output."),
        )
