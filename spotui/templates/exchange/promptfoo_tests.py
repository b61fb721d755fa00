"""Reads the tests of a promptfoo configuration, whatever files they are in, with defaults and expansions."""

from collections.abc import Iterator, Mapping, Sequence
from itertools import product
from pathlib import Path
from typing import Any, Final

import msgspec

from spotui.lang import N_, _
from spotui.templates.exchange.asserts import assert_of_cell
from spotui.templates.exchange.braces import render
from spotui.templates.exchange.imported import Record, SourceError
from spotui.templates.exchange.source import Source, is_program

MOST_TESTS: Final = 200_000
"""Tests after variables with several values are expanded."""

_TABLES: Final = (".csv", ".tsv", ".xlsx", ".xls", ".parquet")
_NEVER_RUN: Final = N_("spotui never runs code of a source.")
_REMOTE: Final = N_("Nothing is fetched: save it as a file beside the configuration.")
_TEXTS: Final = (".txt", ".md", ".j2", ".html", ".xml", ".csv")
_KEPT: Final = frozenset({"vars", "assert", "description"})
_SPECIAL: Final = "__"
_OPTIONS: Final = frozenset({"disableVarExpansion"})


class Test(msgspec.Struct):
    """One test.

    Attributes:
        where: Its place.
        values: Its variables.
        asserts: What it asserts, each with its place.
        description: What it is called.
    """

    where: str
    values: Record
    asserts: list[tuple[str, Any]]
    description: str = ""


def read_tests(
    source: Source, path: Path, config: Mapping[str, Any], values: Mapping[str, str]
) -> list[Test]:
    """The tests of a configuration, those of its scenarios among them.

    Args:
        source: The source.
        path: The configuration's file.
        config: What it holds.
        values: Texts that stand for variables everywhere, e.g. `env.NAME`.

    Raises:
        SourceError: A file cannot be read, or there are too many tests.
    """
    return _Reader(source, path, values).read(config)


class _Reader:
    def __init__(self, source: Source, path: Path, values: Mapping[str, str]) -> None:
        self._source, self._path, self._values = source, path, values
        self._notes = source.notes
        self._default: dict[str, Any] = {}
        self._tests: list[Test] = []

    def read(self, config: Mapping[str, Any]) -> list[Test]:
        name, base = self._source.where(self._path), self._path.parent
        default = config.get("defaultTest")
        if isinstance(default, str):
            default = self._of_reference(default, base, f"{name}, defaultTest")
        if isinstance(default, dict):
            self._default = default
            self._note_keys(default, f"{name}, defaultTest")
        for where, data, folder in self._listed(config.get("tests"), base, f"{name}, tests"):
            self._add(where, data, folder, {})
        scenarios = config.get("scenarios")
        for number, one in enumerate(scenarios if isinstance(scenarios, list) else [], 1):
            self._scenario(one, base, f"{name}, scenarios[{number}]")
        return self._tests

    def _scenario(self, data: Any, base: Path, where: str) -> None:
        if isinstance(data, str):
            data = self._of_reference(data, base, where)
        if not isinstance(data, dict):
            self._notes.add(where, _("The scenario is left out."), _("It is not a mapping."))
            return
        tests = [*self._listed(data.get("tests"), base, f"{where}.tests")] or [(where, {}, base)]
        for _where, config, _folder in self._listed(data.get("config"), base, f"{where}.config"):
            for place, test, folder in tests:
                self._add(place, test, folder, config)

    def _listed(self, data: Any, base: Path, where: str) -> Iterator[tuple[str, dict[str, Any], Path]]:
        """The tests that a value lists, each with its place and the folder of its references."""
        if isinstance(data, dict) and data.keys() & {"vars", "assert", "description"}:
            data = [data]
        several = data if isinstance(data, list) else [] if data is None else [data]
        for number, one in enumerate(several, 1):
            place = f"{where}[{number}]"
            if isinstance(one, str):
                yield from self._of_files(one, base, place)
            elif isinstance(one, dict) and "path" in one and "vars" not in one:
                self._leave_out(place, str(one["path"]), _(_NEVER_RUN))
            elif isinstance(one, dict):
                yield place, one, base
            else:
                self._notes.add(place, _("The test is left out."), _("It is not a mapping."))

    def _of_files(self, reference: str, base: Path, where: str) -> Iterator[tuple[str, dict[str, Any], Path]]:
        if "://" in reference and not reference.startswith("file://"):
            self._leave_out(where, reference, _(_REMOTE))
            return
        if is_program(reference):
            self._leave_out(where, reference, _(_NEVER_RUN))
            return
        for path in self._source.refer(base, reference.partition("#")[0], where):
            with self._source.following(path):
                if path.suffix.lower() in (*_TABLES, ".jsonl"):
                    for number, record in self._source.records(path):
                        place = self._source.where(path, number)
                        if isinstance(record, dict):
                            is_test = path.suffix.lower() == ".jsonl" and record.keys() & {"vars", "assert"}
                            yield place, record if is_test else self._of_cells(record, place), path.parent
                else:
                    yield from self._of_value(self._source.value(path), path)

    def _of_value(self, value: Any, path: Path) -> Iterator[tuple[str, dict[str, Any], Path]]:
        name = self._source.where(path)
        listed = value if isinstance(value, list) else [value]
        for number, one in enumerate(listed, 1):
            place = f"{name}, [{number}]"
            if isinstance(one, str):
                yield from self._of_files(one, path.parent, place)
            elif isinstance(one, dict) and one.keys() & {"vars", "assert", "options", "metadata"}:
                yield place, one, path.parent
            elif isinstance(one, dict):
                yield place, self._of_cells(one, place), path.parent
            else:
                self._notes.add(place, _("The test is left out."), _("It is not a mapping."))

    def _of_cells(self, record: Record, where: str) -> dict[str, Any]:
        """The test that a row of a table stands for."""
        found: dict[str, Any] = {"vars": {}, "assert": []}
        for name, cell in record.items():
            if name == "__description":
                found["description"] = cell
            elif name.startswith("__expected"):
                if str(cell or "").strip():
                    found["assert"].append(assert_of_cell(str(cell)))
            elif name in ("__prefix", "__suffix", "__threshold", "__providerOutput"):
                if str(cell or "").strip():
                    found[name.removeprefix(_SPECIAL)] = cell
            elif name.startswith(_SPECIAL):
                what = _("The column `{name}` is left out.", name=name)
                self._notes.add(
                    where, what, _("Only variables, checks and descriptions have a place in rows.")
                )
            else:
                found["vars"][name] = cell
        return found

    def _add(self, where: str, data: Mapping[str, Any], base: Path, scenario: Mapping[str, Any]) -> None:
        self._note_keys(data, where)
        values: Record = {}
        for level, folder in ((self._default, self._path.parent), (scenario, base), (data, base)):
            values |= self._variables(level.get("vars"), folder, where)
        asserts = [
            (f"{where}.assert[{number}]", one)
            for level in (self._default, scenario, data)
            for number, one in enumerate(_list(level.get("assert")), 1)
        ]
        description = str(data.get("description") or scenario.get("description") or "")
        options = {**_dict(self._default.get("options")), **_dict(data.get("options"))}
        if options.get("disableVarExpansion"):
            variants = [values]
        else:
            variants = _expanded(values, MOST_TESTS - len(self._tests))
        if len(self._tests) + len(variants) > MOST_TESTS:
            raise SourceError(
                _("{where}: there are more than {most:,} tests.", where=where, most=MOST_TESTS),
                _("Give fewer values to the variables, or import a part of the tests."),
            )
        self._tests += [Test(where, self._filled(one), asserts, description) for one in variants]

    def _variables(self, data: Any, base: Path, where: str) -> Record:
        if isinstance(data, str) or (isinstance(data, list) and all(isinstance(one, str) for one in data)):
            found: Record = {}
            for reference in _list(data):
                found |= _dict(self._of_reference(reference, base, f"{where}.vars"))
            return found
        return {
            str(name): self._value(value, base, f"{where}.vars.{name}") for name, value in _dict(data).items()
        }

    def _value(self, value: Any, base: Path, where: str) -> Any:
        if isinstance(value, list):
            return [self._value(one, base, where) for one in value]
        if not isinstance(value, str) or not value.startswith("file://"):
            return value
        if is_program(value):
            self._leave_out(where, value, _(_NEVER_RUN))
            return ""
        texts = []
        for path in self._source.refer(base, value, where):
            if path.suffix.lower() in (".yaml", ".yml", ".json"):
                with self._source.following(path):
                    texts.append(self._source.value(path))
            elif path.suffix.lower() in _TEXTS or not path.suffix:
                texts.append(self._source.text(path).strip())
            else:
                self._leave_out(where, path.name, _("It is not a text."))
        return texts[0] if len(texts) == 1 else texts

    def _of_reference(self, reference: str, base: Path, where: str) -> Any:
        """What the YAML or JSON file of a reference holds."""
        if is_program(reference):
            self._leave_out(where, reference, _(_NEVER_RUN))
            return None
        found: Any = None
        for path in self._source.refer(base, reference, where):
            with self._source.following(path):
                value = self._source.value(path)
                if isinstance(value, str) and value.startswith("file://"):
                    value = self._of_reference(value, path.parent, self._source.where(path))
            found = {**found, **value} if isinstance(found, dict) and isinstance(value, dict) else value
        return found

    def _filled(self, values: Record) -> Record:
        """Variables whose values have variables themselves are filled."""
        return {
            name: filled
            if isinstance(value, str)
            and "{{" in value
            and (filled := render(value, {**values, **self._values})) is not None
            else value
            for name, value in values.items()
        }

    def _note_keys(self, data: Mapping[str, Any], where: str) -> None:
        options = _dict(data.get("options")).keys() - _OPTIONS
        for key in [*(data.keys() - _KEPT - {"options"}), *(f"options.{name}" for name in options)]:
            what = _("`{key}` of a test is left out.", key=key)
            why = _("A row has variables and checks; the mark is the share of checks that an answer passes.")
            self._notes.add(where, what, why)

    def _leave_out(self, where: str, name: str, why: str) -> None:
        self._notes.add(where, _("{name} is left out.", name=name), why)


def _expanded(values: Record, most: int) -> list[Record]:
    """The tests for each combination of the variables that have a list of values."""
    lists: dict[str, Sequence[Any]] = {
        name: value
        for name, value in values.items()
        if isinstance(value, list) and value and isinstance(value[0], str)
    }
    count = 1
    for several in lists.values():
        count *= len(several)
        if count > most:
            return [values] * (most + 1)
    return [{**values, **dict(zip(lists, chosen, strict=True))} for chosen in product(*lists.values())]


def _list(data: Any) -> list[Any]:
    return data if isinstance(data, list) else [] if data is None else [data]


def _dict(data: Any) -> dict[str, Any]:
    return data if isinstance(data, dict) else {}
