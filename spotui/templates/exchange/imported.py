"""What an import brings: templates with their rows, and notes on everything that has no place in them."""

from collections.abc import Iterator, Mapping
from typing import Any, Final

import msgspec

from spotui.domain.errors import SpotuiError
from spotui.domain.rows import SPLITS, SplitName, slot_names
from spotui.lang import N_, _, ngettext

MOST_NOTES: Final = 1000
"""Different notes that are reported; a source with more is another one than it was taken for."""

NO_REQUIREMENTS: Final = N_("It says nowhere what a good answer is like.")
TO_REQUIREMENTS: Final = N_("Write it below `requirements:`; optimizer and judge go by it.")


class SourceError(SpotuiError):
    """A source that cannot be imported."""


class Note(msgspec.Struct, frozen=True):
    """One thing of a source that was left out or changed.

    Attributes:
        where: The place in the source; of several that are alike, the first.
        what: What was left out or changed, one sentence.
        why: The reason, or what to do about it, one sentence.
        count: How many are alike.
    """

    where: str
    what: str
    why: str
    count: int = 1

    def __str__(self) -> str:
        more = ""
        if self.count > 1:
            more = ngettext(" (and {n:,} more like it)", " (and {n:,} more like it)", self.count - 1)
        return f"{self.where}{more}: {self.what} {self.why}".rstrip()


class Notes:
    """The notes of one import; those that differ in their places alone are one."""

    def __init__(self) -> None:
        self._notes: dict[tuple[str, str], Note] = {}

    def add(self, where: str, what: str, why: str = "") -> None:
        """Note that something of the source was left out or changed."""
        before = self._notes.get((what, why))
        if before is not None:
            self._notes[what, why] = msgspec.structs.replace(before, count=before.count + 1)
        elif len(self._notes) < MOST_NOTES:
            self._notes[what, why] = Note(where, what, why)

    def __iter__(self) -> Iterator[Note]:
        yield from self._notes.values()

    def __len__(self) -> int:
        return len(self._notes)


Record = dict[str, Any]


class Imported(msgspec.Struct, kw_only=True):
    """One template of a source.

    Attributes:
        prompt: The prompt, with slots in single braces.
        label: What the source calls it; empty where it has no name.
        requirements: What a good answer is like, where the source says it.
        criteria: What a judge looks for.
        metric: How answers are scored, as a template has it; None where a judge does it.
        method: The method, where the source is made for one.
        rows: The rows by their split; those below None are not divided.
        columns: The columns that are not called what they are for, as `data.columns` has them.
        data: Further keys of `data`, e.g. `options`.
        extra: Further keys of the template, e.g. `messages`.
        origin: What leads back to this prompt inside of the source.
    """

    prompt: str
    label: str = ""
    requirements: str = ""
    criteria: tuple[str, ...] = ()
    metric: Any = None
    method: str | None = None
    rows: Mapping[SplitName | None, list[Record]] = {}
    columns: dict[str, Any] = {}
    data: dict[str, Any] = {}
    extra: dict[str, Any] = {}
    origin: dict[str, Any] = {}

    @property
    def splits(self) -> list[SplitName]:
        """The splits that the source divides its rows into."""
        return [name for name in SPLITS if self.rows.get(name)]

    @property
    def shown(self) -> dict[str, str]:
        """The column of the question, and of each slot of the prompt and of the messages around it."""
        texts = [self.prompt, *(str(one.get("content")) for one in self.extra.get("messages", ()))]
        names = {name for text in texts for name in slot_names(text)} - {"prompt"}
        columns = {name: str(self.columns.get(name, name)) for name in sorted(names)}
        if "question" in self.columns or not columns:
            columns["question"] = str(self.columns.get("question", "question"))
        return columns

    @property
    def count(self) -> int:
        """How many rows there are."""
        return sum(map(len, self.rows.values()))


def note_requirements(notes: Notes, where: str) -> None:
    """Note that a source says nothing of what a good answer is like."""
    notes.add(where, _(NO_REQUIREMENTS), _(TO_REQUIREMENTS))
