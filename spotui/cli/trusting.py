"""Asking whether the Python file of a custom metric may run: once for each file as it is."""

import argparse
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from spotui.cli.usage import UsageError

if TYPE_CHECKING:
    from spotui.launch import Launcher
    from spotui.metrics.own import MetricFile
    from spotui.template import Template
    from spotui.workspace.projects import Project


def add_trust(parser: argparse.ArgumentParser) -> None:
    """The option that names the file of a custom metric."""
    parser.add_argument(
        "--trust",
        metavar="FILE",
        help="run the custom metric in FILE without asking; it is trusted until it changes",
    )


def add_trust_address(parser: argparse.ArgumentParser) -> None:
    """The option that names the address of a project's endpoint."""
    parser.add_argument(
        "--trust-address",
        metavar="URL",
        help="let your key be sent to this address, which the project's run.yaml names",
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
    from spotui.settings.addresses import origin

    named = parsed.trust_address
    if named is not None and (not url or origin(named) != origin(url)):
        what = f"the run's address is {url}" if url else "the run names no address"
        raise UsageError(
            f"--trust-address names {named}, but {what}.", "Correct it, or leave --trust-address out."
        )
    if named is not None and url:
        launcher.trust_address(url)
    elif url and not launcher.is_trusted(url):
        print(
            f"spotui: {url} gets no key of yours: only this project's run.yaml names it. If you trust that "
            f"address, add --trust-address {url}",
            file=sys.stderr,
        )


def settle_trust(parsed: argparse.Namespace, template: "Template", folder: Path) -> None:
    """Make sure that a template's custom metric may run.

    Args:
        parsed: What was typed.
        template: The template.
        folder: Where it is.

    Raises:
        UntrustedError: The user does not trust the file, or nobody can be asked.
        UsageError: `--trust` names another file.
        SpotuiError: The metric is wrong.
    """
    from spotui.run.trusting import metric_file

    _settle(parsed.trust, metric_file(template, folder))


def settle_trust_of(parsed: argparse.Namespace, project: "Project") -> None:
    """Make sure that the custom metric of a project's run may run; raises as `settle_trust` does."""
    from spotui.run.trusting import metric_file_of

    _settle(parsed.trust, metric_file_of(project))


def _settle(named: str | None, file: "MetricFile | None") -> None:
    from spotui.run.trusting import UntrustedError, untrusted
    from spotui.settings.trust import trust

    if named is not None and (file is None or Path(named).expanduser().resolve() != file.path):
        what = f"the file of the metric is {file.path}" if file else "no custom metric is used here"
        raise UsageError(f"--trust names {named}, but {what}.", "Correct the path, or leave --trust out.")
    if file is None or (named is None and untrusted(file) is None):
        return
    if named is None and not _agrees(file):
        raise UntrustedError(file)
    trust(file.path, file.digest)


def _agrees(file: "MetricFile") -> bool:
    """Whether the user says yes; where nobody can be asked, the answer is no."""
    if not (sys.stdin.isatty() and sys.stderr.isatty()):
        return False
    print(
        f"The metric {file.name} is Python code, which can do whatever you can do on this machine:\n"
        f"  {file.path}\n"
        f"  {file.source.count(bytes([10]))} lines, SHA-256 {file.digest}\n"
        "Read it before you say yes. You are asked again when it changes. Run it? [y/N] ",
        end="",
        file=sys.stderr,
        flush=True,
    )
    try:
        return input().strip().lower() in {"y", "yes"}
    except EOFError:
        return False
