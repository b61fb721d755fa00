"""Compares numbers, written in digits or in words."""

import re
from collections.abc import Iterator
from fractions import Fraction
from typing import Final, NamedTuple

from spotui.domain.rows import Row
from spotui.metrics.mark import Comparing, after_correction, boxed, conclusions, first_sentence
from spotui.metrics.numerals import UNKNOWN, Numeral, numerals, plain


class NumberWords(NamedTuple):
    """A number in words.

    Attributes:
        value: What it is.
        start: Where it begins.
        end: Where it ends.
    """

    value: Fraction
    start: int
    end: int


_NAMES: Final = (
    *("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven"),
    *("twelve", "thirteen", "fourteen", "fifteen", "sixteen", "seventeen", "eighteen", "nineteen"),
)
_ONES: Final = {name: value for value, name in enumerate(_NAMES)}
_DECADES: Final = ("twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety")
_TENS: Final = {name: 10 * tens for tens, name in enumerate(_DECADES, 2)}
_SCALES: Final = {"hundred": 100, "thousand": 10**3, "million": 10**6, "billion": 10**9, "trillion": 10**12}
_WORD: Final = "|".join((*_ONES, *_TENS, *_SCALES))
_ENGLISH: Final = re.compile(
    rf"(?<!\w)(?:(?:a|an)\s+(?=hundred|thousand|million))?(?:{_WORD})(?:(?:\s*-\s*|\s+and\s+|,?\s+)(?:{_WORD}))*\b"
    rf"(?:\s+point(?P<decimals>(?:[\s-]+(?:{'|'.join(_NAMES[:10])})\b)+)|(?P<half>\s+and\s+(?:a|one)\s+half\b))?"
    r"(?P<part>\s+(?:and\s+\w+\s+)?(?:half|halves|thirds?|quarters?|fourths?|fifths?|sixths?|eighths?|tenths?|point)\b)?",
    re.IGNORECASE,
)
_NO_NUMBER: Final = re.compile(
    r"\b(?:no|this|that|which|any|some|every|each|another|the)\s*-?\s*\Z", re.IGNORECASE
)
_NEGATIVE: Final = re.compile(r"\b(?:negative|minus)\s+\Z", re.IGNORECASE)

_DIGITS: Final = {**dict(zip("零一二三四五六七八九", range(10), strict=True)), "〇": 0, "两": 2, "兩": 2}
_UNITS: Final = {"十": 10, "百": 100, "千": 1000}
_SECTIONS: Final = {"万": 10**4, "萬": 10**4, "亿": 10**8, "億": 10**8}
_HAN: Final = "".join((*_DIGITS, *_UNITS, *_SECTIONS))
_CHINESE: Final = re.compile(
    rf"(?<![第几幾点點之{_HAN}])(?<![一二两三四五六七八九]成)(?P<minus>[负負])?(?:(?P<under>[{_HAN}]+)分之)?(?P<whole>[{_HAN}]+)"
    rf"(?:[点點](?P<decimals>[{''.join(_DIGITS)}]+))?(?![点點分成打{_HAN}]|来个|\w*之)"
    r"(?P<half>[个個天年月倍]半)?(?:[元块塊圆](?P<tenths>[一二两三四五六七八九])[角毛])?"
)
_SEVERAL: Final = re.compile("一二|二三|两三|三四|四五|五六|六七|七八|八九")
"""Two digits next to each other that mean one or the other, as in 三四个."""
_ENDS: Final = re.compile(
    r"\s*(?:\Z|[\s。．.，,；;！!）)】」*_]|[个個只元块岁歲天人本张張次条條米件名种種年月日分秒小时時倍位颗顆朵辆輛头頭把支瓶杯箱盒斤公]|円|つ|匹|枚)"
)


def english_numbers(text: str) -> Iterator[NumberWords]:
    """The English numbers of a text; "no one" and "this one" are none, and neither are "two thirds"."""
    for match in _ENGLISH.finditer(text):
        if match["part"]:
            continue
        whole = match[0].removesuffix(match["half"] or "")
        words = re.findall(r"[a-z]+", whole.casefold().partition(" point")[0])
        if match[0].casefold() == "one" and (
            _NO_NUMBER.search(text, max(0, match.start() - 12), match.start())
            or re.compile(r"\s+(?:of|another|by)\b", re.IGNORECASE).match(text, match.end())
        ):
            continue
        digits = "".join(
            str(_ONES[one]) for one in re.findall(r"[a-z]+", (match["decimals"] or "").casefold())
        )
        value = Fraction(f"{_english(words)}.{digits or 0}") + (Fraction(1, 2) if match["half"] else 0)
        negative = _NEGATIVE.search(text, max(0, match.start() - 12), match.start())
        yield NumberWords(-value if negative else value, match.start(), match.end())


def _english(words: list[str]) -> int:
    total, part = 0, 0
    for word in words:
        if word in _ONES:
            part += _ONES[word]
        elif word in _TENS:
            part += _TENS[word]
        elif word == "hundred":
            part = max(1, part) * 100
        elif word in _SCALES:
            total, part = total + max(1, part) * _SCALES[word], 0
    return total + part


def chinese_numbers(text: str) -> Iterator[NumberWords]:
    """The numbers in Chinese characters that something is counted by, or that end a part of a sentence."""
    for match in _CHINESE.finditer(text):
        if match["whole"][0] not in _SECTIONS and _ENDS.match(text, match.end()):
            value = _of_han(match)
            if value is not None:
                yield NumberWords(-value if match["minus"] else value, match.start(), match.end())


def _of_han(match: re.Match[str]) -> Fraction | None:
    """What a number in Chinese characters is; None where it is one of several, or divided by zero."""
    whole, under = match["whole"], match["under"]
    if _SEVERAL.search(whole) and (len(whole) == len("三四") or not _DIGITS.keys() >= set(whole)):
        return None
    value = Fraction(_chinese(whole))
    if match["decimals"]:
        value += Fraction(f"0.{''.join(str(_DIGITS[one]) for one in match['decimals'])}")
    if match["half"]:
        value += Fraction(1, 2)
    if match["tenths"]:
        value += Fraction(_DIGITS[match["tenths"]], 10)
    if not under or under in _UNITS:
        return value  # 百分之五 is 5 %, and units are not read
    return value / divisor if (divisor := _chinese(under)) else None


def _chinese(text: str) -> int:
    if not any(one in _UNITS or one in _SECTIONS for one in text):
        return int("".join(str(_DIGITS[one]) for one in text))
    total, section, digit, unit = 0, 0, 0, 1
    for one in text:
        if one in _DIGITS:
            digit, unit = _DIGITS[one], 10 if one in "零〇" else unit
        elif one in _UNITS:
            section, digit, unit = section + (digit or 1) * _UNITS[one], 0, _UNITS[one]
        elif (scale := _SECTIONS[one]) > total:
            total, section, digit, unit = (total + section + digit) * scale, 0, 0, scale
        else:
            total, section, digit, unit = total + (section + digit) * scale, 0, 0, scale
    return total + section + digit * max(1, unit // 10)


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

_EQUALS: Final = re.compile(r"(?<![<>≤≥!])=")


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
    return (one.value for one in found)


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
        text = text.strip("$").strip() if text.startswith("$") and text.endswith("$") else text
        text = _EQUALS.split(text)[-1] if UNKNOWN not in text else text
        written = list(numerals(text))
        if not written:
            words = list(_in_words(text))
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
