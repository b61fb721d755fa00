"""Reads the answers of a row: what labels stand for, and which option is meant."""

import re
from collections.abc import Mapping, Sequence
from decimal import Decimal
from string import ascii_uppercase
from typing import Any, Final

from spotui.domain.rows import normalise
from spotui.lang import _
from spotui.templates.data.json_text import read_cell
from spotui.templates.data.record import BadRowError, Record
from spotui.templates.data.values import MISSING, is_nothing, reach, written

_TEXTS: Final = ("text", "texts", "choices", "options", "content", "value")
_LETTERED: Final = re.compile(r"\s*\(?([A-Za-z])[).:、]\s*(?=\S)")
"""An option that brings its letter, e.g. "A) red"."""
_MARKS: Final = ("label", "labels", "key", "letter")


class Labels:
    """The texts that the values of the answer column stand for.

    Args:
        labels: The text of each value; empty when a value is the text itself. The one of an empty text stands
            for a question that has no answer.
    """

    def __init__(self, labels: Mapping[str, str]) -> None:
        self.of_nothing = labels.get("", "")
        self._labels = {key: label for key, label in labels.items() if key}
        self._folded = {key.casefold(): label for key, label in self._labels.items()}

    def __bool__(self) -> bool:
        return bool(self._labels)

    def read(self, value: Any) -> str:
        """The text of a value.

        Raises:
            BadRowError: The value has none.
        """
        text = written(value)
        if not self._labels:
            return text
        for key in (text, str(_whole(text))):  # pandas makes 1.0 of 1 where a cell is empty
            if key.casefold() in self._folded:
                return self._labels.get(key, self._folded[key.casefold()])
        if text in self._labels.values():
            return text
        known = ", ".join(f"`{one}`" for one in list(self._labels)[:8])
        raise BadRowError(
            _("The answer `{text}` is none of the labels {known}.", text=text[:40], known=known),
            _("Add it to `labels`."),
        )


class Options:
    """The options of one multiple-choice question, under the letters A, B, C …

    Args:
        texts: The options.
        marks: What the file calls them, e.g. A to D or 1 to 4; may be empty.
        right: The texts of those that the file marks as right, where it does it there.
    """

    def __init__(self, texts: Sequence[str], marks: Sequence[str] = (), right: Sequence[str] = ()) -> None:
        if not 2 <= len(texts) <= len(ascii_uppercase):
            raise BadRowError(_("A question has 2 to 26 options, but there are {texts}.", texts=len(texts)))
        self.right = tuple(right)
        lettered = [_LETTERED.match(text) for text in texts]
        if [one and one[1].upper() for one in lettered] == list(ascii_uppercase[: len(texts)]):
            texts = [text[one.end() :] for text, one in zip(texts, lettered, strict=True) if one]
        self._texts = tuple(texts)
        self._marks = [mark.casefold() for mark in marks]

    def __str__(self) -> str:
        return "\n".join(
            f"{letter}. {text}" for letter, text in zip(ascii_uppercase, self._texts, strict=False)
        )

    def letter(self, value: Any, text: str) -> str:
        """The letter of the option that an answer names: by its mark, its text, or its index from 0.

        Args:
            value: The answer as the file has it.
            text: The same as a text, after labels.

        Raises:
            BadRowError: It names none, or more than one.
        """
        by_mark = self._at(self._marks, text.strip().casefold())
        by_letter = self._at(ascii_uppercase[: len(self._texts)], text.strip().upper())
        by_text = self._at([normalise(one) for one in self._texts], normalise(text))
        index = _whole(text)
        by_index = index if index is not None and 0 <= index < len(self._texts) else None
        if isinstance(value, int | Decimal | float) and not self._marks:
            by_text = by_text if by_index is None else None
        if by_mark is None and [normalise(one) for one in self._texts].count(normalise(text)) > 1:
            what = _("The answer `{text}` is the text of several options.", text=text[:40])
            raise BadRowError(what, _("Name its letter, or make the options differ."))
        found = next((at for at in (by_mark, by_text, by_letter, by_index) if at is not None), None)
        if found is None:
            what = _(
                "The answer `{text}` is none of the options {letters}.",
                text=text[:40],
                letters=", ".join(self._letters()),
            )
            raise BadRowError(what, _("Say what it stands for, e.g. `labels: {1: A, 2: B}`."))
        if by_mark is None and by_text is not None and by_index not in (None, by_text):
            what = _(
                "The answer `{text}` is the text of one option and the number of another.", text=text[:40]
            )
            raise BadRowError(what, _("Say which is meant, e.g. `labels: [A, B, C, D]` for numbers from 0."))
        return ascii_uppercase[found]

    def _letters(self) -> str:
        return ascii_uppercase[: len(self._texts)]

    @staticmethod
    def _at(names: Sequence[str], name: str) -> int | None:
        return list(names).index(name) if name and name in names else None


def read_options(record: Record, columns: Sequence[str]) -> Options:
    """The options of a record: a column for each, or one that holds them all.

    A list of texts, a list of objects with a label and a text, an object with a list of each, an object with
    an option under each label, and one with a score for each option can be read.

    Raises:
        BadRowError: There are none.
    """
    values = []
    for column in columns:
        if (value := reach(record, column)) is MISSING:
            raise BadRowError(
                _("Unknown column `{column}` for the options.", column=column),
                _listing(record),
                of_file=True,
            )
        values.append(value)
    if len(values) > 1:
        filled = [written(value) for value in values if not is_nothing(value)]
        return Options(filled)
    value = read_cell(values[0]) if isinstance(values[0], str) else values[0]
    match value:
        case [Mapping(), *_] as items if all(isinstance(item, Mapping) for item in items):
            return Options(_each(items, _TEXTS), _each(items, _MARKS))
        case [*texts] if not any(isinstance(one, list | dict) for one in texts):
            return Options([written(text) for text in texts])
        case Mapping():
            return _of_object(value)
    what = _("`{column}` should hold a list of options.", column=columns[0])
    raise BadRowError(what, _("Name a list, or one column for each option."))


def _of_object(value: Mapping[str, Any]) -> Options:
    texts = next((value[name] for name in _TEXTS if isinstance(value.get(name), list)), None)
    marks: list[Any] = next((value[name] for name in _MARKS if isinstance(value.get(name), list)), [])
    if texts is not None and len(marks) == len(texts) and all(one in (0, 1) for one in marks) and any(marks):
        right = [written(text) for text, mark in zip(texts, marks, strict=True) if mark]
        return Options([written(text) for text in texts], right=right)
    if texts is not None:
        return Options([written(text) for text in texts], [written(mark) for mark in marks])
    scores = {name: one for name, one in value.items() if isinstance(one, int | float | Decimal)}
    if scores and len(scores) == len(value):
        best = max(scores.values())
        return Options(list(scores), right=[name for name, score in scores.items() if score == best])
    if any(isinstance(one, list | dict) for one in value.values()):
        what = _(
            "The options are an object that holds {listed}.", listed=", ".join(f"`{one}`" for one in value)
        )
        raise BadRowError(what, _("Name the list in it, e.g. `options: choices.text`."), of_file=True)
    return Options([written(text) for text in value.values()], list(value))


def _each(items: Sequence[Mapping[str, Any]], names: Sequence[str]) -> list[str]:
    name = next((name for name in names if all(name in item for item in items)), None)
    return [written(item[name]) for item in items] if name else []


def _listing(record: Record) -> str:
    return _("The columns are {list}.", list=", ".join(f"`{name[:40]}`" for name in list(record)[:8]))


def _whole(text: str) -> int | None:
    """The whole number that a text is, e.g. 1 for `1.0`."""
    try:
        number = Decimal(text.strip())
    except ArithmeticError:
        return None
    return int(number) if number.is_finite() and number == int(number) and abs(number) < 1e6 else None
