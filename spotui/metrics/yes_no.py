"""Compares answers to questions that are answered by yes or no."""

import re
from typing import Final

from spotui.dataset import Row
from spotui.metrics.conclusion import after_correction, conclusions, sentences_backwards, without_latex
from spotui.metrics.mark import Comparing

_WORDS: Final = {"yes": "yes", "true": "yes", "no": "no", "false": "no"}
_FOREIGN: Final = {
    **dict.fromkeys(
        (
            "是的",
            "是",
            "对的",
            "对",
            "正确的",
            "正确",
            "没错",
            "はい",
            "예",
            "네",
            "да",
            "oui",
            "ja",
            "sí",
            "sim",
        ),
        "yes",
    ),
    **dict.fromkeys(
        (
            "否",
            "不是的",
            "不是",
            "不对",
            "不正确",
            "不",
            "错误的",
            "错误",
            "错",
            "没有",
            "いいえ",
            "아니요",
            "아니오",
            "нет",
            "non",
            "nein",
            "não",
        ),
        "no",
    ),
}
_FOLLOWS_NO: Final = r"because|since|as|it|its|it's|you|he|she|they|we|i|this|that|the|there|not|but|and|or"
_WORD: Final = re.compile(
    rf"(?P<not>(?:\bnot|n['’]t)\s+)?\b(?P<word>yes|true|false|no(?!\s+(?!(?:{_FOLLOWS_NO})\b)\w)(?!-\w))\b",
    re.IGNORECASE,
)
_LEADS: Final = re.compile(r"\W*")
_FOREIGN_WORD: Final = rf"({'|'.join(sorted(_FOREIGN, key=len, reverse=True))})(?=\W|\Z)"
_FOREIGN_START: Final = re.compile(rf"\W*{_FOREIGN_WORD}", re.IGNORECASE)
_CHINESE_END: Final = re.compile(
    rf"(?:所以|因此|故|综上|结论|应该|说法|陈述|命题|判断)(?:[^，。；\n]{{0,12}}?(?:是|为))?[：:，,\s]*{_FOREIGN_WORD}"
)
_CONCLUDES: Final = re.compile(
    r"\b(?:so|therefore|thus|hence|overall|finally|consequently|in conclusion|in short|to conclude)\b",
    re.IGNORECASE,
)
_JOINED: Final = re.compile(r"\W*(?:(?:or|and|nor)\W*|/\W*)", re.IGNORECASE)
_PHRASES: Final = (
    (
        re.compile(r"\b(?:truth|truthful|lies|lying)\b", re.IGNORECASE),
        re.compile(
            r"(?P<no>\b(?:(?:does|is|did|was)\s*(?:not|n['’]t)\s+(?:\w+\s+)?(?:tell(?:ing)?|truthful)"
            r"|lies|lied|is\ lying|is\ a\ liar)\b)"
            r"|(?P<yes>\b(?:tells?|telling|told) the truth|is truthful\b)",
            re.IGNORECASE,
        ),
    ),
    (
        re.compile(r"\bplausible\b", re.IGNORECASE),
        re.compile(
            r"(?P<no>\b(?:not|n['’]t)\s+(?:\w+\s+)?plausible|\bimplausible)|(?P<yes>\bplausible\b)",
            re.IGNORECASE,
        ),
    ),
)
"""Ways to say yes and no to questions about something, by what the question is about."""


class YesNo(Comparing[str]):
    """The answer says yes, or no, as a reference does; true and false are the same two.

    "No" before a noun, as in "no turns", is no answer.
    """

    wanted = "yes or no"

    def read(self, answer: str, row: Row) -> str | None:
        """What it says in its conclusion, at its beginning, or in the last sentence that says either."""
        text = without_latex(answer).replace("$", "")
        corrected = after_correction(text)
        if corrected and (found := _in_sentences(corrected, row.question)):
            return found
        for conclusion in conclusions(text):
            if found := _at_start(conclusion):
                return found
        start = _at_start(text)
        concluding = next(iter(sentences_backwards(text)), "")
        if start is not None and not _CONCLUDES.search(concluding):
            return start
        return _in_sentences(text, row.question) or start

    def read_reference(self, reference: str) -> str | None:
        """What a reference says."""
        return _at_start(reference)


def _at_start(text: str) -> str | None:
    if foreign := _FOREIGN_START.match(text):
        return _FOREIGN[foreign[1].casefold()]
    lead = _LEADS.match(text)
    at = lead.end() if lead else 0
    word = _WORD.match(text, at)
    if word is None:
        return None
    joined = _JOINED.match(text, word.end())
    other = _WORD.match(text, joined.end()) if joined else None
    return None if other is not None and _meaning(other) != _meaning(word) else _meaning(word)


def _in_sentences(text: str, question: str) -> str | None:
    """What the last sentence that says yes or no says; None when it leaves both open."""
    phrases = [phrase for about, phrase in _PHRASES if about.search(question)]
    for sentence in sentences_backwards(text):
        if chinese := _CHINESE_END.search(sentence):
            return _FOREIGN[chinese[1].casefold()]
        said = [(one.start(), one.end(), _meaning(one)) for one in _WORD.finditer(sentence)]
        said += [
            (one.start(), one.end(), one.lastgroup or "")
            for phrase in phrases
            for one in phrase.finditer(sentence)
        ]
        if said:
            return _last_said(sentence, sorted(said))
    return None


def _last_said(sentence: str, said: list[tuple[int, int, str]]) -> str | None:
    _, _, meaning = said[-1]
    before = [one for one in said[:-1] if one[2] != meaning]
    if before and _JOINED.fullmatch(sentence, before[-1][1], said[-1][0]):
        return None
    return meaning


def _meaning(word: re.Match[str]) -> str:
    meaning = _WORDS[word["word"].casefold()]
    if word["not"]:
        return "no" if meaning == "yes" else "yes"
    return meaning
