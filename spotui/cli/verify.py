"""spotui verify FILE."""

import argparse
import sys
from pathlib import Path
from typing import IO, TYPE_CHECKING

from spotui.cli import exit_codes, options
from spotui.cli.annotations import add_annotate, annotation, wants_annotations
from spotui.cli.exit_codes import UsageError
from spotui.lang import _, as_english, ngettext
from spotui.settings.locations import expanded

if TYPE_CHECKING:
    from spotui.view.report.claims import Claims
    from spotui.view.report.verification import Verification
    from spotui.workspace.projects import Project, Workspace


def add_verify_arguments(parser: argparse.ArgumentParser) -> None:
    """What `verify` takes."""
    parser.add_argument(
        "file", metavar="FILE", help=_("an exported prompt, receipt or run, or a report of a run")
    )
    parser.add_argument(
        "--project",
        metavar="NAME",
        help=_("the project to compare with (default: the one that the file names, or the file's name)"),
    )
    parser.add_argument("--json", action="store_true", help=_("one JSON object"))
    add_annotate(parser)
    options.add_workspace(parser)


def verify_command(parsed: argparse.Namespace) -> int:
    """Say whether the figures of a file are those of a journal; no model is asked."""
    from spotui.view.report.claims import read_claims
    from spotui.view.report.verification import verify

    path = expanded(parsed.file)
    claims = read_claims(path)
    project = _project(parsed.project, claims, path, options.workspace(parsed))
    found = verify(claims, project)
    if parsed.json:
        import msgspec

        data = {**found._asdict(), "kind": claims.kind, "differences": found.differences}
        data["checks"] = [one._asdict() for one in found.checks]
        data["figures"] = {one.name: one.text for one in found.figures}
        print(msgspec.json.encode(data, enc_hook=as_english).decode())
    else:
        _print(found, claims)
    if wants_annotations(parsed):
        _annotate(found, path, sys.stderr if parsed.json else sys.stdout)
    return exit_codes.DIFFERS if found.differences else exit_codes.OK


def _project(name: str | None, claims: "Claims", path: Path, workspace: "Workspace") -> "Project":
    from spotui.workspace.projects import ProjectError

    if name or claims.project:
        return workspace.existing(name or claims.project)
    try:
        project = workspace.project(path.stem)
    except ProjectError:
        project = None
    if project is None or not project.exists:
        raise UsageError(
            _("{path} does not say which project it is from.", path=path.name),
            _("Name it, e.g. --project sums. 'spotui list' shows them."),
        )
    return project


def _print(verification: "Verification", claims: "Claims") -> None:
    from spotui.domain.text import visible

    print(
        _(
            "{kind} against the journal of {project}, round {round}:",
            kind=claims.kind,
            project=verification.project,
            round=verification.round,
        )
    )
    width = max(len(one.name) for one in verification.checks)
    agrees, differs = _("ok"), _("DIFFERS")
    for one in verification.checks:
        word = agrees if one.agrees else differs
        print(f"  {word:{max(len(agrees), len(differs))}}  {one.name:{width}}  {visible(one.text)}".rstrip())
    if claims.kind == "prompt" and not verification.differences:
        for figure in verification.figures:
            print(f"      {figure.label}: {figure.text}")
    if verification.differences:
        print(
            ngettext(
                "{n:,} of {checks} comparisons differs.",
                "{n:,} of {checks} comparisons differ.",
                verification.differences,
                checks=len(verification.checks),
            )
        )
    else:
        print(_("The file says what the journal says."))
    if verification.hint:
        print(verification.hint)


def _annotate(verification: "Verification", path: Path, stream: IO[str]) -> None:
    for one in verification.checks:
        if not one.agrees:
            title = _("{name} differs from the journal", name=one.name)
            print(annotation("error", title, one.text, path), file=stream)
    if not verification.differences:
        print(
            annotation(
                "notice",
                _("Verified"),
                _("The file says what the journal of {project} says.", project=verification.project),
                path,
            ),
            file=stream,
        )
