"""What an answer to a row is worth: by a metric, or by the evaluator and the criteria."""

import asyncio
import re
from collections.abc import Sequence
from contextlib import nullcontext
from typing import Final, Literal, Protocol

from spotui.domain.messages import user
from spotui.domain.records import CallKey, MarkLine
from spotui.domain.rows import Row
from spotui.domain.tags import last_tagged, quote_tags
from spotui.engine.asking import Asker
from spotui.engine.context import RecordedMarks, mark_id
from spotui.engine.grading import Optioned
from spotui.engine.meta_prompts import MetaPrompt, MetaPrompts
from spotui.engine.task import RowOutcome
from spotui.engine.wording import say
from spotui.llm.limits import Halted
from spotui.llm.local.grammar import tagged_grammar
from spotui.llm.protocol import RequestRefusedError
from spotui.metrics.mark import Metric, MetricError, OwnMetric
from spotui.metrics.worker import UnusableMetricError
from spotui.settings.table import Role

Scale = Literal["binary", "graded"]

_FENCES: Final = ("criteria", "question", "answer", "reason", "score", "reference_answers")
GRADE_LENGTHS: Final = {"reason": 400, "score": 8}
_GRADE: Final = re.compile(r"(?P<grade>[01](?:\.\d+)?|\.\d+)(?:\s*/\s*1)?(?:\.0*)?")
_WORDS: Final[dict[Scale, str]] = {
    "binary": "1 when the answer meets every criterion, else 0.",
    "graded": "a number from 0 to 1, where 1 meets every criterion and 0 meets none.",
}


_NO_SCORE: Final = "It has no score tag with {scale}"


class Marker(Protocol):
    """One way to mark answers.

    Attributes:
        asks: The roles it asks for that.
        reads_conversation: Whether it reads all turns of a conversation, or the last answer alone.
    """

    asks: tuple[Role, ...]
    reads_conversation: bool

    async def mark(self, key: CallKey, position: int, row: Row, answer: str) -> RowOutcome:
        """What an answer is worth.

        Args:
            key: What asked for the answer.
            position: Of the row in its split.
            row: What was asked, and what is expected.
            answer: What came.
        """
        ...

    def close(self) -> None:
        """Let go of what marks."""
        ...


class MetricMarker:
    """Marks by a metric, without a model.

    Args:
        metric: The metric.
        reads_conversation: What it reads of a conversation.
    """

    asks: tuple[Role, ...] = ()

    def __init__(self, metric: Metric, *, reads_conversation: bool = False) -> None:
        self._metric = metric
        self.reads_conversation = reads_conversation

    async def mark(self, key: CallKey, position: int, row: Row, answer: str) -> RowOutcome:  # noqa: ARG002
        """The metric's mark; a metric that fails leaves the row without one."""
        try:
            mark = self._metric.mark(answer, row)
        except MetricError as error:
            return RowOutcome(position, answer, None, str(error))
        return RowOutcome(position, answer, mark.value, mark.read or "")

    @property
    def optioned(self) -> Optioned | None:
        """The metric, where its answers are one of a few options."""
        return self._metric if isinstance(self._metric, Optioned) else None

    def close(self) -> None:
        """Nothing: it holds nothing."""


class OwnMarker:
    """Marks by a metric of the user, once for each answer.

    Args:
        name: The metric in the template.
        worker: Runs it; None where only recorded marks are wanted.
        marks: The marks that it gave before.
        tags: The tags that the part of the answer that it marks is in, the outermost first.
        reads_conversation: What it reads of a conversation.
    """

    asks: tuple[Role, ...] = ()

    def __init__(
        self,
        name: str,
        worker: OwnMetric | None,
        marks: RecordedMarks,
        tags: Sequence[str] = (),
        *,
        reads_conversation: bool = False,
    ) -> None:
        self.reads_conversation = reads_conversation
        self._name = name
        self._worker = worker
        self._marks = marks
        self._tags = tags
        self._turn = asyncio.Lock()

    async def mark(self, key: CallKey, position: int, row: Row, answer: str) -> RowOutcome:  # noqa: ARG002
        """The metric's mark; a metric that fails leaves the row without one.

        Raises:
            Halted: The metric cannot be used at all.
        """
        part: str | None = answer
        for tag in self._tags:
            part = None if part is None else last_tagged(part, tag)
        if part is None:
            return RowOutcome(position, answer, 0.0)
        takes_turns = self._worker is None or self._worker.takes_turns
        async with self._turn if takes_turns else nullcontext():
            line = await self._line(part, row)
        return RowOutcome(position, answer, line.mark, part if line.mark is not None else line.note)

    async def _line(self, answer: str, row: Row) -> MarkLine:
        of = mark_id(self._name, answer, row)
        digest = None if self._worker is None else self._worker.digest
        if (known := self._marks.find(of, digest)) is not None:
            return known
        if self._worker is None or digest is None:
            missing = f"The journal has no mark by {self._name} for this answer."
            return MarkLine(of=of, metric="", note=missing)
        try:
            line = MarkLine(of=of, metric=digest, mark=(await self._worker.mark(answer, row)).value)
        except UnusableMetricError as error:
            raise Halted("unmarked", str(error)) from None
        except MetricError as error:
            line = MarkLine(of=of, metric=digest, note=str(error))
        self._marks.keep(line)
        return line

    def close(self) -> None:
        """End the process of the metric."""
        if self._worker is not None:
            self._worker.close()


class JudgeMarker:
    """Marks by the evaluator, which reads the criteria and writes its reason before the score.

    Args:
        asker: The way to the evaluator.
        meta: The meta-prompts.
        criteria: What an answer has to meet.
        scale: 0 or 1, or a number between them.
        reads_conversation: What it reads of a conversation.
    """

    asks: tuple[Role, ...] = ("evaluator",)

    def __init__(
        self,
        asker: Asker,
        meta: MetaPrompts,
        criteria: str,
        scale: Scale,
        *,
        reads_conversation: bool = True,
    ) -> None:
        self.reads_conversation = reads_conversation
        self._asker = asker
        self._meta = meta
        self._criteria = criteria
        self._scale: Scale = scale
        self._grammar = tagged_grammar(GRADE_LENGTHS) if asker.takes_grammar("evaluator") else None

    async def mark(self, key: CallKey, position: int, row: Row, answer: str) -> RowOutcome:
        """The evaluator's mark; one that cannot be read is asked for once more, then the row has none."""
        meta, whole = self._meta["mark_answer"], self.reads_conversation
        language = self._asker.language
        text = mark_question(meta, self._criteria, self._scale, row, answer, whole=whole, language=language)
        request = self._asker.request("evaluator", [user(text)], grammar=self._grammar)
        for attempt in (1, 2):
            own = CallKey(key.round, key.purpose.replace("score_", "mark_"), key.index, attempt)
            try:
                reply = await self._asker.ask(own, request, "evaluator", may_be_refused=True)
            except RequestRefusedError as error:
                return RowOutcome(position, answer, None, error.what)
            parts = self._asker.read(reply, *GRADE_LENGTHS)
            grade = read_grade(parts.get("score", ""), self._scale)
            if grade is not None:
                return RowOutcome(position, answer, grade, " ".join(parts.get("reason", "").split()))
            scale = say(self._asker.language, _WORDS[self._scale])
            problem = say(self._asker.language, _NO_SCORE, scale=scale)
            request = self._asker.again(request, reply, self._meta["mark_repair"].render(problem=problem))
        return RowOutcome(position, answer, None, "The evaluator gave no score that can be read.")

    def close(self) -> None:
        """Nothing: it holds nothing."""


def mark_question(
    meta: MetaPrompt,
    criteria: str,
    scale: Scale,
    row: Row,
    answer: str,
    *,
    whole: bool = True,
    language: str = "",
) -> str:
    """What the evaluator is asked about one answer.

    Args:
        meta: The meta-prompt.
        criteria: What an answer has to meet.
        scale: 0 or 1, or a number between them.
        row: What was asked.
        answer: What came.
        whole: Whether all turns of a conversation are shown, or the last one alone.
        language: Of the words for the scale.
    """
    references = ""
    if row.references:
        body = "\n\n".join(quote_tags(one, _FENCES) for one in row.references)
        references = f"<reference_answers>\n{body}\n</reference_answers>"
    asked = row.asked if whole else row.last_turn
    question = "\n\n".join([asked, *(f"{name}: {text}" for name, text in row.slots.items())])
    return meta.render(
        criteria=criteria,
        question=quote_tags(question.strip(), _FENCES),
        references=references,
        answer=quote_tags(answer, _FENCES),
        scale=say(language, _WORDS[scale]),
    )


def read_grade(text: str, scale: Scale) -> float | None:
    """The grade in the score part of a reply, 0..1; None when it is none of the scale."""
    found = _GRADE.fullmatch(text.strip().strip("*").strip())
    grade = float(found["grade"]) if found else -1.0
    if not 0 <= grade <= 1 or (scale == "binary" and grade not in (0, 1)):
        return None
    return grade
