"""Compares numbers."""

import re
from decimal import Decimal
from typing import Final

from spotui.dataset import Row
from spotui.metrics.conclusion import conclusions
from spotui.metrics.mark import Comparing

_NUMBER: Final = re.compile(
    r"""
    (?:(?<!\w)(?P<sign>[-−–])\s?(?=[$€£¥₹\d.]))?   # a minus; after a digit or a letter it is a dash
    [$€£¥₹]?(?<!\w)(?<!\d\.)(?P<inner>-)?
    (?P<body>
        [1-9]\d{0,2}(?:[,\u00a0\u202f]\d{3})+(?![\d])(?:\.\d+)?   # 1,234.5
        | (?<!\d,)(?:\d+,\d{1,2}|0,\d+)(?![\d,])(?!\.\d)          # 2,5 where a comma is the point
        | \d+(?:\.\d+)?
        | (?<!\.)\.\d+
    )
    (?P<power>[eE][+-]?\d{1,3}(?!\w))?
    """,
    re.VERBOSE,
)
_LATEX: Final = re.compile(r"\\[,!;$ ]|\{,\}")
_BULLET: Final = re.compile(r"^[ \t]*(?:[-–*•][ \t]+|\d+[.)][ \t]+(?=\S))", re.MULTILINE)


def numbers(text: str) -> list[Decimal]:
    """All numbers of a text in its order; signs, points and thousands are read, units are not."""
    plain = _LATEX.sub(lambda found: "," if found[0] in (r"\,", "{,}") else "", text)
    return [_value(match) for match in _NUMBER.finditer(plain)]


def last_number(text: str) -> Decimal | None:
    """The number that a longer answer comes to: behind "the answer is", "####" or "=", else the last one."""
    for conclusion in conclusions(text):
        after_equals = conclusion.rpartition("=")[2]
        if found := numbers(after_equals) or numbers(conclusion):
            return found[0]
    found = numbers(_BULLET.sub("", text)) or numbers(text)
    return found[-1] if found else None


class Number(Comparing[Decimal]):
    """The answer comes to the number of a reference.

    Args:
        tolerance: How far apart they may be, 0 or more.
    """

    wanted = "number"

    def __init__(self, tolerance: float = 0) -> None:
        self._tolerance = Decimal(str(tolerance))

    def read(self, answer: str, row: Row) -> Decimal | None:  # noqa: ARG002 - other metrics read the row
        """The number an answer comes to."""
        return last_number(answer)

    def read_reference(self, reference: str) -> Decimal | None:
        """The number a reference comes to."""
        return last_number(reference)

    def equal(self, found: Decimal, expected: Decimal) -> bool:
        """Whether the numbers are near enough."""
        return abs(found - expected) <= self._tolerance


def _value(match: re.Match[str]) -> Decimal:
    body = match["body"]
    if re.fullmatch(r"\d+,\d{1,2}|0,\d+", body):
        body = body.replace(",", ".")
    value = Decimal(re.sub(r"[,\u00a0\u202f]", "", body) + (match["power"] or ""))
    return -value if match["sign"] or match["inner"] else value
