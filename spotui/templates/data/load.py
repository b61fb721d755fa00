"""From a template's `data` to rows, checked and split."""

import contextlib
import stat
from collections.abc import Callable, Collection, Mapping, Sequence
from pathlib import Path
from typing import Final

import msgspec

from spotui.domain.errors import nearest
from spotui.domain.rows import SPLITS, Row, SplitName, TooFewRowsError, draw
from spotui.lang import N_, _, join, ngettext
from spotui.settings.locations import expanded
from spotui.templates.data.columns import Columns
from spotui.templates.data.conversation import Attach, no_files
from spotui.templates.data.data_file import DataFile
from spotui.templates.data.record import MOST_FAULTS, BadRowError, DataError, Read, Record, RowFault
from spotui.templates.data.source import ENDINGS, DataSource

MOST_LISTED: Final = 5
"""Rows that occur twice and are named; beyond that they are counted."""

_PURITY: Final[tuple[SplitName, ...]] = ("test", "eval", "train")
"""A row of two files stays in the one that is measured last."""

_OVERLAP: Final = N_("Write `allow_overlap: true` below `data:` if a row may be in several splits.")


class Dataset(msgspec.Struct, frozen=True):
    """Rows by their use.

    Attributes:
        train: Prompts are written from these.
        eval: Prompts are chosen by these.
        test: Nothing sees these before the end; may be empty.
        notices: What a person has to know, e.g. rows that occur twice; one sentence each.
    """

    train: tuple[Row, ...]
    eval: tuple[Row, ...]
    test: tuple[Row, ...] = ()
    notices: tuple[str, ...] = ()


def load_dataset(
    source: DataSource,
    folder: Path,
    *,
    qa: Sequence[Record] = (),
    slots: Collection[str] = (),
    check: Callable[[Row], str] = lambda _: "",
    takes_objects: bool = True,
    several_answers: bool = True,
    seed: int = 0,
    attach: Attach = no_files,
) -> Dataset:
    """Read all rows, leave out those that occur twice, and split the rest.

    Args:
        source: Where rows come from.
        folder: Where the paths in `source` begin.
        qa: The template's questions, which are the rows when `source` has no path.
        slots: The slots of the prompt.
        check: The fault of a row, or an empty text; a metric knows.
        takes_objects: Whether an answer may be an object.
        several_answers: Whether rows that ask the same and are answered differently are one row with several
            right answers; the first one stays alone otherwise.
        seed: The run's; it decides which row is in which split.
        attach: Takes in the files that go with questions.

    Raises:
        DataError: A file cannot be read, a row cannot be used, or there are too few.
    """
    if not source.allow_overlap:
        _refuse_second_uses(source, folder)
    columns = Columns(source, slots, check, takes_objects=takes_objects, attach=attach)
    rows = _Rows(columns, source, folder, several_answers=several_answers)
    parts: dict[SplitName, list[Row]] = {}
    for name in _PURITY:
        if name in source.files:
            found = rows.of_file(source.files[name], name)
            parts[name] = found.get(name, []) + found.get(None, [])
    if source.drawn and (source.path or qa):
        own = [one for one in enumerate(qa, 1) if not one[1].get("synthetic")]
        found = rows.of_file(source.path) if source.path else rows.of_questions(own)
        rows.refuse()
        parts.update(_drawn(source, parts, found, seed))
    _deal(source, parts, _synthetic(source, rows, () if source.path else qa), seed)
    rows.refuse()
    for name in ("train", "eval"):
        if not parts.get(name):
            file = source.files.get(name) or source.path or "qa"
            hint = join(_("Add rows that differ from those of the other splits."), _(_OVERLAP))
            raise DataError([RowFault(file, 0, _("No row is left for {name}.", name=name), hint)])
    return Dataset(
        train=tuple(parts["train"]),
        eval=tuple(parts["eval"]),
        test=tuple(parts.get("test", ())),
        notices=rows.notices(),
    )


def _synthetic(source: DataSource, rows: "_Rows", qa: Sequence[Record]) -> list[Row]:
    """The rows that a model wrote."""
    listed = [one for one in enumerate(qa, 1) if one[1].get("synthetic")]
    found = [rows.of_questions(listed)] if listed else []
    if source.synthetic:
        found.append(rows.of_file(source.synthetic))
    return [row for each in found for part in each.values() for row in part]


def _deal(source: DataSource, parts: dict[SplitName, list[Row]], synthetic: Sequence[Row], seed: int) -> None:
    """Add rows that a model wrote to the splits that may have such."""
    if not synthetic:
        return
    splits = source.synthetic_splits
    try:
        drawn = draw(len(synthetic), splits, {}, limit=None, seed=seed)
    except TooFewRowsError:  # fewer than there are splits
        drawn = {splits[0]: list(range(len(synthetic)))}
    for name, chosen in drawn.items():
        parts[name] = [*parts.get(name, []), *(synthetic[index] for index in chosen)]


def _drawn(
    source: DataSource,
    parts: Mapping[SplitName, list[Row]],
    by_split: dict[SplitName | None, list[Row]],
    seed: int,
) -> dict[SplitName, list[Row]]:
    """The splits that the rows of `path` bring, as the document lists them or as they are drawn.

    Raises:
        DataError: There are too few rows, or `split` and the document contradict each other.
    """
    whole = source.path or "qa"
    listed = {name: by_split[name] for name in SPLITS if name in by_split and name not in parts}
    pool = by_split.get(None, [])
    if not pool and "train" in listed and "eval" not in {*parts, *listed}:
        pool = listed.pop("train")  # a document with lists for train and test only
    wanted = [name for name in source.drawn if name not in listed]
    if not pool and listed:
        wanted = []
    if listed and (sized := [name for name in source.split if name in listed or not wanted]):
        what = _("The file has a list of rows for {sized} already.", sized=" and ".join(sized))
        hint = _("Delete `split`, or choose one list to draw from, e.g. `rows: {sized}`.", sized=sized[0])
        raise DataError([RowFault(whole, 0, what, hint)])
    if not wanted:
        return listed
    try:
        drawn = draw(len(pool), wanted, source.split, limit=source.limit, seed=seed)
    except TooFewRowsError as error:
        what = ngettext(
            "There is only {n:,} different row, but {wanted:,} are wanted.",
            "There are only {n:,} different rows, but {wanted:,} are wanted.",
            len(pool),
            wanted=error.wanted,
        )
        raise DataError([RowFault(whole, 0, what, _("Add rows, or ask for fewer."))]) from None
    return {**listed, **{name: [pool[index] for index in chosen] for name, chosen in drawn.items()}}


class _Rows:
    """Reads rows and remembers which it has seen."""

    def __init__(self, columns: Columns, source: DataSource, folder: Path, *, several_answers: bool) -> None:
        self._columns = columns
        self._source = source
        self._folder = folder
        self._several_answers = several_answers
        self._faults: list[RowFault] = []
        self._of_files: set[tuple[str, str]] = set()
        self._seen: dict[bytes, tuple[list[Row], int]] = {}
        self._twice: list[str] = []
        self._count = 0
        self._merged = 0
        self._read_as: list[str] = []

    def of_file(self, name: str, split: SplitName | None = None) -> dict[SplitName | None, list[Row]]:
        """The rows of a file that were not seen before, by the split whose list they are in.

        Args:
            name: The file, as the template names it.
            split: The only split whose rows are wanted; None for all.
        """
        found: dict[SplitName | None, list[Row]] = {}
        try:
            path = find_file(self._folder, name)
            file = DataFile(path, self._source, self._columns.wanted)
            for read in file.records():
                if split is None or read.split in (None, split):
                    self._add(read, name, found)
            if file.notice:
                self._read_as.append(f"{name}: {file.notice}")
        except BadRowError as bad:
            self._fault(name, bad, 0)
        return found

    def of_questions(self, qa: Sequence[tuple[int, Record]]) -> dict[SplitName | None, list[Row]]:
        """The rows of a template's questions, each with its number, that were not seen before."""
        found: dict[SplitName | None, list[Row]] = {}
        for number, one in qa:
            self._add(Read(number, one), "qa", found)
        return found

    def refuse(self) -> None:
        """Raise the faults found so far, if there are any."""
        if self._faults:
            raise DataError(self._faults)

    def notices(self) -> tuple[str, ...]:
        """The sentences about the rows that a person has to read."""
        more = self._count - len(self._twice)
        rest = [_("{more} more rows occur twice and are left out.", more=more)] if more else []
        merged = ngettext(
            "{n:,} row asks the same as another with a different answer; both answers count as right.",
            "{n:,} rows ask the same as another with a different answer; both answers count as right.",
            self._merged,
        )
        return (*self._read_as, *([merged] if self._merged else ()), *self._twice, *rest)

    def _add(self, read: Read, file: str, by_split: dict[SplitName | None, list[Row]]) -> None:
        try:
            if isinstance(read.record, BadRowError):
                raise read.record
            row = self._columns.row(read.record, file, read.line)
        except BadRowError as bad:
            self._fault(file, bad, read.line)
            return
        rows = by_split.setdefault(read.split, [])
        before, at = self._seen.setdefault(row.identity, (rows, len(rows)))
        if before is rows and at == len(rows):
            rows.append(row)
        elif before is not rows and self._source.allow_overlap:
            self._seen[row.identity] = (rows, len(rows))
            rows.append(row)
        elif before is rows and self._several_answers and {*row.references} - {*before[at].references}:
            references = tuple(dict.fromkeys((*before[at].references, *row.references)))
            rows[at] = msgspec.structs.replace(before[at], references=references)
            self._merged += 1
        else:
            self._leave_out(row, before[at])

    def _leave_out(self, row: Row, before: Row) -> None:
        self._count += 1
        if len(self._twice) < MOST_LISTED:
            where = _("line {n}", n=before.line) if before.file == row.file else before.where
            if {*row.references} - {*before.references}:
                text = _(
                    "{place} asks the same as {where} with another answer, and is left out.",
                    place=row.where,
                    where=where,
                )
            else:
                text = _("{place} asks the same as {where}, and is left out.", place=row.where, where=where)
            self._twice.append(text)

    def _fault(self, file: str, bad: BadRowError, line: int) -> None:
        if bad.of_file:  # its other rows have it, too
            if (file, bad.what) in self._of_files:
                return
            self._of_files.add((file, bad.what))
        self._faults.append(RowFault(file, bad.line or line, bad.what, bad.hint))
        if len(self._faults) == MOST_FAULTS:
            self.refuse()


def _refuse_second_uses(source: DataSource, folder: Path) -> None:
    """Make sure that no file is given for two splits, under whatever names.

    Raises:
        DataError: One is.
    """
    named: dict[str, str] = {split: source.files[split] for split in SPLITS if split in source.files}
    if source.path:
        named["path"] = source.path
    uses: dict[tuple[int, int], list[str]] = {}
    for use, name in named.items():
        with contextlib.suppress(OSError, BadRowError):  # it is reported when it is read
            state = find_file(folder, name).stat()
            uses.setdefault((state.st_dev, state.st_ino), []).append(use)
    for several in uses.values():
        if len(several) > 1:
            what = _(
                "The same file is given for {several}, so the same rows would be in each.",
                several=", ".join(several),
            )
            name = named[several[-1]]
            hint = join(_("Write only `path: {name}` to split its rows.", name=name), _(_OVERLAP))
            raise DataError([RowFault(name, 0, what, hint)])


def find_file(folder: Path, name: str) -> Path:
    """The path of a data file.

    Args:
        folder: Where relative paths begin.
        name: The path as the template has it.

    Raises:
        BadRowError: There is no such file, or it is not an ordinary one.
    """
    path = folder / expanded(name)
    try:
        mode = path.stat().st_mode
    except (FileNotFoundError, NotADirectoryError):
        there = {each.name: each for each in path.parent.glob("*.*")}
        meant = nearest(path.name, there)
        hint = (
            _("Did you mean {name}?", name=there[meant].name)
            if meant
            else _("Paths begin at the template's folder.")
        )
        raise BadRowError(_("There is no such file."), hint) from None
    except (OSError, ValueError, RuntimeError):
        raise BadRowError(_("The file cannot be opened."), _("Check its path and permissions.")) from None
    if stat.S_ISDIR(mode):
        raise BadRowError(_("This is a folder, not a file."), _files_in(path))
    if not stat.S_ISREG(mode):
        raise BadRowError(_("This is not an ordinary file."), _("Give the path of a data file."))
    return path


def _files_in(folder: Path) -> str:
    try:
        names = sorted(each.name for each in folder.iterdir())
    except OSError:
        names = []
    found = [name for name in names if Path(name.removesuffix(".gz")).suffix.lower() in ENDINGS][:4]
    return (
        _("Name a file in it, e.g. {found}.", found=", ".join(found))
        if found
        else _("Give the path of a data file.")
    )
