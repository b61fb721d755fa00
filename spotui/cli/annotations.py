"""Annotations: lines that GitHub shows beside the files of a pull request."""

import argparse
import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Final, Literal

from spotui.lang import _

Level = Literal["notice", "warning", "error"]

_IN_TEXT: Final = str.maketrans({"%": "%25", "\r": "%0D", "\n": "%0A"})
_IN_PROPERTY: Final = str.maketrans({"%": "%25", "\r": "%0D", "\n": "%0A", ":": "%3A", ",": "%2C"})


def add_annotate(parser: argparse.ArgumentParser) -> None:
    """The option that asks for annotations."""
    parser.add_argument(
        "--annotate",
        action=argparse.BooleanOptionalAction,
        default=None,
        help=_("annotate the pull request on GitHub (default: when GITHUB_ACTIONS is set)"),
    )


def wants_annotations(parsed: argparse.Namespace) -> bool:
    """Whether annotations were asked for, or GitHub runs this."""
    chosen: bool | None = parsed.annotate
    return os.environ.get("GITHUB_ACTIONS") == "true" if chosen is None else chosen


def annotation(level: Level, title: str, text: str, path: Path, line: int = 1) -> str:
    """A line that GitHub shows as an annotation.

    Args:
        level: How bad it is.
        title: A few words.
        text: The message, of any number of lines.
        path: The file that it is about.
        line: The line there, from 1.
    """
    name = os.path.relpath(path) if path.is_absolute() else str(path)
    properties = {"file": name, "line": str(line), "title": title}
    shown = ",".join(f"{key}={value.translate(_IN_PROPERTY)}" for key, value in properties.items())
    return f"::{level} {shown}::{text.translate(_IN_TEXT)}"


def line_of(text: str, key: str) -> int:
    """The line of a template on which a key begins; 1 where it is on none."""
    lines = text.splitlines()
    return next((number for number, line in enumerate(lines, 1) if line.startswith(f"{key}:")), 1)


@contextmanager
def as_plain_text(stream: IO[str], *, annotates: bool) -> Iterator[None]:
    """Keep GitHub from reading commands in the rows and answers that are printed meanwhile.

    Args:
        stream: Where they are printed.
        annotates: Whether GitHub reads the output at all.
    """
    token = secrets.token_hex(16)
    if annotates:
        print(f"::stop-commands::{token}", file=stream, flush=True)
    try:
        yield
    finally:
        if annotates:
            print(f"::{token}::", file=stream, flush=True)
