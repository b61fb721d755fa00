"""Makes rows of records whose parts have names: which is the question, which the answer, which are slots."""

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from typing import Any, Final

import msgspec

from spotui.domain.rows import SplitName
from spotui.lang import _
from spotui.metrics.number import Number
from spotui.templates.data.json_text import read_cell
from spotui.templates.data.values import is_nothing, written
from spotui.templates.exchange.braces import slot_of
from spotui.templates.exchange.chats import chat_of, message_of
from spotui.templates.exchange.conversations import Conversation, conversation, of_conversations
from spotui.templates.exchange.imported import Imported, Notes, Record, SourceError, note_requirements
from spotui.templates.exchange.source import compact, listed

QUESTIONS: Final = (
    *("question", "query", "input", "text", "prompt", "instruction", "problem", "sentence", "user_input"),
    *("content", "message", "document", "passage"),
)
"""Names of columns that hold what is asked, the likeliest first."""

ANSWERS: Final = (
    *("answer", "expected_output", "expectedOutput", "expected", "reference", "ideal", "target", "label"),
    *("correct_label", "correct_answer", "ground_truth", "output", "answers", "response", "completion"),
    *("labels", "gold", "summary", "highlights"),
)
"""Names of columns that hold the answer that is right, the likeliest first."""

CONTEXTS: Final = (
    "context",
    "passage",
    "document",
    "article",
    "premise",
    "hypothesis",
    "background",
    "schema",
)
"""Names of columns that belong to the question."""

OPTIONS: Final = ("choices", "options")


class Item(msgspec.Struct):
    """A record.

    Attributes:
        where: Its place.
        given: What the model is given, by name.
        expected: What is expected of it, by name; empty where nothing is.
        split: Its split, where the source has any.
    """

    where: str
    given: Record
    expected: Record
    split: SplitName | None = None


class Roles(msgspec.Struct):
    """Which column is what.

    Attributes:
        question: The column of the question.
        answer: The column of the answer; empty where there is none.
        slots: Further columns that belong to the question.
        options: The column of the options of a multiple-choice question; empty where there are none.
    """

    question: str
    answer: str = ""
    slots: tuple[str, ...] = ()
    options: str = ""


def roles_of(columns: Collection[str], name: str, chosen: Mapping[str, str]) -> Roles:
    """What the columns of a table are, by their names and by what the user says.

    Args:
        columns: Their names.
        name: The source.
        chosen: The columns that the user names, below `question` and `answer`.

    Raises:
        SourceError: Neither says it.
    """
    for column in chosen.values():
        if column not in columns:
            raise SourceError(
                _("{name} has no column `{column}`.", name=name, column=column),
                _("Its columns are {columns}.", columns=listed(columns)),
            )
    folded = {column.casefold(): column for column in columns}
    answer = chosen.get("answer") or _first(ANSWERS, folded)
    rest = {key: column for key, column in folded.items() if column != answer}
    question = chosen.get("question") or _first(QUESTIONS, rest)
    if not question:
        raise SourceError(
            _("{name} does not say which column is the question.", name=name),
            _("Name it with --question; the columns are {columns}.", columns=listed(columns)),
        )
    rest.pop(question.casefold(), None)
    slots = tuple(rest[one] for one in CONTEXTS if one in rest)
    return Roles(question, answer, slots, _first(OPTIONS, rest))


def of_table(
    items: Sequence[tuple[str, Record, SplitName | None]], roles: Roles, notes: Notes, name: str
) -> Imported:
    """The template of a table.

    Args:
        items: Its rows, each with its place and split.
        roles: Which column is what.
        notes: Takes what has no place in rows.
        name: The source.
    """
    known = {roles.question, roles.answer, roles.options, *roles.slots}
    rows: dict[SplitName | None, list[Record]] = {}
    for where, record, split in items:
        for column in record.keys() - known:
            if not is_nothing(record[column]):
                what = _("The column `{name}` is left out.", name=column)
                notes.add(where, what, _("Neither the prompt nor a metric uses it."))
        row: Record = {"question": record.get(roles.question)}
        if is_nothing(row["question"]):
            notes.add(where, _("The row is left out."), _("It has no question."))
            continue
        if isinstance(row["question"], list | dict):
            row["question"] = compact(row["question"])
        if roles.answer and not is_nothing(record.get(roles.answer)):
            value = record[roles.answer]
            is_squad = isinstance(value, dict) and isinstance(value.get("text"), list)
            row["answer"] = value["text"] if is_squad else value
        if roles.options:
            row["options"] = record.get(roles.options)
        row |= {column: record.get(column) for column in roles.slots}
        rows.setdefault(split, []).append(row)
    columns = {slot_of(column): column for column in roles.slots}
    prompt = "\n".join(f"{{{slot}}}" for slot in columns)
    if prompt:
        prompt += "\n\n{question}"
        what = _("The prompt is made of the columns {columns} only.", columns=listed([*columns, "question"]))
        notes.add(name, what, _("Write above them what is to be done."))
    else:
        note_empty(notes, name)
    note_requirements(notes, name)
    imported = Imported(prompt=prompt, rows=rows)
    imported.columns = {slot: column for slot, column in columns.items() if slot != column}
    if roles.options:
        imported.data["options"] = "options"
        imported.metric = "multiple_choice"
    return imported


def of_items(
    items: Sequence[Item],
    notes: Notes,
    name: str,
    *,
    prompt: str = "",
    shown: Mapping[str, str] | None = None,
) -> list[Imported]:
    """The templates of items whose inputs and expected outputs are apart.

    Args:
        items: The items.
        notes: Takes what has no place in rows.
        name: The source.
        prompt: The prompt, with slots, where the source has one.
        shown: The column of each slot of the prompt.
    """
    if not items:
        return []
    talks = [_conversation(one, notes) for one in items]
    if all(talks) and not shown:
        found = [one for one in talks if one is not None]
        return of_conversations(found, notes, name, prompt=prompt)
    keys = Counter(key for one in items for key, value in one.given.items() if not is_nothing(value))
    columns = dict(shown or {})
    if not columns:
        question = _question_of(list(keys))
        if question or len(keys) == 1:
            columns = {"question": question or next(iter(keys))}
        slots: dict[str, str] = {}
        for key in keys:
            if key not in columns.values():
                slots[slot_of(key, {*slots, "question"})] = key
        if slots and not prompt:
            names = [*slots, *columns]
            prompt = "\n".join(f"{slot}: {{{slot}}}" for slot in names)
            what = _("The prompt is made of the inputs {names} only.", names=listed(names))
            notes.add(name, what, _("Write above them what is to be done."))
            columns |= slots
        elif not prompt:
            note_empty(notes, name)
    rows: dict[SplitName | None, list[Record]] = {}
    for one in items:
        row: Record = {column: one.given.get(column.partition(".")[0], "") for column in columns.values()}
        if "." in "".join(columns.values()):
            row = dict(one.given)
        if not any(not is_nothing(value) for value in row.values()):
            notes.add(one.where, _("The row is left out."), _("It has no input."))
            continue
        answer = expected_of(one.expected)
        if not is_nothing(answer):
            row[EXPECTED] = answer
        rows.setdefault(one.split, []).append(row)
    note_requirements(notes, name)
    imported = Imported(prompt=prompt, rows=rows)
    imported.columns = {slot: column for slot, column in columns.items() if slot != column}
    if any(EXPECTED in row for several in rows.values() for row in several):
        imported.columns["answer"] = EXPECTED
    return [_simple(imported)]


EXPECTED: Final = "__expected"
"""The column of the answer that is right, called so that no input has its name."""


def _simple(imported: Imported) -> Imported:
    """The same with the usual names, where rows have a question and an answer alone."""
    columns = imported.columns
    question = columns.get("question", "question")
    if {*columns} - {"question", "answer"} or set(imported.shown) != {"question"}:
        return imported
    rows: dict[SplitName | None, list[Record]] = {}
    for split, several in imported.rows.items():
        rows[split] = [
            {
                "question": row.get(question),
                **({"answer": row[EXPECTED]} if EXPECTED in row else {}),
            }
            for row in several
        ]
    imported.rows, imported.columns = rows, {}
    return imported


def expected_of(expected: Record) -> Any:
    """The answer among expected outputs: the only one, or the one that is called so, or all as JSON."""
    if len(expected) == 1:
        value = next(iter(expected.values()))
        return _text_of_message(value)
    folded = {key.casefold(): key for key in expected}
    name = _first(ANSWERS, folded)
    return _text_of_message(expected[name]) if name else (expected or None)


def as_inputs(value: Any) -> Record:
    """What a model is given, by name; a single text is the question."""
    if isinstance(value, str):
        decoded = read_cell(value) if value.lstrip().startswith(("{", "[")) else None
        if isinstance(decoded, dict | list):
            return as_inputs(decoded)
        return {"question": value}
    if isinstance(value, dict):
        return dict(value)
    if isinstance(value, list) and chat_of(value) is not None:
        return {"messages": value}
    return {} if value is None else {"question": written(value)}


def as_outputs(value: Any) -> Record:
    """What is expected, by name; a single value is the answer."""
    if isinstance(value, str) and value.lstrip().startswith("{"):
        decoded = read_cell(value)
        value = decoded if isinstance(decoded, dict) else value
    if isinstance(value, dict):
        return dict(value)
    return {} if is_nothing(value) else {"answer": value}


def metric_of_answers(answers: Sequence[str]) -> Any:
    """The metric that all answers fit: options, numbers, yes and no; None where they are texts."""
    texts = [one.strip() for one in answers]
    if not texts:
        return None
    if all(len(one) == 3 and one[0] == "(" and one[1].isupper() and one[2] == ")" for one in texts):
        return "multiple_choice"
    if all(one.casefold() in ("yes", "no", "true", "false") for one in texts):
        return "yes_no"
    number = Number()
    if all(number.read_reference(one) is not None and len(one) < 40 for one in texts):
        return "number"
    return None


def note_empty(notes: Notes, name: str) -> None:
    """Note that a source has no prompt."""
    notes.add(name, _("It has no prompt."), _("Write one, or start from what the model answers without."))


def _question_of(keys: Sequence[str]) -> str:
    folded = {key.casefold(): key for key in keys}
    return _first(QUESTIONS, folded)


def _first(names: Sequence[str], folded: Mapping[str, str]) -> str:
    return next((folded[name.casefold()] for name in names if name.casefold() in folded), "")


def _conversation(item: Item, notes: Notes) -> Conversation | None:
    """The conversation that an item is, where all of its input is one."""
    (only,) = [*item.given.values()] if len(item.given) == 1 else [None]
    if isinstance(only, list) and len(only) == 1 and isinstance(only[0], list):
        only = only[0]  # LangChain's runs have a list of lists
    messages = chat_of(only)
    if messages is None:
        return None
    answer = expected_of(item.expected)
    return conversation(messages, "" if answer is None else answer, notes, item.where)


def _text_of_message(value: Any) -> Any:
    """The text of an answer that is kept as a message, or the value itself."""
    if isinstance(value, list) and len(value) == 1:
        message = message_of(value[0])
        return message.text if message is not None else value
    message = message_of(value)
    return message.text if message is not None else value
