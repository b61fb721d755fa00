"""Asks a model all questions of a template with one prompt; each answer with what it took."""

from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple

import msgspec

from spotui.domain.answer_cost import Taken, together
from spotui.domain.events import Level, Noticed
from spotui.domain.messages import Message
from spotui.domain.records import AnswerRecord, CallKey
from spotui.domain.rows import Row
from spotui.engine import Question
from spotui.engine.asking import each
from spotui.engine.context import Context
from spotui.engine.execute import conversation, converse, incomplete, missing
from spotui.engine.task import Candidate, Trial
from spotui.lang import _
from spotui.llm.protocol import RequestRefusedError, lacks_answer, why_missing
from spotui.runs.prepare import Prepared
from spotui.runs.task import questions_of
from spotui.workspace.answer_archive import Answer, asked_id


class Asked(NamedTuple):
    """A question with a prompt.

    Attributes:
        position: Of the question in its template, or of the row among the test rows, from 0.
        row: What is asked.
        messages: Prompt and question as a model gets them.
        id: A hash of both.
        question: The question as judge and optimizer read it; None for a row that is marked.
    """

    position: int
    row: Row
    messages: tuple[Message, ...]
    id: str
    question: Question | None = None


def questions_asked(prepared: Prepared, prompt: str, *, by_rows: bool) -> list[Asked]:
    """Everything that models are asked in a migration: the test rows, or all questions.

    Questions that a model wrote count where rounds ask them, and are not held out.

    Args:
        prepared: The template.
        prompt: The prompt in front.
        by_rows: Whether answers are marked row by row.
    """
    if by_rows:
        assert prepared.rows is not None  # noqa: S101 - what is prepared for scoring has rows
        return [
            _asked(position, prompt, row, prepared.layout.messages(prompt, row))
            for position, row in enumerate(prepared.rows.test)
        ]
    task, pool = prepared.task, questions_of(prepared.template, prepared.rows, prepared.files.attach)
    positions = range(len(pool)) if prepared.rows is not None else (*prepared.questions, *prepared.held_out)
    found = []
    for position in sorted(positions):
        question = pool[position]
        row = question.row or Row(question.question)
        found.append(_asked(position, prompt, row, task.ask(prompt, question))._replace(question=question))
    return found


def _asked(position: int, prompt: str, row: Row, messages: tuple[Message, ...]) -> Asked:
    return Asked(position, row, messages, asked_id(prompt, messages, row))


async def ask_all(
    context: Context,
    prompt: str,
    asked: Sequence[Asked],
    keep: Callable[[Asked, Answer], None] = lambda _asked, _answer: None,
    *,
    by_rows: bool,
    whole: bool,
) -> list[Answer]:
    """The answer to each question; what the journal holds is not asked again.

    Args:
        context: What the calls are made with.
        prompt: The prompt in front.
        asked: The questions.
        keep: Called with each answer as soon as it is there.
        by_rows: Whether they are rows that are marked.
        whole: Whether all turns of a conversation are the answer, or the last one alone.

    Raises:
        Halted: A call failed for good, or the budget is spent; what was bought is kept.
    """
    found: dict[int, Answer] = {}

    async def ask(question: Asked) -> None:
        answer = await _answer(context, prompt, question, by_rows=by_rows, whole=whole)
        keep(question, answer)
        found[question.position] = answer

    await each(asked, ask, lambda: context.asker.at_once(("executor",)))
    return [found[one.position] for one in asked]


async def _answer(context: Context, prompt: str, question: Asked, *, by_rows: bool, whole: bool) -> Answer:
    key = CallKey(1, "score_test" if by_rows else "execute", question.position)

    def notice(text: str, level: Level) -> None:
        context.emit(Noticed(text=_("Question {n}: {text}", n=question.position + 1, text=text), level=level))

    calls: list[Taken] = []
    try:
        replies = await converse(
            context.asker,
            context.meta["execute_repair"],
            key,
            prompt,
            question.row,
            question.messages,
            notice,
            missing if by_rows else incomplete,
            taken=calls,
        )
    except RequestRefusedError as error:
        notice(error.what, "warning")
        return Answer(error=error.what)
    last = replies[-1]
    if lacks_answer(last):
        why = why_missing(last)
        notice(why, "warning")
        return Answer(error=why, taken=together(calls))
    text = conversation(replies, question.row.turns) if whole else last.answer
    return Answer(text, taken=together(calls))


def trial_of(number: int, prompt: str, asked: Sequence[Asked], answers: Sequence[Answer]) -> Trial:
    """Answers as judges compare them.

    Args:
        number: What the votes about it are filed under.
        prompt: The prompt in front.
        asked: The questions.
        answers: One each.
    """
    questions = tuple(one.question or Question(one.row.asked, row=one.row) for one in asked)
    records = tuple(
        AnswerRecord(question.question, one.text, error=one.error)
        for question, one in zip(questions, answers, strict=True)
    )
    return Trial(Candidate(round=number, prompt=prompt), questions, records)


def with_archived(prepared: Prepared, archived: Mapping[int, str]) -> Prepared:
    """A template whose questions have archived answers as references, where they have none.

    So optimizer and judge see what a new prompt must not lose to, and the requirements say so.

    Args:
        prepared: The template, prepared for a run.
        archived: Answers by the position of their question.

    Raises:
        TemplateError: An answer cannot be written into the template.
    """
    from spotui.templates.save import edit_yaml

    template, rows = prepared.template, prepared.rows
    goal = prepared.meta["migrate_goal"].render(requirements=template.requirements)
    if rows is None:
        qa = tuple(
            msgspec.structs.replace(one, answer=archived.get(position, ""))
            if not (one.answer or one.turns)
            else one
            for position, one in enumerate(template.qa)
        )
        if qa == tuple(template.qa):
            return prepared
        template = msgspec.structs.replace(template, qa=qa, requirements=goal)
    else:
        train = tuple(
            msgspec.structs.replace(one, references=(archived[position],))
            if position in archived and not (one.references or one.turns)
            else one
            for position, one in enumerate(rows.train)
        )
        if train == tuple(rows.train):
            return prepared
        template = msgspec.structs.replace(template, requirements=goal)
        rows = msgspec.structs.replace(rows, train=train)
    text = edit_yaml(prepared.text, template, prepared.path.name)
    return msgspec.structs.replace(prepared, template=template, text=text, rows=rows)
