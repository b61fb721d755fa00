"""How a prompt and a row become one message: GPO's four positions (arXiv 2402.17564, section 3.1)."""

from collections.abc import Callable, Sequence
from typing import Final, Literal, NamedTuple, get_args

import msgspec

from spotui.domain.events import Answered, Level, Noticed
from spotui.domain.records import AnswerRecord, CallKey
from spotui.domain.rows import Row, fill, slot_names
from spotui.engine.asking import Asker, together, user
from spotui.engine.context import Context
from spotui.engine.meta_prompts import MetaPrompt
from spotui.engine.task import Candidate, Question, Trial
from spotui.lang import _
from spotui.llm.protocol import RequestRefusedError, hint_for_missing, lacks_answer, why_missing
from spotui.workspace.journal_reader import Message, Reply

Position = Literal["before_question", "question_start", "question_end", "answer_start"]
POSITIONS: Final[tuple[Position, ...]] = get_args(Position)


class Layout(msgspec.Struct, frozen=True):
    """Where a prompt stands.

    A prompt that shows the question in its slot is sent alone, wherever it would stand otherwise.

    Attributes:
        position: Before the question, at its start, at its end, or where the answer begins.
        labels: Whether `Q:` and `A:` mark question and answer.
        demos: Solved rows that are shown in front of the question.
    """

    position: Position = "before_question"
    labels: bool = False
    demos: tuple[Row, ...] = ()

    def render(self, prompt: str, row: Row) -> str:
        """The message that asks a row with a prompt."""
        names = slot_names(prompt)
        filled = fill(prompt, row.values) if names else prompt
        shown = "\n\n".join([*self._demos(), self._body(filled, row, alone="question" in names)])
        return shown.strip()

    def _body(self, prompt: str, row: Row, *, alone: bool) -> str:
        if alone or not row.question:
            return prompt
        question, between = (f"Q: {row.question}", "\n") if self.labels else (row.question, "\n\n")
        match self.position:
            case "before_question":
                parts = [f"{prompt}\n\n{question}", "A:"]
            case "question_start":
                parts = [f"Q: {f'{prompt}{between}' if prompt else ''}{row.question}", "A:"]
                if not self.labels:
                    parts[0] = f"{prompt}\n{row.question}"
            case "question_end":
                parts = [f"{question}{between}{prompt}", "A:"]
            case "answer_start":
                parts = [question, f"A: {prompt}"] if self.labels else [question, prompt]
                return between.join(parts)
        return "\n".join(parts) if self.labels else parts[0]

    def _demos(self) -> Sequence[str]:
        if self.labels:
            return [f"Q: {row.question}\nA: {_answer(row)}" for row in self.demos]
        return [f"{row.question}\n\n{_answer(row)}" for row in self.demos]


def _answer(row: Row) -> str:
    return row.references[0] if row.references else ""


Notice = Callable[[str, Level], None]


async def answer(
    asker: Asker,
    repair_prompt: MetaPrompt,
    key: CallKey,
    messages: Sequence[Message],
    notice: Notice,
    problem_of: Callable[[Reply], str],
    given: str = "",
) -> Reply:
    """What the executor answers; an answer with a problem is asked for once more.

    Args:
        asker: The way to the executor.
        repair_prompt: What to say then.
        key: What asks.
        messages: The question.
        notice: Called with what is wrong.
        problem_of: What is wrong with an answer, one sentence for the model, or an empty text.
        given: What a program in place of the model is given.

    Returns:
        The reply, which may still be cut or lack an answer.

    Raises:
        Halted: The run ends here.
        RequestRefusedError: The endpoint refuses the question, and answers others.
    """
    request = asker.request("executor", messages, given=given)
    reply = await asker.ask(key, request, may_be_refused=True)
    if problem := problem_of(reply):
        cause = why_missing(reply) if lacks_answer(reply) else problem
        notice(_("{cause} The question is asked again.", cause=cause), "info")
        again = CallKey(key.round, key.purpose, key.index, attempt=2)
        request = asker.again(request, reply, repair_prompt.render(problem=problem))
        try:
            second = await asker.ask(again, request, may_be_refused=True)
        except RequestRefusedError:  # most often there is no room to ask again
            second = reply
        reply = reply if lacks_answer(second) and not lacks_answer(reply) else second
    return reply


def missing(reply: Reply) -> str:
    """What is wrong with a reply without an answer."""
    if not reply.text.strip():
        return _("It is empty.")
    return _("It was stopped by a content filter.") if lacks_answer(reply) else ""


def incomplete(reply: Reply) -> str:
    """What is wrong with a reply without an answer, or with half of one."""
    return _("It was cut by the length limit.") if is_cut(reply) else missing(reply)


def is_cut(reply: Reply) -> bool:
    """Whether the length limit ended what there is of a reply."""
    return bool(reply.text.strip()) and reply.finish_reason == "length"


class NoAnswer(NamedTuple):
    """A question that brought no answer, even when it was asked again.

    Attributes:
        number: The question's number in its set, from 1.
        why: Why there is none, one sentence.
        hint: What to do about it, one sentence.
    """

    number: int
    why: str
    hint: str


class Executor:
    """Puts a candidate in front of questions.

    Args:
        context: What it works with.
    """

    def __init__(self, context: Context) -> None:
        self._asker = context.asker
        self._repair = context.meta["execute_repair"]
        self._emit = context.emit
        self._told: set[tuple[str, int]] = set()

    async def execute(
        self, candidate: Candidate, questions: Sequence[Question], *, held_out: bool = False
    ) -> Trial | NoAnswer:
        """Ask every question at once, with the prompt in front.

        Args:
            candidate: The prompt to try.
            questions: What to ask.
            held_out: Whether these are the questions that no round has seen.

        A question that the endpoint refuses, and no other, has an error in place of an answer.

        Returns:
            The trial, or the first question without an answer.
        """
        purpose = "held_out" if held_out else "execute"
        answers = await together(
            [
                self._answer(candidate, CallKey(candidate.round, purpose, index), one)
                for index, one in enumerate(questions)
            ]
        )
        missing = next((one for one in answers if isinstance(one, NoAnswer)), None)
        found = tuple(one for one in answers if isinstance(one, AnswerRecord))
        return missing or Trial(candidate, tuple(questions), found)

    async def _answer(
        self, candidate: Candidate, key: CallKey, question: Question
    ) -> AnswerRecord | NoAnswer:
        messages = [user(question.ask(candidate.prompt))]
        try:
            reply = await answer(
                self._asker,
                self._repair,
                key,
                messages,
                lambda text, level: self._notice(key, text, level),
                incomplete,
                self._asker.given(candidate.prompt, question.row or Row(question.question)),
            )
        except RequestRefusedError as error:
            return self._refused(key, question, error.what)
        if lacks_answer(reply):
            if reply.finish_reason == "content_filter" or reply.refusal:
                return self._refused(key, question, why_missing(reply))
            missing = NoAnswer(key.index + 1, why_missing(reply), hint_for_missing(reply))
            self._notice(key, _("{why} Without it the round cannot continue.", why=missing.why), "error")
            return missing
        if is_cut(reply):
            self._notice(key, _("It is cut by the length limit again, and used as it is."), "warning")
        if key.purpose == "execute":
            self._emit(
                Answered(round=key.round, index=key.index, question=question.question, answer=reply.text)
            )
        return AnswerRecord(question.question, reply.text)

    def _refused(self, key: CallKey, question: Question, why: str) -> AnswerRecord:
        """The record of a question that is refused; it is named the first time."""
        if (key.purpose, key.index) not in self._told:
            self._told.add((key.purpose, key.index))
            self._notice(key, _("{why} The question is left out of the comparison.", why=why), "warning")
        if key.purpose == "execute":
            self._emit(
                Answered(round=key.round, index=key.index, question=question.question, answer="", error=why)
            )
        return AnswerRecord(question.question, "", error=why)

    def _notice(self, key: CallKey, text: str, level: Level) -> None:
        where = _("held-out question") if key.purpose == "held_out" else "question"
        self._emit(
            Noticed(
                text=_(
                    "Round {round}, answer to {where} {index}: {text}",
                    round=key.round,
                    where=where,
                    index=key.index + 1,
                    text=text,
                ),
                level=level,
            )
        )


def in_front(prompt: str, question: str) -> Message:
    """A question with a prompt, as the executor reads it: in the prompt's slot, or below a blank line."""
    return user(Row(question).ask(prompt))
