"""spotui export NAME."""

import argparse
import sys
from pathlib import Path

from spotui.cli import exit_codes, options
from spotui.cli.reading import pick_round
from spotui.errors import SpotuiError


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """What `export` takes."""
    options.add_project(parser)
    parser.add_argument(
        "--format",
        choices=("txt", "json", "markdown"),
        help="txt: the prompt; json: everything; markdown: a report (default: by FILE's ending, else txt)",
    )
    parser.add_argument(
        "--round", metavar="ROUND", default="best", help="seed, best, last or a number (default: best)"
    )
    parser.add_argument("--output", "-o", metavar="FILE", help="where to (default: standard output)")


def main(parsed: argparse.Namespace) -> int:
    """Write the prompt of a round, or the run."""
    from spotui.export import export
    from spotui.workspace.atomic import replace_file
    from spotui.workspace.history import read_history

    project = options.workspace(parsed).existing(parsed.name)
    history = read_history(project)
    line = pick_round(project, history, parsed.round)
    endings = {".json": "json", ".md": "markdown", ".markdown": "markdown"}
    form = parsed.format or endings.get(Path(parsed.output or "").suffix.lower(), "txt")
    text = export(project.name, history, line, form)
    if parsed.output is None:
        sys.stdout.write(text)
        return exit_codes.OK
    path = Path(parsed.output).expanduser()
    try:
        replace_file(path, text.encode("utf-8", "replace"))
    except OSError as error:
        raise SpotuiError(f"{path} cannot be written: {error.strerror}.", "Choose another file.") from None
    print(f"Wrote {path}.")
    return exit_codes.OK
