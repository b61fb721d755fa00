"""One answer from the executor, asked for again when it cannot be used."""

from collections.abc import Callable, Sequence

from spotui.engine.asking import Asker, repair
from spotui.events import Level
from spotui.llm.errors import RequestRefusedError
from spotui.llm.missing_answer import lacks_answer, why_missing
from spotui.llm.protocol import Message, Reply
from spotui.meta_prompts import MetaPrompt
from spotui.workspace.lines import CallKey

Notice = Callable[[str, Level], None]


async def answer(
    asker: Asker,
    repair_prompt: MetaPrompt,
    key: CallKey,
    messages: Sequence[Message],
    notice: Notice,
    problem_of: Callable[[Reply], str],
) -> Reply:
    """What the executor answers; an answer with a problem is asked for once more.

    Args:
        asker: The way to the executor.
        repair_prompt: What to say then.
        key: What asks.
        messages: The question.
        notice: Called with what is wrong.
        problem_of: What is wrong with an answer, one sentence for the model, or an empty text.

    Returns:
        The reply, which may still be cut or lack an answer.

    Raises:
        Halted: The run ends here.
        RequestRefusedError: The endpoint refuses the question, and answers others.
    """
    reply = await asker.ask(key, asker.request("executor", messages), may_be_refused=True)
    if problem := problem_of(reply):
        cause = why_missing(reply) if lacks_answer(reply) else problem
        notice(f"{cause} The question is asked again.", "info")
        messages = repair(messages, reply, repair_prompt.render(problem=problem))
        again = CallKey(key.round, key.purpose, key.index, attempt=2)
        try:
            second = await asker.ask(again, asker.request("executor", messages), may_be_refused=True)
        except RequestRefusedError:  # most often there is no room to ask again
            second = reply
        reply = reply if lacks_answer(second) and not lacks_answer(reply) else second
    return reply


def missing(reply: Reply) -> str:
    """What is wrong with a reply without an answer."""
    if not reply.text.strip():
        return "It is empty."
    return "It was stopped by a content filter." if lacks_answer(reply) else ""


def incomplete(reply: Reply) -> str:
    """What is wrong with a reply without an answer, or with half of one."""
    return "It was cut by the length limit." if is_cut(reply) else missing(reply)


def is_cut(reply: Reply) -> bool:
    """Whether the length limit ended what there is of a reply."""
    return bool(reply.text.strip()) and reply.finish_reason == "length"
