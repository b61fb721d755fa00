"""Finds several numbers that belong together: intervals, dates, and times or lengths in two units.

An amount of money in two units is one number: "5 dollars and 25 cents" is 5.25.
"""

import re
from collections.abc import Iterator
from fractions import Fraction
from typing import Final, NamedTuple


class Composite(NamedTuple):
    """Several numbers that belong together.

    Attributes:
        value: The number that they make; None when they make none.
        start: Where they begin in the plain text.
        end: Where they end there.
    """

    value: Fraction | None
    start: int
    end: int


_NUMBER: Final = r"(?:(?<![\d.,])[-$€£¥₹]{0,2}\s?\d+(?:[.,]\d+)*)"
_NOT_MORE: Final = r"(?![\d%]|[.,]\d)"
_UNITS: Final = (
    (
        r"years?|yrs?|months?|weeks?|days?|hours?|hrs?|h|minutes?|mins?|seconds?|secs?|jahre?|monate?|wochen?|tage?"
        r"|stunden?|minuten?|sekunden?|ans?|mois|jours?|heures?|horas?"
    ),
    r"feet|foot|ft|inch(?:es)?|yards?|yd|miles?",
    r"km|m|cm|mm|met(?:er|re)s?|centimet(?:er|re)s?|kilomet(?:er|re)s?",
    r"kg|g|kilos?|kilograms?|grams?|lbs?|pounds?|oz|ounces?",
)
_IN_TWO_UNITS: Final = "|".join(
    rf"{_NUMBER}\s?(?P<u{at}>{units})\.?(?:,?\s+(?:and|und|et|y|e|и)\s+|,?\s*)\d+(?:\.\d+)?\s?(?!(?P=u{at})\b)(?:{units})\b"
    for at, units in enumerate(_UNITS)
)
_MONTHS: Final = (
    r"(?:jan(?:uary|uar|vier)?|enero|feb(?:ruary|ruar|rero)?|fév(?:rier)?|mar(?:ch|s|zo)?|märz|apr(?:il)?|avril|abril"
    r"|may|mai|mayo|june?|juni|juin|junio|july?|juli|juillet|julio|aug(?:ust)?|août|agosto"
    r"|sept?(?:ember|embre|iembre)?|o[ck]t(?:ober|obre|ubre)?|nov(?:ember|embre|iembre)?|de[cz](?:ember|embre)?"
    r"|déc(?:embre)?|dic(?:iembre)?|января|февраля|марта|апреля|мая|июня|июля|августа|сентября|октября|ноября"
    r"|декабря)\b\.?"
)
_DATE: Final = (
    rf"\b{_MONTHS}\s+\d{{1,2}}(?:st|nd|rd|th)?,?\s+[12]\d{{3}}\b"
    rf"|\b\d{{1,2}}(?:st|nd|rd|th|\.)?\s+(?:of\s+|de\s+)?{_MONTHS},?\s+(?:de\s+)?[12]\d{{3}}\b"
    r"|\d{4}\s?[年년]\s?\d{1,2}\s?[月월](?:\s?\d{1,2}\s?[日일号])?|\d{1,2}\s?[月월]\s?\d{1,2}\s?[日일号]"
)
_CLOCK: Final = (
    r"\b\d{1,2}\s?(?:ft|feet|foot)\.?,?\s?\d{1,2}\s?in\b|\b\d{1,2}\s?h(?:rs?)?\s?\d{1,2}\s?(?:m(?:in)?)?\b"
    r"|\d{1,2}\s?(?:小时|小時|時間|시간|点|點|時|시)\s?(?:\d{1,2}\s?[分분]|半)"
)
_INTERVAL: Final = (
    rf"\b(?:between|zwischen|entre|между)\s+{_NUMBER}[^\d\n.;]{{0,20}}?\s(?:and|und|et|y|e|и)\s+{_NUMBER}{_NOT_MORE}"
    rf"|(?P<left>{_NUMBER})\s?%?\s*(?:(?P<to>to)|or|bis|oder|à|ou|до|или|hasta|o|(?-i:a))\s+{_NUMBER}(?:\s?/\s?\d+)?{_NOT_MORE}"
    rf"|{_NUMBER}\s?%\s+(?:to|or|bis|oder|à|ou|до|или|hasta|o|(?-i:a))\s+{_NUMBER}\s?%"
    rf"|{_NUMBER}\s?[到至或]\s?{_NUMBER}|{_NUMBER}\s?から\s?{_NUMBER}|[$€£]\d[\d.,]*\s?[-–]\s?[$€£]\d[\d.,]*"
)
_MONEY: Final = (
    rf"(?P<whole>{_NUMBER})\s?(?:dollars?|euros?|pounds?|francs?|rupees?)?\s*(?:,|and|und|et|y|e)\s+(?P<part>\d{{1,2}})"
    r"\s?(?:cents?|pence|centimes?|céntimos?|paise)\b"
)
_COMPOSITE: Final = re.compile(
    rf"(?P<money>{_MONEY})|{_DATE}|{_CLOCK}|{_IN_TWO_UNITS}|{_INTERVAL}", re.IGNORECASE
)
_CHANGE: Final = re.compile(
    r"\b(?:from|round\w*|add\w*|increas\w*|decreas\w*|reduc\w*|chang\w*|r[io]se\w*|gr[eo]w\w*|f[ae]ll\w*|drop\w*|up|down"
    r"|simplif\w*|convert\w*|equal\w*|compar\w*|goes|went|multipl\w*|appl\w*|close|next|from)\b[^.;\n]{0,24}\Z",
    re.IGNORECASE,
)
"""Before "5 to 7", which is then no interval."""


def composites(text: str) -> Iterator[Composite]:
    """What is written with several numbers in a plain text, in its order."""
    for match in _COMPOSITE.finditer(text):
        if match["to"] and _CHANGE.search(text, max(0, match.start() - 48), match.start()):
            continue
        value = None
        if match["money"]:
            whole = re.sub(r"[^\d.-]", "", match["whole"].replace(",", ""))
            value = Fraction(whole) + Fraction(int(match["part"]), 100)
        yield Composite(value, match.start(), match.end())
