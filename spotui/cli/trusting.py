"""Asking whether a template may reach outside of itself: run a Python file, or send a data file."""

import argparse
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from spotui.cli.exit_codes import UsageError
from spotui.cli.terminal import behind
from spotui.lang import _

if TYPE_CHECKING:
    from spotui.metrics.custom import MetricFile
    from spotui.runs.launch import Launcher
    from spotui.runs.prepare import Prepared
    from spotui.runs.trust import Reach
    from spotui.settings.programs import Program
    from spotui.workspace.projects import Project


def add_trust(parser: argparse.ArgumentParser) -> None:
    """The option that names files which a template may use."""
    parser.add_argument(
        "--trust",
        action="append",
        default=[],
        metavar="FILE",
        help=_(
            "do not ask about FILE: run the custom metric or program in it, or send the rows in it to the "
            "models although it is outside the template's folder; may be repeated"
        ),
    )


def add_trust_address(parser: argparse.ArgumentParser) -> None:
    """The option that names the address of a project's endpoint."""
    parser.add_argument(
        "--trust-address",
        metavar="URL",
        help=_("let your key be sent to this address, which the project's run.yaml names"),
    )


def settle_address(parsed: argparse.Namespace, launcher: "Launcher", url: str | None) -> None:
    """Trust the address that a project's run.yaml names, if the user says so; else say that it gets no key.

    Args:
        parsed: What was typed.
        launcher: What the run is made with.
        url: The address, or None when there is none.

    Raises:
        UsageError: `--trust-address` names another one.
    """
    from spotui.settings.keys import origin

    named = parsed.trust_address
    if named is not None and (not url or origin(named) != origin(url)):
        what = (
            _("--trust-address names {named}, but the run's address is {url}.", named=named, url=url)
            if url
            else _("--trust-address names {named}, but the run names no address.", named=named)
        )
        raise UsageError(what, _("Correct it, or leave --trust-address out."))
    if named is not None and url:
        launcher.trust_address(url)
    elif url and not launcher.is_trusted(url):
        print(
            _(
                "spotui: {url} gets no key of yours: only this project's run.yaml names it. If you "
                "trust that address, add --trust-address {url}",
                url=url,
            ),
            file=sys.stderr,
        )


def settle_trust(parsed: argparse.Namespace, launcher: "Launcher", prepared: "Prepared") -> None:
    """Make sure that a template's custom metric and program may run, and that its data may be sent.

    Args:
        parsed: What was typed.
        launcher: What it was prepared with.
        prepared: The template with its settings.

    Raises:
        UntrustedError: The user does not trust the file of the metric, or nobody can be asked.
        UntrustedProgramError: The same for a program in place of the executor's model.
        OutsideDataError: The user does not agree to a data file, or nobody can be asked.
        UsageError: `--trust` names another file.
        SpotuiError: The metric is wrong.
    """
    from spotui.runs.trust import reach_of

    launcher.trust_typed_program(prepared.settings)
    _settle(parsed, reach_of(prepared.template, prepared.path.parent, prepared.settings))


def settle_trust_of(parsed: argparse.Namespace, project: "Project") -> None:
    """Make sure that metric and program of a project's run may run; raises as `settle_trust` does."""
    from spotui.runs.trust import reach_of_project

    _settle(parsed, reach_of_project(project))


def settle_program_of(parsed: argparse.Namespace, project: "Project") -> None:
    """Make sure that the program of a project's run may answer; raises as `settle_trust` does."""
    from spotui.runs.trust import program_reach

    _settle(parsed, program_reach(project))


def _settle(parsed: argparse.Namespace, reach: "Reach") -> None:
    """Agree to the files that `--trust` names, and ask about the others."""
    from spotui.runs.trust import OutsideDataError, UntrustedError, UnusedTrustError
    from spotui.settings.programs import UntrustedProgramError, agree

    try:
        reach.allow_named(parsed.trust)
    except UnusedTrustError as error:
        raise UsageError(error.what, error.hint) from None
    rest = reach.open
    if rest.metric is not None:
        if not _agrees(rest.metric):
            raise UntrustedError(rest.metric)
        rest.allow(rest.metric.path)
    if rest.program is not None:
        if not _agrees_to_program(rest.program):
            raise UntrustedProgramError(rest.program)
        agree(rest.program)
    for path in rest.data:
        if not _agrees_to_send(path, rest.folder):
            raise OutsideDataError(path, rest.folder)
        rest.allow(path)


def _agrees(file: "MetricFile") -> bool:
    """Whether the user trusts the file of a metric."""
    return says_yes(
        _(
            "The metric {file} is Python code, which can do whatever you can do on this "
            "machine:\n  {file2}\n  {count} lines, SHA-256 {digest}\nRead it before you say yes. "
            "You are asked again when it changes. Run it? [y/N] ",
            file=file.name,
            file2=file.path,
            count=file.source.count(bytes([10])),
            digest=file.digest,
        )
    )


def _agrees_to_program(program: "Program") -> bool:
    """Whether the user trusts a program."""
    from spotui.settings.programs import terms_of

    return says_yes(f"{terms_of(program)}\n" + _("Use it? [y/N] "))


def _agrees_to_send(path: Path, folder: Path) -> bool:
    """Whether the user agrees that the rows of a file are sent."""
    return says_yes(
        _(
            "The template takes its rows from outside its folder, and they are sent to the "
            "models:\n  {path}\nYou are not asked again for templates in {folder}. Send them? "
            "[y/N] ",
            path=path,
            folder=folder,
        )
    )


def says_yes(question: str) -> bool:
    """Whether the user says yes; where nobody can be asked, the answer is no."""
    if not (sys.stdin.isatty() and behind(sys.stderr).isatty()):
        return False
    print(question, end="", file=sys.stderr, flush=True)
    try:
        return input().strip().lower() in {"y", "yes"}
    except EOFError:
        return False
