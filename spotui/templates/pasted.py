"""Questions as people paste them: a line each, with list marks, a table of two columns, or a file's path."""

import re
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from spotui.settings.locations import expanded
from spotui.templates.model import QA

_MARK: Final = re.compile(r"\s*(?:[-*•]|\(?\d{1,4}[.):])\s+(?=\S)")
_SEPARATOR: Final = re.compile(r"\t|\s+(?:=>|→)\s+")
_EMPTY_LINES: Final = re.compile(r"\n[ \t]*\n\s*")


def pasted_questions(text: str) -> tuple[QA, ...]:
    """The questions of a pasted text, with the answers that are expected.

    A line is a question. Where a text has empty lines, these divide it instead, so that a question can have
    several lines. Numbers, dashes and bullets are left out where every question has one. What follows a tab,
    `=>` or `→` is the answer.

    Args:
        text: Any text.

    Returns:
        The questions, without those that are empty.
    """
    text = "\n".join(line.rstrip() for line in text.strip().splitlines())
    parts = _EMPTY_LINES.split(text) if _EMPTY_LINES.search(text) else text.split("\n")
    return tuple(_row(part) for part in _unmarked([part for part in parts if part.strip()]))


def pasted_file(text: str) -> Path | None:
    """The file with rows whose path was pasted in place of questions.

    Args:
        text: Any text.

    Returns:
        Its absolute path; None where the text is not the path of a file that exists, in a format of rows.
    """
    from spotui.templates.data.source import ENDINGS

    text = text.strip().strip("'\"")
    if "\n" in text or Path(text).suffix.lower() not in ENDINGS:
        return None
    try:
        path = expanded(text).absolute()
        return path if path.is_file() else None
    except (OSError, RuntimeError, ValueError):  # too long, a home that nobody has, a zero byte
        return None


def _unmarked(parts: Sequence[str]) -> Sequence[str]:
    """The parts without the marks of a list, if they are one."""
    if len(parts) > 1 and all(map(_MARK.match, parts)):
        return [_MARK.sub("", part, count=1) for part in parts]
    return parts


def _row(part: str) -> QA:
    question, *answer = _SEPARATOR.split(part, maxsplit=1)
    if not question.strip():
        return QA(part.strip())
    return QA(question.strip(), answer[0].strip() if answer else "")
