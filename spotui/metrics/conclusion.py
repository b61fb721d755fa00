"""Finds where a longer answer says what its answer is."""

import re
from collections.abc import Iterator
from typing import Final

_ANSWER_IS: Final = re.compile(
    r"""
    \b(?:answer|choice|solution|result)\b [*_]* \s* (?:(?:is|are|was|would\ be|should\ be|must\ be)\b|[:=：])
    | 答案\s*(?:是|为|：|:)
    | (?<!\#)\#{4}(?!\#)
    """,
    re.VERBOSE | re.IGNORECASE,
)
_BOXED: Final = re.compile(r"\\boxed\s*\{((?:[^{}]|\{[^{}]*\})*)\}")
_LATEX_TEXT: Final = re.compile(r"\\(?:text|textbf|mathrm|mathbf)\s*\{([^{}]*)\}")
_MOST: Final = 20
_LENGTH: Final = 500
"""Conclusions that are looked at, and how far: an answer may be anything, and must not take for ever."""
_NEGATED: Final = re.compile(r"\s*(?:not|never|neither|n't)\b", re.IGNORECASE)
_SENTENCE_END: Final = re.compile(r"(?<=[.!?;])\s+|[。！？；]|\n+")


def conclusions(text: str) -> Iterator[str]:
    """What follows each phrase such as "the answer is", to the end of the line, the last one first."""
    for boxed in reversed(_BOXED.findall(text)[-_MOST:]):
        yield _LATEX_TEXT.sub(r"\1", boxed)
    for match in reversed(list(_ANSWER_IS.finditer(text))[-_MOST:]):
        rest = text[match.end() : match.end() + _LENGTH].lstrip(" \t:*_\r\n").partition("\n")[0]
        if rest and not _NEGATED.match(rest):
            yield rest


def sentences_backwards(text: str) -> list[str]:
    """The sentences of a text, the last one first."""
    return [one for one in reversed(_SENTENCE_END.split(text)) if one.strip()]
