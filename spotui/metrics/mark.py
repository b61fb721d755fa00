"""Marks: what a metric gives an answer, and where a longer answer says what its answer is."""

import re
from collections.abc import Iterator
from typing import Final, Generic, Protocol, TypeVar

import msgspec

from spotui.domain.errors import SpotuiError
from spotui.domain.lazy_pattern import LazyPattern
from spotui.domain.rows import Row
from spotui.lang import _

Value = TypeVar("Value")


class MetricError(SpotuiError):
    """A metric that cannot be used, or that failed on an answer; no answer is wrong because of it."""


class Mark(msgspec.Struct, frozen=True):
    """What one answer is worth.

    Attributes:
        value: 0 is wrong, 1 is right.
        read: What was read out of the answer and compared, or None when there was nothing to read.
    """

    value: float
    read: str | None = None


class Metric(Protocol):
    """One way to score answers."""

    def mark(self, answer: str, row: Row) -> Mark:
        """What an answer is worth.

        Raises:
            MetricError: The metric failed, which says nothing about the answer.
        """
        ...

    def fault(self, row: Row) -> str:
        """Why a row cannot be scored, one sentence, or an empty text."""
        ...


class OwnMetric(Protocol):
    """A metric of the user that runs: in a separate process, or a Python function in this one.

    Attributes:
        takes_turns: Whether it marks one answer at a time.
    """

    takes_turns: bool

    @property
    def digest(self) -> str:
        """A hash of what it is: marks of another version do not count."""
        ...

    async def mark(self, answer: str, row: Row) -> Mark:
        """The mark of an answer; see `MetricWorker.mark`."""
        ...

    def close(self) -> None:
        """Let go of it."""
        ...


class Comparing(Generic[Value]):
    """A metric that reads a value out of the answer and out of the references; one match is enough."""

    wanted = "an answer"
    """What a reference has to hold, for an error."""

    def read(self, answer: str, row: Row) -> Value | None:
        """The value an answer gives, or None when it gives none."""
        raise NotImplementedError

    def read_reference(self, reference: str) -> Value | None:
        """The value of a reference, or None when it is none."""
        raise NotImplementedError

    def equal(self, value: Value, expected: Value) -> bool:
        """Whether the answer is right."""
        return value == expected

    def shown(self, value: Value) -> str:
        """The value as a person reads it."""
        return str(value)

    def mark(self, answer: str, row: Row) -> Mark:
        """1 when the value in the answer is that of any reference, else 0."""
        found = self.read(answer, row)
        if found is None:
            return Mark(0.0)
        expected = map(self.read_reference, row.references)
        right = any(one is not None and self.equal(found, one) for one in expected)
        return Mark(float(right), self.shown(found))

    def fault(self, row: Row) -> str:
        """Why a row cannot be scored."""
        if what := no_reference(row):
            return what
        wrong = next((one for one in row.references if self.read_reference(one) is None), None)
        return (
            ""
            if wrong is None
            else _("The answer {shown} is not {wanted}.", shown=shown(wrong), wanted=self.wanted)
        )


def no_reference(row: Row) -> str:
    """What is wrong with a row that has nothing to compare with."""
    return "" if row.references else _("The row has no answer to compare with.")


def shown(text: str) -> str:
    """A text in quotes, on one line and not too long."""
    line = " ".join(text[:200].split())
    return f"“{line if len(line) <= 40 else line[:39] + '…'}”"


_ANSWER_IS: Final = LazyPattern(
    r"""
    \b(?:answers?|choice|solution|result|verdict|conclusion|classification|label|sentiment)\b
        [*_`"”]* \s*
        (?:(?:is|are|was|would\ be|should\ be|must\ be|equals|comes\ to)\b(?:\ ?[:：])?|[:=：])
    | ["'](?:\w+[_\ -])?(?:answer|choice|option|selection|selected|prediction|label|result|答案)["']\s*:
    | (?:答案|结果|結果|结论|結論)\s*(?:应该|應該|应)?\s*(?:(?:是|为|為)?\s*[：:】」\]]+|是|为|為)
    | (?:答え|回答|解答|正解|正答)\s*(?:は|[：:】」\]]+)
    | (?:정답|답)\s*(?:은|는|：|:)
    | \b(?:ответ|respuesta|resposta|risposta|réponse|antwort|lösung)\b
        (?:\s+(?:correcta|correta|corretta|correcte|final|finale|finalmente))? [*_]* \s*
        (?:(?:es|é|è|est|ist|lautet)\b|[:=：—-])
    | คำตอบ\s*(?:คือ|:)
    | (?<!\#)\#{4}(?!\#)
    """,
    re.VERBOSE | re.IGNORECASE,
)
_BOXED: Final = LazyPattern(r"\\f?boxed\s*\{((?:[^{}]|\{(?:[^{}]|\{[^{}]*\})*\})*)\}")
_LATEX_TEXT: Final = LazyPattern(r"\\(?:text|textbf|textit|mathrm|mathbf|mathit|operatorname)\s*\{([^{}]*)\}")
_MOST: Final = 20
_LENGTH: Final = 500
"""Conclusions that are looked at, and how far: an answer may be anything, and must not take for ever."""
_NEGATED: Final = LazyPattern(
    r"\s*(?:(?:not|never|neither|n't)\b|(?:nicht|pas|non|não|не)\b(?=\s+\w)|(?:不是|并非)(?=\s*[\w(（]))",
    re.IGNORECASE,
)
_SENTENCE_END: Final = LazyPattern(r"(?<=[.!?;])\s+|[。！？；]|\n+")
_FIRST_END: Final = LazyPattern(r"(?<!\bapprox)(?<!\bNo)(?<!\bRs)[.!?;][)*_\"”]*(?=\s|\Z)|[。！？；]|\n")
_CORRECTION: Final = LazyPattern(
    r"(?:^|[.!?。！？\n])[ \t*_]{0,8}(?:no,? )?"
    r"(?:(?:wait|hold on|scratch that|actually|correction|sorry|oops|on second thought|moment|halt|attends"
    r"|espera|aspetta|погоди|стоп)\b|等等|等一下|更正|修正|待って|いや)[,.:;!，：。、…]?"
    r"|[。！？!?.\n]\s{0,3}(?:不对|不，)[，,。]?",
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
