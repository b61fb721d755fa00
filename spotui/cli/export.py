"""spotui export NAME."""

import argparse
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Final, TextIO

from spotui.cli import exit_codes, options
from spotui.cli.exit_codes import UsageError
from spotui.cli.show import pick_round
from spotui.domain.errors import SpotuiError
from spotui.lang import _
from spotui.settings.locations import expanded

if TYPE_CHECKING:
    from spotui.domain.records import RoundLine
    from spotui.templates.exchange.imported import Notes
    from spotui.workspace.history import History
    from spotui.workspace.projects import Project

OWN: Final = ("txt", "json", "markdown")
"""The formats that are a project's: the prompt, everything, a report."""

RECEIPT: Final = "receipt"
"""The prompt with its figures, for `spotui verify`."""

TEXTS: Final = ("messages", "promptfoo", "dspy", "python")
REGISTRIES: Final = ("langfuse", "mlflow")
SOURCE: Final = "source"
PRUNED: Final = "pruned"
_ENDINGS: Final = {".json": "json", ".md": "markdown", ".markdown": "markdown", ".py": "python"}


def add_export_arguments(parser: argparse.ArgumentParser) -> None:
    """What `export` takes."""
    options.add_project(parser)
    parser.add_argument(
        "--to",
        "--format",
        dest="format",
        choices=(*OWN, RECEIPT, *TEXTS, *REGISTRIES, SOURCE),
        help=_(
            "txt: the prompt; json: everything; markdown: a report; receipt: the prompt with its figures, "
            "for 'spotui verify'; messages: OpenAI's messages; promptfoo: prompt and tests; dspy: a program; "
            "python: a module; langfuse, mlflow: a new version in a registry; source: what the template was "
            "imported from (default: by FILE's ending, else txt)"
        ),
    )
    parser.add_argument(
        "--round",
        metavar="ROUND",
        default="best",
        help=_("seed, best, last, pruned or a number (default: best)"),
    )
    parser.add_argument("--output", "-o", metavar="FILE", help=_("where to (default: standard output)"))
    parser.add_argument(
        "--replace", action="store_true", help=_("with --to source: replace the prompt in the source's files")
    )
    parser.add_argument(
        "--as",
        dest="new_name",
        metavar="NEW",
        help=_("with a registry: the prompt's name there (default: the project's)"),
    )
    parser.add_argument(
        "--trust",
        action="append",
        default=[],
        metavar="FILE",
        help=_("with --to source: read FILE, although it is outside of the source's folder"),
    )


def export_command(parsed: argparse.Namespace) -> int:
    """Write the prompt of a round, or the run."""
    from spotui.workspace.history import read_history

    project = options.workspace(parsed).existing(parsed.name)
    history = read_history(project)
    is_pruned = parsed.round == PRUNED
    line = _pruned(project, history) if is_pruned else pick_round(project, history, parsed.round)
    ending = Path(parsed.output or "").suffix.lower()
    form = parsed.format or _ENDINGS.get(ending, "txt")
    if is_pruned and form in {RECEIPT, "markdown"}:
        raise UsageError(
            _("--to {form} is about a round; the receipt of a pruned prompt is in pruned.json.", form=form),
            _("Choose another format, or another --round."),
        )
    if parsed.replace and form != SOURCE:
        raise UsageError(_("--replace is for --to source."), _("Leave it out, or name a file with --output."))
    if form in REGISTRIES:
        return _register(parsed, project, history, line, form)
    if form == SOURCE:
        return _return(parsed, project, line)
    if form == RECEIPT:
        from spotui.view.report.receipt import make_receipt, picture_of

        receipt = make_receipt(project, history, line, picture_of(project, history))
        text = receipt.as_json().decode()
    elif form == "markdown":
        from spotui.view.report.markdown import as_markdown
        from spotui.view.report.of_run import report_of_run

        text = as_markdown(report_of_run(project, history, line))
    elif form in OWN:
        from spotui.runs.export import export

        text = export(project.name, history, line, form)
    else:
        text = _for_tool(project, history, line, form)
    write_text(text, parsed.output)
    return exit_codes.OK


def _pruned(project: "Project", history: "History") -> "RoundLine":
    """The round whose prompt was shortened, with the shorter prompt and without figures of the full one.

    Raises:
        SpotuiError: Nothing was pruned.
    """
    import msgspec

    from spotui.workspace.pruned_file import read_pruned

    found = read_pruned(project)
    if found is None or not found.cut:
        raise SpotuiError(
            _("{name} has no pruned prompt.", name=project.name),
            _("Find one with: spotui prune {name}", name=project.name),
        )
    line = pick_round(project, history, str(found.round))
    return msgspec.structs.replace(
        line,
        prompt=found.prompt,
        outcome="undecided",
        win_rate=None,
        win_interval=None,
        score=None,
        score_interval=None,
        per_answer=None,
        votes=(),
    )


def _for_tool(project: "Project", history: "History", line: "RoundLine", form: str) -> str:
    from spotui.runs.export import outgoing
    from spotui.templates.exchange.imported import Notes
    from spotui.templates.exchange.outgoing_programs import write

    notes = Notes()
    text = write(form, outgoing(project, history, line), notes)
    _report(notes)
    return text


def _return(parsed: argparse.Namespace, project: "Project", line: "RoundLine") -> int:
    """Put the prompt into its source, or show the source's file with it."""
    from spotui.runs.export import back_to_source

    trusted = frozenset(expanded(name).resolve() for name in parsed.trust)
    files = back_to_source(project, line, trusted)
    if parsed.replace:
        for path, text in files:
            write_text(text, path)
        return exit_codes.OK
    if len(files) > 1:
        names = ", ".join(str(path) for path, _text in files)
        raise UsageError(
            _("The prompt is in several files: {names}.", names=names),
            _("Replace it in all of them with --replace."),
        )
    write_text(files[0][1], parsed.output)
    if parsed.output is None:
        hint = _("This is {path} with the new prompt; --replace writes it there.", path=files[0][0])
        print(f"spotui: {hint}", file=sys.stderr)
    return exit_codes.OK


def _register(
    parsed: argparse.Namespace, project: "Project", history: "History", line: "RoundLine", form: str
) -> int:
    from spotui.runs.export import outgoing
    from spotui.runs.registries import register
    from spotui.templates.exchange.imported import Notes
    from spotui.templates.exchange.outgoing_programs import no_such_program

    notes, found = Notes(), outgoing(project, history, line)
    if found.parts:
        raise no_such_program(found, form)
    name = parsed.new_name or project.name.rsplit("/", 1)[-1]
    version = register(form, name, found, notes)
    _report(notes)
    print(_("{name} has a new version in {registry}: {version}.", name=name, registry=form, version=version))
    return exit_codes.OK


def _report(notes: "Notes") -> None:
    for note in notes:
        print(f"spotui: {note}", file=sys.stderr)


def write_text(text: str | bytes, name: str | Path | None, *, to: TextIO | None = None) -> None:
    """Write a text into a file that the user has named, or to standard output.

    Args:
        text: The text, or the bytes of the file.
        name: The file; None for standard output, which takes a text alone.
        to: Where it is said that the file is written (default: standard output).

    Raises:
        SpotuiError: It cannot be written.
    """
    if name is None:
        sys.stdout.write(str(text))
        return
    from spotui.workspace.files import replace_file

    path = expanded(name)
    try:
        replace_file(path, text if isinstance(text, bytes) else text.encode("utf-8", "replace"))
    except OSError as error:
        raise SpotuiError(
            _("{path} cannot be written: {strerror}.", path=path, strerror=error.strerror),
            _("Choose another file."),
        ) from None
    print(_("Wrote {path}.", path=path), file=to)
