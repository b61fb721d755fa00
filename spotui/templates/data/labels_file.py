"""Reads what people decided about answers: preferences between two, or marks of one."""

from collections.abc import Collection, Iterator, Mapping
from hashlib import blake2b
from pathlib import Path
from typing import Any, Final, Literal

import msgspec

from spotui.domain.errors import nearest
from spotui.domain.rows import Row
from spotui.lang import _
from spotui.templates.data.data_file import DataFile
from spotui.templates.data.record import MOST_FAULTS, BadRowError, DataError, Record, RowFault
from spotui.templates.data.source import DataSource
from spotui.templates.data.values import is_nothing, written

Preferred = Literal["first", "second", "tie"]

PASSES: Final = 0.5
"""An answer with this mark or a higher one passes."""

_FIRST: Final = ("a", "answer_a", "response_a", "output_a", "first")
_SECOND: Final = ("b", "answer_b", "response_b", "output_b", "second")
_LABEL: Final = ("label", "preferred", "preference", "winner", "choice")
_ANSWER: Final = ("answer", "response", "output", "completion")
_MARK: Final = ("mark", "score", "grade", "rating", "label", "passes", "correct")
_QUESTION: Final = ("question", "prompt", "input", "query", "instruction")
_REFERENCE: Final = ("reference", "expected", "reference_answer", "ground_truth")
_ID: Final = ("id", "row")
_KIND: Final = ("kind", "category", "type")

_SIDES: Final[Mapping[str, Preferred]] = {
    **dict.fromkeys(("a", "first", "answer_a", "response_a", "model_a", "left"), "first"),
    **dict.fromkeys(("b", "second", "answer_b", "response_b", "model_b", "right"), "second"),
    **dict.fromkeys(("tie", "equal", "same", "both", "neither", "draw", "none"), "tie"),
}
_MARKS: Final[Mapping[str, float]] = {
    **dict.fromkeys(("true", "yes", "pass", "passed", "good", "right", "correct"), 1.0),
    **dict.fromkeys(("false", "no", "fail", "failed", "bad", "wrong", "incorrect"), 0.0),
}
_EXAMPLE: Final = '{"question": "…", "a": "…", "b": "…", "label": "a"}'
_MARKED: Final = '{"question": "…", "answer": "…", "mark": 1}'


class Label(msgspec.Struct, frozen=True):
    """What a person decided.

    Attributes:
        where: Where it is from, for a person.
        row: What was asked.
        first: An answer.
        second: The other one; None where the first was marked alone.
        preferred: Which is better; None where the first was marked alone.
        mark: The mark of the first, 0..1; None where two were compared.
        kind: What kind of case it is; may be empty.
    """

    where: str
    row: Row
    first: str
    second: str | None = None
    preferred: Preferred | None = None
    mark: float | None = None
    kind: str = ""


def read_labels(path: Path, known: Mapping[str, Row], *, owner: str) -> list[Label]:
    """The labels of a file: JSON lines, CSV, or any other format that rows may have.

    A row has a question, or the id of one that is known. It has two answers and which one is preferred, one
    that was chosen and one that was rejected, or one answer and its mark.

    Args:
        path: The file.
        known: Rows by what they are called.
        owner: What these rows are of, for error messages.

    Raises:
        DataError: The file cannot be read, or a label cannot be used; each one is named with its fix.
    """
    labels, faults = list[Label](), list[RowFault]()
    try:
        for number, read in enumerate(_records(path), 1):
            line, record = read
            try:
                if isinstance(record, BadRowError):
                    raise record
                labels.append(_label(f"{path.name}, line {line}", number, record, known, owner))
            except BadRowError as error:
                faults.append(RowFault(path.name, error.line or line, error.what, error.hint))
                if len(faults) == MOST_FAULTS:
                    break
    except BadRowError as error:
        faults.append(RowFault(path.name, error.line, error.what, error.hint))
    if not faults and not labels:
        faults.append(RowFault(path.name, 0, _("The file has no labels."), _example()))
    if not faults and len({one.second is None for one in labels}) > 1:
        what = _("The file has both preferences and marks, and a judge is asked for one of them.")
        faults.append(RowFault(path.name, 0, what, _("Write them into two files.")))
    if faults:
        raise DataError(faults)
    return labels


def _records(path: Path) -> Iterator[tuple[int, Record | BadRowError]]:
    source = DataSource(path=path.name)
    wanted = frozenset((*_FIRST, *_SECOND, *_LABEL, *_ANSWER, *_MARK, *_QUESTION))
    for read in DataFile(path, source, wanted).records():
        yield read.line, read.record


def _example() -> str:
    return _("Write rows such as {example}, or {marked} for marks.", example=_EXAMPLE, marked=_MARKED)


class _Fields:
    """The fields of a record by their usual names, whatever their case."""

    def __init__(self, record: Record) -> None:
        self._values = {str(name).strip().casefold(): value for name, value in record.items()}

    def has(self, names: Collection[str]) -> bool:
        return any(not is_nothing(self._values.get(name)) for name in names)

    def text(self, names: Collection[str]) -> str:
        value = self.value(names)
        return "" if value is None else written(value).strip()

    def value(self, names: Collection[str]) -> Any:
        return next((self._values[name] for name in names if not is_nothing(self._values.get(name))), None)


def _label(where: str, number: int, record: Record, known: Mapping[str, Row], owner: str) -> Label:
    fields = _Fields(record)
    row, kind = _row(fields, known, owner), fields.text(_KIND)
    if fields.has(("chosen",)) and fields.has(("rejected",)):
        better, worse = fields.text(("chosen",)), fields.text(("rejected",))
        # Files of this form always name the better one first. Its side is drawn, the same every time.
        if blake2b(f"{number}\0{better}".encode("utf-8", "replace"), digest_size=1).digest()[0] % 2:
            return Label(where, row, better, worse, "first", None, kind)
        return Label(where, row, worse, better, "second", None, kind)
    if fields.has(_FIRST) or fields.has(_SECOND):
        first, second = fields.text(_FIRST), fields.text(_SECOND)
        if not first or not second:
            raise BadRowError(_("One of the two answers is missing."), _example())
        return Label(where, row, first, second, _preferred(fields), None, kind)
    if not (answer := fields.text(_ANSWER)):
        raise BadRowError(_("There is no answer."), _example())
    return Label(where, row, answer, None, None, _mark(fields), kind)


def _preferred(fields: _Fields) -> Preferred:
    text = fields.text(_LABEL)
    found = _SIDES.get(text.casefold())
    if found is None:
        what = (
            _("The label {text} is neither a, b nor tie.", text=text[:40])
            if text
            else _("There is no label that says which answer is better.")
        )
        raise BadRowError(what, _("Write `label` with a, b or tie."))
    return found


def _mark(fields: _Fields) -> float:
    text = fields.text(_MARK).casefold()
    found = _MARKS.get(text)
    if found is None:
        try:
            found = float(text)
        except ValueError:
            found = -1.0
    if not 0 <= found <= 1:
        what = (
            _("The mark {text} is not between 0 and 1.", text=text[:40]) if text else _("There is no mark.")
        )
        raise BadRowError(what, _("Write `mark` with a number from 0 to 1, or pass or fail."))
    return found


def _row(fields: _Fields, known: Mapping[str, Row], owner: str) -> Row:
    """What was asked: the question in the record, or a known one."""
    question, name = fields.text(_QUESTION), fields.text(_ID)
    if question:
        reference = fields.text(_REFERENCE)
        return Row(question, (reference,) if reference else ())
    if not name:
        raise BadRowError(_("There is neither a question nor the id of one."), _example())
    found = known.get(name) or known.get(name.removesuffix(".0"))
    if found is not None:
        return found
    near = None if name.isdecimal() else nearest(name, known)  # a number near another says nothing
    hint = (
        _("Did you mean {near}?", near=near)
        if near
        else _("Its ids are {ids}. Or write the question itself, as `question`.", ids=_listed(known))
    )
    raise BadRowError(_("{owner} has no row with the id {name}.", owner=owner, name=name[:40]), hint)


def _listed(known: Collection[str]) -> str:
    """The ids, the shortest form of each."""
    names = [name for name in known if name.isdecimal()] or list(known)
    if not names:
        return _("none")
    if len(names) > 3:
        return _("{first} to {last}", first=names[0], last=names[-1])
    return ", ".join(names)


def ids_of(rows: Collection[Row]) -> dict[str, Row]:
    """Rows by what a file of labels may call them: their number or line, and the file with the line."""
    files = {row.file for row in rows}
    found = {f"{row.file}:{row.line}": row for row in rows}
    if len(files) == 1:
        found = {str(row.line): row for row in rows} | found
    return found
