"""Finds the options of a multiple-choice question in its text."""

import re
import unicodedata
from collections.abc import Sequence
from string import ascii_uppercase
from typing import Final

_OPTION: Final = re.compile(
    r"^[ \t]*(?:[-*•][ \t]+)?\*{0,2}(?:\(([A-Z])\)|\[([A-Z])\]|([A-Z])[).:、．：])[ \t]*(.*)$", re.MULTILINE
)
_INLINE_OPTION: Final = re.compile(r"(?:(?<=\s)|^)\(([A-Z])\)\s*([^\n]*?)(?=\s*\([A-Z]\)|\s*$)", re.MULTILINE)
_OPTION_MARK: Final = re.compile(
    r"(?:(?<=[\s?？:：。；;)）])|^)[(（]?([A-Z])[)）.:、．：]\s*(?=\S)", re.MULTILINE
)
_LOWER_MARK: Final = re.compile(r"(?:(?<=[\s?？:：。；;])|^)[(（]?([a-z])[)）]\s*(?=\S)", re.MULTILINE)


def options_of(question: str) -> dict[str, str]:
    """The options that a question shows, each with its text by its letter as a capital.

    Of several lists, e.g. in a prompt with examples, the last one counts.
    """
    text = narrow(question)
    lines = [(next(filter(None, one[:3])), one[3]) for one in _OPTION.findall(text)]
    found = max(
        map(_last_list, (lines, _INLINE_OPTION.findall(text), _in_a_row(text, _OPTION_MARK))), key=len
    )
    if len(found) < 2:
        found = max((found, _last_list(_in_a_row(text, _LOWER_MARK))), key=len)
    return found


def _in_a_row(question: str, pattern: re.Pattern[str]) -> list[tuple[str, str]]:
    """The options A, B, C … wherever they are, e.g. two of them in a line."""
    marks: list[re.Match[str]] = []
    for mark in pattern.finditer(question):
        if mark[1] in "aA" or (marks and ord(mark[1]) == ord(marks[-1][1]) + 1):
            marks.append(mark)
    ends = [*(mark.start() for mark in marks[1:]), len(question)]
    return [
        (mark[1].upper(), question[mark.end() : end].partition("\n")[0])
        for mark, end in zip(marks, ends, strict=False)
    ]


def _last_list(pairs: Sequence[tuple[str, str]]) -> dict[str, str]:
    """The last options from A on, at least two; what there is where nothing begins with A."""
    found: dict[str, str] = {}
    run: dict[str, str] = {}
    for letter, text in pairs:
        if letter == "A":
            run = {}
        if letter == ascii_uppercase[len(run) % len(ascii_uppercase)]:
            run[letter] = text.strip(" \t\u3000*")
            found = run if len(run) > 1 else found
    return found or {letter: text.strip(" \t\u3000*") for letter, text in pairs}


def narrow(text: str) -> str:
    """The text with letters of the usual width."""
    return "".join(
        unicodedata.normalize("NFKC", one) if "Ａ" <= one <= "ｚ" or "Ⓐ" <= one <= "ⓩ" else one
        for one in text
    )
