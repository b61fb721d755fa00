"""Makes rows of records: which column is the question, the answer, a slot."""

import json
from collections.abc import Callable, Collection, Mapping

from spotui.dataset.faults import BadRowError
from spotui.dataset.record import Record
from spotui.dataset.row import Row
from spotui.nearest import nearest


class Columns:
    """Makes rows of the records of one file.

    Args:
        columns: The columns of `question`, `answer` and slots, where the template names them.
        slots: The slots of the prompt; those that no column is named for have a column of their name.
        check: What else is wrong with a row, or an empty text.
    """

    def __init__(
        self, columns: Mapping[str, tuple[str, ...]], slots: Collection[str], check: Callable[[Row], str]
    ) -> None:
        own = {name: (name,) for name in sorted({*slots} - {"question", "answer"})}
        named = {name: column for name, column in columns.items() if name not in ("question", "answer")}
        self._slots = {name: column[0] for name, column in {**own, **named}.items()}
        self._question = columns.get("question", ("question",))[0]
        self._needs_question = "question" in columns or "question" in slots or not self._slots
        self._answers = columns.get("answer")
        self._check = check

    def row(self, record: Record, file: str, line: int) -> Row:
        """The row that a record is.

        Raises:
            BadRowError: It cannot be used.
        """
        question = self._text(record, self._question, "question", needed=self._needs_question)
        row = Row(
            question=question,
            references=self._references(record),
            slots={name: self._text(record, column, name) for name, column in self._slots.items()},
            file=file,
            line=line,
        )
        if what := self._check(row):
            raise BadRowError(what)
        return row

    def _references(self, record: Record) -> tuple[str, ...]:
        if self._answers is None:
            return _references(record.get("answer"))
        found: list[str] = []
        for column in self._answers:
            if column not in record:
                raise _missing(record, column, "answer")
            found += _references(record[column])
        return tuple(found)

    def _text(self, record: Record, column: str, name: str, *, needed: bool = True) -> str:
        value = record.get(column)
        if value is None and not needed:
            return ""
        if column not in record:
            raise _missing(record, column, name)
        if name == "question" and isinstance(value, list | dict):
            kind = "a list" if isinstance(value, list) else "an object"
            raise BadRowError(f"The question should be a text, but `{column}` is {kind}.")
        text = "" if value is None else _written(value)
        if name == "question" and needed and not text.strip():
            raise BadRowError(f"The question is empty: there is nothing in `{column}`.")
        return text


def _missing(record: Record, column: str, name: str) -> BadRowError:
    there = ", ".join(f"`{one}`" for one in list(record)[:8]) or "none"
    mend = f"Say which one is meant, as in `columns: {{{name}: {nearest(column, record) or '...'}}}`"
    if name not in ("question", "answer"):
        mend += f", or write `{{{{{name}}}}}` in the prompt if it is a text"
    return BadRowError(f"There is no column `{column}`; the columns are {there}.", f"{mend}.")


def _references(value: object) -> tuple[str, ...]:
    """The answers that are right; a list holds several."""
    several = value if isinstance(value, list) else [value]
    return tuple(_written(one) for one in several if one is not None and one != "")


def _written(value: object) -> str:
    """A value as the file has it."""
    match value:
        case str():
            return value
        case bool():
            return "true" if value else "false"
        case list() | dict():
            return json.dumps(value, ensure_ascii=False, default=float)
        case _:
            return str(value)
