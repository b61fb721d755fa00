"""Execute: what the executor answers to every question with a prompt in front."""

from collections.abc import Sequence
from typing import NamedTuple

from spotui.dataset import Row
from spotui.engine.answering import answer, incomplete, is_cut
from spotui.engine.asking import together, user
from spotui.engine.context import Context
from spotui.engine.task import Candidate, Question, Trial
from spotui.events import Answered, Level, Noticed
from spotui.llm.errors import RequestRefusedError
from spotui.llm.missing_answer import hint_for_missing, lacks_answer, why_missing
from spotui.llm.protocol import Message
from spotui.workspace.lines import AnswerRecord, CallKey


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
            )
        except RequestRefusedError as error:
            return self._refused(key, question, error.what)
        if lacks_answer(reply):
            if reply.finish_reason == "content_filter" or reply.refusal:
                return self._refused(key, question, why_missing(reply))
            missing = NoAnswer(key.index + 1, why_missing(reply), hint_for_missing(reply))
            self._notice(key, f"{missing.why} Without it the round cannot continue.", "error")
            return missing
        if is_cut(reply):
            self._notice(key, "It is cut by the length limit again, and used as it is.", "warning")
        if key.purpose == "execute":
            self._emit(
                Answered(round=key.round, index=key.index, question=question.question, answer=reply.text)
            )
        return AnswerRecord(question.question, reply.text)

    def _refused(self, key: CallKey, question: Question, why: str) -> AnswerRecord:
        """The record of a question that is refused; it is named the first time."""
        if (key.purpose, key.index) not in self._told:
            self._told.add((key.purpose, key.index))
            self._notice(key, f"{why} The question is left out of the comparison.", "warning")
        if key.purpose == "execute":
            self._emit(
                Answered(round=key.round, index=key.index, question=question.question, answer="", error=why)
            )
        return AnswerRecord(question.question, "", error=why)

    def _notice(self, key: CallKey, text: str, level: Level) -> None:
        where = "held-out question" if key.purpose == "held_out" else "question"
        self._emit(Noticed(text=f"Round {key.round}, answer to {where} {key.index + 1}: {text}", level=level))


def in_front(prompt: str, question: str) -> Message:
    """A question with a prompt, as the executor reads it: in the prompt's slot, or below a blank line."""
    return user(Row(question).ask(prompt))
