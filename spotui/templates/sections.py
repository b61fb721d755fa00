"""The sections of a template: questions, method and parameters, data, metric and criteria."""

from collections.abc import Sequence
from typing import Any, Final, cast

import msgspec

from spotui.domain.errors import KeyFault, nearest
from spotui.domain.messages import JUDGED_ON, POSITIONS, Attachment, JudgedOn, Message, Position
from spotui.domain.rows import slot_names
from spotui.lang import _
from spotui.metrics.choose import MetricChoice, read_choice
from spotui.templates.data.conversation import read_conversation, read_messages
from spotui.templates.data.record import BadRowError
from spotui.templates.data.source import DataSource, read_source
from spotui.templates.model import (
    QA,
    SECTIONS,
    Problem,
    Report,
    Template,
    TemplateError,
    as_text,
    kind,
    text_of,
    without_none,
)
from spotui.templates.origin import Origin, read_origin
from spotui.templates.yaml.nodes import Entry, MappingNode, Node, Plain, SequenceNode, line_of

ROW_KEYS: Final = ("question", "answer", "turns", "files", "synthetic")
PAPER: Final = "paper"
"""The word for SPO as its paper has it."""

HOW_TO_LIST: Final = "List at least one question: a line `- question: ...`, and below it `answer: ...`."


def read_rows(report: Report, key: str, entry: Entry) -> tuple[QA, ...]:
    """The rows that can be used.

    Args:
        report: Takes what is wrong.
        key: What the list is called in the file.
        entry: Where it is.
    """
    node = entry.value
    if isinstance(node, SequenceNode):
        if not node.items:
            report.error(key, entry.key.line, _("`{key}` has no questions.", key=key), HOW_TO_LIST)
        rows = [_row(report, item, number, f"{key}[{number}]") for number, item in enumerate(node.items, 1)]
        _warn_of_duplicates(report, node, key)
        return tuple(row for row in rows if row is not None)
    if isinstance(node, MappingNode):
        what = _("`{key}` should be a list, but its first line has no dash.", key=key)
        report.error(key, entry.key.line, what, _("Write a dash and a space before each `question:`."))
    elif text_of(node):
        what = _("`{key}` should be a list of questions, but it is a text.", key=key)
        report.error(key, entry.key.line, what, HOW_TO_LIST)
    else:
        report.error(key, entry.key.line, _("`{key}` has no questions.", key=key), HOW_TO_LIST)
    return ()


def row_of(item: Node) -> QA | None:
    """One row, or None when it has no usable question."""
    return _row(Report(), item, 1, "")


def _row(report: Report, item: Node, number: int, path: str) -> QA | None:
    if not isinstance(item, MappingNode):
        what = _(
            "Question {number} should have the keys `question` and `answer`, but it is {kind}.",
            number=number,
            kind=kind(item),
        )
        report.error(
            path, item.line, what, _("Write `question: ` before the text, and `answer: ...` below it.")
        )
        return None
    misspelt = report.unknown(item, ROW_KEYS, f"{path}.", "a question")
    listed = item.entries["question"].value if "question" in item.entries else None
    if isinstance(listed, SequenceNode) and any(isinstance(one, MappingNode) for one in listed.items):
        question, conversation = _conversation(report, item.entries["question"], number, path)
    else:
        question, conversation = _text(report, item, "question", number, path), ""
    answer = _text(report, item, "answer", number, path)
    if "question" not in item.entries:
        meant = misspelt.get("question")
        hint = (
            _("Rename `{key}` to `question`.", key=meant.key.text)
            if meant
            else _("Add a line `question: ...` to it.")
        )
        report.error(
            f"{path}.question", item.line, _("Question {number} has no `question`.", number=number), hint
        )
    elif question is not None and not question.strip():
        line = item.entries["question"].key.line
        hint = _("Write the question, or delete it together with its answer.")
        report.error(f"{path}.question", line, _("Question {number} is empty.", number=number), hint)
    turns, files = (_texts(report, item, name, number, path) for name in ("turns", "files"))
    entry = item.entries.get("synthetic")
    synthetic = entry is not None and entry.value.data() is True
    return None if question is None else QA(question, answer or "", conversation, turns, files, synthetic)


def _conversation(report: Report, entry: Entry, number: int, path: str) -> tuple[str | None, str]:
    """The last turn of the user in a list of messages, and the list as JSON."""
    data = cast("list[Plain]", entry.value.data())
    try:
        said = read_conversation(data, _any_file)
    except BadRowError as bad:
        what = _("Question {number} is no conversation: {what}", number=number, what=bad.what)
        report.error(f"{path}.question", entry.key.line, what, bad.hint)
        return None, ""
    return said.question, msgspec.json.encode(data).decode()


def _any_file(source: str, name: str) -> Attachment:
    """A file that is only named, until its row is read."""
    return Attachment(name or source, "", url=source)


def _texts(report: Report, item: MappingNode, name: str, number: int, path: str) -> tuple[str, ...]:
    """A text, or a list of them."""
    entry = item.entries.get(name)
    if entry is None:
        return ()
    nodes = entry.value.items if isinstance(entry.value, SequenceNode) else [entry.value]
    found = [text_of(one) for one in nodes]
    if any(one is None or not one.strip() for one in found):
        what = _("`{name}` of question {number} should be a list of texts.", name=name, number=number)
        hint = _("Below `{name}:`, write lines such as `- ...`.", name=name)
        report.error(f"{path}.{name}", entry.key.line, what, hint)
        return ()
    return tuple(one for one in found if one)


def _text(report: Report, item: MappingNode, name: str, number: int, path: str) -> str | None:
    entry = item.entries.get(name)
    if entry is None:
        return None
    text = text_of(entry.value)
    if text is None:
        what = _(
            "The {name} of question {number} should be a text, but it is {kind}.",
            name=name,
            number=number,
            kind=kind(entry.value),
        )
        report.error(f"{path}.{name}", entry.key.line, what, as_text(entry))
    return text


def _warn_of_duplicates(report: Report, node: SequenceNode, key: str) -> None:
    seen: dict[str, int] = {}
    for number, item in enumerate(node.items, 1):
        entry = item.entries.get("question") if isinstance(item, MappingNode) else None
        question = (text_of(entry.value) or "").strip() if entry else ""
        if entry and question in seen:
            what = _("Question {number} is the same as question {seen}.", number=number, seen=seen[question])
            hint = _("Delete one of them, or ask something else.")
            report.warn(f"{key}[{number}].question", entry.key.line, what, hint)
        elif question:
            seen[question] = number


def check_sections(report: Report, root: MappingNode, *, has_questions: bool) -> None:
    """Note what is wrong in the sections.

    Args:
        report: Takes what is wrong.
        root: The whole file.
        has_questions: Whether it lists questions.
    """
    for key in SECTIONS:
        entry = root.entries.get(key)
        for fault in _faults(key, entry.value.data(), has_questions=has_questions) if entry else ():
            place = (key, *fault.path)
            report.error(".".join(place), line_of(root, *place), fault.what, fault.hint)


def source_of(template: Template) -> DataSource:
    """Where a template's rows come from.

    Raises:
        TemplateError: What it says is wrong, as only a template made in Python can be.
    """
    if template.data is None:
        return DataSource()
    source, faults = read_source(template.data, has_questions=bool(template.qa))
    _refuse("data", faults or misspelt_columns(template, source))
    return source


def has_file(template: Template) -> bool:
    """Whether a template's rows come from a file, and not from the questions that it lists."""
    return template.data is not None and bool(read_source(template.data, has_questions=True)[0].paths)


def misspelt_columns(template: Template, source: DataSource) -> list[KeyFault]:
    """The names under `columns` that are nearly those of something that has no column yet."""
    known = {"question", "answer", "files", *columns_of(template)}
    missing = known - source.columns.keys()
    near = {name: nearest(name, missing) for name in source.columns if name not in known}
    return [
        KeyFault(
            ("columns", name),
            _("`{name}` is not a slot of the prompt.", name=name),
            _("Did you mean `{meant}`?", meant=meant),
        )
        for name, meant in near.items()
        if meant
    ]


def position_of(template: Template) -> Position | None:
    """Where a template's prompt stands, or None where it does not say.

    Raises:
        TemplateError: What it says is wrong, as only a template made in Python can be.
    """
    if template.position is None:
        return None
    _refuse("position", _word_faults("position", template.position, POSITIONS))
    return cast("Position", template.position)


def judged_on(template: Template) -> JudgedOn | None:
    """What of a conversation is judged and marked, or None where a template does not say.

    Raises:
        TemplateError: What it says is wrong, as only a template made in Python can be.
    """
    if template.judged_on is None:
        return None
    _refuse("judged_on", _word_faults("judged_on", template.judged_on, JUDGED_ON))
    return cast("JudgedOn", template.judged_on)


def around(template: Template) -> tuple[Message, ...]:
    """The messages around a template's prompt and question; none where it has none.

    Raises:
        TemplateError: What it says is wrong, as only a template made in Python can be.
    """
    if template.messages is None:
        return ()
    found, faults = _around(template.messages)
    _refuse("messages", faults)
    return found


def tools_of(template: Template) -> str:
    """The tools that a template's executor may call, as a request has them; empty where there are none.

    Raises:
        TemplateError: What it says is wrong, as only a template made in Python can be.
    """
    found, faults = _tools(template.tools)
    _refuse("tools", faults)
    return _encoder.encode(found).decode() if found else ""


def response_format_of(template: Template) -> str:
    """The form of the executor's answers, as a request has it; empty where the template has none.

    Raises:
        TemplateError: What it says is wrong, as only a template made in Python can be.
    """
    found, faults = _form(template.response_format)
    _refuse("response_format", faults)
    return _encoder.encode(found).decode() if found else ""


_encoder: Final = msgspec.json.Encoder(order="sorted")


def columns_of(template: Template) -> frozenset[str]:
    """The names of all slots that a row fills: those of the prompt, and of the messages around it."""
    shown = (slot_names(one.content) for one in around(template))
    return slot_names(template.prompt).union(*shown) - {"prompt"}


def metric_of(template: Template) -> MetricChoice | None:
    """How a template's answers are scored, or None when it does not say.

    Raises:
        TemplateError: What it says is wrong, as only a template made in Python can be.
    """
    if template.metric is None:
        return None
    choice, faults = read_choice(template.metric)
    _refuse("metric", faults)
    return choice


def is_paper(template: Template) -> bool:
    """Whether a template wants SPO as its paper has it.

    Raises:
        TemplateError: What it says is wrong, as only a template made in Python can be.
    """
    if template.spo is None:
        return False
    _refuse("spo", _word_faults("spo", template.spo, (PAPER,)))
    return True


def parameters_of(template: Template) -> dict[str, Any]:
    """What a template tells its method, by name; whether the method takes it, the method knows.

    Raises:
        TemplateError: What it says is wrong, as only a template made in Python can be.
    """
    if template.parameters is None:
        return {}
    _refuse("parameters", _parameter_faults(template.parameters))
    return dict(template.parameters)


def criteria_of(template: Template) -> tuple[str, ...]:
    """What a judge looks for, none when the template does not say.

    Raises:
        TemplateError: What it says is wrong, as only a template made in Python can be.
    """
    if template.criteria is None:
        return ()
    _refuse("criteria", _criteria_faults(template.criteria))
    several = template.criteria if isinstance(template.criteria, list) else [template.criteria]
    return tuple(one.strip() for one in several if one is not None and without_none(one))


def requirements_of(template: Template) -> str:
    """What answers have to be like, in words: the requirements, or else the criteria."""
    return template.requirements or "\n".join(criteria_of(template))


def origin_of(template: Template) -> Origin | None:
    """What a template was imported from, or None when it does not say.

    Raises:
        TemplateError: What it says is wrong, as only a template made in Python can be.
    """
    if template.source is None:
        return None
    origin, faults = read_origin(template.source)
    _refuse("source", faults)
    return origin


def _faults(key: str, data: Plain, *, has_questions: bool) -> Sequence[KeyFault]:
    if data is None or (isinstance(data, str) and not without_none(data)):
        return ()
    match key:
        case "data":
            return read_source(data, has_questions=has_questions)[1]
        case "metric":
            return read_choice(data)[1]
        case "parameters":
            return _parameter_faults(data)
        case "source":
            return read_origin(data)[1]
        case "position":
            return _word_faults(key, data, POSITIONS)
        case "judged_on":
            return _word_faults(key, data, JUDGED_ON)
        case "spo":
            return _word_faults(key, data, (PAPER,))
        case "messages":
            return _around(data)[1]
        case "tools":
            return _tools(data)[1]
        case "response_format":
            return _form(data)[1]
        case _:
            return _criteria_faults(data)


def _word_faults(key: str, data: Plain, words: Sequence[str]) -> list[KeyFault]:
    if data in words:
        return []
    meant = nearest(data, words) if isinstance(data, str) else None
    what = _("`{key}` should be one of {words}.", key=key, words=", ".join(words))
    if len(words) == 1:
        what = _("`{key}` can only be {word}.", key=key, word=words[0])
    hint = _("Did you mean `{meant}`?", meant=meant) if meant else ""
    return [KeyFault((), what, hint or _("Write, for example, `{key}: {word}`.", key=key, word=words[0]))]


def _tools(data: Plain) -> tuple[list[Plain], list[KeyFault]]:
    """Tools in the form of OpenAI's API, and what is wrong with them."""
    if data is None:
        return [], []
    hint = _("Below `tools:`, write `- {name: ..., description: ..., parameters: {...}}` for each tool.")
    if not isinstance(data, list):
        return [], [KeyFault((), _("`tools` should be a list of tools."), hint)]
    found: list[Plain] = []
    for number, one in enumerate(data, 1):
        function = one.get("function", one) if isinstance(one, dict) else None
        if not isinstance(function, dict) or not isinstance(function.get("name"), str):
            return [], [KeyFault((), _("Tool {number} has no name.", number=number), hint)]
        if not isinstance(function.get("parameters", {}), dict):
            what = _("The `parameters` of tool {number} are no JSON schema.", number=number)
            return [], [KeyFault((), what, hint)]
        inner = {key: value for key, value in function.items() if key != "type"}
        found.append({"type": "function", "function": inner})
    return found, []


def _form(data: Plain) -> tuple[dict[str, Plain], list[KeyFault]]:
    """The form of an answer as OpenAI's API has it, and what is wrong; a JSON schema alone is one, too."""
    if data is None:
        return {}, []
    hint = _("Write a JSON schema, e.g. `response_format: {type: object, properties: {...}}`, or `json`.")
    if data in ("json", "json_object"):
        return {"type": "json_object"}, []
    if not isinstance(data, dict):
        return {}, [KeyFault((), _("`response_format` should be a JSON schema."), hint)]
    if data.get("type") in ("json_object", "text", "json_schema"):
        inner = data.get("json_schema")
        if data["type"] == "json_schema" and not (isinstance(inner, dict) and "schema" in inner):
            return {}, [KeyFault(("json_schema",), _("It has no `schema`."), hint)]
        return data, []
    return {"type": "json_schema", "json_schema": {"name": "answer", "schema": data}}, []


def _around(data: Plain) -> tuple[tuple[Message, ...], list[KeyFault]]:
    """The messages around prompt and question, and what is wrong with them."""
    hint = _("Write a list of lines such as `- {role: system, content: '{prompt}'}`.")
    if not isinstance(data, list):
        return (), [KeyFault((), _("`messages` should be a list of messages."), hint)]
    try:
        found = tuple(read_messages(data))
    except BadRowError as bad:
        return (), [KeyFault((), bad.what, bad.hint)]
    slots = frozenset[str]().union(*(slot_names(one.content) for one in found))
    if "prompt" not in slots:
        return found, [KeyFault((), _("No message has `{prompt}`, so the prompt is nowhere."), hint)]
    if not any(one.role == "user" for one in found):
        return found, [
            KeyFault(
                (),
                _("No message is the user's."),
                _("Add a line such as `- {role: user, content: '{question}'}`."),
            )
        ]
    return found, []


def _criteria_faults(data: Plain) -> list[KeyFault]:
    hint = _("Write one criterion, or a list of them, each a text.")
    several = data if isinstance(data, list) else [data]
    return [
        KeyFault((), _("Criterion {number} is not a text.", number=number), hint)
        for number, one in enumerate(several, 1)
        if not isinstance(one, str | None)
    ]


def _parameter_faults(data: Plain) -> list[KeyFault]:
    hint = _("Below `parameters:`, write lines such as `  candidates_per_step: 4`.")
    if not isinstance(data, dict):
        return [KeyFault((), _("`parameters` should be a mapping."), hint)]
    return [
        KeyFault((name,), _("The parameter `{name}` is no single value.", name=name), hint)
        for name, value in data.items()
        if isinstance(value, list | dict)
    ]


def _refuse(key: str, faults: Sequence[KeyFault]) -> None:
    if faults:
        problems = [
            Problem("error", ".".join((key, *fault.path)), 0, fault.what, fault.hint) for fault in faults
        ]
        raise TemplateError("template", problems)
