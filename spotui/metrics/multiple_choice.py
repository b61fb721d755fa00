"""Compares the letter of the option that was chosen."""

import re
from typing import Final

from spotui.dataset import Row
from spotui.metrics.conclusion import conclusions, sentences_backwards
from spotui.metrics.mark import Comparing

_LETTER: Final = r"(?:\(([A-Za-z])\)|\[([A-Za-z])\]|([A-Z])(?![\w'’-]))"
_FILLER: Final = (
    r"(?i:(?:therefore|thus|clearly|probably|indeed|definitely|option|choice|letter|answer|the|be)"
    r"\W{1,4}){0,4}"
)
_LED: Final = rf"[\s*_:\"'“]{{0,8}}{_FILLER}[*_\"'“]{{0,4}}{_LETTER}"
_ALONE: Final = re.compile(r"\W*(?i:(?:option|choice|answer)\W+)?([A-Za-z])\W*\Z")
_STARTS: Final = re.compile(_LED)
_CHOOSES: Final = re.compile(
    r"\b(?i:choose|chose|choosing|pick|picked|select|selected|go\ with|going\ with"
    r"|it(?:'s|’s|\ is|\ must\ be)"
    rf"|(?:answer|option|choice)(?:\ (?:is|would\ be|should\ be|must\ be|has\ to\ be))?)\b{_LED}"
)
_MENTION: Final = re.compile(
    r"\(([A-Za-z])\)|\[([A-Za-z])\]|\*\*([A-Z])\*\*|(?:^|(?<=\s))([A-Z])(?=[).:](?:\s|$))"
)
_RULED_OUT_AFTER: Final = re.compile(
    r"[\s)*_.\]]{0,8}(?i:(?:is|are|was|were|would\ be|can\ be|must\ be|seems|looks)\s+)?"
    r"(?i:(?:clearly|also|obviously)\s+)?"
    r"(?i:not\b(?!\s*\(?[A-Z]\b)|wrong|incorrect|false|impossible|invalid|excluded|eliminated|ruled\ out|out"
    r"|isn['’]t|cannot|can['’]t|doesn['’]t|does\ not)\b"
)
_RULED_OUT_BEFORE: Final = re.compile(
    r"(?i:\b(?:not|neither|nor|than|unlike|except|instead\ of|rules?\ out|ruling\ out|eliminates?|excludes?"
    r"|over|versus|vs\.?)|n['’]t)[\s*_]{0,4}(?i:(?:option|choice)\s*)?\Z"
)
_ARTICLE: Final = re.compile(
    r"\s+(?!(?:because|since|as|for|and|is|due|which|with|based|given|but|or|in|by|the)\b)[a-z]"
)
_OPTION: Final = re.compile(r"^\s*(?:\(([A-Z])\)|([A-Z])[).:])\s", re.MULTILINE)


class MultipleChoice(Comparing[str]):
    """The answer chooses the option of a reference.

    An option that is only ruled out is not chosen, and an answer that leaves two open chooses none.
    """

    wanted = "letter of an option"

    def read(self, answer: str, row: Row) -> str | None:
        """The letter an answer chooses, if it is one of the options that the question shows."""
        options = {first or second for first, second in _OPTION.findall(row.question)}
        found = read_choice(answer)
        return found if len(options) < 2 or found in options else None

    def read_reference(self, reference: str) -> str | None:
        """The letter that a reference is, or begins with."""
        match = _ALONE.match(reference) or re.match(r"\W*([A-Za-z])(?=[).:\]])", reference)
        return match[1].upper() if match else None


def read_choice(answer: str) -> str | None:
    """The letter of the option that an answer chooses, as a capital; None when it makes no clear choice.

    What counts first is what it says it chooses, then what it begins with, then the last sentence in which an
    option is left standing.
    """
    if alone := _ALONE.match(answer):
        return alone[1].upper()
    for conclusion in conclusions(answer):
        found = _ALONE.match(conclusion) or _STARTS.match(conclusion)
        if found and _chosen(found, conclusion):
            return _letter(found)
    for found in reversed(list(_CHOOSES.finditer(answer))):
        if _chosen(found, answer):
            return _letter(found)
    standing = [left for sentence in sentences_backwards(answer) if (left := _left_standing(sentence))]
    found = _STARTS.match(answer)
    if found and _chosen(found, answer) and not (standing and standing[-1] - {_letter(found)}):
        return _letter(found)
    return min(standing[0]) if standing and len(standing[0]) == 1 else None


def _left_standing(sentence: str) -> set[str]:
    """The options that a sentence names and does not rule out."""
    return {_letter(one) for one in _MENTION.finditer(sentence) if _stands(one, sentence)}


def _chosen(mention: re.Match[str], text: str) -> bool:
    """Whether it is the letter of an option, and not ruled out."""
    end = mention.end(mention.lastindex or 0)
    is_word = end == mention.end() and mention[mention.lastindex or 0] in "AI" and _ARTICLE.match(text, end)
    return not is_word and _stands(mention, text)


def _stands(mention: re.Match[str], text: str) -> bool:
    """Whether the text does not rule the option out."""
    letter = mention.start(mention.lastindex or 0)
    before = text[max(0, letter - 40) : letter].rstrip("([*")
    return not _RULED_OUT_AFTER.match(text, mention.end()) and not _RULED_OUT_BEFORE.search(before)


def _letter(mention: re.Match[str]) -> str:
    return mention[mention.lastindex or 0].upper()
