"""Asks the executor with a prompt, and asks again where an answer is missing or cut."""

from collections.abc import Callable, Sequence
from typing import NamedTuple

from msgspec import structs

from spotui.domain.answer_cost import Taken, cost_of
from spotui.domain.answer_cost import together as as_one
from spotui.domain.calls import Reply
from spotui.domain.events import Answered, Level, Noticed
from spotui.domain.messages import Message, transcript, user
from spotui.domain.records import AnswerRecord, CallKey
from spotui.domain.rows import Row
from spotui.engine.asking import Asker, together
from spotui.engine.context import Context
from spotui.engine.grading import ALTERNATIVES
from spotui.engine.meta_prompts import MetaPrompt
from spotui.engine.task import Candidate, Question, Trial
from spotui.lang import _
from spotui.llm.protocol import RequestRefusedError, hint_for_missing, lacks_answer, why_missing

Notice = Callable[[str, Level], None]


async def answer(
    asker: Asker,
    repair_prompt: MetaPrompt,
    key: CallKey,
    messages: Sequence[Message],
    notice: Notice,
    problem_of: Callable[[Reply], str],
    given: str = "",
    watched: tuple[str, ...] = (),
    taken: list[Taken] | None = None,
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
        watched: Words whose alternatives are wanted, where the reply has them as a token.
        taken: What each call took is added here.

    Returns:
        The reply, which may still be cut or lack an answer.

    Raises:
        Halted: The run ends here.
        RequestRefusedError: The endpoint refuses the question, and answers others.
    """
    request = asker.request("executor", messages, given=given)
    if watched:
        request = structs.replace(request, alternatives=ALTERNATIVES, watched=watched)
    taken = [] if taken is None else taken
    reply = await asker.ask(key, request, "executor", may_be_refused=True)
    taken.append(taken_by(reply))
    if problem := problem_of(reply):
        cause = why_missing(reply) if lacks_answer(reply) else problem
        notice(_("{cause} The question is asked again.", cause=cause), "info")
        again = structs.replace(key, attempt=2)
        request = asker.again(request, reply, repair_prompt.render(problem=asker.in_words(problem)))
        try:
            second = await asker.ask(again, request, "executor", may_be_refused=True)
            taken.append(taken_by(second))
        except RequestRefusedError:  # most often there is no room to ask again
            second = reply
        reply = reply if lacks_answer(second) and not lacks_answer(reply) else second
    return reply


def taken_by(reply: Reply) -> Taken:
    """What a call took, as its reply says."""
    usage = reply.usage
    return Taken(
        usage.prompt_tokens,
        usage.completion_tokens,
        usage.cached_tokens,
        reply.cost_usd,
        reply.seconds,
        usage.estimated,
    )


async def converse(
    asker: Asker,
    repair_prompt: MetaPrompt,
    key: CallKey,
    prompt: str,
    row: Row,
    messages: Sequence[Message],
    notice: Notice,
    problem_of: Callable[[Reply], str],
    watched: tuple[str, ...] = (),
    taken: list[Taken] | None = None,
) -> list[Reply]:
    """What the executor answers to a question and to everything that the user says afterwards.

    Args:
        asker: The way to the executor.
        repair_prompt: What to say where an answer has a problem.
        key: What asks; each turn has its own.
        prompt: The prompt that is tried.
        row: What is asked.
        messages: Both as the executor reads them, with all that stands before the question.
        notice: Called with what is wrong.
        problem_of: What is wrong with an answer.
        watched: Words whose alternatives are wanted, where an answer has them as a token.
        taken: What each call took is added here.

    Returns:
        One reply a turn; the last one lacks an answer where the conversation ends early.

    Raises:
        Halted: The run ends here.
        RequestRefusedError: The endpoint refuses a turn, and answers others.
    """
    after, replies = list[Message](), list[Reply]()
    for number, following in enumerate((*row.turns, "")):
        own = structs.replace(key, turn=number) if number else key
        given = asker.given(prompt, row, after)
        reply = await answer(
            asker, repair_prompt, own, [*messages, *after], notice, problem_of, given, watched, taken
        )
        replies.append(reply)
        if lacks_answer(reply):
            break
        after += [Message("assistant", reply.answer), user(following)]
    return replies


def conversation(replies: Sequence[Reply], turns: Sequence[str]) -> str:
    """The answer to a question alone, or the whole of what follows it as one text."""
    first, *others = [Message("assistant", one.answer) for one in replies]
    if not others:
        return first.content
    pairs = zip(map(user, turns), others, strict=False)
    return transcript([first, *(one for pair in pairs for one in pair)])


def missing(reply: Reply) -> str:
    """What is wrong with a reply without an answer."""
    if not reply.answer.strip():
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
        self._task = context.task
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
        keys = [
            CallKey(candidate.round, purpose, index, candidate=candidate.number)
            for index in range(len(questions))
        ]
        taken: list[Taken] = []
        jobs = (self._answer(candidate, key, one, taken) for key, one in zip(keys, questions, strict=True))
        answers = await together(jobs, in_turn=self._asker.holds(keys))
        missing = next((one for one in answers if isinstance(one, NoAnswer)), None)
        found = tuple(one for one in answers if isinstance(one, AnswerRecord))
        cost = cost_of(taken, is_timed=self._asker.is_timed)
        return missing or Trial(candidate, tuple(questions), found, cost=cost)

    async def _answer(
        self, candidate: Candidate, key: CallKey, question: Question, taken: list[Taken]
    ) -> AnswerRecord | NoAnswer:
        row, prompt = question.row or Row(question.question), candidate.prompt
        calls: list[Taken] = []
        try:
            replies = await converse(
                self._asker,
                self._repair,
                key,
                prompt,
                row,
                self._task.ask(prompt, question),
                lambda text, level: self._notice(key, text, level),
                incomplete,
                taken=calls,
            )
        except RequestRefusedError as error:
            return self._refused(key, question, error.what)
        reply = replies[-1]
        if lacks_answer(reply):
            if reply.finish_reason == "content_filter" or reply.refusal:
                return self._refused(key, question, why_missing(reply))
            missing = NoAnswer(key.index + 1, why_missing(reply), hint_for_missing(reply))
            self._notice(key, _("{why} Without it the round cannot continue.", why=missing.why), "error")
            return missing
        if is_cut(reply):
            self._notice(key, _("It is cut by the length limit again, and used as it is."), "warning")
        taken.append(as_one(calls))
        text = reply.answer if self._task.judged_on == "last_answer" else conversation(replies, row.turns)
        if key.purpose == "execute":
            self._emit(_answered(key, question, text))
        return AnswerRecord(question.question, text)

    def _refused(self, key: CallKey, question: Question, why: str) -> AnswerRecord:
        """The record of a question that is refused; it is named the first time."""
        if (key.purpose, key.index) not in self._told:
            self._told.add((key.purpose, key.index))
            self._notice(key, _("{why} The question is left out of the comparison.", why=why), "warning")
        if key.purpose == "execute":
            self._emit(_answered(key, question, "", why))
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


def _answered(key: CallKey, question: Question, answer: str, error: str = "") -> Answered:
    return Answered(
        round=key.round,
        index=key.index,
        question=question.question,
        answer=answer,
        error=error,
        candidate=key.candidate,
    )
