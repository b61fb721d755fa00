"""Finds where a longer answer says what its answer is."""

import re
from collections.abc import Iterator
from typing import Final

_ANSWER_IS: Final = re.compile(
    r"""
    \b(?:answer|choice|solution|result|verdict|conclusion|classification|label|sentiment)\b
        [*_`"”]* \s*
        (?:(?:is|are|was|would\ be|should\ be|must\ be|equals|comes\ to)\b(?:\ ?[:：])?|[:=：])
    | (?:答案|结果|結果|结论|結論)\s*(?:应该|應該|应)?\s*(?:是|为|為|：|:|】|」|\])+
    | (?:答え|回答|正解)\s*(?:は|：|:)
    | (?:정답|답)\s*(?:은|는|：|:)
    | \b(?:ответ|respuesta|resposta|risposta|réponse|antwort|lösung)\b
        (?:\s+(?:correcta|correta|corretta|correcte|final|finale|finalmente))? [*_]* \s*
        (?:(?:es|é|è|est|ist)\b|[:=：—-])
    | คำตอบ\s*(?:คือ|:)
    | (?<!\#)\#{4}(?!\#)
    """,
    re.VERBOSE | re.IGNORECASE,
)
_BOXED: Final = re.compile(r"\\f?boxed\s*\{((?:[^{}]|\{(?:[^{}]|\{[^{}]*\})*\})*)\}")
_LATEX_TEXT: Final = re.compile(r"\\(?:text|textbf|textit|mathrm|mathbf|mathit|operatorname)\s*\{([^{}]*)\}")
_MOST: Final = 20
_LENGTH: Final = 500
"""Conclusions that are looked at, and how far: an answer may be anything, and must not take for ever."""
_NEGATED: Final = re.compile(r"\s*(?:not|never|neither|n't|不是|并非)\b", re.IGNORECASE)
_SENTENCE_END: Final = re.compile(r"(?<=[.!?;])\s+|[。！？；]|\n+")
_FIRST_END: Final = re.compile(r"(?<!\bapprox)(?<!\bNo)(?<!\bRs)[.!?;][)*_\"”]*(?=\s|\Z)|[。！？；]|\n")
_CORRECTION: Final = re.compile(
    r"(?:^|[.!?\n])[ \t*_]{0,8}(?:no, )?(?:wait|actually|correction|sorry|oops|on second thought)\b[,.:;!]?",
    re.IGNORECASE,
)


def boxed(text: str) -> Iterator[str]:
    """What is in each \\boxed{}, the last one first."""
    for content in reversed(_BOXED.findall(text)[-_MOST:]):
        yield _LATEX_TEXT.sub(r"\1", content)


def conclusions(text: str) -> Iterator[str]:
    """What follows each phrase such as "the answer is", to the end of the line, the last one first."""
    yield from boxed(text)
    for match in reversed(list(_ANSWER_IS.finditer(text))[-_MOST:]):
        rest = text[match.end() : match.end() + _LENGTH].lstrip(" \t:：*_`\r\n").partition("\n")[0]
        if rest and not _NEGATED.match(rest):
            yield rest


def first_sentence(text: str) -> str:
    """The text up to the end of its first sentence."""
    end = _FIRST_END.search(text)
    return text if end is None else text[: end.start()]


def after_correction(text: str) -> str:
    """What follows the last "Wait," or "Actually," unless a conclusion comes after it; empty without one."""
    found = list(_CORRECTION.finditer(text))[-1:]
    concluded = [*_ANSWER_IS.finditer(text), *_BOXED.finditer(text)]
    if not found or any(one.end() > found[0].start() + 1 for one in concluded):
        return ""
    return text[found[0].end() :]


def without_latex(text: str) -> str:
    """The text with the content of LaTeX's text commands in their place."""
    return _LATEX_TEXT.sub(r"\1", text)


def sentences_backwards(text: str) -> list[str]:
    """The sentences of a text, the last one first."""
    return [one for one in reversed(_SENTENCE_END.split(text)) if one.strip()]
