"""Reads a conversation: a list of messages in the form of OpenAI's API, of ShareGPT, or with parts."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

import msgspec

from spotui.domain.errors import nearest
from spotui.domain.messages import SPEAKERS, Attachment, Message, Speaker
from spotui.lang import _
from spotui.templates.data.record import BadRowError

COLUMNS: Final = ("messages", "conversations", "conversation")
"""The columns that hold a conversation, if one of them does."""

_ROLES: Final[Mapping[str, Speaker]] = {
    **{one: one for one in SPEAKERS},
    **dict.fromkeys(("human", "prompter"), "user"),
    **dict.fromkeys(("gpt", "model", "bot", "ai", "chatbot", "function_call"), "assistant"),
    "developer": "system",
    **dict.fromkeys(("function", "observation"), "tool"),
}
_TEXTS: Final = ("text", "input_text", "output_text")
_FILES: Final = ("image_url", "input_image", "image", "file", "input_file")

Attach = Callable[[str, str], Attachment]
"""Takes a file in: what stands for it (a path, a data URL, an https address), and its name if it has one."""


class Conversation(msgspec.Struct, frozen=True):
    """A conversation with a question at its end.

    Attributes:
        question: The last turn of the user.
        history: The turns before it.
        answer: What the assistant answered to it at last; empty where that is not recorded.
        files: What is sent with the question.
    """

    question: str
    history: tuple[Message, ...] = ()
    answer: str = ""
    files: tuple[Attachment, ...] = ()


def no_files(source: str, name: str) -> Attachment:  # noqa: ARG001 - the form of `Attach`
    """Takes no file in.

    Raises:
        BadRowError: Always.
    """
    raise BadRowError(_("An image or file cannot be used here."), _("Write what it shows as text."))


def read_conversation(listed: Sequence[Any], attach: Attach = no_files) -> Conversation:
    """The conversation that a list of messages is.

    Args:
        listed: Plain data.
        attach: Takes in the files that messages come with.

    Raises:
        BadRowError: A message is none, has an unknown role, or no turn is the user's.
    """
    said = read_messages(listed, attach)
    asked = [at for at, one in enumerate(said) if one.role == "user"]
    if not asked:
        raise BadRowError(
            _("The conversation has no turn of the user, so there is nothing to answer."),
            _("Add a message with `role: user` at its end."),
        )
    last = asked[-1]
    answers = [one.content or one.tool_calls for one in said[last + 1 :] if one.role == "assistant"]
    return Conversation(
        question=said[last].content,
        history=tuple(said[:last]),
        answer=answers[-1] if answers else "",
        files=said[last].files,
    )


def read_messages(listed: Sequence[Any], attach: Attach = no_files) -> list[Message]:
    """The messages of a list.

    Raises:
        BadRowError: One of them is none, or has an unknown role.
    """
    return [_message(one, number, attach) for number, one in enumerate(listed, 1)]


def _message(data: Any, number: int, attach: Attach) -> Message:
    if not isinstance(data, Mapping):
        raise BadRowError(
            _("Message {number} is no mapping with a role and its content.", number=number),
            _("Write `- {role: user, content: ...}`."),
        )
    named = data.get("role", data.get("from", data.get("speaker")))
    role = _ROLES.get(named.strip().casefold()) if isinstance(named, str) else None
    if role is None:
        meant = nearest(str(named or ""), SPEAKERS)
        what = (
            _("Message {number} has no role.", number=number)
            if named is None
            else _("Message {number} has the unknown role `{named}`.", number=number, named=named)
        )
        hint = (
            _("Did you mean `{meant}`?", meant=meant)
            if meant
            else _("The roles are system, user, assistant and tool.")
        )
        raise BadRowError(what, hint)
    text, files = _content(data.get("content", data.get("value", data.get("text"))), number, attach)
    return Message(
        role,
        text,
        files=files,
        tool_calls=_calls(data.get("tool_calls")),
        tool_call_id=str(data.get("tool_call_id") or ""),
    )


def _content(content: Any, number: int, attach: Attach) -> tuple[str, tuple[Attachment, ...]]:
    if content is None or isinstance(content, str):
        return content or "", ()
    if isinstance(content, (int, float, bool)):
        return str(content), ()
    texts: list[str] = []
    files: list[Attachment] = []
    for part in content if isinstance(content, list) else [content]:
        kind = part.get("type") if isinstance(part, Mapping) else None
        if isinstance(part, str):
            texts.append(part)
        elif isinstance(part, Mapping) and (kind in _TEXTS or (kind is None and "text" in part)):
            texts.append(str(part.get("text") or ""))
        elif isinstance(part, Mapping) and kind in _FILES:
            files.append(attach(*_file(part, number)))
        else:
            raise BadRowError(
                _(
                    "Message {number} has a part of the kind `{kind}`, which is neither text nor a file.",
                    number=number,
                    kind=str(kind),
                ),
                _("Write its content as text."),
            )
    return "\n".join(texts), tuple(files)


def _file(part: Mapping[str, Any], number: int) -> tuple[str, str]:
    """What stands for a file in a part, and its name: OpenAI's parts nest it, others write it plainly."""
    inner = next((part[one] for one in ("image_url", "file", "image", "url", "path") if part.get(one)), part)
    name = str(part.get("name") or part.get("filename") or "")
    if isinstance(inner, Mapping):
        name = str(inner.get("filename") or inner.get("name") or name)
        inner = next((inner[one] for one in ("url", "file_data", "path", "data") if inner.get(one)), None)
    if not isinstance(inner, str):
        raise BadRowError(
            _("Message {number} has a file without a path or address.", number=number),
            _("Write `{type: image_url, image_url: {url: cat.png}}`."),
        )
    return inner, name


def _calls(calls: Any) -> str:
    if not calls:
        return ""
    return msgspec.json.encode(calls).decode()
