"""Execute: what the executor answers to every question with a prompt in front."""

from collections.abc import Sequence

from spotui.engine.asking import repair, together, user
from spotui.engine.context import Context
from spotui.engine.task import Candidate, Question, Trial
from spotui.events import Answered, Level, Noticed
from spotui.llm.protocol import Message, Reply
from spotui.workspace.lines import AnswerRecord, CallKey


class Executor:
    """Puts a candidate in front of questions.

    Args:
        context: What it works with.
    """

    def __init__(self, context: Context) -> None:
        self._asker = context.asker
        self._repair = context.meta["execute_repair"]
        self._emit = context.emit

    async def execute(
        self, candidate: Candidate, questions: Sequence[Question], *, held_out: bool = False
    ) -> Trial | None:
        """Ask every question at once, with the prompt in front.

        Args:
            candidate: The prompt to try.
            questions: What to ask.
            held_out: Whether these are the questions that no round has seen.

        Returns:
            The trial, or None when a question brought no answer even when asked again.
        """
        purpose = "held_out" if held_out else "execute"
        answers = await together(
            [
                self._answer(candidate, CallKey(candidate.round, purpose, index), one)
                for index, one in enumerate(questions)
            ]
        )
        found = tuple(answer for answer in answers if answer is not None)
        return Trial(candidate, tuple(questions), found) if len(found) == len(questions) else None

    async def _answer(self, candidate: Candidate, key: CallKey, question: Question) -> AnswerRecord | None:
        messages = [in_front(candidate.prompt, question.question)]
        reply = await self._asker.ask(key, self._asker.request("executor", messages))
        if problem := _problem(reply):
            self._notice(key, f"{problem} It is asked again.")
            messages = repair(messages, reply, self._repair.render(problem=problem))
            again = CallKey(key.round, key.purpose, key.index, attempt=2)
            second = await self._asker.ask(again, self._asker.request("executor", messages))
            reply = second if second.text.strip() else reply
        if not reply.text.strip():
            self._notice(key, "It is empty again, so the round cannot go on.", "error")
            return None
        if reply.finish_reason == "length":
            self._notice(key, "It is still cut by the length limit, and taken as it is.", "warning")
        if key.purpose == "execute":
            self._emit(
                Answered(round=key.round, index=key.index, question=question.question, answer=reply.text)
            )
        return AnswerRecord(question.question, reply.text)

    def _notice(self, key: CallKey, text: str, level: Level = "info") -> None:
        where = "held-out question" if key.purpose == "held_out" else "question"
        self._emit(Noticed(text=f"Round {key.round}, answer to {where} {key.index + 1}: {text}", level=level))


def in_front(prompt: str, question: str) -> Message:
    """A question with a prompt in front, as the executor reads it: one message, a blank line between them."""
    return user(f"{prompt}\n\n{question}")


def _problem(reply: Reply) -> str:
    if not reply.text.strip():
        return "It is empty."
    if reply.finish_reason == "length":
        return "It was cut by the length limit."
    return ""
