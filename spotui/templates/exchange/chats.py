"""Chat prompts and conversations of other tools: lists of messages, in the shapes that they have there."""

import json
from collections.abc import Mapping, Sequence
from typing import Any, Final, NamedTuple

from spotui.lang import _
from spotui.templates.exchange.braces import Slots, from_double, from_format
from spotui.templates.exchange.imported import Notes
from spotui.templates.yaml.composer import load
from spotui.templates.yaml.faults import YamlError

ROLES: Final[Mapping[str, str]] = {
    **dict.fromkeys(("system", "developer", "systemmessage", "systemmessageprompttemplate"), "system"),
    **dict.fromkeys(("user", "human", "humanmessage", "humanmessageprompttemplate", "prompter"), "user"),
    **dict.fromkeys(
        ("assistant", "gpt", "model", "bot", "ai", "chatgpt", "bing", "bard", "aimessage", "output"),
        "assistant",
    ),
    **dict.fromkeys(("tool", "function", "observation", "toolmessage", "function_response"), "tool"),
}
"""The roles of messages, by the names that they have elsewhere."""

_IMAGE: Final = "image_url"
_FETCHED: Final = ("https://", "data:")
_OTHERS: Final = ("function_call", "weight", "name", "refusal", "audio", "annotations")


HISTORY: Final = "history"
"""The variable that holds the turns before the question, where the rows of an export are conversations."""

DUMPED: Final = "{{ question | dump }}"
LOOP: Final = (
    '{% for turn in history %}{"role": "{{ turn.role }}", "content": {{ turn.content | dump }}},'
    "\n  {% endfor %}"
)
"""How a chat for promptfoo shows those turns."""


class Message(NamedTuple):
    """A message.

    Attributes:
        role: One of our roles.
        text: Its text.
        rest: What else it has that neither a text nor a row can hold.
        images: Its parts that are images which an endpoint can fetch.
        calls: The tool calls of the assistant, and the call that a tool's result belongs to.
    """

    role: str
    text: str
    rest: tuple[str, ...] = ()
    images: tuple[dict[str, Any], ...] = ()
    calls: Mapping[str, Any] = {}

    @property
    def data(self) -> dict[str, Any]:
        """The message as a row has it."""
        content: Any = self.text
        if self.images:
            content = [*self.images, *([{"type": "text", "text": self.text}] if self.text else [])]
        return {"role": self.role, "content": content, **self.calls}


class ChatPrompt(NamedTuple):
    """A prompt with what is around it.

    Attributes:
        prompt: The text to optimize, with slots.
        names: The column of each slot.
        extra: `position` or `messages` of the template, where the prompt is one of several messages.
        has_history: Whether the turns before the question are in a variable of the row.
    """

    prompt: str
    names: dict[str, str]
    extra: dict[str, Any]
    has_history: bool = False


def chat_of(data: Any) -> list[Message] | None:
    """The messages of a list; None when it is no list of messages."""
    if not isinstance(data, list) or not data:
        return None
    messages = [message_of(one) for one in data]
    return [one for one in messages if one is not None] if all(messages) else None


def message_of(data: Any) -> Message | None:
    """A message in any of the usual shapes; None when it is none."""
    if isinstance(data, list | tuple) and len(data) == 2 and all(isinstance(one, str) for one in data):
        data = {"role": data[0], "content": data[1]}  # LangChain's pairs
    if not isinstance(data, dict):
        return None
    if isinstance(data.get("data"), dict) and "type" in data:  # LangChain's stored messages
        data = {**data["data"], "type": data["type"]}
    if isinstance(data.get("message"), dict):  # OpenInference's and OpenTelemetry's
        return message_of(data["message"])
    role = next((data[key] for key in ("role", "from", "type") if isinstance(data.get(key), str)), None)
    if role is None or role.casefold() not in ROLES:
        return None
    content = next((data[key] for key in ("content", "value", "text") if key in data), None)
    lost = [key for key in _OTHERS if data.get(key) not in (None, "", [])]
    calls = {key: data[key] for key in ("tool_calls", "tool_call_id") if data.get(key) not in (None, "", [])}
    return _of_content(ROLES[role.casefold()], content, lost, calls)


def _of_content(role: str, content: Any, rest: list[str], calls: Mapping[str, Any]) -> Message:
    """A message made of a text, or of parts."""
    if content is None or isinstance(content, str):
        return Message(role, content or "", tuple(rest), (), calls)
    texts: list[str] = []
    images: list[dict[str, Any]] = []
    for part in content if isinstance(content, list) else [content]:
        if isinstance(part, str):
            texts.append(part)
        elif isinstance(part, dict) and isinstance(part.get("text"), str):
            texts.append(part["text"])
        elif isinstance(part, dict) and part.get("type") == _IMAGE and _is_fetched(part):
            images.append(part)
        elif isinstance(part, dict):
            rest.append(str(part.get("type", "content")))
        else:
            texts.append(str(part))
    return Message(role, "\n".join(texts), tuple(rest), tuple(images), calls)


def _is_fetched(part: Mapping[str, Any]) -> bool:
    """Whether an image is at an address, or in the message itself; other paths are of another machine."""
    image = part.get(_IMAGE)
    url = image.get("url") if isinstance(image, dict) else image
    return isinstance(url, str) and url.startswith(_FETCHED)


def note_rest(messages: Sequence[Message], notes: Notes, where: str) -> None:
    """Note what messages have besides their texts."""
    for kind in dict.fromkeys(kind for one in messages for kind in one.rest):
        what = _("`{kind}` of a message is left out.", kind=kind)
        if kind == _IMAGE:
            why = _("It is neither at an https address nor in the message itself as a data: address.")
        else:
            why = _("Only roles, texts, images and tool calls of messages are imported.")
        notes.add(where, what, why)


def from_chat(
    text: str,
    notes: Notes,
    where: str,
    values: Mapping[str, str] | None = None,
    *,
    is_format: bool = False,
) -> ChatPrompt | None:
    """A prompt that is a text, or a chat as JSON or YAML.

    Args:
        text: The prompt.
        notes: Takes what has no counterpart.
        where: The place of the prompt.
        values: Texts that stand for variables already.
        is_format: Whether variables are in single braces.

    Returns:
        The prompt, or None when it was left out, with a note.
    """
    if LOOP in text:
        plain = text.replace(LOOP, "").replace(DUMPED, '"{{question}}"')
        talk = from_chat(plain, notes, where, values)
        if talk is not None and talk.extra == {"position": "system"} and "question" in talk.names:
            return talk._replace(has_history=True)
    messages = _parsed(text)
    if messages is None:
        start = text.lstrip()
        if start.startswith(("[{", "[\n", "[ ")) and '"role"' in text:
            why = _("It is a chat that is not JSON: its statements write messages.")
            notes.add(where, _("The prompt is left out."), why)
            return None
        found = _slots(text, notes, where, values, is_format=is_format)
        return ChatPrompt(found.text, found.names, {})
    return from_messages(messages, notes, where, values, is_format=is_format)


def from_messages(
    messages: Sequence[Message],
    notes: Notes,
    where: str,
    values: Mapping[str, str] | None = None,
    *,
    is_format: bool = False,
) -> ChatPrompt | None:
    """A prompt that is a chat: its system message is the prompt, or else its last message of the user.

    Args:
        messages: The chat.
        notes: Takes what has no counterpart.
        where: The place of the prompt.
        values: Texts that stand for variables already.
        is_format: Whether variables are in single braces.

    Returns:
        The prompt, or None when it was left out, with a note.
    """
    note_rest(messages, notes, where)
    if any(one.images or one.calls for one in messages):
        what = _("Images and tool calls of the prompt are left out.")
        notes.add(where, what, _("The messages around a prompt are texts; rows can have both."))
    by_role = {one.role: at for at, one in enumerate(messages)}
    if "user" not in by_role:
        if list(by_role) == ["system"] and len(messages) == 1:
            found = _slots(messages[0].text, notes, where, values, is_format=is_format)
            return ChatPrompt(found.text, found.names, {"position": "system"})
        notes.add(where, _("The prompt is left out."), _("No message of it is the user's."))
        return None
    systems = [at for at, one in enumerate(messages) if one.role == "system"]
    tuned = systems[0] if systems else by_role["user"]
    names: dict[str, str] = {}
    texts = []
    for one in messages:
        found = _slots(one.text, notes, where, values, is_format=is_format)
        text = found.text
        clash = {slot for slot, column in found.names.items() if names.get(slot, column) != column}
        if clash or "prompt" in found.names:
            what = _("The prompt is left out.")
            notes.add(where, what, _("Two of its variables would have the same name: rename one of them."))
            return None
        names |= found.names
        texts.append(text)
    if len(messages) == 1:
        return ChatPrompt(texts[0], names, {})
    rest = [at for at in range(len(messages)) if at != tuned]
    if systems and len(messages) == 2 and texts[rest[0]] == "{question}":
        return ChatPrompt(texts[tuned], names, {"position": "system"})
    single = next((slot for slot in names if texts[rest[0]] == f"{{{slot}}}"), "")
    if systems and len(messages) == 2 and single and f"{{{single}}}" not in texts[tuned]:
        columns = {"question" if slot == single else slot: column for slot, column in names.items()}
        return ChatPrompt(texts[tuned], columns, {"position": "system"})
    around = [
        {"role": one.role, "content": "{prompt}" if at == tuned else texts[at]}
        for at, one in enumerate(messages)
    ]
    return ChatPrompt(texts[tuned], names, {"messages": around})


def _slots(
    text: str, notes: Notes, where: str, values: Mapping[str, str] | None, *, is_format: bool
) -> Slots:
    return from_format(text, notes, where) if is_format else from_double(text, notes, where, values)


def _parsed(text: str) -> list[Message] | None:
    """The messages of a chat as JSON or YAML."""
    start = text.lstrip()
    if start.startswith("["):
        try:
            return chat_of(json.loads(text))
        except (ValueError, RecursionError):
            return None
    if start.startswith("- role:"):
        try:
            return chat_of(load(text).data())
        except YamlError:
            return None
    return None
