"""Metrics that compare texts as they are, or without what makes no difference."""

import re
import unicodedata
from typing import Final

from spotui.dataset import Row
from spotui.metrics.mark import Comparing
from spotui.words import IDEOGRAPHS

_LETTER: Final = rf"(?:(?![{IDEOGRAPHS}])\w)"
_TOKEN: Final = re.compile(
    rf"""
    (?<![^\W{IDEOGRAPHS}])-?(?:\d[\d.,:/]*\d|\d|\.\d+)(?:%|{_LETTER}*)  # a number with its unit
    | [{IDEOGRAPHS}]     # where no spaces are written, each character is a word
    | {_LETTER}+         # a word
    | [^\w\s]            # everything else, to be judged by its kind
    """,
    re.VERBOSE,
)
_THOUSANDS: Final = re.compile(r"(?<=\d),(?=\d{3}(?!\d))")
_SYMBOLS: Final = frozenset("%")
"""Punctuation by its kind, but not by what it says."""
_DROPPED: Final = dict.fromkeys(map(ord, "'’`"))


def tokens(text: str) -> tuple[str, ...]:
    """The words, numbers and symbols of a text, in one case and without punctuation.

    A text of nothing but punctuation keeps it. The sign and the point of a number are no punctuation.
    """
    folded = _THOUSANDS.sub("", unicodedata.normalize("NFKC", text).casefold().replace("−", "-"))
    found = _TOKEN.findall(folded.translate(_DROPPED))
    words = tuple(
        one for one in found if one in _SYMBOLS or not unicodedata.category(one[-1]).startswith("P")
    )
    return words or tuple(found)


class Exact(Comparing[str]):
    """The answer is a reference, letter by letter, but for white space around it."""

    def read(self, answer: str, row: Row) -> str:  # noqa: ARG002 - other metrics read the row
        """The whole answer."""
        return answer.strip()

    def read_reference(self, reference: str) -> str:
        """The whole reference."""
        return reference.strip()


class Normalised(Comparing[str]):
    """The answer is a reference, but for case, punctuation and white space."""

    def read(self, answer: str, row: Row) -> str:  # noqa: ARG002 - other metrics read the row
        """The answer's words."""
        return " ".join(tokens(answer))

    def read_reference(self, reference: str) -> str:
        """The reference's words."""
        return " ".join(tokens(reference))


class Contains(Comparing[str]):
    """A reference stands in the answer as whole words, but for case, punctuation and white space."""

    def read(self, answer: str, row: Row) -> str:  # noqa: ARG002 - other metrics read the row
        """The answer's words."""
        return " ".join(tokens(answer))

    def read_reference(self, reference: str) -> str | None:
        """The reference's words."""
        return " ".join(tokens(reference)) or None

    def equal(self, found: str, expected: str) -> bool:
        """Whether the reference's words stand in the answer, one after the other."""
        return f" {expected} " in f" {found} "
