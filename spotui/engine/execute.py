"""Execute: what the executor answers to every question with a prompt in front."""

from collections.abc import Callable, Sequence

from spotui.engine.asking import Asker, repair, together, user
from spotui.engine.task import Candidate, Question, Trial
from spotui.events import Answered, Event, Noticed
from spotui.llm.protocol import Reply
from spotui.meta_prompts import MetaPrompt
from spotui.workspace.lines import AnswerRecord, CallKey


class Executor:
    """Puts a candidate in front of questions.

    Args:
        asker: The way to the model.
        repair_prompt: What to say when an answer cannot be used.
        emit: Told of every answer.
    """

    def __init__(self, asker: Asker, repair_prompt: MetaPrompt, emit: Callable[[Event], None]) -> None:
        self._asker = asker
        self._repair = repair_prompt
        self._emit = emit

    async def execute(
        self, candidate: Candidate, questions: Sequence[Question], purpose: str = "execute"
    ) -> Trial | None:
        """Ask every question at once, each as one user message: the prompt, a blank line, the question.

        Args:
            candidate: The prompt to try.
            questions: What to ask.
            purpose: What the calls are filed under.

        Returns:
            The trial, or None when a question brought no answer even when asked again.
        """
        answers = await together(
            [self._answer(candidate, index, one, purpose) for index, one in enumerate(questions)]
        )
        found = tuple(answer for answer in answers if answer is not None)
        return Trial(candidate, tuple(questions), found) if len(found) == len(questions) else None

    async def _answer(
        self, candidate: Candidate, index: int, question: Question, purpose: str
    ) -> AnswerRecord | None:
        messages = [user(f"{candidate.prompt}\n\n{question.question}")]
        key = CallKey(candidate.round, purpose, index)
        reply = await self._asker.ask(key, self._asker.request("executor", messages))
        if problem := _problem(reply):
            self._emit(Noticed(text=f"Round {key.round}, question {index + 1}: {problem} Asked again."))
            messages = repair(messages, reply, self._repair.render(problem=problem))
            again = CallKey(candidate.round, purpose, index, attempt=2)
            second = await self._asker.ask(again, self._asker.request("executor", messages))
            reply = second if second.text.strip() else reply
        if not reply.text.strip():
            text = f"Round {key.round}, question {index + 1}: the executor gave no answer."
            self._emit(Noticed(text=text, level="error"))
            return None
        if reply.finish_reason == "length":
            text = f"Round {key.round}, question {index + 1}: the answer is cut by the length limit."
            self._emit(Noticed(text=text, level="warning"))
        self._emit(
            Answered(round=candidate.round, index=index, question=question.question, answer=reply.text)
        )
        return AnswerRecord(question.question, reply.text)


def _problem(reply: Reply) -> str:
    if not reply.text.strip():
        return "It is empty."
    if reply.finish_reason == "length":
        return "It was cut by the length limit."
    return ""
