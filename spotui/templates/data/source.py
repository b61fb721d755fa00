"""The origin of rows: what a template says under `data`."""

import codecs
from collections.abc import Mapping
from typing import Any, Final, Literal, get_args

import msgspec

from spotui.domain.errors import KeyFault, nearest
from spotui.domain.rows import SPLIT_NAMES, SPLITS, SplitName
from spotui.lang import N_, _

Format = Literal["jsonl", "json", "csv", "tsv", "parquet", "arrow", "xlsx"]
FORMATS: Final[tuple[Format, ...]] = get_args(Format)
ENDINGS: Final[dict[str, Format]] = {
    ".jsonl": "jsonl",
    ".ndjson": "jsonl",
    ".json": "json",
    ".csv": "csv",
    ".tsv": "tsv",
    ".tab": "tsv",
    ".parquet": "parquet",
    ".arrow": "arrow",
    ".feather": "arrow",
    ".xlsx": "xlsx",
    ".xlsm": "xlsx",
    ".xls": "xlsx",
    ".ods": "xlsx",
}

KEYS: Final = (
    *("path", *SPLITS, "format", "delimiter", "header", "encoding", "sheet", "rows"),
    *("columns", "labels", "options", "split", "limit", "allow_overlap"),
    *("synthetic", "synthetic_splits"),
)
MOST_ROWS: Final = 10_000_000


class DataSource(msgspec.Struct, frozen=True, kw_only=True):
    """Where rows come from and what they are used for.

    Attributes:
        path: The file whose rows are split, relative to the template; None when there is none.
        files: Splits that have a separate file.
        format: Of all files, or None to read it from each file's ending.
        delimiter: The character between the cells of a CSV file, or None to detect it.
        header: Whether the first row names the columns, which are numbered from 1 otherwise; None for the
            custom of the format: yes in tables, no in JSON.
        encoding: Of all text files, or None to detect it.
        sheet: The sheet of a workbook, or None for the first.
        rows: The keys that lead to the list of rows in a JSON document, separated by dots; empty to find it.
        columns: The columns of `question`, `answer` and slots, by name; several make several references.
        labels: The text that each value of the answer column stands for; empty when it is the text itself.
        options: The columns that hold the options of a multiple-choice question; one may hold a list of them.
        split: How much each split gets of the rows of `path`: whole numbers are rows, fractions shares. A
            test split that is not named gets what is left. Empty for GPO's own proportions, a fifth, a fifth
            and three fifths.
        limit: Rows of `path` to use, drawn with the seed, or None for all.
        allow_overlap: Whether a row may be in several splits.
        synthetic: The file of rows that a model wrote, in the format of JSON lines; None when there is none.
        synthetic_splits: The splits that such rows may be in.
    """

    path: str | None = None
    files: dict[SplitName, str] = {}
    format: Format | None = None
    delimiter: str | None = None
    header: bool | None = None
    encoding: str | None = None
    sheet: str | None = None
    rows: str = ""
    columns: dict[str, tuple[str, ...]] = {}
    labels: dict[str, str] = {}
    options: tuple[str, ...] = ()
    split: dict[SplitName, int | float] = {}
    limit: int | None = None
    allow_overlap: bool = False
    synthetic: str | None = None
    synthetic_splits: tuple[SplitName, ...] = ("train", "eval")

    @property
    def paths(self) -> tuple[str, ...]:
        """Every file, each once."""
        named = (self.path, *self.files.values(), self.synthetic)
        return tuple(dict.fromkeys(path for path in named if path))

    @property
    def drawn(self) -> tuple[SplitName, ...]:
        """The splits that are drawn from the rows of `path`, or from the template's questions."""
        return tuple(name for name in SPLITS if name not in self.files)


def read_source(data: object, *, has_questions: bool) -> tuple[DataSource, list[KeyFault]]:
    """Read what a template says under `data`.

    Args:
        data: A file's path, or a mapping, as plain data.
        has_questions: Whether the template lists questions itself, which need no file.

    Returns:
        The source, which is of use only when nothing is wrong, and the faults.
    """
    reader = _Reader()
    source = reader.source(data)
    if not reader.faults and source.path is None and not has_questions:
        missing = [name for name in ("train", "eval") if name not in source.files]
        if missing:
            what = _("There are no rows for {missing}.", missing=" and ".join(missing))
            hint = _("Give the `path` of a file to draw them from, or a file for each.")
            reader.faults.append(KeyFault((), what, hint))
    return source, reader.faults


class _Reader:
    def __init__(self) -> None:
        self.faults: list[KeyFault] = []

    def source(self, data: object) -> DataSource:
        if isinstance(data, str):
            return DataSource(path=self._file(data, ()))
        if not isinstance(data, dict):
            self._fault((), _("`data` should be the path of a file, or a mapping."), _(_HOW))
            return DataSource()
        for key in data:
            if key not in KEYS:
                meant = SPLIT_NAMES.get(key.casefold()) or nearest(key, KEYS)
                hint = (
                    _("Did you mean `{meant}`?", meant=meant)
                    if meant
                    else _("The keys are {keys}.", keys=", ".join(KEYS))
                )
                self._fault((key,), _("`{key}` is not a key of `data`.", key=key), hint)
        files: dict[SplitName, str] = {}
        for split in SPLITS:
            if data.get(split) is not None and (file := self._file(data[split], (split,))):
                files[split] = file
        sizes = self._sizes_and_files(data.get("split"), files)
        columns = self._columns(data.get("columns"))
        header = self._flag(data, "header", None)
        if header is None and self._has_numbers(data.get("columns")):
            header = False
        return DataSource(
            path=self._file(data["path"], ("path",)) if data.get("path") is not None else None,
            files=files,
            format=self._format(data.get("format")),
            delimiter=self._delimiter(data.get("delimiter")),
            header=header,
            encoding=self._encoding(data.get("encoding")),
            sheet=self._text(data, "sheet", _("the name of a sheet")) or None,
            rows=self._text(data, "rows", _("the key of the list of rows, e.g. `rows: examples`")),
            columns=columns,
            labels=self._labels(data.get("labels")),
            options=self._options(data.get("options")),
            split=self._split(sizes, files),
            limit=self._limit(data.get("limit")),
            allow_overlap=bool(self._flag(data, "allow_overlap", False)),
            synthetic=self._file(data["synthetic"], ("synthetic",)) if data.get("synthetic") else None,
            synthetic_splits=self._synthetic_splits(data.get("synthetic_splits")),
        )

    def _synthetic_splits(self, value: object) -> tuple[SplitName, ...]:
        if value is None:
            return ("train", "eval")
        names = value if isinstance(value, list) else [value]
        found = tuple(name for name in SPLITS if name in names)
        if not found or len(found) < len(names):
            what = _("`synthetic_splits` should be a list of splits.")
            self._fault(
                ("synthetic_splits",), what, _("Write, for example, `synthetic_splits: [train, eval]`.")
            )
        return found

    def _file(self, value: object, path: tuple[str, ...]) -> str | None:
        if not isinstance(value, str) or not value.strip():
            self._fault(path, _("`{name}` should be the path of a file.", name=_name(path)), _(_HOW))
            return None
        return value.strip()

    def _format(self, value: object) -> Format | None:
        if value is None:
            return None
        for one in FORMATS:
            if value == one:
                return one
        meant = nearest(value, FORMATS) if isinstance(value, str) else None
        hint = (
            _("Did you mean `{meant}`?", meant=meant)
            if meant
            else _("Write one of {formats}.", formats=", ".join(FORMATS))
        )
        self._fault(("format",), _("This is not a format that can be read."), hint)
        return None

    def _delimiter(self, value: object) -> str | None:
        if value is None or (isinstance(value, str) and len(value) == 1 and value not in '"\r\n'):
            return value
        self._fault(
            ("delimiter",),
            _("`delimiter` should be one character."),
            _("Write, for example, `delimiter: ';'`."),
        )
        return None

    def _encoding(self, value: object) -> str | None:
        if value is None:
            return None
        try:
            name = codecs.lookup(value).name if isinstance(value, str) else ""
            "".encode(name or "?")
        except (LookupError, ValueError):
            hint = _("Write, for example, `encoding: gbk`, or delete it: the encoding is detected.")
            self._fault(("encoding",), _("`encoding` is not the name of a text encoding."), hint)
            return None
        return name

    def _flag(self, data: Mapping[str, Any], key: str, default: bool | None) -> bool | None:
        value = data.get(key)
        if value is None or isinstance(value, bool):
            return default if value is None else value
        self._fault(
            (key,),
            _("`{key}` should be true or false.", key=key),
            _("Write, for example, `{key}: false`.", key=key),
        )
        return default

    def _text(self, data: Mapping[str, Any], key: str, wanted: str) -> str:
        value = data.get(key)
        if value is None:
            return ""
        if isinstance(value, str) and value.strip():
            return value.strip()
        self._fault(
            (key,),
            _("`{key}` should be {wanted}.", key=key, wanted=wanted),
            _("Put it in quotes if it looks like a number."),
        )
        return ""

    def _columns(self, value: object) -> dict[str, tuple[str, ...]]:
        if value is None:
            return {}
        hint = _("Write, for example, `columns: {question: input, answer: target}`.")
        if not isinstance(value, Mapping):
            self._fault(("columns",), _("`columns` should say which column is what."), hint)
            return {}
        found: dict[str, tuple[str, ...]] = {}
        for name, column in value.items():
            path = ("columns", name)
            several = tuple(column) if isinstance(column, list) and name == "answer" else (column,)
            names = tuple(_column(one) for one in several)
            if not name.isidentifier():
                self._fault(
                    path,
                    _("`{name}` cannot be the name of a slot.", name=name),
                    _("Use letters, digits and `_`."),
                )
            elif not names or None in names:
                what = _("`{name}` should be the name of a column, or its number, counted from 1.", name=name)
                self._fault(path, what, hint)
            else:
                found[name] = tuple(one for one in names if one)
        return found

    def _has_numbers(self, columns: object) -> bool:
        """Whether columns are given by number, as in a table without a header."""
        if not isinstance(columns, Mapping):
            return False
        several = (
            one for value in columns.values() for one in (value if isinstance(value, list) else [value])
        )
        return any(isinstance(one, int) for one in several)

    def _labels(self, value: object) -> dict[str, str]:
        if value is None:
            return {}
        pairs = dict(enumerate(value)) if isinstance(value, list) else value
        if not isinstance(pairs, Mapping) or not pairs:
            hint = _(
                "Write, for example, `labels: {0: negative, 1: positive}` or `labels: [negative, positive]`."
            )
            self._fault(("labels",), _("`labels` should say what each value of the answer means."), hint)
            return {}
        found: dict[str, str] = {}
        for key, label in pairs.items():
            if isinstance(label, list | dict):
                what = _("The label of `{key}` should be a text.", key=str(key)[:40])
                self._fault(("labels", str(key)), what, _("Write, for example, `labels: {0: No, 1: Yes}`."))
            else:
                found[str(key)] = _plain(label)
        return found

    def _options(self, value: object) -> tuple[str, ...]:
        several = value if isinstance(value, list) else [] if value is None else [value]
        names = tuple(_column(one) for one in several)
        if all(names) and (names or value is None):
            return tuple(name for name in names if name)
        hint = _("Write, for example, `options: choices`, or `options: [A, B, C, D]` for several columns.")
        self._fault(
            ("options",), _("`options` should be the column with the options, or a list of columns."), hint
        )
        return ()

    def _sizes_and_files(self, value: object, files: dict[SplitName, str]) -> object:
        """The sizes in `split`; a text there is the file of that split."""
        if not isinstance(value, Mapping):
            return value
        sizes = {}
        for name, size in value.items():
            split = next((one for one in SPLITS if one == name), None)
            if split and split not in files and isinstance(size, str) and size.strip():
                files[split] = size.strip()
            else:
                sizes[name] = size
        return sizes or None

    def _split(self, value: object, files: Mapping[SplitName, str]) -> dict[SplitName, int | float]:
        if value is None:
            return {}
        hint = _("Write, for example, `split: {train: 48, eval: 48, test: 144}`, or shares that add up to 1.")
        if not isinstance(value, Mapping):
            self._fault(("split",), _("`split` should say how many rows each split gets."), hint)
            return {}
        found: dict[SplitName, int | float] = {}
        for name, size in value.items():
            path = ("split", name)
            split = next((one for one in SPLITS if one == name), None)
            if split is None:
                meant = SPLIT_NAMES.get(name.casefold()) or nearest(name, SPLITS)
                hint = (
                    _("Did you mean `{meant}`?", meant=meant)
                    if meant
                    else _("The splits are {splits}.", splits=", ".join(SPLITS))
                )
                self._fault(path, _("Unknown split `{name}`.", name=name), hint)
            elif split in files:
                what = _(
                    "The rows for {name} come from a separate file, so they have no size here.", name=name
                )
                self._fault(path, what, _("Delete one of the two."))
            elif isinstance(size, bool) or not isinstance(size, int | float) or not 0 <= size <= _most(size):
                self._fault(
                    path,
                    _("`{name}` is neither a number of rows nor a share, nor the path of a file.", name=name),
                    hint,
                )
            elif size == 0 and name != "test":
                self._fault(path, _("The split {name} gets no row.", name=name), _("Give it at least one."))
            else:
                found[split] = size
        if len(found) == len(value):
            self._check_sizes(found, files, hint)
        return found

    def _check_sizes(
        self, sizes: Mapping[SplitName, int | float], files: Mapping[SplitName, str], hint: str
    ) -> None:
        missing = [name for name in ("train", "eval") if name not in sizes and name not in files]
        shares = [size for size in sizes.values() if isinstance(size, float)]
        if missing:
            self._fault(
                ("split",), _("`split` says nothing of {missing}.", missing=" and ".join(missing)), hint
            )
        elif shares and any(size and isinstance(size, int) for size in sizes.values()):
            self._fault(("split",), _("`split` mixes numbers of rows with shares."), hint)
        elif sum(shares) > 1 + 1e-9:
            self._fault(
                ("split",),
                _("The shares add up to {sum:g}.", sum=sum(shares)),
                _("Let them add up to 1 at most."),
            )

    def _limit(self, value: object) -> int | None:
        is_whole = isinstance(value, int) and not isinstance(value, bool) and 1 <= value <= MOST_ROWS
        if value is None or (isinstance(value, int) and is_whole):
            return value
        self._fault(
            ("limit",), _("`limit` should be a whole number of rows, 1 or more."), _("Write `limit: 200`.")
        )
        return None

    def _fault(self, path: tuple[str, ...], what: str, hint: str) -> None:
        self.faults.append(KeyFault(path, what, hint))


_HOW: Final = N_("Write, for example, `data: rows.jsonl`; JSONL, JSON, CSV and other tables can be read.")


def _plain(value: object) -> str:
    """A single value as JSON and YAML write it; nothing for none."""
    match value:
        case None:
            return ""
        case bool():
            return "true" if value else "false"
        case _:
            return str(value)


def _column(value: object) -> str | None:
    """The name of a column; a number, counted from 1, names one that has no name."""
    if isinstance(value, int) and not isinstance(value, bool) and value > 0:
        return str(value)
    return value if isinstance(value, str) and value else None


def _name(path: tuple[str, ...]) -> str:
    return ".".join(("data", *path))


def _most(size: float) -> int:
    """The most a number of rows can be, or a share."""
    return MOST_ROWS if isinstance(size, int) else 1
