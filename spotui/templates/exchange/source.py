"""Reads the files of a source: only as data, and only those of its folder unless the user agrees to more."""

import json
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import cached_property
from itertools import islice
from pathlib import Path
from typing import Any, Final, NamedTuple
from urllib.parse import unquote

from spotui.domain.errors import nearest
from spotui.lang import N_, _
from spotui.templates.data.data_file import DataFile, TextFile
from spotui.templates.data.json_rows import MOST_CHARACTERS
from spotui.templates.data.json_text import JsonText
from spotui.templates.data.record import BadRowError
from spotui.templates.data.source import ENDINGS, DataSource
from spotui.templates.exchange.imported import Notes, Record, SourceError
from spotui.templates.yaml.composer import load
from spotui.templates.yaml.faults import YamlError

MOST_FILES: Final = 10_000
"""Files that a source may refer to."""
MOST_REPEATED: Final = 1_000_000
"""Values that the aliases of a YAML file may repeat: evals repeat their checks in every test."""

_YAML: Final = (".yaml", ".yml")
_JSON: Final = (".json", ".jsonl", ".ndjson")
_PROGRAMS: Final = (".js", ".mjs", ".cjs", ".ts", ".mts", ".cts", ".py", ".rb", ".sh", ".go")
_CORRECT: Final = N_("Correct it and import again.")


class OutsideSourceError(SourceError):
    """A file outside of the source's folder that the user has not agreed to.

    Args:
        where: What refers to it.
        path: The file.
        folder: The source's folder.
    """

    def __init__(self, where: str, path: Path, folder: Path) -> None:
        super().__init__(
            _(
                "{where} refers to {path}, which is outside of the folder {folder}.",
                where=where,
                path=path,
                folder=folder,
            ),
            _("If its content may go into a template, repeat the command with --trust {path}", path=path),
        )
        self.path = path


class Line(NamedTuple):
    """A record with its place."""

    number: int
    record: Any


class Source:
    """A file or folder to import.

    Args:
        path: The file or folder.
        agrees: Whether the user lets a file outside of the folder be read; it is called with what refers to
            it, and its path.
        environ: The values of environment variables that may be written into a template.
        chosen: The columns that the user names, below `question` and `answer`.

    Attributes:
        path: The file or folder.
        folder: The folder of all its files.
        notes: What is left out or changed.
    """

    def __init__(
        self,
        path: Path,
        agrees: Callable[[str, Path], bool] = lambda _where, _path: False,
        environ: Mapping[str, str] | None = None,
        chosen: Mapping[str, str] | None = None,
    ) -> None:
        self.path = path
        self.chosen = chosen or {}
        self.notes = Notes()
        self.environ = environ or {}
        try:
            self.is_folder = path.is_dir()
            if not path.exists():
                raise SourceError(_("{path} does not exist.", path=path), _near(path))
            if not (self.is_folder or path.is_file()):  # a pipe would be waited for
                raise SourceError(
                    _("{source} is not an ordinary file.", source=path), _("Give the path of a data file.")
                )
        except (OSError, ValueError):
            raise SourceError(_("{path} cannot be opened.", path=path), _("Check the path.")) from None
        self.folder = path if self.is_folder else path.parent
        self._agrees = agrees
        self._trail: list[Path] = []
        self._read: set[Path] = set()
        self._parsed: dict[Path, _Json] = {}
        self._texts: dict[Path, None] = {}
        self._values: dict[Path, Any] = {}

    @property
    def name(self) -> str:
        """What the source is called in a sentence."""
        return self.path.name or str(self.path)

    @property
    def ending(self) -> str:
        """The ending that says what format the file has, in small letters."""
        return Path(self.path.name.removesuffix(".gz")).suffix.lower()

    def where(self, path: Path, line: int = 0) -> str:
        """A place in the source as a person reads it."""
        path, home = path.resolve(), self.folder.resolve()
        name = path.relative_to(home) if path.is_relative_to(home) else path
        return _("{name}, line {line}", name=name, line=line) if line else str(name)

    # what the source itself holds

    @cached_property
    def document(self) -> Any:
        """What a YAML or JSON file holds as a whole; None where it is a folder, a table or lines.

        Raises:
            SourceError: It cannot be read.
        """
        if self.is_folder or self.ending not in (*_YAML, *_JSON):
            return None
        return self._yaml(self.path) if self.ending in _YAML else self._json(self.path).value

    @cached_property
    def lines(self) -> list[Line]:
        """The records of a file that has one on each line, in a list, or in a table.

        Raises:
            SourceError: It cannot be read, or a record of it.
        """
        if self.is_folder:
            return []
        return self.records(self.path) if self.ending in ENDINGS else []

    @cached_property
    def sample(self) -> list[Record]:
        """The first records that are objects, by which a format is recognized."""
        return [one.record for one in islice(self.lines, 20) if isinstance(one.record, dict)]

    def mostly(self, is_such: Callable[[Record], bool]) -> bool:
        """Whether most of the first records are such: one that is damaged does not hide the format."""
        return 2 * sum(map(is_such, self.sample)) > len(self.sample)

    @cached_property
    def names(self) -> frozenset[str]:
        """The paths of a folder's files, seen from there; none of a file."""
        if not self.is_folder:
            return frozenset()
        found = (path for path in self.folder.rglob("*") if path.is_file())
        inside = (path.relative_to(self.folder) for path in islice(found, MOST_FILES))
        return frozenset(
            one.as_posix() for one in inside if not any(part.startswith(".") for part in one.parts)
        )

    # files by their paths

    def text(self, path: Path) -> str:
        """The text of a file.

        Raises:
            SourceError: It cannot be read, or is not a text.
        """
        self._texts.setdefault(path.resolve())
        with self._faults(path):
            file = TextFile(path)
            if file.notice:
                self.notes.add(self.where(path), file.notice)
            return "".join(line for _number, line in file.lines(MOST_CHARACTERS)).removeprefix("\ufeff")

    def value(self, path: Path) -> Any:
        """What a YAML or JSON file holds; a list where it has a JSON value on each line.

        Raises:
            SourceError: It cannot be read.
        """
        if path.suffix.lower() not in _JSON:
            return self._yaml(path)
        found = self._json(path)
        return found.value if found.lines is None else [one.record for one in found.lines]

    def records(self, path: Path) -> list[Line]:
        """The records of a table, of a list, or of lines, each with its number.

        Raises:
            SourceError: The file cannot be read, or a record of it.
        """
        if path.name.removesuffix(".gz").lower().endswith(_JSON):
            return self._json(path).records()
        found = []
        with self._faults(path):
            for read in DataFile(path, DataSource(), frozenset()).records():
                if isinstance(read.record, BadRowError):
                    raise self._fault(path, read.record, read.line)
                found.append(Line(read.line, dict(read.record)))
        return found

    def cells(self, path: Path) -> list[Line]:
        """The rows of a table that has no header, as lists.

        Raises:
            SourceError: It cannot be read.
        """
        found = []
        with self._faults(path):
            for read in DataFile(path, DataSource(header=False), frozenset()).records():
                if isinstance(read.record, BadRowError):
                    raise self._fault(path, read.record, read.line)
                found.append(Line(read.line, list(read.record.values())))
        return found

    # references from file to file

    def refer(self, base: Path, reference: str, where: str) -> list[Path]:
        """The files that a reference names; none of them is read yet.

        Args:
            base: The folder that relative references are seen from.
            reference: A path or pattern, also with `file://` before it.
            where: What refers to it.

        Raises:
            SourceError: There is no such file, or too many.
            OutsideSourceError: It is outside of the folder, and the user has not agreed.
        """
        name = unquote(reference.removeprefix("file://")) if "%" in reference else reference
        name = name.removeprefix("file://")
        try:
            if any(mark in name for mark in "*?["):
                root, pattern = (Path("/"), name[1:]) if name.startswith("/") else (base, name)
                paths = sorted(path for path in islice(root.glob(pattern), MOST_FILES) if path.is_file())
            else:
                paths = [base / name]
            paths = [path.resolve() for path in paths]
            missing = not paths or not all(path.is_file() for path in paths)
        except (OSError, ValueError, NotImplementedError, RuntimeError):
            missing = True
        if missing:
            raise SourceError(
                _("{where} refers to {name}, which does not exist.", where=where, name=name),
                _near(base / name),
            )
        home = self.folder.resolve()
        for path in paths:
            inside = path.is_relative_to(home) and not _is_hidden(path.relative_to(home))
            if not inside and path not in self._read and not self._agrees(where, path):
                raise OutsideSourceError(where, path, home)
            self._read.add(path)
        if len(self._read) > MOST_FILES:
            raise SourceError(
                _("{name} refers to more than {most:,} files.", name=self.name, most=MOST_FILES),
                _("Import a part of it."),
            )
        return paths

    @contextmanager
    def following(self, path: Path) -> Iterator[None]:
        """The time in which the references of a file are followed.

        Raises:
            SourceError: The file refers to itself.
        """
        path = path.resolve()
        if path in self._trail:
            circle = " → ".join(self.where(one) for one in [*self._trail[self._trail.index(path) :], path])
            raise SourceError(
                _("The files refer to each other in a circle: {circle}.", circle=circle), _(_CORRECT)
            )
        self._trail.append(path)
        try:
            yield
        finally:
            self._trail.pop()

    @property
    def read_files(self) -> list[Path]:
        """The texts that were read, in their order."""
        return list(self._texts)

    # the formats

    @contextmanager
    def _faults(self, path: Path) -> Iterator[None]:
        try:
            yield
        except BadRowError as bad:
            raise self._fault(path, bad) from None
        except OSError as error:
            raise SourceError(
                _("{path} cannot be read ({reason}).", path=path, reason=error.strerror or error),
                _("Check its permissions."),
            ) from None

    def _fault(self, path: Path, bad: BadRowError, line: int = 0) -> SourceError:
        place = self.where(path, bad.line or line)
        return SourceError(f"{place}: {bad.what}", bad.hint or _(_CORRECT))

    def _yaml(self, path: Path) -> Any:
        if path not in self._values:
            self._values[path] = self._read_yaml(path)
        return self._values[path]

    def _read_yaml(self, path: Path) -> Any:
        text = self.text(path)
        try:
            return load(text, merges=True, most_repeated=MOST_REPEATED).data()
        except YamlError as error:
            first = error.faults[0]
            raise SourceError(f"{self.where(path, first.line)}: {first.what}", first.hint) from None

    def _json(self, path: Path) -> "_Json":
        if path not in self._parsed:
            text = self.text(path)
            with self._faults(path):
                self._parsed[path] = _read_json(text, is_lines=path.suffix.lower() != ".json")
        return self._parsed[path]


class _Json(NamedTuple):
    """A JSON text: a value, or one on each line; `items` has the lines of the items of a list."""

    value: Any = None
    items: list[Line] | None = None
    lines: list[Line] | None = None

    def records(self) -> list[Line]:
        return self.lines if self.lines is not None else self.items or []


def _read_json(text: str, *, is_lines: bool) -> _Json:
    """Read a text, whatever its ending says.

    Raises:
        BadRowError: It is not JSON.
    """
    whole = JsonText(text)
    start = whole.skip()
    if whole.is_end(start):
        raise BadRowError(_("The file is empty."), _("Choose another one."))
    if whole.begins(start, "["):
        items = [Line(line, item) for line, item in whole.items(start)]
        return _Json([one.record for one in items], items)
    if not is_lines:
        value, end = whole.value(start)
        if whole.is_end(end):
            return _Json(value)
    found = []
    for number, line in enumerate(text.split("\n"), 1):
        if line.strip():
            json_line = JsonText(line, number)
            value, end = json_line.value(json_line.skip())
            if not json_line.is_end(end):
                what = _("Something follows the object, from column {end} on.", end=end + 1)
                raise BadRowError(what, "", number)
            found.append(Line(number, value))
    return _Json(lines=found)


def is_program(name: str) -> bool:
    """Whether a reference names a program, which is never run; it may name a function behind a colon."""
    path = name.removeprefix("file://").partition(":")[0]
    return name.startswith(("exec:", "python:")) or Path(path).suffix.lower() in _PROGRAMS


def as_json(value: Any) -> Any:
    """What JSON has no type for, as a number or text: decimals, times and bytes of a table."""
    from decimal import Decimal

    from spotui.templates.data.values import written

    return (
        (int(value) if value == int(value) and "." not in str(value) else float(value))
        if isinstance(value, Decimal)
        else written(value)
    )


def compact(value: Any) -> str:
    """A value as JSON on one line."""
    return json.dumps(value, ensure_ascii=False, default=as_json)


def listed(names: Collection[str] | Sequence[str]) -> str:
    """Some names for a sentence."""
    shown = ", ".join(str(name)[:40] for name in list(names)[:6])
    return f"{shown}, …" if len(names) > 6 else shown


def _is_hidden(path: Path) -> bool:
    return any(part.startswith(".") for part in path.parts)


def _near(path: Path) -> str:
    try:
        meant = nearest(path.name, [one.name for one in path.parent.iterdir()])
    except OSError:
        return _("Check the path.")
    return _("Did you mean {meant}?", meant=path.parent / meant) if meant else _("Check the path.")
