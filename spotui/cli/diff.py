"""spotui diff NAME [A] [B]."""

import argparse
import sys

from spotui.cli import exit_codes, options
from spotui.cli.reading import pick_round
from spotui.cli.terminal import paint
from spotui.controls import visible
from spotui.view.figures import plural
from spotui.view.word_diff import Piece, word_diff, words_changed
from spotui.workspace.history import read_history
from spotui.workspace.lines import RoundLine

_COLOURS = {"added": "\x1b[32m", "removed": "\x1b[31m"}
_MARKS = {"added": ("{+", "+}"), "removed": ("[-", "-]")}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """What `diff` takes."""
    parser.add_argument("name", metavar="NAME", help="the project ('spotui list' shows them)")
    parser.add_argument("a", nargs="?", default="seed", help="seed, best, last or a round (default: seed)")
    parser.add_argument("b", nargs="?", default="best", help="the same (default: best)")
    options.add_workspace(parser)


def main(parsed: argparse.Namespace) -> int:
    """Print one prompt with the words marked that another one adds and removes."""
    project = options.workspace(parsed).existing(parsed.name)
    history = read_history(project)
    old, new = (pick_round(project, history, wanted) for wanted in (parsed.a, parsed.b))
    pieces = word_diff(old.prompt, new.prompt)
    added, removed = words_changed(pieces)
    print(f"{_named(old)} to {_named(new)}: {plural(added, 'word')} added, {removed} removed")
    if _wants_colour():
        paint("".join(map(_coloured, pieces)) + "\n", sys.stdout)
    else:
        print("".join(map(_marked, pieces)))
    return exit_codes.OK


def _named(line: RoundLine) -> str:
    return f"round {line.round}" + ("" if line.judged is None else f" ({line.outcome} by your verdict)")


def _wants_colour() -> bool:
    import os

    return sys.stdout.isatty() and not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb"


def _marked(piece: Piece) -> str:
    if piece.change == "same" or not piece.text.strip():
        return piece.text
    begin, end = _MARKS[piece.change]
    return f"{begin}{piece.text}{end}"


def _coloured(piece: Piece) -> str:
    text = visible(_marked(piece))
    colour = _COLOURS.get(piece.change, "")
    return f"{colour}{text}\x1b[0m" if colour and piece.text.strip() else text
