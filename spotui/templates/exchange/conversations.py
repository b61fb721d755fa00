"""Reads data for fine-tuning: chat messages, ShareGPT's conversations, Alpaca's instructions."""

from collections.abc import Sequence
from typing import Any

import msgspec

from spotui.lang import _
from spotui.templates.data.values import is_nothing, written
from spotui.templates.exchange.braces import literal
from spotui.templates.exchange.chats import Message, chat_of, note_rest
from spotui.templates.exchange.imported import Imported, Notes, Record, note_requirements
from spotui.templates.exchange.source import Source

_ALPACA: frozenset[str] = frozenset({"instruction", "input", "output", "system", "history"})


class Conversation(msgspec.Struct):
    """A conversation as a row.

    Attributes:
        messages: Its turns up to the last one of the user; to the end where that is a tool call.
        answer: The answer that is right, or None.
        where: Its place.
    """

    messages: list[Message]
    answer: Any
    where: str

    @property
    def system(self) -> str:
        """The text of its system messages."""
        return "\n\n".join(one.text for one in self.messages if one.role == "system")

    @property
    def turns(self) -> list[Message]:
        """Its messages without those of the system."""
        return [one for one in self.messages if one.role != "system"]


def recognises_chat(source: Source) -> bool:
    """Whether rows have a list of messages."""
    return source.mostly(lambda one: _chat(one) is not None)


def recognises_sharegpt(source: Source) -> bool:
    """Whether rows have ShareGPT's `conversations`."""
    return source.mostly(lambda one: _listed(one) is not None)


def recognises_alpaca(source: Source) -> bool:
    """Whether rows have an instruction and an output."""
    return source.mostly(
        lambda one: isinstance(one.get("instruction"), str) and isinstance(one.get("output"), str)
    )


def read_chat(source: Source) -> list[Imported]:
    """The template of rows with messages: the last turn of the assistant is the answer that is right."""
    rows = []
    shared = _shared(source)
    for number, record in source.lines:
        where = source.where(source.path, number)
        messages = _chat(record)
        if messages is None:
            why = _("It has no list of messages with the roles system, user and assistant.")
            source.notes.add(where, _("The row is left out."), why)
            continue
        known = {"messages", "input", "preferred_output", *shared}
        _note_columns(record, known, source.notes, where)
        answer = None
        if "preferred_output" in record:
            preferred = chat_of(record["preferred_output"]) or []
            messages = [*messages, *preferred]
        if found := conversation(messages, answer, source.notes, where):
            rows.append(found)
    imported = of_conversations(rows, source.notes, source.name)
    for one in imported:
        one.extra = {**one.extra, **shared}
        if "tools" in shared and all(row.answer is None for row in rows):
            one.metric = "tool_call"
    return imported


def _shared(source: Source) -> dict[str, Any]:
    """Tools and the form of answers, where all rows have the same."""
    found = {}
    for key in ("tools", "response_format"):
        values = [one.record.get(key) if isinstance(one.record, dict) else None for one in source.lines]
        if values and values[0] and all(value == values[0] for value in values):
            found[key] = values[0]
    if "response_format" in found:
        form = found["response_format"]
        if isinstance(form, dict) and form.get("type") == "json_object":
            found["response_format"] = "json"
    return found


def read_sharegpt(source: Source) -> list[Imported]:
    """The template of ShareGPT's conversations."""
    rows = []
    for number, record in source.lines:
        where = source.where(source.path, number)
        messages = _listed(record)
        if messages is None:
            why = _("It has no list of turns with the roles system, human and gpt.")
            source.notes.add(where, _("The row is left out."), why)
            continue
        _note_columns(record, {"conversations", "conversation", "items", "system"}, source.notes, where)
        if isinstance(record.get("system"), str) and record["system"].strip():
            messages = [Message("system", record["system"]), *messages]
        if found := conversation(messages, None, source.notes, where):
            rows.append(found)
    return of_conversations(rows, source.notes, source.name)


def read_alpaca(source: Source) -> list[Imported]:
    """The template of Alpaca's instructions: one that all rows share is the prompt."""
    notes = source.notes
    rows = []
    for number, record in source.lines:
        where = source.where(source.path, number)
        instruction = record.get("instruction") if isinstance(record, dict) else None
        if not isinstance(instruction, str) or not instruction.strip():
            notes.add(where, _("The row is left out."), _("It has no instruction."))
            continue
        _note_columns(record, _ALPACA, notes, where)
        rows.append((where, record))
    shared = {record["instruction"] for _where, record in rows}
    is_shared = len(shared) == 1 and all(not is_nothing(record.get("input")) for _where, record in rows)
    found = []
    for where, record in rows:
        given = "" if is_nothing(record.get("input")) else written(record["input"])
        asked = given if is_shared else "\n\n".join(filter(None, (record["instruction"], given)))
        history = record.get("history")
        messages = []
        if isinstance(record.get("system"), str) and record["system"].strip():
            messages.append(Message("system", record["system"]))
        for pair in history if isinstance(history, list) else []:
            if isinstance(pair, list) and len(pair) == 2:
                messages += [Message("user", written(pair[0])), Message("assistant", written(pair[1]))]
        messages.append(Message("user", asked))
        found.append(Conversation(messages, record.get("output"), where))
    imported = of_conversations(found, notes, source.name, prompt=shared.pop() if is_shared else "")
    for one in imported:
        one.origin = {"shape": "instruction"} if is_shared else {}
    return imported


def conversation(messages: Sequence[Message], answer: Any, notes: Notes, where: str) -> Conversation | None:
    """A row made of messages; None when it was left out, with a note.

    Args:
        messages: The whole conversation.
        answer: The answer that is right; None where it is the last turn of the assistant.
        notes: Takes what has no place in the row.
        where: The place of the conversation.
    """
    note_rest(messages, notes, where)
    asked = [at for at, one in enumerate(messages) if one.role == "user"]
    if not asked:
        notes.add(where, _("The row is left out."), _("No message of it is the user's."))
        return None
    question = messages[asked[-1]]
    if not (question.text.strip() or question.images):
        notes.add(where, _("The row is left out."), _("The last message of the user is empty."))
        return None
    after = [one for one in messages[asked[-1] + 1 :] if one.role == "assistant"]
    if answer is None and after and after[-1].calls:
        return Conversation([*messages], None, where)  # the row's reader takes the calls for the answer
    if answer is None and after:
        answer = after[-1].text
        if len(after) > 1 or any(one.role == "tool" for one in messages[asked[-1] + 1 :]):
            why = _("The last turn of the assistant is the answer that is right.")
            notes.add(where, _("Turns between the question and the answer are left out."), why)
    return Conversation([*messages[: asked[-1] + 1]], answer, where)


def of_conversations(
    rows: Sequence[Conversation], notes: Notes, name: str, *, prompt: str = ""
) -> list[Imported]:
    """The template of some conversations; the system message that all of them share is its prompt.

    Args:
        rows: The conversations.
        notes: Takes what has to be known.
        name: The source.
        prompt: The prompt, where the source has one that stands before the question.
    """
    if not rows:
        return []
    note_requirements(notes, name)
    systems = {one.system for one in rows}
    shared = systems.pop() if len(systems) == 1 else None
    extra: dict[str, Any] = {}
    if shared and not prompt:
        prompt = shared
        extra = {"position": "system"}
    elif shared:
        shared = None
    if shared is None and any(one.system for one in rows):
        why = _("They differ, so that none of them can be the prompt: write one that fits all rows.")
        notes.add(name, _("The system messages stay in the rows."), why)
    if not prompt:
        notes.add(name, _("It has no prompt."), _("Write one, or start from what the model answers without."))
    keeps_system = shared is None
    records = []
    for one in rows:
        messages = one.messages if keeps_system else one.turns
        record: Record = {"messages": [message.data for message in messages]}
        if len(messages) == 1 and not messages[0].images:
            record = {"question": messages[0].text}
        if one.answer is not None:
            record["answer"] = one.answer
        records.append(record)
    if any("messages" in record for record in records):
        records = [
            record
            if "messages" in record
            else {"messages": [{"role": "user", "content": record["question"]}], **_answer(record)}
            for record in records
        ]
    return [Imported(prompt=literal(prompt, notes, name), extra=extra, rows={None: records})]


def _answer(record: Record) -> Record:
    return {"answer": record["answer"]} if "answer" in record else {}


def _chat(record: Any) -> list[Message] | None:
    """The messages of a row; those of preference tuning are the input's."""
    if not isinstance(record, dict):
        return None
    if "preferred_output" in record and isinstance(record.get("input"), dict):
        return chat_of(record["input"].get("messages"))
    return chat_of(record.get("messages"))


def _listed(record: Any) -> list[Message] | None:
    if not isinstance(record, dict):
        return None
    names = ("conversations", "conversation", "items")
    return next((found for name in names if (found := chat_of(record.get(name))) is not None), None)


def _note_columns(record: Record, known: frozenset[str] | set[str], notes: Notes, where: str) -> None:
    for name in record.keys() - known:
        if not is_nothing(record[name]):
            what = _("The column `{name}` is left out.", name=name)
            notes.add(where, what, _("Neither the prompt nor a metric uses it."))
