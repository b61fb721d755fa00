"""Reads the list of questions and answers."""

from typing import Final

from spotui.marked_yaml.marks import Entry, MappingNode, Node, SequenceNode
from spotui.template.model import QA
from spotui.template.report import Report, as_text, kind, text_of

ROW_KEYS: Final = ("question", "answer")
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
            report.error(key, entry.key.line, f"`{key}` has no questions.", HOW_TO_LIST)
        rows = [_row(report, item, number, f"{key}[{number}]") for number, item in enumerate(node.items, 1)]
        _warn_of_duplicates(report, node, key)
        return tuple(row for row in rows if row is not None)
    if isinstance(node, MappingNode):
        what = f"`{key}` should be a list, but its first line has no dash."
        report.error(key, entry.key.line, what, "Write a dash and a space before each `question:`.")
    elif text_of(node):
        what = f"`{key}` should be a list of questions, but it is a text."
        report.error(key, entry.key.line, what, HOW_TO_LIST)
    else:
        report.error(key, entry.key.line, f"`{key}` has no questions.", HOW_TO_LIST)
    return ()


def row_of(item: Node) -> QA | None:
    """One row, or None when it has no usable question."""
    return _row(Report(), item, 1, "")


def _row(report: Report, item: Node, number: int, path: str) -> QA | None:
    if not isinstance(item, MappingNode):
        what = f"Question {number} should have the keys `question` and `answer`, but it is {kind(item)}."
        report.error(path, item.line, what, "Write `question: ` before the text, and `answer: ...` below it.")
        return None
    misspelt = report.unknown(item, ROW_KEYS, f"{path}.", "a question")
    question = _text(report, item, "question", number, path)
    answer = _text(report, item, "answer", number, path)
    if "question" not in item.entries:
        meant = misspelt.get("question")
        mend = f"Rename `{meant.key.text}` to `question`." if meant else "Add a line `question: ...` to it."
        report.error(f"{path}.question", item.line, f"Question {number} has no `question`.", mend)
    elif question is not None and not question.strip():
        line = item.entries["question"].key.line
        mend = "Write the question, or delete it together with its answer."
        report.error(f"{path}.question", line, f"Question {number} is empty.", mend)
    return None if question is None else QA(question, answer or "")


def _text(report: Report, item: MappingNode, name: str, number: int, path: str) -> str | None:
    entry = item.entries.get(name)
    if entry is None:
        return None
    text = text_of(entry.value)
    if text is None:
        what = f"The {name} of question {number} should be a text, but it is {kind(entry.value)}."
        report.error(f"{path}.{name}", entry.key.line, what, as_text(entry))
    return text


def _warn_of_duplicates(report: Report, node: SequenceNode, key: str) -> None:
    seen: dict[str, int] = {}
    for number, item in enumerate(node.items, 1):
        entry = item.entries.get("question") if isinstance(item, MappingNode) else None
        question = (text_of(entry.value) or "").strip() if entry else ""
        if entry and question in seen:
            what = f"Question {number} is the same as question {seen[question]}."
            mend = "Delete one of them, or ask something else."
            report.warn(f"{key}[{number}].question", entry.key.line, what, mend)
        elif question:
            seen[question] = number
