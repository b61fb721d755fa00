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
    *,
    may_overflow: bool = False,
) -> Reply | None:
    """What the executor answers; an answer that is empty or cut is asked for once more.

    Args:
        asker: The way to the executor.
        repair_prompt: What to say then.
        key: What asks.
        messages: The question.
        notice: Told what is wrong.
        may_overflow: Whether a question that is too long for the model is the asker's own trouble.

    Returns:
        The reply, which may still be cut, or None when there is none even then.

    Raises:
        Halted: The run ends here.
        ContextOverflowError: The question is too long, and may be.
    """
    reply = await asker.ask(key, asker.request("executor", messages), may_overflow=may_overflow)
    if problem := _problem(reply):
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
    if reply.finish_reason == "length":
        notice("It is still cut by the length limit, and taken as it is.", "warning")
    return reply


def _problem(reply: Reply) -> str:
    if not reply.text.strip():
        return "It is empty."
    if reply.finish_reason == "length":
        return "It was cut by the length limit."
    return ""
