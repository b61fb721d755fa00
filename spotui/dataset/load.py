"""From a template's `data` to rows, checked and split."""

import stat
from collections.abc import Callable, Collection, Iterator, Sequence
from pathlib import Path
from typing import Final

import msgspec

from spotui.dataset.columns import Columns
from spotui.dataset.faults import MOST_FAULTS, BadRowError, DataError, RowFault
from spotui.dataset.records import read_records
from spotui.dataset.row import Row
from spotui.dataset.source import DataSource, SplitName
from spotui.dataset.split import draw
from spotui.nearest import nearest

MOST_TOLD: Final = 5
"""Rows that occur twice and are named; beyond that they are counted."""

_PURITY: Final[tuple[SplitName, ...]] = ("test", "eval", "train")
"""A row of two files stays in the one that is measured last."""


class Dataset(msgspec.Struct, frozen=True):
    """Rows by what they are for.

    Attributes:
        train: What prompts are written from.
        eval: What prompts are chosen by.
        test: What nothing sees before the end; may be empty.
        notices: What a person has to know, such as rows that occur twice; one sentence each.
    """

    train: tuple[Row, ...]
    eval: tuple[Row, ...]
    test: tuple[Row, ...] = ()
    notices: tuple[str, ...] = ()


def load_dataset(
    source: DataSource,
    folder: Path,
    *,
    qa: Sequence[tuple[str, str]] = (),
    slots: Collection[str] = (),
    check: Callable[[Row], str] = lambda _: "",
    seed: int = 0,
) -> Dataset:
    """Read all rows, leave out those that occur twice, and split the rest.

    Args:
        source: Where rows come from.
        folder: Where the paths in `source` begin.
        qa: The template's own questions and answers, which are the rows when `source` has no path.
        slots: The slots of the prompt.
        check: What is wrong with a row, or an empty text; a metric knows.
        seed: The run's; it decides which row is in which split.

    Raises:
        DataError: A file cannot be read, a row cannot be used, or there are too few.
    """
    rows = _Rows(Columns(source.columns, slots, check))
    parts: dict[SplitName, list[Row]] = {}
    for name in _PURITY:
        if name in source.files:
            parts[name] = list(rows.of_file(folder, source.files[name], source))
    if source.drawn and (source.path or qa):
        whole = source.path or "qa"
        read = rows.of_file(folder, source.path, source) if source.path else rows.of_questions(qa)
        pool = list(read)
        rows.refuse()
        try:
            drawn = draw(len(pool), source.drawn, source.split, limit=source.limit, seed=seed)
        except ValueError as error:
            what = f"There are {len(pool)} different rows, but {error}."
            raise DataError([RowFault(whole, 0, what, "Add rows, or ask for fewer.")]) from None
        parts.update({name: [pool[index] for index in chosen] for name, chosen in drawn.items()})
    rows.refuse()
    for name in ("train", "eval"):
        if not parts.get(name):
            file = source.files.get(name) or source.path or "qa"
            raise DataError([RowFault(file, 0, f"No row is left for {name}.", "Add rows that differ.")])
    return Dataset(
        train=tuple(parts["train"]),
        eval=tuple(parts["eval"]),
        test=tuple(parts.get("test", ())),
        notices=rows.notices(),
    )


class _Rows:
    """Reads rows and remembers which it has seen."""

    def __init__(self, columns: Columns) -> None:
        self._columns = columns
        self._faults: list[RowFault] = []
        self._seen: dict[bytes, tuple[str, int]] = {}
        self._twice: list[str] = []
        self._count = 0

    def of_file(self, folder: Path, name: str, source: DataSource) -> Iterator[Row]:
        """The rows of a file that were not seen before."""
        try:
            path = _find(folder, name)
            for line, read in read_records(path, source.format, source.delimiter):
                try:
                    if isinstance(read, BadRowError):
                        raise read
                    row = self._columns.row(read, name, line)
                except BadRowError as bad:
                    self._fault(name, bad, line)
                else:
                    yield from self._new(row)
        except BadRowError as bad:
            self._fault(name, bad, 0)

    def of_questions(self, qa: Sequence[tuple[str, str]]) -> Iterator[Row]:
        """The rows of a template's own questions that were not seen before."""
        for number, (question, answer) in enumerate(qa, 1):
            try:
                row = self._columns.row({"question": question, "answer": answer}, "qa", number)
            except BadRowError as bad:
                self._fault("qa", bad, number)
            else:
                yield from self._new(row)

    def refuse(self) -> None:
        """Raise what was wrong so far, if anything was."""
        if self._faults:
            raise DataError(self._faults)

    def notices(self) -> tuple[str, ...]:
        """What a person has to know of the rows."""
        more = self._count - len(self._twice)
        rest = [f"{more} more rows occur twice and are left out."] if more else []
        return (*self._twice, *rest)

    def _fault(self, file: str, bad: BadRowError, line: int) -> None:
        self._faults.append(RowFault(file, bad.line or line, bad.what, bad.mend))
        if len(self._faults) == MOST_FAULTS:
            self.refuse()

    def _new(self, row: Row) -> Iterator[Row]:
        before = self._seen.setdefault(row.identity, (row.file, row.line))
        if before == (row.file, row.line):
            yield row
            return
        self._count += 1
        if len(self._twice) < MOST_TOLD:
            where = f"line {before[1]}" if before[0] == row.file else f"{before[0]}, line {before[1]}"
            self._twice.append(f"{row.place} asks the same as {where}, and is left out.")


def _find(folder: Path, name: str) -> Path:
    path = folder / Path(name).expanduser()
    try:
        mode = path.stat().st_mode
    except (FileNotFoundError, NotADirectoryError):
        there = {each.name: each for each in path.parent.glob("*.*")}
        meant = nearest(path.name, there)
        mend = f"Did you mean {there[meant].name}?" if meant else "Paths begin at the template's folder."
        raise BadRowError("There is no such file.", mend) from None
    except (OSError, ValueError):
        raise BadRowError("The file cannot be opened.", "Check its path and permissions.") from None
    if not stat.S_ISREG(mode):
        raise BadRowError("This is not an ordinary file.", "Give the path of a data file.")
    return path
