"""Finds numbers that are written in words, in English and in Chinese characters."""

import re
from collections.abc import Iterator
from typing import Final, NamedTuple


class NumberWords(NamedTuple):
    """A number in words.

    Attributes:
        value: What it is.
        start: Where it begins.
        end: Where it ends.
    """

    value: int
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
    r"(?!\s+(?:half|halves|thirds?|quarters?|fourths?|fifths?|sixths?|eighths?|tenths?|point)\b)",
    re.IGNORECASE,
)
_NO_NUMBER: Final = re.compile(
    r"\b(?:no|this|that|which|any|some|every|each|another|the)\s*-?\s*\Z", re.IGNORECASE
)
_NEGATIVE: Final = re.compile(r"\b(?:negative|minus)\s+\Z", re.IGNORECASE)

_DIGITS: Final = {**dict(zip("零一二三四五六七八九", range(10), strict=True)), "〇": 0, "两": 2, "兩": 2}
_UNITS: Final = {"十": 10, "百": 100, "千": 1000}
_SECTIONS: Final = {"万": 10**4, "萬": 10**4, "亿": 10**8, "億": 10**8}
_CHINESE: Final = re.compile(
    rf"(?<![第几])[负負]?[{''.join((*_DIGITS, *_UNITS, *_SECTIONS))}]+(?![点分]|\w*之)"
)
_ENDS: Final = re.compile(
    r"\s*(?:\Z|[\s。．.，,；;！!）)】」*_]|[个個只元块岁歲天人本张張次条條米件名种種年月日分秒小时時倍位颗顆朵辆輛头頭把支瓶杯箱盒斤公]|円|つ|匹|枚)"
)


def english_numbers(text: str) -> Iterator[NumberWords]:
    """The English numbers of a text; "no one" and "this one" are none."""
    for match in _ENGLISH.finditer(text):
        words = re.findall(r"[a-z]+", match[0].casefold())
        if words == ["one"] and (
            _NO_NUMBER.search(text, max(0, match.start() - 12), match.start())
            or re.compile(r"\s+(?:of|another|by)\b", re.IGNORECASE).match(text, match.end())
        ):
            continue
        value = _english(words)
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
        digits = match[0].lstrip("负負")
        if digits and digits[0] not in _SECTIONS and _ENDS.match(text, match.end()):
            value = _chinese(digits)
            yield NumberWords(-value if digits != match[0] else value, match.start(), match.end())


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
