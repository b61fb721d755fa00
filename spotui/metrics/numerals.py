r"""Finds the numbers of a text, each whole or not at all.

People and models write one number in many ways: 1,234.5 and 1.234,5; 1'000 and 1 000; 2 million and 2万;
1e3 and 1.5 × 10^3; 1 1/2 and ½; −8 and negative 8; \frac{1}{2}. What is not understood, e.g. a date, a time
or an interval, is found as a number without a value: none of its parts is a number of the text.
"""

import re
import unicodedata
from collections.abc import Iterator
from fractions import Fraction
from typing import Final, NamedTuple

from spotui.metrics.composites import Composite, composites


class Numeral(NamedTuple):
    """A number where it is written.

    Attributes:
        value: What it is; None when it is not understood.
        start: Where it begins in the plain text.
        end: Where it ends there.
    """

    value: Fraction | None
    start: int
    end: int


UNKNOWN: Final = "\ue000"
"""A character of no script: it replaces an expression that is a number, but not a plain one."""

_MOST_DIGITS: Final = 400
_SPACES: Final = "\u00a0\u2007\u2009\u202f"
_CURRENCY: Final = "$€£¥₹₽₩฿₺₴₫"
_SUPER: Final = str.maketrans("⁰¹²³⁴⁵⁶⁷⁸⁹⁻⁺", "0123456789-+")
_VULGAR: Final = "¼½¾⅐⅑⅒⅓⅔⅕⅖⅗⅘⅙⅚⅛⅜⅝⅞"
_ASCII: Final = {
    **dict.fromkeys(map(ord, "−－﹣‐‑"), "-"),
    **dict(zip(map(ord, "％﹪٪＄￥＝＋／⁄∕＊（）［］＾：～"), "%%%$¥=+///*()[]^:~", strict=True)),
    ord("٫"): ".",
    ord("٬"): ",",
    ord("．"): ".",
}
_LATEX: Final = (
    (re.compile(r"\\[!]|\\(?:left|right|displaystyle|big|Big)(?![A-Za-z])"), ""),
    (re.compile(r"\{,\}|(?<=\d)\\,(?=\d{3})"), ","),
    (re.compile(r"\\[,;:> ]|\\q?quad(?![A-Za-z])|~(?=\\)"), " "),
    (re.compile(r"\\([$%#&_])"), r"\1"),
    (re.compile(r"\^\s*\{?\s*\\circ\s*\}?|\\degree(?![A-Za-z])"), "°"),
    (re.compile(r"\\(?:text|textbf|textrm|mathrm|mathbf|mbox|operatorname)\s*\{([^{}]*)\}"), r" \1"),
    (re.compile(r"\\(?:times|cdot)(?![A-Za-z])"), "×"),
    (re.compile(r"\\pm(?![A-Za-z])"), "±"),
    (re.compile(r"\\(?:approx|simeq)(?![A-Za-z])"), "≈"),
    (re.compile(r"\\[dtc]?frac\s*(\d)\s*(\d)"), r"\\frac{\1}{\2}"),
)
_FRACTION: Final = re.compile(r"(\d?)\\[dtc]?frac\s*\{\s*([^{}]*?)\s*\}\s*\{\s*([^{}]*?)\s*\}")
_PLAIN: Final = re.compile(r"-?\d+(?:\.\d+)?")
_ROOT: Final = re.compile(
    r"\\sqrt\s*(?:\[[^][]*\])?\s*(?:\{[^{}]*\}|\d)|√\s*\(?[\d.,]*\)?|\\(?:pi|infty|overline|log|ln|sin|cos|binom)"
    r"(?![A-Za-z])(?:\s*\{[^{}]*\})*|[π∞]"
)
_BODY: Final = re.compile(
    rf"""
    {UNKNOWN}
    | 0[xX][0-9a-fA-F]+(?![\w])
    | [1-9]\d{{0,2}}(?:[ ]\d{{3}})+(?:[.,]\d+)?(?![\w'’]|[ ]\d|[.,]\d)         # 1 000
    | \d+(?:[.,'’_{_SPACES}]\d+)*(?:[eE][+-]?\d+(?!\w))?
    | (?<![\d.])\.\d+(?:[eE][+-]?\d+(?!\w))?
    | [{_VULGAR}]
    """,
    re.VERBOSE,
)
_TUPLE: Final = re.compile(
    r"[(\[]\s*-?\d[\d.]*\s*(?:[,;]\s*-?\d[\d.]*\s*)+[)\]]|[(\[]\s*-?\d[\d.]*\s*[,;]\s*[-+]?(?:\\?\w+)\s*[)\]]"
)
_GROUPED: Final = r"[1-9]\d{{0,2}}(?:{0}\d{{3}})+"
_INDIAN: Final = r"[1-9]\d?(?:,\d{2})+,\d{3}"
_WHOLE_COMMA: Final = re.compile(rf"(?:{_GROUPED.format(',')}|{_INDIAN})(\.\d+)?")
_WHOLE_DOT: Final = re.compile(rf"{_GROUPED.format('[.]')}(,\d+)?")
_SEPARATORS: Final = ("[’']", "_", f"[ {_SPACES}]")
_WHOLE_OTHER: Final = re.compile(rf"(?:{'|'.join(map(_GROUPED.format, _SEPARATORS))})([.,]\d+)?")
_POWER: Final = re.compile(
    r"\s?(?:\^|\*\*)\s?(?:\{\s?([+-]?\d{1,4})\s?\}|\(\s?([+-]?\d{1,4})\s?\)|([+-]?\d{1,4}))"
)
_RAISED: Final = re.compile(r"[⁺⁻]?[⁰¹²³⁴⁵⁶⁷⁸⁹]+")
_TIMES_TEN: Final = re.compile(
    r"\s*[×xX*·⋅∙]\s*10\s?(?:(?:\^|\*\*)\s?[{(]?\s?([+-]?\d{1,4})\s?[)}]?|([⁺⁻]?[⁰¹²³⁴⁵⁶⁷⁸⁹]+))"
)
_AND_A_HALF: Final = re.compile(r"\s+and\s+(?:a|one)[\s-]half\b", re.IGNORECASE)
_MIXED: Final = re.compile(r"(?:\s+|\s+and\s+)(\d{1,4})\s?/\s?(\d{1,4})(?![\d/]|[.,]\d)")
_OVER: Final = re.compile(r"\s?/\s?(\d+(?:\.\d+)?)(?![\d]|[.,]\d)")
_COMPOUND: Final = re.compile(
    rf"(?::\d+|\.{{2,3}}\d+|[-–~]\d[\d.,]*|\s?/\s?\d+|\s?±\s?[\d.,]+|\.\(\d+\)|\(\d+\)(?=\d)|\s?[*×]?\s?{UNKNOWN}|\.?{UNKNOWN})+"
)
_SCALES: Final = {
    name: value
    for value, names in (
        (100, "hundred"),
        (10**3, "thousand tausend tsd mil mila тыс тысяча тысячи тысяч"),
        (10**5, "lakh"),
        (10**6, "million mln mio millón milhão milhões millones milione milioni млн миллион"),
        (10**7, "crore"),
        (10**9, "billion milliard milliarde mrd mld bilhão bilhões miliardo miliardi млрд миллиард"),
        (10**12, "trillion billionen billón billones trilhão trilhões трлн триллион"),
    )
    for name in names.split()
}
_SCALE: Final = re.compile(
    rf"[\s-]?({'|'.join(sorted(_SCALES, key=len, reverse=True))})(?:s|en|n|ов|а)?\b\.?", re.IGNORECASE
)
_DOLLARS: Final = re.compile(r"(?<!R)\$\s?[\d.,]{1,20}\Z")
_LETTER_SCALE: Final = re.compile(r"(?:([kK])|\s?(bn|mn|[mMbB]))(?![^\W\d_])")
_HALF: Final = re.compile(r"[个個天年月倍]半")
_TENTHS: Final = re.compile(r"(?:[元块塊圆](\d)[角毛]|[块塊](\d)(?![\d.]))")
_LETTER_SCALES: Final = {"k": 10**3, "m": 10**6, "mn": 10**6, "b": 10**9, "bn": 10**9}
_CJK_SCALES: Final = dict(
    zip(
        "百千万萬亿億兆십백천만억",
        (100, 10**3, 10**4, 10**4, 10**8, 10**8, 10**12, 10, 100, 10**3, 10**4, 10**8),
        strict=True,
    )
)
_CJK_SCALE: Final = re.compile(r"\s?((?:[百千](?![克米瓦卡帕赫伏焦分])|[万萬亿億兆십백천만억])+)")
_CJK_NEXT: Final = re.compile(r"\d+(?:\.\d+)?|\s\d+(?=[천백])")
_EXPONENT: Final = re.compile(
    r"(?:[^\W\d_]\s?\^\s?[{(]?[-+]?|(?<![^\W_])[a-z]\*\*|(?<![A-Za-z])[A-Z]{1,5}-)\Z"
)
_LATIN: Final = re.compile(r"[A-Za-zÀ-ɏͰ-Ͽ_]+\Z")
_WORDS_BEFORE: Final = re.compile(
    r"(?:Rs|Re|RM|R|kr|Fr|CHF|USD|EUR|GBP|INR|JPY|CNY|RMB|AUD|CAD|[A-Z]?[a-z]{3,})\Z"
)
_BEFORE: Final = re.compile(rf"(?:(?:US|A|C|HK|NT|R|S)?[{_CURRENCY}]\s?)?\Z")
_NEGATIVE: Final = re.compile(
    r"(?:\bnegative|(?<![\d)])(?<![\d)]\s)\bminus|负|負|零下|マイナス|\bминус)\s*\Z", re.IGNORECASE
)


def plain(text: str) -> str:
    """The text with ASCII digits and signs, and LaTeX written as a person would."""
    text = "".join(
        str(unicodedata.decimal(one)) if one.isdecimal() else one for one in text.translate(_ASCII)
    )
    text = re.sub(r"(?<=\d)，(?=\d{3}(?!\d))", ",", text)
    text = re.sub(r"(?<!\d)([1-9]\d{0,3})分之(\d{1,4})(?!\d)", r"\2/\1", text)
    for pattern, written in _LATEX:
        text = pattern.sub(written, text)
    text = _ROOT.sub(UNKNOWN, text)
    for _ in range(4):  # the inner fractions first
        text, found = _FRACTION.subn(_fraction, text)
        if not found:
            break
    return re.sub(rf"(?<=[\d/.])\s?[({{]*{UNKNOWN}|{UNKNOWN}[)}}]*\s?(?=/)", UNKNOWN, text)


def _fraction(match: re.Match[str]) -> str:
    whole, over, under = match.groups()
    if not (_PLAIN.fullmatch(over) and _PLAIN.fullmatch(under)):
        return f"{whole}{UNKNOWN}"
    return f"{whole} {over}/{under}" if whole else f"{over}/{under}"


def numerals(text: str) -> Iterator[Numeral]:
    """All numbers of a plain text in its order; units are not read."""
    position = 0
    several = _several(text)
    while (body := _BODY.search(text, position)) is not None:
        while several and several[0].start < position:
            several.pop(0)
        if several and several[0].start <= body.start():
            yield (together := Numeral(*several[0]))
            position = together.end
            continue
        position = body.end()
        if _is_part_of_a_word(text, body.start()):
            continue
        values = _values(body[0])
        if len(values) > 1:
            yield from (Numeral(value, body.start(), position) for value in values)
            continue
        yield (found := _completed(text, body, values[0]))
        position = found.end


def _several(text: str) -> list[Composite]:
    """What is written with several numbers; brackets that hold one number with thousands are no pair."""
    pairs = (
        Composite(None, *match.span())
        for match in _TUPLE.finditer(text)
        if not _WHOLE_COMMA.fullmatch(match[0][1:-1].strip().lstrip("-"))
    )
    return sorted([*pairs, *composites(text)], key=lambda one: one.start)


def _is_part_of_a_word(text: str, start: int) -> bool:
    """Whether a number is part of a name, as in x2 and COVID-19, or an exponent; whole words are none."""
    if _EXPONENT.search(text, max(0, start - 8), start):
        return True
    letters = _LATIN.search(text, max(0, start - 30), start)
    return letters is not None and letters[0].strip("_") != "" and not _WORDS_BEFORE.search(letters[0])


def _completed(text: str, body: re.Match[str], value: Fraction | None) -> Numeral:
    """The number with everything around it that belongs to it."""
    before = _BEFORE.search(text, max(0, body.start() - 6), body.start())
    start = before.start() if before else body.start()
    has_currency = start < body.start()
    if text[max(0, start - 2) : start].strip().endswith("±"):
        value = None
    value, end = _with_fraction(text, value, body.end())
    value, end = _with_power(text, value, end)
    if compound := _COMPOUND.match(text, end):
        return Numeral(None, start, compound.end())
    value, end = _with_scale(text, value, end, has_currency=has_currency)
    minus = _minus(text, start, body.start())
    if minus is not None:
        start, value = minus, None if value is None else -value
    return Numeral(value, start, end)


def _with_fraction(text: str, value: Fraction | None, end: int) -> tuple[Fraction | None, int]:
    if value is None:
        return None, end
    if half := _HALF.match(text, end):
        return value + Fraction(1, 2), half.end()
    if tenths := _TENTHS.match(text, end):
        return value + Fraction(int(tenths[1] or tenths[2]), 10), tenths.end()
    part = re.compile(rf"\s?([{_VULGAR}])").match(text, end)
    if part is not None and value.denominator == 1:
        return value + _vulgar(part[1]), part.end()
    if half := _AND_A_HALF.match(text, end):
        return value + Fraction(1, 2), half.end()
    mixed = _MIXED.match(text, end)
    if mixed is not None and value.denominator == 1 and 0 < int(mixed[1]) < int(mixed[2]):
        return value + Fraction(int(mixed[1]), int(mixed[2])), mixed.end()
    over = _OVER.match(text, end)
    if over is not None and not re.compile(r"\s?/\s?\d").match(text, over.end()):
        under = _decimal(over[1])
        return (value / under if under else None), over.end()
    return value, end


def _with_power(text: str, value: Fraction | None, end: int) -> tuple[Fraction | None, int]:
    if times := _TIMES_TEN.match(text, end):
        power = int((times[1] or times[2]).translate(_SUPER))
        return (None if value is None else _scaled(value, power)), times.end()
    raised = _POWER.match(text, end) or _RAISED.match(text, end)
    if raised is None:
        return (None if re.compile(r"\s?\^").match(text, end) else value), end
    exponent = int(next(filter(None, raised.groups()), raised[0]).translate(_SUPER))
    size = max(abs(value.numerator), value.denominator).bit_length() if value is not None else 1
    if value is None or size * abs(exponent) > 4 * _MOST_DIGITS or (value == 0 and exponent < 0):
        return None, raised.end()
    return value**exponent, raised.end()


def _with_scale(
    text: str, value: Fraction | None, end: int, *, has_currency: bool
) -> tuple[Fraction | None, int]:
    while scale := _SCALE.match(text, end):
        if scale[1].casefold() == "mil" and _DOLLARS.search(text, 0, end):
            return None, scale.end()  # five thousand to some, and five million to others
        value, end = value and value * _SCALES[scale[1].casefold()], scale.end()
    letter = _LETTER_SCALE.match(text, end)
    if letter is not None and (letter[1] or has_currency):
        return value and value * _LETTER_SCALES[(letter[1] or letter[2]).casefold()], letter.end()
    return _with_cjk_scale(text, value, end)


def _with_cjk_scale(text: str, value: Fraction | None, end: int) -> tuple[Fraction | None, int]:
    """A number such as 3万5千, where each part has a scale that is smaller than the last one's."""
    total, smallest = Fraction(0), 10**16
    while scale := _CJK_SCALE.match(text, end):
        factor = 1
        for one in scale[1]:
            factor *= _CJK_SCALES[one]
        end = scale.end()
        if value is None or factor >= smallest:
            return None, end
        total, smallest = total + value * factor, factor
        following = _CJK_NEXT.match(text, end)
        if following is None:
            return total, end
        value, end = _decimal(following[0].strip()), following.end()
    return None if value is None else total + value, end


def _minus(text: str, start: int, digits: int) -> int | None:
    """Where the minus sign of a number begins; None when there is none, or a dash that is not one."""
    if start < digits and text[digits - 1 : digits] == "-":
        return start
    word = _NEGATIVE.search(text, max(0, start - 14), start)
    if word is not None:
        return word.start()
    before = text[max(0, start - 12) : start]
    stripped = before.rstrip(" ")
    if not stripped.endswith(("-", "–")):
        return None
    dash = start - len(before) + len(stripped) - 1
    left = text[max(0, dash - 12) : dash]
    last, shown = left[-1:], left.rstrip()[-1:]
    if last and (last.isdecimal() or last in ")]}%" or _LATIN.search(last)):
        return None
    is_sign = shown in ("=", "(", "≈") or (
        stripped == before and not (shown.isdecimal() or shown in (")", "]", "}"))
    )
    return dash if is_sign or (stripped == before and not shown) else None


def _values(body: str) -> list[Fraction | None]:
    """Digits with points and commas between them as one number, several, or None where not understood."""
    if len(body) > _MOST_DIGITS or body == UNKNOWN or body[:2] in ("0x", "0X"):
        return [None]
    if body in _VULGAR:
        return [_vulgar(body)]
    digits, _, power = body.lower().partition("e")
    if power:
        value = _values(digits)[0]
        return [None if value is None else _scaled(value, int(power[:6]))]
    if re.fullmatch(r"\d+|\d*\.\d+", digits):
        return [_decimal(digits)]
    if _WHOLE_COMMA.fullmatch(digits):
        return [_decimal(digits.replace(",", ""))]
    if _WHOLE_OTHER.fullmatch(digits):
        return [_decimal(re.sub(rf"[’'_ {_SPACES}]", "", digits).replace(",", "."))]
    if re.fullmatch(r"\d+,\d{1,2}|0,\d+", digits):
        return [_decimal(digits.replace(",", "."))]
    if _WHOLE_DOT.fullmatch(digits):
        return [_decimal(digits.replace(".", "").replace(",", "."))]
    parts = digits.split(",")
    if any(re.fullmatch(r"\d{3}", part) for part in parts[1:]):
        return [None]
    if len(parts) > 2 and all(re.fullmatch(r"\d+(?:\.\d+)?", part) for part in parts):
        return [_decimal(part) for part in parts]
    return [None]


def _decimal(text: str) -> Fraction:
    return Fraction(f"0{text}" if text.startswith(".") else text)


def _vulgar(text: str) -> Fraction:
    return Fraction(unicodedata.numeric(text)).limit_denominator(20)


def _scaled(value: Fraction, power: int) -> Fraction | None:
    return value * Fraction(10) ** power if abs(power) <= _MOST_DIGITS else None
