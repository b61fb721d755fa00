"""Compares answers to questions that are answered by yes or no."""

import re
from typing import Final

from spotui.dataset import Row
from spotui.metrics.conclusion import conclusions, sentences_backwards
from spotui.metrics.mark import Comparing

_WORDS: Final = {"yes": "yes", "true": "yes", "no": "no", "false": "no"}
_CHINESE: Final = {"是": "yes", "是的": "yes", "对": "yes", "正确": "yes"} | dict.fromkeys(
    ("否", "不", "不是", "不对", "错", "错误", "不正确"), "no"
)
_FOLLOWS_NO: Final = r"because|since|as|it|its|it's|you|he|she|they|we|i|this|that|the|there|not|but|and|or"
_WORD: Final = re.compile(
    rf"(?P<not>(?:\bnot|n['’]t)\s+)?\b(?P<word>yes|true|false|no(?!\s+(?!(?:{_FOLLOWS_NO})\b)\w))\b",
    re.IGNORECASE,
)
_LEADS: Final = re.compile(r"\W*")
_CHINESE_START: Final = re.compile(rf"\W*({'|'.join(sorted(_CHINESE, key=len, reverse=True))})(?=\W|\Z)")


class YesNo(Comparing[str]):
    """The answer says yes, or no, as a reference does; true and false are the same two.

    "No" before a noun, as in "no turns", is no answer.
    """

    wanted = "yes or no"

    def read(self, answer: str, row: Row) -> str | None:  # noqa: ARG002 - other metrics read the row
        """What it says in its conclusion, at its beginning, or in the last sentence that says either."""
        for conclusion in conclusions(answer):
            if found := _at_start(conclusion):
                return found
        if found := _at_start(answer):
            return found
        for sentence in sentences_backwards(answer):
            if said := _said(sentence):
                return said.pop() if len(said) == 1 else None
        return None

    def read_reference(self, reference: str) -> str | None:
        """What a reference says."""
        return _at_start(reference)


def _at_start(text: str) -> str | None:
    if chinese := _CHINESE_START.match(text):
        return _CHINESE[chinese[1]]
    lead = _LEADS.match(text)
    word = _WORD.match(text, lead.end() if lead else 0)
    return _meaning(word) if word else None


def _said(sentence: str) -> set[str]:
    return {_meaning(word) for word in _WORD.finditer(sentence)}


def _meaning(word: re.Match[str]) -> str:
    meaning = _WORDS[word["word"].casefold()]
    if word["not"]:
        return "no" if meaning == "yes" else "yes"
    return meaning
