"""Finds numbers that are written in words: English ones, and those in Chinese characters."""

import re
from collections.abc import Iterator
from fractions import Fraction
from typing import Final, NamedTuple


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
    rf"(?:\s+point(?P<decimals>(?:[\s-]+(?:{'|'.join(_NAMES[:10])})\b)+)(?:\s+(?P<scale>{'|'.join(_SCALES)})\b)?"
    r"|(?P<half>\s+and\s+(?:a|one)[\s-]half\b))?"
    r"(?P<part>[\s-]+(?:and\s+\w+\s+)?(?:half|halves|thirds?|quarters?|fourths?|fifths?|sixths?|eighths?|tenths?|point)\b)?",
    re.IGNORECASE,
)
_NO_NUMBER: Final = re.compile(
    r"\b(?:no|this|that|which|any|some|every|each|another|the)\s*-?\s*\Z", re.IGNORECASE
)
_INTERVAL: Final = re.compile(r"\s*(?:to|or)\s+|[或到至]", re.IGNORECASE)
_NEGATIVE: Final = re.compile(r"\b(?:negative|minus)\s+\Z", re.IGNORECASE)

_DIGITS: Final = {**dict(zip("零一二三四五六七八九", range(10), strict=True)), "〇": 0, "两": 2, "兩": 2}
_UNITS: Final = {"十": 10, "百": 100, "千": 1000}
_SECTIONS: Final = {"万": 10**4, "萬": 10**4, "亿": 10**8, "億": 10**8}
_HAN: Final = "".join((*_DIGITS, *_UNITS, *_SECTIONS))
_CHINESE: Final = re.compile(
    rf"(?<![第几幾点點之{_HAN}])(?<![一二两三四五六七八九]成)(?P<minus>[负負])?(?:(?P<under>[{_HAN}]+)分之)?(?P<whole>[{_HAN}]+)"
    rf"(?:[点點](?P<decimals>[{''.join(_DIGITS)}]+))?(?![点點分成打{_HAN}]|来个|\w*之)"
    r"(?P<half>[个個天年月倍]半)?(?:(?:[元块塊圆](?P<tenths>[一二两三四五六七八九])[角毛]"
    r"|[块塊](?P<coins>[一二两三四五六七八九])(?![十百千万])))?"
)
_SEVERAL: Final = re.compile("一二|二三|两三|三四|四五|五六|六七|七八|八九")
"""Two digits next to each other that mean one or the other, as in 三四个."""
_ENDS: Final = re.compile(
    r"\s*(?:\Z|[\s。．.，,；;！!）)】」*_]|[个個只元块岁歲天人本张張次条條米件名种種年月日分秒小时時倍位颗顆朵辆輛头頭把支瓶杯箱盒斤公]|円|つ|匹|枚)"
)


def numbers_in_words(text: str) -> Iterator[Fraction | None]:
    """The numbers in words of a text in its order; None for one of two, as in "five or six"."""
    found = sorted([*english_numbers(text), *chinese_numbers(text)], key=lambda one: one.start)
    is_interval = False
    for one, following in zip(found, [*found[1:], None], strict=False):
        joins = following is not None and _INTERVAL.fullmatch(text, one.end, following.start) is not None
        yield None if joins or is_interval else one.value
        is_interval = joins


def english_numbers(text: str) -> Iterator[NumberWords]:
    """The English numbers of a text; "no one" and "this one" are none, and neither are "two thirds"."""
    for match in _ENGLISH.finditer(text):
        if match["part"]:
            continue
        if match[0].casefold() == "one" and (
            _NO_NUMBER.search(text, max(0, match.start() - 12), match.start())
            or re.compile(r"\s+(?:of|another|by)\b", re.IGNORECASE).match(text, match.end())
        ):
            continue
        whole = match.end("decimals") if match["decimals"] else match.start("half")
        found = list(_english(text, match.start(), whole if whole >= 0 else match.end()))
        digits = "".join(
            str(_ONES[one]) for one in re.findall(r"[a-z]+", (match["decimals"] or "").casefold())
        )
        last = found[-1].value + Fraction(f"0.{digits or 0}") + (Fraction(1, 2) if match["half"] else 0)
        last *= _SCALES.get((match["scale"] or "").casefold(), 1)
        negative = _NEGATIVE.search(text, max(0, match.start() - 12), match.start())
        for one in [*found[:-1], NumberWords(last, found[-1].start, match.end())]:
            yield one._replace(value=-one.value) if negative and one.start == match.start() else one


def _english(text: str, start: int, end: int) -> Iterator[NumberWords]:
    """The numbers of words one after the other: "five, six" are two, and "nineteen eighty-four" is a year."""
    total, part, largest, begin, past = 0, 0, 10**16, -1, start
    for found in re.compile(rf"\b(?:{_WORD}|an?|point)\b", re.IGNORECASE).finditer(text, start, end):
        word, between = found[0].casefold(), text[past : found.start()].strip().casefold()
        if word == "point":
            break
        size = _ONES.get(word, _TENS.get(word, 0))
        follows_scale = part % 100 == 0 and (part or total)
        if begin < 0 or word in ("a", "an"):
            fits = begin < 0
        elif word in _SCALES:
            scale = _SCALES[word]
            fits = between in ("", "-") and part > 0 and (part < 100 if scale == 100 else scale < largest)
        elif follows_scale:
            fits = size > 0 and (between != "," or part == 0)
        else:
            is_tens = part % 100 in _TENS.values()
            is_year = not total and 10 < part <= 20 and size >= 10 and between == ""
            fits = between in ("", "-") and ((is_tens and 0 < size < 10) or is_year)
            part = part * 100 if fits and is_year else part
        if not fits:
            yield NumberWords(Fraction(total + part), begin, past)
            total, part, largest, begin = 0, 0, 10**16, -1
        begin = found.start() if begin < 0 else begin
        past = found.end()
        if word == "hundred":
            part = max(1, part) * 100
        elif word in _SCALES:
            total, part, largest = total + max(1, part) * _SCALES[word], 0, _SCALES[word]
        else:
            part += size
    yield NumberWords(Fraction(total + part), begin, past)


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
    if tenths := match["tenths"] or match["coins"]:
        value += Fraction(_DIGITS[tenths], 10)
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
