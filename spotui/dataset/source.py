"""Where rows come from: what a template says under `data`."""

from collections.abc import Mapping
from typing import Final, Literal, get_args

import msgspec

from spotui.dataset.faults import KeyFault
from spotui.nearest import nearest

SplitName = Literal["train", "eval", "test"]
SPLITS: Final[tuple[SplitName, ...]] = get_args(SplitName)
"""What rows are for: writing prompts, choosing among them, and the test that no choice has seen."""

Format = Literal["jsonl", "json", "csv", "tsv"]
FORMATS: Final[tuple[Format, ...]] = get_args(Format)
ENDINGS: Final[dict[str, Format]] = {
    ".jsonl": "jsonl",
    ".ndjson": "jsonl",
    ".json": "json",
    ".csv": "csv",
    ".tsv": "tsv",
}

KEYS: Final = ("path", *SPLITS, "format", "delimiter", "columns", "split", "limit")
MOST_ROWS: Final = 10_000_000


class DataSource(msgspec.Struct, frozen=True, kw_only=True):
    """Where rows come from and what they are used for.

    Attributes:
        path: The file whose rows are split, relative to the template; None when there is none.
        files: Splits that have a file of their own.
        format: Of all files, or None to tell it from each file's ending.
        delimiter: What separates the cells of a CSV file, one character, or None for the usual one.
        columns: The columns of `question`, `answer` and slots, by name; several make several references.
        split: How much each split gets of the rows of `path`: whole numbers are rows, fractions shares. A
            test split that is not named gets what is left. Empty for GPO's own proportions, a fifth, a fifth
            and three fifths.
        limit: Rows of `path` to use, drawn with the seed, or None for all.
    """

    path: str | None = None
    files: dict[SplitName, str] = {}
    format: Format | None = None
    delimiter: str | None = None
    columns: dict[str, tuple[str, ...]] = {}
    split: dict[SplitName, int | float] = {}
    limit: int | None = None

    @property
    def paths(self) -> tuple[str, ...]:
        """Every file, each once."""
        return tuple(dict.fromkeys(path for path in (self.path, *self.files.values()) if path))

    @property
    def drawn(self) -> tuple[SplitName, ...]:
        """The splits that are drawn from the rows of `path`, or from the template's questions."""
        return tuple(name for name in SPLITS if name not in self.files)


def read_source(data: object, *, has_questions: bool) -> tuple[DataSource, list[KeyFault]]:
    """Read what a template says under `data`.

    Args:
        data: A file's path, or a mapping, as plain data.
        has_questions: Whether the template lists questions of its own, which need no file.

    Returns:
        The source, which is of use only when nothing is wrong, and what is.
    """
    reader = _Reader()
    source = reader.source(data)
    if not reader.faults and source.path is None and not has_questions:
        missing = [name for name in ("train", "eval") if name not in source.files]
        if missing:
            what = f"No rows are there for {' and '.join(missing)}."
            mend = "Give the `path` of a file to draw them from, or a file for each."
            reader.faults.append(KeyFault((), what, mend))
    return source, reader.faults


class _Reader:
    def __init__(self) -> None:
        self.faults: list[KeyFault] = []

    def source(self, data: object) -> DataSource:
        if isinstance(data, str):
            return DataSource(path=self._file(data, ()))
        if not isinstance(data, dict):
            self._fault((), "`data` should be the path of a file, or a mapping.", _HOW)
            return DataSource()
        for key in data:
            if key not in KEYS:
                meant = nearest(key, KEYS)
                mend = f"Did you mean `{meant}`?" if meant else f"The keys are {', '.join(KEYS)}."
                self._fault((key,), f"`{key}` is not a key of `data`.", mend)
        files: dict[SplitName, str] = {}
        for split in SPLITS:
            if data.get(split) is not None and (file := self._file(data[split], (split,))):
                files[split] = file
        return DataSource(
            path=self._file(data["path"], ("path",)) if data.get("path") is not None else None,
            files=files,
            format=self._format(data.get("format")),
            delimiter=self._delimiter(data.get("delimiter")),
            columns=self._columns(data.get("columns")),
            split=self._split(data.get("split"), files),
            limit=self._limit(data.get("limit")),
        )

    def _file(self, value: object, path: tuple[str, ...]) -> str | None:
        if not isinstance(value, str) or not value.strip():
            self._fault(path, f"`{_name(path)}` should be the path of a file.", _HOW)
            return None
        return value.strip()

    def _format(self, value: object) -> Format | None:
        if value is None:
            return None
        for one in FORMATS:
            if value == one:
                return one
        meant = nearest(value, FORMATS) if isinstance(value, str) else None
        mend = f"Did you mean `{meant}`?" if meant else f"Write one of {', '.join(FORMATS)}."
        self._fault(("format",), "This is no format of a data file.", mend)
        return None

    def _delimiter(self, value: object) -> str | None:
        if value is None or (isinstance(value, str) and len(value) == 1 and value not in '"\r\n'):
            return value
        self._fault(("delimiter",), "`delimiter` should be one character.", "Write such as `delimiter: ';'`.")
        return None

    def _columns(self, value: object) -> dict[str, tuple[str, ...]]:
        if value is None:
            return {}
        mend = "Write such as `columns: {question: input, answer: target}`."
        if not isinstance(value, Mapping):
            self._fault(("columns",), "`columns` should say which column is what.", mend)
            return {}
        found: dict[str, tuple[str, ...]] = {}
        for name, column in value.items():
            path = ("columns", name)
            several = tuple(column) if isinstance(column, list) and name == "answer" else (column,)
            if not name.isidentifier():
                self._fault(path, f"`{name}` cannot be the name of a slot.", "Use letters, digits and `_`.")
            elif not several or not all(isinstance(one, str) and one for one in several):
                what = f"`{name}` should name a column, in quotes when it looks like a number."
                self._fault(path, what, mend)
            else:
                found[name] = several
        return found

    def _split(self, value: object, files: Mapping[SplitName, str]) -> dict[SplitName, int | float]:
        if value is None:
            return {}
        mend = "Write such as `split: {train: 48, eval: 48, test: 144}`, or shares that add up to 1."
        if not isinstance(value, Mapping):
            self._fault(("split",), "`split` should say how many rows each split gets.", mend)
            return {}
        found: dict[SplitName, int | float] = {}
        for name, size in value.items():
            path = ("split", name)
            split = next((one for one in SPLITS if one == name), None)
            if split is None:
                what = f"There is no split `{name}`."
                self._fault(path, what, f"The splits are {', '.join(SPLITS)}.")
            elif split in files:
                self._fault(
                    path, f"The rows for {name} come from a file of their own.", "Delete one of both."
                )
            elif isinstance(size, bool) or not isinstance(size, int | float) or not 0 <= size <= _most(size):
                self._fault(path, f"`{name}` is neither a number of rows nor a share.", mend)
            elif size == 0 and name != "test":
                self._fault(path, f"The split {name} gets no row.", "Give it at least one.")
            else:
                found[split] = size
        if len(found) == len(value):
            self._check_sizes(found, files, mend)
        return found

    def _check_sizes(
        self, sizes: Mapping[SplitName, int | float], files: Mapping[SplitName, str], mend: str
    ) -> None:
        missing = [name for name in ("train", "eval") if name not in sizes and name not in files]
        shares = [size for size in sizes.values() if isinstance(size, float)]
        if missing:
            self._fault(("split",), f"`split` says nothing of {' and '.join(missing)}.", mend)
        elif shares and any(size and isinstance(size, int) for size in sizes.values()):
            self._fault(("split",), "`split` mixes numbers of rows with shares.", mend)
        elif sum(shares) > 1 + 1e-9:
            self._fault(("split",), f"The shares add up to {sum(shares):g}.", "Let them add up to 1 at most.")

    def _limit(self, value: object) -> int | None:
        is_whole = isinstance(value, int) and not isinstance(value, bool) and 1 <= value <= MOST_ROWS
        if value is None or (isinstance(value, int) and is_whole):
            return value
        self._fault(("limit",), "`limit` should be a whole number of rows, 1 or more.", "Write `limit: 200`.")
        return None

    def _fault(self, path: tuple[str, ...], what: str, mend: str) -> None:
        self.faults.append(KeyFault(path, what, mend))


_HOW: Final = "Write such as `data: rows.jsonl`; JSONL, JSON and CSV files can be read."


def _name(path: tuple[str, ...]) -> str:
    return ".".join(("data", *path))


def _most(size: float) -> int:
    """The most a number of rows can be, or a share."""
    return MOST_ROWS if isinstance(size, int) else 1
