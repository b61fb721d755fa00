"""Compares numbers."""

import re
from collections.abc import Iterator
from fractions import Fraction
from typing import Final

from spotui.dataset import Row
from spotui.metrics.conclusion import after_correction, boxed, conclusions, first_sentence
from spotui.metrics.mark import Comparing
from spotui.metrics.number_words import chinese_numbers, english_numbers
from spotui.metrics.numerals import UNKNOWN, Numeral, numerals, plain

_BULLET: Final = re.compile(r"^[ \t]*(?:[-–*•][ \t]+|\d+[.)][ \t]+(?=\S))", re.MULTILINE)
_FILLER: Final = re.compile(
    r"(?:[\s*_`\"'“(\[:=$\\]|\b(?:therefore|thus|so|about|approximately|around|roughly|exactly|just|only|simply|a"
    r"|total|of|equal|to|the|number|value|约|大约|共|一共|还有|剩下|有)\b|≈|[A-Za-z]\s?=)*",
    re.IGNORECASE,
)
_OPERATOR: Final = re.compile(r"\s*(?:=|[-+*×÷/–]\s*[$(]?\d|\b(?:plus|minus|times|divided)\b)")
_ANOTHER_UNKNOWN: Final = re.compile(r"\s*(?:,|and|,\s*and)\s*\$?[A-Za-z]\s?=")
_NOTE: Final = re.compile(
    r"\n[ \t]{0,8}[*_(\[]{0,3}(?:note|explanation|assumptions?|p\.s\.)\b", re.IGNORECASE
)
_DERIVED: Final = re.compile(
    r"\b(?:by|adding|multiplying|dividing|subtracting|obtained|found|calculated|computed|sum|product|difference)\b",
    re.IGNORECASE,
)
_UNIT: Final = re.compile(
    r"\s*(?:%|‰|°\s?[CFK]?|[$€£¥₹₽₩฿])?\s*"
    r"(?:(?![xyzni]\b(?!\s+[^\W\d]))[^\W\d_]+(?:\s?\^?\s?\{?[23²³]\}?)?[.'’]?(?:\s|/|-|·|$)*){0,6}[.,;!。\s]*"
)
_LEAD: Final = re.compile(
    r"[\s$€£¥₹₽₩฿≈~约(+]*|(?:[A-Za-z]{1,3}|[A-Z]{0,2}[$€£¥])\s?|(?:about|approximately)\s+"
)


def last_number(text: str) -> Fraction | None:
    """The number that an answer comes to: behind "the answer is", "####" or "=", else the last one."""
    corrected = after_correction(text)
    if corrected and (found := _last(corrected)) is not None:
        return found
    for conclusion in conclusions(text):
        sentence = plain(first_sentence(conclusion))
        written = list(numerals(sentence))
        if not written and (words := next(_in_words(conclusion), None)) is not None:
            return words
        if not written:
            written = list(numerals(sentence := plain(conclusion)))
        if written and (concluded := _concluded(sentence, written)) is not None:
            return concluded.value
    return _last(text)


def _concluded(sentence: str, written: list[Numeral]) -> Numeral | None:
    """The number that a sentence such as "3 * 6 = 18 dollars" or "that 18 are left" says the answer is."""
    first = written[0]
    lead = _FILLER.match(sentence)
    stands_first = lead is not None and lead.end() >= first.start
    if stands_first and not _OPERATOR.match(sentence, first.end):
        return None if _ANOTHER_UNKNOWN.match(sentence, first.end) else first
    equals = sentence.rfind("=")
    after = [one for one in written if one.start > equals]
    if equals >= 0 and after:
        return after[0]
    if stands_first:
        return None  # an expression that nobody has worked out
    return written[-1] if _DERIVED.search(sentence, 0, first.start) else first


def _last(text: str) -> Fraction | None:
    note = _NOTE.search(text)
    if note is not None and (found := _last(text[: note.start()])) is not None:
        return found
    shown = plain(text)
    written = list(numerals(_BULLET.sub("", shown))) or list(numerals(shown))
    if written:
        return written[-1].value
    words = list(_in_words(text))
    return words[-1] if words else None


def _in_words(text: str) -> Iterator[Fraction]:
    found = sorted([*english_numbers(text), *chinese_numbers(text)], key=lambda one: one.start)
    return (Fraction(one.value) for one in found)


class Number(Comparing[Fraction]):
    """The answer comes to the number of a reference.

    A reference has to be one number, which may have a unit; a fraction or a power is computed. Anything else,
    e.g. an interval or a time, is an error of its row.

    Args:
        tolerance: How far apart they may be, 0 or more.
    """

    wanted = "a single number"

    def __init__(self, tolerance: float = 0) -> None:
        self._tolerance = Fraction(str(tolerance))

    def read(self, answer: str, row: Row) -> Fraction | None:  # noqa: ARG002 - other metrics read the row
        """The number an answer comes to."""
        return last_number(answer)

    def read_reference(self, reference: str) -> Fraction | None:
        """The number a reference is; None when it is anything but one number."""
        text = reference.rpartition("####")[2]
        text = plain(next(boxed(text), text)).strip().strip("$").strip()
        text = text.rpartition("=")[2] if UNKNOWN not in text else text
        written = list(numerals(text))
        if not written:
            words = list(_in_words(text))
            return words[0] if len(words) == 1 else None
        found = written[0]
        is_alone = _LEAD.fullmatch(text, 0, found.start) and _UNIT.fullmatch(text.rstrip("$ )"), found.end)
        return found.value if is_alone else None

    def equal(self, found: Fraction, expected: Fraction) -> bool:
        """Whether the numbers are near enough."""
        return abs(found - expected) <= self._tolerance

    def shown(self, found: Fraction) -> str:
        """The number in digits where those end, else as a fraction."""
        rest = found.denominator
        for factor in (2, 5):
            while rest % factor == 0:
                rest //= factor
        if rest > 1 or found.denominator.bit_length() > 100:
            return str(found)
        text = f"{found.numerator * 10**100 // found.denominator:0101d}" if found >= 0 else ""
        return f"{text[:-100]}.{text[-100:]}".rstrip("0").rstrip(".") if text else f"-{self.shown(-found)}"
