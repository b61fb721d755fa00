"""Reads exports of Langfuse, LangSmith and Phoenix: prompts, items of data sets, and traces."""

from collections.abc import Mapping, Sequence
from typing import Any, Final

from spotui.domain.rows import SPLIT_NAMES, SplitName
from spotui.lang import _
from spotui.templates.data.json_text import read_cell
from spotui.templates.data.values import is_nothing
from spotui.templates.exchange.chats import ChatPrompt, chat_of, from_chat, from_messages
from spotui.templates.exchange.imported import Imported, Notes, Record, SourceError
from spotui.templates.exchange.records import Item, as_inputs, as_outputs, of_items
from spotui.templates.exchange.source import Source

_LANGFUSE: Final = frozenset(
    {"expectedOutput", "expected_output", "datasetId", "datasetName", "sourceTraceId", "traceId", "htmlPath"}
)
_LANGFUSE_TRACE: Final = frozenset(
    {"projectId", "sessionId", "userId", "bookmarked", "observations", "traceId"}
)
_RUN: Final = frozenset({"run_type", "trace_id", "parent_run_id", "session_id", "run_id"})
_SPAN: Final = frozenset({"context.span_id", "span_kind", "attributes", "parent_id"})


# Langfuse


def recognises_langfuse(source: Source) -> bool:
    """Whether records are items, traces or prompts of Langfuse."""
    if _is_prompt(source.document):
        return True
    return source.mostly(
        lambda one: (
            _is_prompt(one)
            or ("input" in one and bool(one.keys() & _LANGFUSE or one.keys() & _LANGFUSE_TRACE))
        )
    )


def read_langfuse(source: Source) -> list[Imported]:
    """The templates of prompts, or of the items of a data set, or of traces."""
    document = source.document
    records = [(source.name, document)] if isinstance(document, dict) else _records(source)
    prompts = [(where, one) for where, one in records if _is_prompt(one)]
    items = [_langfuse_item(where, one, source.notes) for where, one in records if not _is_prompt(one)]
    found = []
    for where, one in prompts:
        text = one["prompt"]
        chat = chat_of(text)
        prompt = (
            from_messages(chat, source.notes, where)
            if chat is not None
            else from_chat(text, source.notes, where)
            if isinstance(text, str)
            else None
        )
        if prompt is None:
            source.notes.add(where, _("The prompt is left out."), _("It is neither a text nor a chat."))
            continue
        if not is_nothing(one.get("config")) and one["config"] != {}:
            source.notes.add(
                where, _("`{key}` is left out.", key="config"), _("Choose models below `models:`.")
            )
        origin = {"name": one.get("name"), "version": one.get("version")}
        found += _with_prompt(source, prompt, items, str(one.get("name", "")), origin)
    return found if prompts else of_items(items, source.notes, source.name)


def _is_prompt(data: Any) -> bool:
    return (
        isinstance(data, dict)
        and isinstance(data.get("prompt"), str | list)
        and "name" in data
        and (data.get("type") in ("text", "chat") or bool(data.keys() & {"labels", "version"}))
    )


def _langfuse_item(where: str, record: Record, notes: Notes) -> Item:
    expected = record.get("expectedOutput", record.get("expected_output"))
    if is_nothing(expected) and not is_nothing(record.get("output")):
        _note_output(notes, where)
    if not is_nothing(record.get("scores")):
        _note_scores(notes, where)
    return Item(
        where, as_inputs(record.get("input")), as_outputs(expected), _split_in(record.get("metadata"))
    )


# LangSmith


def recognises_langsmith(source: Source) -> bool:
    """Whether records have inputs and outputs, or a document is a prompt of LangChain."""
    if isinstance(source.document, dict):
        return _is_constructor(source.document)
    return source.mostly(lambda one: "inputs" in one or any(name.startswith("inputs.") for name in one))


def read_langsmith(source: Source) -> list[Imported]:
    """The template of a prompt, of examples, or of runs."""
    if isinstance(source.document, dict):
        prompt = _of_constructor(source.document, source.notes, source.name)
        return _with_prompt(source, prompt, [], source.path.stem, {})
    items = []
    for where, record in _records(source):
        given = as_inputs(record["inputs"]) if "inputs" in record else _below(record, "inputs.")
        outputs = as_outputs(record.get("outputs")) or _below(record, "outputs.")
        if record.keys() & _RUN:
            reference = as_outputs(record.get("reference_outputs"))
            if outputs and not reference:
                _note_output(source.notes, where)
            outputs = reference
        if not is_nothing(record.get("feedback_stats")):
            _note_scores(source.notes, where)
        split = _split_in(record.get("metadata")) or _split_in(record)
        items.append(Item(where, given, outputs, split))
    return of_items(items, source.notes, source.name)


def _is_constructor(document: Mapping[str, Any]) -> bool:
    return document.get("type") == "constructor" and isinstance(document.get("kwargs"), dict)


def _of_constructor(document: Mapping[str, Any], notes: Notes, name: str) -> ChatPrompt | None:
    """The prompt that LangChain has written as the call that makes it; nothing is called."""
    values = document.get("kwargs")
    if not isinstance(values, dict):
        raise SourceError(
            _("{name} holds no prompt with messages or a template.", name=name), _("Check the export.")
        )
    if isinstance(values.get("template"), str):
        is_format = values.get("template_format", "f-string") == "f-string"
        return from_chat(values["template"], notes, name, is_format=is_format)
    messages, formats = [], set[str]()
    for number, one in enumerate(_list(values.get("messages")), 1):
        inner = _dict(_dict(one).get("kwargs"))
        path = _list(_dict(one).get("id"))
        kind = str(path[-1]).casefold() if path else ""
        prompt = _dict(_dict(inner.get("prompt")).get("kwargs"))
        message = chat_of([{"role": kind, "content": prompt.get("template", inner.get("content"))}])
        if message is None:
            where = f"{name}, messages[{number}]"
            what = _("The message {kind} is left out.", kind=kind or number)
            notes.add(where, what, _("It is not a text of the system, user or assistant."))
            continue
        formats.add(str(prompt.get("template_format", "f-string")))
        messages += message
    if not messages:
        raise SourceError(
            _("{name} holds no prompt with messages or a template.", name=name), _("Check the export.")
        )
    return from_messages(messages, notes, name, is_format=formats <= {"f-string"})


# Phoenix


def recognises_phoenix(source: Source) -> bool:
    """Whether records are examples or spans of Phoenix."""
    return source.mostly(lambda one: _is_example(one) or _is_span(one))


def read_phoenix(source: Source) -> list[Imported]:
    """The template of examples, or of spans."""
    items = []
    for where, record in _records(source):
        if _is_span(record):
            items.append(_span(where, record, source.notes))
            continue
        given = as_inputs(record["input"]) if "input" in record else _below(record, "input_")
        outputs = as_outputs(record.get("output")) or _below(record, "output_")
        metadata = record.get("metadata") or _below(record, "metadata_")
        if metadata and not _split_in(metadata):
            why = _("Neither the prompt nor a metric uses it.")
            source.notes.add(where, _("`{key}` is left out.", key="metadata"), why)
        items.append(Item(where, given, outputs, _split_in(metadata)))
    return of_items(items, source.notes, source.name)


def _is_example(record: Record) -> bool:
    if record.keys() & _LANGFUSE or record.keys() & _LANGFUSE_TRACE:
        return False
    whole = all(isinstance(_decoded(record.get(key)), dict) for key in ("input", "output"))
    flat = any(name.startswith("input_") for name in record) and any(
        name.startswith("output_") or name == "example_id" for name in record
    )
    return whole or flat


def _is_span(record: Record) -> bool:
    return bool(record.keys() & _SPAN) and (
        isinstance(_decoded(record.get("attributes")), dict)
        or any(name.startswith("attributes.") for name in record)
    )


def _span(where: str, record: Record, notes: Notes) -> Item:
    nested = _decoded(record.get("attributes"))
    attributes = nested if isinstance(nested, dict) else _below(record, "attributes.")
    messages = _decoded(_reach(attributes, "llm.input_messages"))
    if isinstance(messages, list):
        messages = [_message(one) for one in messages]
    given = {"messages": messages} if chat_of(messages) else as_inputs(_reach(attributes, "input.value"))
    if not is_nothing(_reach(attributes, "output.value")):
        _note_output(notes, where)
    return Item(where, given, {})


def _message(data: Any) -> Any:
    """A message of OpenInference, whose keys have dots."""
    if not isinstance(data, dict):
        return data
    flat = {name.removeprefix("message."): value for name, value in data.items()}
    parts = flat.pop("contents", None)
    if isinstance(parts, list):
        texts = [_reach(one, "message_content.text") for one in parts if isinstance(one, dict)]
        flat["content"] = "\n".join(str(one) for one in texts if one)
    return flat


# all three


def _with_prompt(
    source: Source, prompt: ChatPrompt | None, items: Sequence[Item], label: str, origin: Record
) -> list[Imported]:
    if prompt is None:
        return []
    if items:
        found = of_items(items, source.notes, source.name, prompt=prompt.prompt, shown=prompt.names)
    else:
        what = _("It has a prompt and no rows.")
        source.notes.add(source.name, what, _("List questions below `qa:`, or name a file below `data:`."))
        columns = {slot: column for slot, column in prompt.names.items() if slot != column}
        found = [Imported(prompt=prompt.prompt, columns=columns)]
    for one in found:
        one.label, one.extra = label, prompt.extra
        one.origin = {key: value for key, value in origin.items() if value is not None}
    return found


def _records(source: Source) -> list[tuple[str, Record]]:
    found = []
    for number, record in source.lines:
        where = source.where(source.path, number)
        if isinstance(record, dict):
            found.append((where, record))
        else:
            source.notes.add(where, _("The row is left out."), _("It is not an object."))
    return found


def _list(data: Any) -> list[Any]:
    return data if isinstance(data, list) else []


def _dict(data: Any) -> dict[str, Any]:
    return data if isinstance(data, dict) else {}


def _below(record: Record, start: str) -> Record:
    """The columns of a table that begin with a word, without it."""
    return {
        name.removeprefix(start): _decoded(value)
        for name, value in record.items()
        if name.startswith(start) and not is_nothing(value)
    }


def _decoded(value: Any) -> Any:
    """What a cell holds: an object or list where it is JSON."""
    if isinstance(value, str) and value.lstrip().startswith(("{", "[")):
        decoded = read_cell(value)
        return value if decoded is None else decoded
    return value


def _reach(data: Mapping[str, Any], path: str) -> Any:
    """The value at a path whose names may hold dots themselves."""
    if path in data:
        return data[path]
    head, _dot, rest = path.partition(".")
    inner = data.get(head)
    return _reach(inner, rest) if rest and isinstance(inner, dict) else None


def _split_in(metadata: Any) -> SplitName | None:
    """The split that metadata names."""
    metadata = _decoded(metadata)
    if not isinstance(metadata, dict):
        return None
    value = next((metadata[key] for key in ("dataset_split", "split", "splits") if key in metadata), None)
    value = value[0] if isinstance(value, list) and value else value
    return SPLIT_NAMES.get(str(value).casefold())


def _note_output(notes: Notes, where: str) -> None:
    what = _("The output is left out.")
    notes.add(where, what, _("It is what the model answered, which need not be right."))


def _note_scores(notes: Notes, where: str) -> None:
    notes.add(where, _("The scores are left out."), _("They belong to answers, and rows have none."))
