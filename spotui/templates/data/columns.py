"""Makes rows of records: which column is the question, the answer, a slot."""

import re
from collections.abc import Callable, Collection, Iterator
from typing import Any, Final

from spotui.domain.errors import nearest
from spotui.domain.messages import Attachment
from spotui.domain.rows import Row
from spotui.lang import _
from spotui.templates.data.answers import Labels, Options, read_options
from spotui.templates.data.conversation import COLUMNS, Attach, Conversation, no_files, read_conversation
from spotui.templates.data.json_text import read_cell
from spotui.templates.data.record import BadRowError, Record
from spotui.templates.data.source import DataSource
from spotui.templates.data.values import MISSING, is_nothing, reach, written

_USUAL: Final = {
    "question": ("input", "text", "query", "prompt", "instruction", "problem", "sentence", "q", "x"),
    "answer": ("target", "label", "output", "answers", "completion", "response", "solution", "gold", "ideal"),
}
"""Names that these columns often have elsewhere."""

_LIKE_A_CELL: Final = re.compile(r"[-\d.,%\s]+|.{41,}|.*[?!.。？！]", re.DOTALL)


_NO_SLOTS: Final = ("question", "answer", "files")


class Columns:
    """Makes rows of the records of one source.

    Args:
        source: How the template describes them.
        slots: The slots of the prompt; those that no column is named for have a column of their name.
        check: The fault of a row, or an empty text.
        takes_objects: Whether an answer may be an object, which only some metrics can compare.
        attach: Takes in the files that a conversation comes with.
    """

    def __init__(
        self,
        source: DataSource,
        slots: Collection[str],
        check: Callable[[Row], str],
        *,
        takes_objects: bool,
        attach: Attach = no_files,
    ) -> None:
        columns, filled = source.columns, {"question", "answer", *(["options"] if source.options else [])}
        same = {name: (name,) for name in sorted({*slots} - filled)}
        named = {name: column for name, column in columns.items() if name not in _NO_SLOTS}
        self._slots = {name: column[0] for name, column in {**same, **named}.items()}
        self._file_column = columns.get("files", ("files",))[0]
        self._question = columns.get("question", ("question",))[0]
        self._needs_question = "question" in columns or "question" in slots or not self._slots
        self._answers = columns.get("answer")
        self._labels = Labels(source.labels)
        self._options = source.options
        self._rows = source.rows
        self._shows_options = "options" in slots
        self._check = check
        self._takes_objects = takes_objects
        self._attach = attach

    @property
    def wanted(self) -> frozenset[str]:
        """The columns that a record is expected to have, by which the list of rows is found in a document."""
        names = {self._question, *(self._answers or ("answer",)), *self._slots.values(), *self._options}
        return frozenset(names | {name.partition(".")[0] for name in names})

    def row(self, record: Record, file: str, line: int) -> Row:
        """The row that a record is.

        Raises:
            BadRowError: It cannot be used.
        """
        said, record, more = self._conversation(record)
        options = read_options(record, self._options) if self._options else None
        question = self._text(record, self._question, "question", needed=self._needs_question)
        slots = {name: self._text(record, column, name) for name, column in self._slots.items()}
        if options is not None and self._shows_options:
            slots["options"] = str(options)
        elif options is not None:
            question = f"{question}\n{options}".strip()
        row = Row(
            question=question,
            references=self._references(record, options),
            slots=slots,
            file=file,
            line=line,
            history=said.history,
            turns=more,
            files=(*said.files, *self._files(record)),
        )
        if what := self._check(row):
            if not row.references and self._answers is None and "answer" not in record:
                raise _missing(record, "answer", "answer", self._rows)
            raise BadRowError(what, self._hint(row))
        return row

    def _files(self, record: Record) -> Iterator[Attachment]:
        """The files of a question: paths and addresses, as a list or one alone."""
        value = reach(record, self._file_column)
        for one in value if isinstance(value, list) else [value]:
            if isinstance(one, str) and one.strip():
                yield self._attach(one, "")

    def _conversation(self, record: Record) -> tuple[Conversation, Record, tuple[str, ...]]:
        """The conversation of a record, the record with its question, and what the user says afterwards.

        A list of messages may stand in the column of the question, or in one that is called `messages`. A
        list of texts in a column `turns` is what the user says, one after another.
        """
        said = Conversation("")
        listed = record.get(self._question)
        if self._question not in record:
            listed = next((record[one] for one in COLUMNS if isinstance(record.get(one), list)), None)
        if isinstance(listed, list) and listed and isinstance(listed[0], dict):
            said = read_conversation(listed, self._attach)
            record = {**record, self._question: said.question}
            if self._answers is None and "answer" not in record:
                record = {**record, "answer": said.answer}
        more = record.get("turns")
        if not isinstance(more, list) or not more or not all(isinstance(one, str) for one in more):
            return said, record, ()
        if self._question not in record:
            return said, {**record, self._question: more[0]}, tuple(more[1:])
        return said, record, tuple(more)

    def _hint(self, row: Row) -> str:
        """A likely fix of a row that its metric refuses."""
        if not row.references:
            return _(
                "Leave the row out, or say what stands for an answer that is missing, e.g. "
                "`labels: {'': unanswerable}`."
            )
        numbers = [one for one in row.references if one.lstrip("-").isdecimal()]
        if self._labels or not numbers:
            return ""
        return _(
            "If `{number}` stands for a text, say for which one, e.g. `labels: {{0: No, 1: Yes}}`.",
            number=numbers[0],
        )

    def _references(self, record: Record, options: Options | None) -> tuple[str, ...]:
        """The answers that are right; a list, and several columns, are several."""
        if options is not None and options.right:
            return tuple(options.letter(text, text) for text in options.right)
        found: list[str] = []
        for column in self._answers or ("answer",):
            value = reach(record, column)
            if value is MISSING:
                if self._answers is None:
                    return ()
                raise _missing(record, column, "answer", self._rows)
            for one in value if isinstance(value, list) else [value]:
                if not self._takes_objects:
                    _refuse_structure(column, one)
                if not is_nothing(one) and (text := self._labels.read(one)):
                    found.append(options.letter(one, text) if options else text)
        if not found and self._labels.of_nothing:
            found.append(self._labels.of_nothing)
        return tuple(dict.fromkeys(found))

    def _text(self, record: Record, column: str, name: str, *, needed: bool = True) -> str:
        value = reach(record, column)
        if value is MISSING and not needed:
            return ""
        if value is MISSING:
            raise _missing(record, column, name, self._rows)
        if name == "question" and isinstance(value, list | dict):
            kind = _("a list") if isinstance(value, list) else _("an object")
            first = next(iter(value), "") if isinstance(value, dict) else 0
            hint = _(
                "Name a part of it, e.g. `columns: {{question: {column}.{first}}}`.",
                column=column,
                first=first,
            )
            raise BadRowError(
                _("The question should be a text, but `{column}` is {kind}.", column=column, kind=kind), hint
            )
        text = written(value)
        if name == "question" and needed and not text.strip():
            raise BadRowError(_("The question is empty: there is nothing in `{column}`.", column=column))
        return text


def _missing(record: Record, column: str, name: str, rows: str) -> BadRowError:
    """The fault of a file without a column; its other rows have it as well, so it is reported once."""
    is_numbered = list(record) == [str(number) for number in range(1, len(record) + 1)]
    if not is_numbered and any(_LIKE_A_CELL.fullmatch(one) for one in record):
        what = _(
            "The first line should name the columns, but it looks like a row: {listed}.",
            listed=_listed(record),
        )
        hint = _(
            "If it is one, number the columns, e.g. `columns: {{question: 1, answer: {record}}}`.",
            record=len(record),
        )
        return BadRowError(what, hint, line=1, of_file=True)
    head, _unused, rest = column.rpartition(".")
    inner = reach(record, head) if head else MISSING
    if isinstance(inner, dict):
        what = _(
            "`{head}` has no `{rest}`; it has {listed}.",
            rest=rest,
            head=head,
            listed=_listed(inner),
        )
        return BadRowError(what, _("Name one of these."), of_file=True)
    if isinstance(inner, str):
        what = _("`{head}` holds a text that is not JSON, so it has no part `{rest}`.", head=head, rest=rest)
        return BadRowError(what, _("Save it as JSON, or name another column."), of_file=True)
    meant = "1" if is_numbered else _meant(record, column, name)
    below = "" if meant else next(_lists_with(record, column), "")
    if below:
        hint = _(
            "It is in the list `{below}` of each row: write the keys that lead to that list, e.g. "
            "`rows: {rows}.{below}`.",
            below=below,
            rows=rows or "data",
        )
    elif name in ("question", "answer"):
        hint = _("Name it, for example `columns: {{{name}: {meant}}}`.", name=name, meant=meant or "...")
    else:
        hint = _(
            "Name it, for example `columns: {{{name}: {meant}}}`, or write `{{{{{name}}}}}` in "
            "the prompt if it "
            "is a text.",
            name=name,
            meant=meant or "...",
        )
    what = _("Unknown column `{column}`; the columns are {listed}.", column=column, listed=_listed(record))
    return BadRowError(what, hint, of_file=True)


def _lists_with(value: Any, column: str, path: str = "", depth: int = 4) -> Iterator[str]:
    """The paths of the lists in a record whose items have a column."""
    if not isinstance(value, dict) or not depth:
        return
    for name, inner in value.items():
        here = f"{path}.{name}" if path else name
        item = inner[0] if isinstance(inner, list) and inner else inner
        if isinstance(inner, list) and isinstance(item, dict) and column in item:
            yield here
        yield from _lists_with(item, column, here, depth - 1)


def _meant(record: Record, column: str, name: str) -> str | None:
    if near := nearest(column, record):
        return near
    folded = {one.casefold(): one for one in record}
    if usual := next((folded[one] for one in _USUAL.get(name, ()) if one in folded), None):
        return usual
    inside = (
        f"{outer}.{column}" for outer, part in record.items() if isinstance(part, dict) and column in part
    )
    return next(inside, None)


def _refuse_structure(column: str, value: Any) -> None:
    """Make sure that an answer is a text: not an object, and not a list that is written in a cell or a list.

    Raises:
        BadRowError: It is.
    """
    if isinstance(value, dict):
        raise _is_object(column, value)
    listed = read_cell(value) if isinstance(value, str) and value.lstrip()[:1] == "[" else value
    if not isinstance(listed, list) or not listed:
        return
    if isinstance(value, list) or all(isinstance(one, str) for one in listed):
        what = _("`{column}` holds a list where an answer should be a text.", column=column)
        hint = _(
            "If its items are the right answers, write `columns: {{answer: {column}.*}}`; to compare the "
            "list as a whole, choose the metric json.",
            column=column,
        )
        raise BadRowError(what, hint, of_file=True)


def _is_object(column: str, value: dict[str, Any]) -> BadRowError:
    parts = [f"{column}.{name}" for name in value]
    part = next(
        (one for one in parts if one.endswith(("text", "value", "answer"))), parts[0] if parts else ""
    )
    what = _("`{column}` is an object, and an answer is compared as a text.", column=column)
    hint = (
        _("Take a part of it, e.g. `columns: {{answer: {part}}}`.", part=part)
        if part
        else _("Name another column.")
    )
    return BadRowError(what, hint, of_file=True)


def _listed(names: Collection[str]) -> str:
    shown = ", ".join(f"`{one if len(one) <= 40 else one[:39] + '…'}`" for one in list(names)[:8])
    if len(names) > 8:
        return _("{shown} and {more} more", shown=shown, more=len(names) - 8)
    return shown or _("none")
