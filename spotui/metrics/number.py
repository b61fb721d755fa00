"""Compares numbers, written in digits or in words."""

import re
from fractions import Fraction
from typing import Final

from spotui.domain.rows import Row
from spotui.metrics import phrases
from spotui.metrics.mark import (
    Comparing,
    after_correction,
    boxed,
    conclusions,
    first_sentence,
    sentences_backwards,
)
from spotui.metrics.number_words import numbers_in_words
from spotui.metrics.numerals import UNKNOWN, Numeral, numerals, plain

_BULLET: Final = re.compile(r"^[ \t]*(?:[-–*•][ \t]+|\d+[.)][ \t]+(?=\S))", re.MULTILINE)
_FILLER: Final = re.compile(
    r"(?:[\s*_`\"'“(\[:=$\\]|\b(?:therefore|thus|so|about|approximately|around|roughly|exactly|just|only|simply|a"
    r"|total|of|equal|to|the|number|value|约|大约|共|一共|还有|剩下|有)\b|≈|[A-Za-z]\s?=)*",
    re.IGNORECASE,
)
_OPERATOR: Final = re.compile(
    r"\s*(?:=|[-+*×÷/–·⋅∙]\s*[$(]?\d|\b(?:plus|minus|times|divided(?:\sby)?)\s+[$(]?\d)"
)
_ALGEBRA: Final = re.compile(r"\s?\*?\s?[xyzn][\s\d^*+()xyzn-]*[.$]*\Z")
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

_DENIED: Final = re.compile(
    r"(?:\binstead of|\brather than|[,(] ?not|[,(] ?nicht|而不是|，不是)\s*\Z", re.IGNORECASE
)
_SO: Final = re.compile(rf"\s*(?:{phrases.SO})", re.IGNORECASE)
_WRAPPED: Final = re.compile(
    r"\A(?:\$|\\[(\[]|[*_`\"'“]{1,3})(.*?)(?:\$|\\[)\]]|[*_`\"'”]{1,3})\Z", re.DOTALL
)
_LISTED: Final = re.compile(r"[,;]|\band\b")
_EQUALS: Final = re.compile(r"(?<![<>≤≥!])=")
_PARTS: Final = re.compile(r"[(（][^()（）]{1,200}[)）][\s.。!*_`]*\Z")


def last_number(text: str) -> Fraction | None:
    """The number that an answer comes to: behind "the answer is", "####" or "=", else the last one."""
    corrected = after_correction(text)
    if corrected and (found := _last(corrected)) is not None:
        return found
    for at, conclusion in enumerate(conclusions(text)):
        sentence = plain(first_sentence(conclusion))
        written = list(numerals(sentence))
        if not written and (words := next(numbers_in_words(conclusion), None)) is not None:
            return words
        if not written:
            written = list(numerals(sentence := plain(conclusion)))
        if written and (concluded := _concluded(sentence, written)) is not None:
            return concluded.value
        if written and at == 0 and not _number_follows(conclusion, text):
            return None
    return _last(text)


def _number_follows(conclusion: str, text: str) -> bool:
    """Whether numbers follow a conclusion that says none."""
    at = text.rfind(conclusion)
    return at >= 0 and any(numerals(plain(text[at + len(conclusion) :])))


def _concluded(sentence: str, written: list[Numeral]) -> Numeral | None:
    """The number that a sentence such as "3 * 6 = 18 dollars" or "that 18 are left" says the answer is."""
    first = written[0]
    lead = _FILLER.match(sentence)
    stands_first = lead is not None and lead.end() >= first.start
    if stands_first and _ALGEBRA.match(sentence, first.end):
        return None
    if stands_first and not _OPERATOR.match(sentence, first.end):
        return None if _ANOTHER_UNKNOWN.match(sentence, first.end) else first
    if (equal := _equal_to(sentence, written)) is not None:
        return equal
    if stands_first:
        return None  # an expression that nobody has worked out
    return written[-1] if _DERIVED.search(sentence, 0, first.start) else first


def _equal_to(sentence: str, written: list[Numeral]) -> Numeral | None:
    """The number of an equation, from its last side that is one; "7 = 3 + 4" is about 7."""
    end = len(sentence)
    while (equals := sentence.rfind("=", 0, end)) >= 0:
        side = [one for one in written if equals < one.start < end]
        if side and not _OPERATOR.match(sentence, side[0].end):
            return side[0]
        end = equals
    before = [one for one in written if one.end <= end and not sentence[one.end : end].strip()]
    return before[-1] if before and end < len(sentence) else None


def _last(text: str) -> Fraction | None:
    note = _NOTE.search(text)
    if note is not None and (found := _last(text[: note.start()])) is not None:
        return found
    shown = plain(text)
    words = list(numbers_in_words(text))
    for form in (_BULLET.sub("", shown), shown):
        if written := list(numerals(form)):
            return _last_in(form, written)
    return words[-1] if words else None


def _last_in(text: str, written: list[Numeral]) -> Fraction | None:
    """The last number of a text, or the one that its last line says is equal to an expression."""
    sentence = next(iter(sentences_backwards(text)))
    if _SO.match(sentence) and not any(numerals(sentence)):
        words = list(numbers_in_words(sentence))
        if len(words) == 1 and words[0] != 1:
            return words[0]
    if (whole := _whole_of_parts(text, written)) is not None:
        return whole
    said = list(numerals(sentence))
    if _SO.match(sentence) and said and "=" in sentence and (equal := _equal_to(sentence, said)) is not None:
        return equal.value
    begin = text.rfind("\n", 0, written[-1].start) + 1
    in_line = [one for one in written if one.start >= begin]
    side = [one for one in in_line if one.start > text.rfind("=", begin)]
    is_expression = len(side) > 1 and _OPERATOR.match(text, side[0].end) and "=" in text[begin:]
    found = _equal_to(text, in_line) if is_expression else None
    if found is None:
        found = next((one for one in reversed(written) if not _is_denied(text, one)), written[-1])
    return found.value


def _whole_of_parts(text: str, written: list[Numeral]) -> Fraction | None:
    """The number whose parts a bracket at the end lists, as in "42 apples (40 red and 2 green)"."""
    if (bracket := _PARTS.search(text)) is None:
        return None
    before = [one.value for one in written if one.end <= bracket.start()]
    parts = [one.value for one in written if one.start > bracket.start()]
    if len(parts) < 2 or not before or None in parts:
        return None
    return before[-1] if before[-1] == sum(part for part in parts if part is not None) else None


def _is_denied(text: str, number: Numeral) -> bool:
    return _DENIED.search(text, max(0, number.start - 16), number.start) is not None


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
        text = plain(next(boxed(text), text)).strip()
        text = _WRAPPED.sub(r"\1", text)
        *sides, last = _EQUALS.split(text)
        if any(_LISTED.search(side) for side in sides[1:]):
            return None  # x = 5, y = 6
        text = last if UNKNOWN not in text else text
        written = list(numerals(text))
        if not written:
            words = list(numbers_in_words(text))
            return words[0] if len(words) == 1 else None
        found = written[0]
        is_alone = _LEAD.fullmatch(text, 0, found.start) and _UNIT.fullmatch(text.rstrip("$ )"), found.end)
        return found.value if is_alone else None

    def equal(self, value: Fraction, expected: Fraction) -> bool:
        """Whether the numbers are near enough."""
        return abs(value - expected) <= self._tolerance

    def shown(self, value: Fraction) -> str:
        """The number in digits where those end, else as a fraction."""
        rest = value.denominator
        for factor in (2, 5):
            while rest % factor == 0:
                rest //= factor
        if rest > 1 or value.denominator.bit_length() > 100:
            return str(value)
        text = f"{value.numerator * 10**100 // value.denominator:0101d}" if value >= 0 else ""
        return f"{text[:-100]}.{text[-100:]}".rstrip("0").rstrip(".") if text else f"-{self.shown(-value)}"
