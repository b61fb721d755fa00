"""One answer from the executor, asked for again when it cannot be used."""

from collections.abc import Callable, Sequence

from spotui.engine.asking import Asker, repair
from spotui.events import Level
from spotui.llm.errors import ContextOverflowError
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
    *,
    may_overflow: bool = False,
) -> Reply | None:
    """What the executor answers; an answer with a problem is asked for once more.

    Args:
        asker: The way to the executor.
        repair_prompt: What to say then.
        key: What asks.
        messages: The question.
        notice: Told what is wrong.
        problem_of: What is wrong with an answer, one sentence, or an empty text.
        may_overflow: Whether a question that is too long for the model is the asker's own trouble.

    Returns:
        The reply, which may still be cut, or None when there is none even then.

    Raises:
        Halted: The run ends here.
        ContextOverflowError: The question is too long, and may be.
    """
    reply = await asker.ask(key, asker.request("executor", messages), may_overflow=may_overflow)
    if problem := problem_of(reply):
        notice(f"{problem} It is asked again.", "info")
        messages = repair(messages, reply, repair_prompt.render(problem=problem))
        again = CallKey(key.round, key.purpose, key.index, attempt=2)
        try:
            second = await asker.ask(again, asker.request("executor", messages), may_overflow=may_overflow)
        except ContextOverflowError:  # there is no room to ask again
            second = reply
        reply = second if second.text.strip() else reply
    if not reply.text.strip():
        return None
    return reply


def missing(reply: Reply) -> str:
    """What is wrong with a reply that is none."""
    return "" if reply.text.strip() else "It is empty."


def incomplete(reply: Reply) -> str:
    """What is wrong with a reply that is none, or not all of it."""
    return "It was cut by the length limit." if is_cut(reply) else missing(reply)


def is_cut(reply: Reply) -> bool:
    """Whether the length limit ended what there is of a reply."""
    return bool(reply.text.strip()) and reply.finish_reason == "length"
