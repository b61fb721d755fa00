"""Finds the rows in JSON: an object on each line, a list of objects, or another shape that tools write."""

import json
from collections.abc import Collection, Generator, Iterator, Sequence
from itertools import chain
from typing import Any, Final

from spotui.domain.rows import SPLIT_NAMES, SPLITS, SplitName
from spotui.lang import N_, _, ngettext
from spotui.templates.data.json_text import JsonText, Member
from spotui.templates.data.record import BadRowError, Read

MOST_CHARACTERS: Final = 100_000_000
"""The longest document; a file with an object on each line may be longer."""

_PURITY: Final = tuple(reversed(SPLITS))
"""A row that is in two lists is read first where it is measured last."""

_EXAMPLE: Final = N_('Write, for example, {"question": "...", "answer": "..."}.')


class JsonRows:
    """Reads the rows of JSON files.

    Args:
        path: The keys that lead to the list of rows, separated by dots; empty to find it.
        wanted: The columns that rows are expected to have.
        header: Whether lists are rows whose first one names the columns (True) or none does (False); None
            when rows are objects.
    """

    def __init__(self, path: str, wanted: frozenset[str], *, header: bool | None) -> None:
        self._steps = path.split(".") if path else []
        self._path = path
        self._wanted = wanted
        self._header = header

    def lines(self, lines: Iterator[tuple[int, str]]) -> Iterator[Read]:
        """The rows of a JSONL file, where each line is an object; or of a document under that name."""
        head: list[tuple[int, str]] = []
        for one in lines:
            head.append(one)
            if one[1].strip() and any(line.strip() for _, line in head[:-1]):
                break  # two lines say which of both it is
        filled = [(number, line) for number, line in head if line.strip()]
        if not filled:
            raise _empty()
        if self._is_document(filled):
            yield from self.document(chain(head, lines))
        else:
            yield from self._with_header(self._of_lines(chain(head, lines)))

    def document(self, lines: Iterator[tuple[int, str]]) -> Iterator[Read]:
        """The rows of a JSON document, decoded one by one.

        Raises:
            BadRowError: It is not JSON, or holds no rows; rows before the fault were given.
        """
        text = JsonText(_joined(lines))
        start = text.skip()
        if text.is_end(start):
            raise _empty()
        if text.begins(start, "["):
            end = yield from self._list(text, start)
            if not text.is_end(end):
                raise BadRowError(_("Something follows the list of rows."), "", text.line(text.skip(end)))
            return
        if not text.begins(start, "{"):
            raise BadRowError(_("The file holds no list of rows."), _(_SHAPE), text.line(start))
        members, end = text.members(start)
        if text.is_end(end):
            yield from self._of_object(text, start, members, self._steps)
        else:  # several objects follow each other
            members.clear()
            for line, value in text.values():
                yield from self._expanded(line, value, self._steps)

    def _is_document(self, filled: Sequence[tuple[int, str]]) -> bool:
        """Whether the first line that is not blank is the beginning of a document, or all of it."""
        text = filled[0][1].strip()
        if not text.startswith(("[", "{")):
            return False
        try:
            value = json.loads(text)
        except json.JSONDecodeError as error:
            return error.pos >= len(text)  # it goes on below
        except (RecursionError, ValueError):
            return False
        if len(filled) > 1:
            return False
        if not isinstance(value, dict):
            return True
        return self._wanted.isdisjoint(value) and any(isinstance(one, list | dict) for one in value.values())

    def _of_lines(self, lines: Iterator[tuple[int, str]]) -> Iterator[Read]:
        for number, line in lines:
            if not line.strip():
                continue
            text = JsonText(line, number)
            try:
                value, end = text.value(text.skip())
            except BadRowError as bad:
                yield Read(number, bad)
                continue
            if text.is_end(end):
                yield from self._expanded(number, value, self._steps)
            else:
                yield Read(
                    number, BadRowError(_("Something follows the object, from column {end} on.", end=end + 1))
                )

    def _list(
        self, text: JsonText, at: int, steps: Sequence[str] | None = None
    ) -> Generator[Read, None, int]:
        """The rows of a list; where it ends is returned."""
        items = text.items(at)
        end = at

        def of_items() -> Iterator[Read]:
            nonlocal end
            while True:
                try:
                    line, item = next(items)
                except StopIteration as stop:
                    end = stop.value
                    return
                yield from self._expanded(line, item, self._steps if steps is None else steps)

        yield from self._with_header(of_items())
        return end

    def _of_value(self, text: JsonText, at: int, steps: Sequence[str]) -> Iterator[Read]:
        """The rows of the value at a position, with the keys that still lead to them."""
        if text.begins(at, "["):
            yield from self._list(text, at, steps)
        elif text.begins(at, "{"):
            yield from self._of_object(text, at, text.members(at)[0], steps)
        else:
            raise BadRowError(_("The file holds no list of rows."), _(_SHAPE), text.line(at))

    def _of_object(
        self, text: JsonText, at: int, members: dict[str, Member], steps: Sequence[str]
    ) -> Iterator[Read]:
        """The rows of an object; its members are dropped as soon as the place of the rows is known."""
        if not steps:
            yield from self._of_members(text, at, members)
            return
        name = ".".join(steps) if ".".join(steps) in members else steps[0]
        if name not in members:
            what = _("There is no key `{name}` on the way to `rows: {path}`.", name=name, path=self._path)
            raise BadRowError(what, _("The keys are {listed}.", listed=_listed(members)), text.line(at))
        at = members[name].at
        members.clear()
        yield from self._of_value(text, at, steps[1:] if name == steps[0] else [])

    def _of_members(self, text: JsonText, at: int, members: dict[str, Member]) -> Iterator[Read]:
        if places := _splits(members):
            members.clear()
            for split in _PURITY:
                if split in places:
                    for read in self._of_value(text, places[split], []):
                        yield read._replace(split=split)
        elif table := _columnar(members, self._wanted):
            yield from table
        elif not self._wanted.isdisjoint(members):
            yield from self._expanded(text.line(at), _values(members), [])
        elif found := _list_of_rows(members, self._wanted):
            name, steps = found
            place = members[name].at
            members.clear()
            yield from self._list(text, place, steps)
        elif _is_index(members, self._wanted):
            for member in members.values():
                yield from self._expanded(text.line(member.at), member.value, [])
        else:
            raise _unclear(_values(members), text.line(at), self._wanted)

    def _expanded(
        self, line: int, value: Any, steps: Sequence[str], outer: dict[str, Any] | None = None
    ) -> Iterator[Read]:
        """The rows in a value: itself, or those in the lists that the steps lead to.

        They inherit the members of the objects around them, as a question inherits its paragraph.
        """
        if isinstance(value, list) and (steps or outer is not None):
            for item in value:
                yield from self._expanded(line, item, steps, outer)
        elif not steps:
            yield Read(line, self._record(value, outer or {}))
        elif isinstance(value, dict) and steps[0] in value:
            around = {**(outer or {}), **{name: one for name, one in value.items() if name != steps[0]}}
            yield from self._expanded(line, value[steps[0]], steps[1:], around)
        else:
            what = _("There is no key `{step}` on the way to `rows: {path}`.", step=steps[0], path=self._path)
            yield Read(line, BadRowError(what, of_file=True))

    def _record(self, value: Any, outer: dict[str, Any]) -> dict[str, Any] | BadRowError:
        if isinstance(value, dict):
            return {**outer, **value} if outer else value
        if isinstance(value, list):
            if self._header is not None:
                return {**outer, **{str(number): cell for number, cell in enumerate(value, 1)}}
            hint = _("Name its columns by number, e.g. `columns: {question: 1, answer: 2}`.")
            return BadRowError(
                _("A row should be an object in braces, but this is a list."), hint, of_file=True
            )
        return BadRowError(_("A row should be an object in braces, but this is a single value."), _(_EXAMPLE))

    def _with_header(self, reads: Iterator[Read]) -> Iterator[Read]:
        """The rows under the names that the first one gives, where rows are lists and it does."""
        if not self._header:
            yield from reads
            return
        names: list[str] | None = None
        for read in reads:
            if isinstance(read.record, BadRowError) or "1" not in read.record:
                yield read
            elif names is None:
                names = [str(name) for name in read.record.values()]
            else:
                yield read._replace(record=dict(zip(names, read.record.values(), strict=False)))


def _values(members: dict[str, Member]) -> dict[str, Any]:
    return {name: member.value for name, member in members.items()}


def _splits(members: dict[str, Member]) -> dict[SplitName, int]:
    """Where the lists of a document are that has one for each split; empty when it is no such document."""
    found: dict[SplitName, int] = {}
    for name, member in members.items():
        split = SPLIT_NAMES.get(name.strip().casefold())
        if split and isinstance(member.value, list | dict):
            found.setdefault(split, member.at)
    return found if len(found) > 1 else {}


def _columnar(members: dict[str, Member], wanted: frozenset[str]) -> Iterator[Read] | None:
    """The rows of a table that is written column by column, as pandas and datasets do; None for others."""
    values = _values(members)
    match values:
        case {"columns": [*names], "data": [*rows]} if all(isinstance(row, list) for row in rows):
            return _zipped([str(name) for name in names], rows)
    columns = {name: value for name, value in values.items() if isinstance(value, list | dict)}
    if wanted.isdisjoint(columns) or len({len(column) for column in columns.values()}) != 1:
        return None
    index = list(next(iter(columns.values())))
    if any(isinstance(one, dict) and one.keys() != {*index} for one in columns.values()):
        return None
    cells = [[one[key] for key in index] if isinstance(one, dict) else one for one in columns.values()]
    return _zipped(list(columns), list(zip(*cells, strict=True)))


def _list_of_rows(members: dict[str, Member], wanted: frozenset[str]) -> tuple[str, list[str]] | None:
    """The name of the only list that can be the rows, and the key in its items that holds each, if any."""
    lists = {name: member.value for name, member in members.items() if isinstance(member.value, list)}
    of_objects = {name: rows for name, rows in lists.items() if rows and isinstance(rows[0], dict)}
    fitting = {name: rows for name, rows in of_objects.items() if not wanted.isdisjoint(rows[0])}
    wrapped = [
        (name, [key])
        for name, rows in of_objects.items()
        for key, one in rows[0].items()
        if not fitting and isinstance(one, dict) and not wanted.isdisjoint(one)
    ]
    if len(wrapped) == 1:  # as the viewer of Hugging Face writes them
        return wrapped[0]
    for names in (fitting, of_objects, lists):
        if len(names) == 1:
            return next(iter(names)), []
    return None


def _is_index(members: dict[str, Member], wanted: frozenset[str]) -> bool:
    """Whether each member is a row under its name."""
    values = _values(members)
    if not values or not all(isinstance(value, dict) for value in values.values()):
        return False
    return any(not wanted.isdisjoint(value) for value in values.values()) or not any(_lists_in(values))


def _zipped(names: Sequence[str], rows: Sequence[Sequence[Any]]) -> Iterator[Read]:
    for number, row in enumerate(rows, 1):
        if len(row) == len(names):
            yield Read(number, dict(zip(names, row, strict=True)))
        else:
            what = ngettext(
                "The row has {n:,} cell, but the table has columns for {columns:,}.",
                "The row has {n:,} cells, but the table has columns for {columns:,}.",
                len(row),
                columns=len(names),
            )
            yield Read(number, BadRowError(what))


def _unclear(values: dict[str, Any], line: int, wanted: frozenset[str]) -> BadRowError:
    paths = list(_lists_in(values))
    fitting = (
        path
        for path in paths
        if (rows := values.get(path)) and isinstance(rows[0], dict) and not wanted.isdisjoint(rows[0])
    )
    likely = next(fitting, paths[0] if paths else "")
    if not paths:
        return BadRowError(_("The file holds no list of rows."), _(_SHAPE), line)
    what = (
        _("The document holds {paths} lists: {listed}.", paths=len(paths), listed=_listed(paths))
        if len(paths) > 1
        else (_("The list of rows is not at the top of the document."))
    )
    return BadRowError(what, _("Name the one with the rows, e.g. `rows: {path}`.", path=likely), line)


def _lists_in(value: Any, path: str = "", depth: int = 4) -> Iterator[str]:
    if not isinstance(value, dict) or not depth:
        return
    for name, inner in value.items():
        here = f"{path}.{name}" if path else name
        if isinstance(inner, list):
            yield here
        yield from _lists_in(inner, here, depth - 1)


def _listed(names: Collection[str]) -> str:
    shown = ", ".join(f"`{name[:40]}`" for name in list(names)[:8])
    return f"{shown} …" if len(names) > 8 else shown


def _joined(lines: Iterator[tuple[int, str]]) -> str:
    parts, length = [], 0
    for _unused, line in lines:
        parts.append(line)
        length += len(line)
        if length > MOST_CHARACTERS:
            what = _(
                "The document is longer than {most_characters} million characters.",
                most_characters=MOST_CHARACTERS // 1_000_000,
            )
            raise BadRowError(what, _("Write its rows as JSONL, one object on each line."))
    return "".join(parts)


_SHAPE: Final = N_("Write a list of objects: [{...}, {...}].")


def _empty() -> BadRowError:
    return BadRowError(_("The file is empty."), _(_EXAMPLE))
