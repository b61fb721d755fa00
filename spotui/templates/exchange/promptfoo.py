"""Reads promptfoo's configurations: each prompt with the tests becomes a template with rows."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

from spotui.lang import N_, _
from spotui.templates.exchange.asserts import (
    FACT_IN_ROW,
    RUBRIC_IN_ROW,
    AssertReader,
    Expected,
    as_record,
)
from spotui.templates.exchange.chats import HISTORY, chat_of, from_chat
from spotui.templates.exchange.imported import Imported, Record, SourceError, note_requirements
from spotui.templates.exchange.promptfoo_tests import Test, read_tests
from spotui.templates.exchange.source import Source, compact, is_program

EXPECTED: Final = "__expected"
DESCRIPTION: Final = "__description"
"""Columns of a row beside the variables, called as in promptfoo's tables."""

_NAMES: Final = tuple(f"promptfooconfig.{ending}" for ending in ("yaml", "yml", "json"))
_OTHERS: Final = ("tests", "providers", "targets", "scenarios", "defaultTest")
_READ: Final = frozenset({"prompts", "tests", "scenarios", "defaultTest", "env", "description", "$schema"})
_WHY: Final = {
    **dict.fromkeys(("providers", "targets"), N_("Choose the models with --model, or below `models:`.")),
    **dict.fromkeys(
        ("nunjucksFilters", "extensions", "derivedMetrics"), N_("spotui never runs code of a source.")
    ),
}
_NO_COUNTERPART: Final = N_("It has no counterpart here.")
_ENDINGS: Final = (".txt", ".md", ".j2", ".json", ".jsonl", ".yaml", ".yml", ".csv")
_NO_ROWS: Final = N_("A template needs at least one row.")


def recognises(source: Source) -> bool:
    """Whether a source is a configuration, or a folder with one."""
    if source.is_folder:
        return any(name in source.names for name in _NAMES)
    document = source.document
    return isinstance(document, dict) and "prompts" in document and any(key in document for key in _OTHERS)


def read(source: Source) -> list[Imported]:
    """The templates of a configuration, one for each prompt.

    Raises:
        SourceError: It cannot be read, or has neither prompts nor tests.
    """
    path = source.path
    if source.is_folder:
        path = source.folder / next(name for name in _NAMES if name in source.names)
    config = source.value(path)
    if not isinstance(config, dict):
        raise SourceError(
            _("{name} is not a promptfoo configuration: it has no keys.", name=source.where(path)),
            _("Give the path of a promptfooconfig.yaml."),
        )
    return _Reader(source, path, config).templates()


class _Prompt:
    """A prompt as the configuration has it: a text, which may be a chat as JSON."""

    def __init__(self, text: str, label: str, where: str) -> None:
        self.text, self.label, self.where = text, label, where


class _Reader:
    def __init__(self, source: Source, path: Path, config: dict[str, Any]) -> None:
        self._source, self._path, self._config = source, path, config
        self._notes = source.notes
        self._name = source.where(path)
        self._values = {f"env.{name}": value for name, value in source.environ.items()}
        env = config.get("env")
        for name, value in env.items() if isinstance(env, dict) else ():
            self._values.setdefault(f"env.{name}", str(value))

    def templates(self) -> list[Imported]:
        for key in self._config.keys() - _READ:
            what = _("`{key}` is left out.", key=key)
            self._notes.add(self._name, what, _(_WHY[key]) if key in _WHY else _(_NO_COUNTERPART))
        with self._source.following(self._path):
            prompts = self._prompts(self._config.get("prompts"), self._path.parent, f"{self._name}, prompts")
            tests = read_tests(self._source, self._path, self._config, self._values)
        if not prompts:
            raise SourceError(
                _("{name} has no prompt that can be read.", name=self._name),
                _("Add one below `prompts:`; prompts that are programs are never run."),
            )
        if not tests:
            raise SourceError(_("{name} has no tests.", name=self._name), _(_NO_ROWS))
        expected = self._expected(tests)
        found = [self._template(at, one, tests, expected) for at, one in enumerate(prompts, 1)]
        templates = [one for one in found if one is not None]
        if not templates:
            raise SourceError(
                _("No prompt of {name} has a variable that the tests fill.", name=self._name),
                _("Write a variable into a prompt, e.g. {{question}}."),
            )
        if not all(one.criteria for one in templates):
            note_requirements(self._notes, self._name)
        return templates

    # prompts

    def _prompts(self, data: Any, base: Path, where: str) -> list[_Prompt]:
        if isinstance(data, dict) and not data.keys() & {"raw", "id", "label"}:
            data = [{"id": name, "label": label} for name, label in data.items()]
        several = data if isinstance(data, list) else [] if data is None else [data]
        found: list[_Prompt] = []
        for number, one in enumerate(several, 1):
            found += self._prompt(one, base, f"{where}[{number}]")
        return found

    def _prompt(self, data: Any, base: Path, where: str) -> list[_Prompt]:
        label = ""
        if isinstance(data, dict):
            label = str(data.get("label") or "")
            if "config" in data:
                self._notes.add(where, _("`{key}` is left out.", key="config"), _(_NO_COUNTERPART))
            data = data.get("raw", data.get("id"))
        if isinstance(data, list) and chat_of(data):
            return [_Prompt(compact(data), label, where)]
        if not isinstance(data, str) or not data.strip():
            self._notes.add(where, _("The prompt is left out."), _("It is not a text."))
            return []
        if not _is_file(data):
            return [_Prompt(data, label, where)]
        if is_program(data):
            self._notes.add(
                where,
                _("The prompt {name} is left out.", name=data),
                _("spotui never runs code of a source."),
            )
            return []
        found: list[_Prompt] = []
        for path in self._source.refer(base, data, where):
            with self._source.following(path):
                found += self._of_file(path, label)
        return found

    def _of_file(self, path: Path, label: str) -> list[_Prompt]:
        name = self._source.where(path)
        match path.suffix.lower():
            case ".csv":
                records = self._source.records(path)
                cells = [(one.number, one.record) for one in records if isinstance(one.record, dict)]
                if cells and "prompt" not in cells[0][1]:
                    raise SourceError(
                        _("{name} has no column `prompt`.", name=name),
                        _("Name the column of the prompts so, in the first line."),
                    )
                return [
                    _Prompt(str(row["prompt"]), str(row.get("label") or label), self._source.where(path, at))
                    for at, row in cells
                    if str(row["prompt"]).strip()
                ]
            case ".jsonl":
                lines = self._source.records(path)
                return [
                    _Prompt(compact(one.record), label, self._source.where(path, one.number)) for one in lines
                ]
            case ".yaml" | ".yml" | ".json":
                value = self._source.value(path)
                return [_Prompt(value if isinstance(value, str) else compact(value), label, name)]
            case _:
                text = self._source.text(path)
        if path.suffix.lower() != ".txt":
            return [_Prompt(text.strip(), label, name)]
        parts = "\n".join("\0" if line.strip() == "---" else line for line in text.splitlines()).split("\0")
        return [_Prompt(part.strip(), label, name) for part in parts if part.strip()]

    # templates

    def _template(
        self, number: int, prompt: _Prompt, tests: Sequence[Test], expected: Sequence[Expected]
    ) -> Imported | None:
        found = from_chat(prompt.text, self._notes, prompt.where, self._values)
        if found is None:
            return None
        used = found.names
        if not used:
            what = _("The prompt is left out.")
            self._notes.add(prompt.where, what, _("It has no variable, so that all tests ask the same."))
            return None
        records = [self._record(test, used) for test in tests]
        if found.has_history:
            records = [_conversation(record, used) for record in records]
            used = {slot: column for slot, column in used.items() if slot != "question"}
        imported = Imported(
            prompt=found.prompt,
            label=prompt.label,
            extra=found.extra,
            columns={slot: column for slot, column in used.items() if slot != column},
            origin={"prompt": number},
        )
        self._mark(imported, tests, records, expected)
        return imported

    def _record(self, test: Test, used: dict[str, str]) -> Record:
        record = dict(test.values)
        for column in used.values():
            first = column.partition(".")[0]
            if column not in record and first not in record:
                record[column] = ""
                what = _("The variable `{name}` has no value and is empty.", name=column)
                self._notes.add(test.where, what, _("promptfoo sends it so, too."))
        if test.description:
            record[DESCRIPTION] = test.description
        return record

    def _expected(self, tests: Sequence[Test]) -> list[Expected]:
        reader = AssertReader(self._notes, self._values, self._load)
        return [reader.read(test.asserts, test.values) for test in tests]

    def _load(self, reference: str, where: str) -> str | None:
        if is_program(reference):
            why = _("spotui never runs code of a source.")
            self._notes.add(where, _("{name} is left out.", name=reference), why)
            return None
        path = self._source.refer(self._path.parent, reference, where)[0]
        return self._source.text(path).strip()

    def _mark(
        self, imported: Imported, tests: Sequence[Test], records: list[Record], expected: Sequence[Expected]
    ) -> None:
        """Set metric and criteria, and what each row expects."""
        checked = [bool(one.checks) for one in expected]
        judged = [bool(one.rubrics or one.facts) for one in expected]
        common = [one for one in expected[0].rubrics if all(one in other.rubrics for other in expected)]
        by_checks = any(checked) and sum(checked) >= sum(
            judge and not check for judge, check in zip(judged, checked, strict=True)
        )
        imported.criteria = tuple(common)
        if by_checks:
            self._by_checks(imported, tests, records, expected)
            return
        if any(checked):
            why = _("Most tests have a rubric and no check, and a template has one metric: the judge.")
            self._notes.add(self._name, _("The checks of some tests are left out."), why)
        if any(judged):
            self._by_judge(imported, records, expected, common)
        imported.rows = {None: records}

    def _by_checks(
        self, imported: Imported, tests: Sequence[Test], records: list[Record], expected: Sequence[Expected]
    ) -> None:
        if any(one.rubrics or one.facts for one in expected):
            what = _("Rubrics and facts do not count in the score.")
            why = _("A template has one metric, and the checks are it; rubrics of all tests are `criteria`.")
            self._notes.add(self._name, what, why)
        pairs = [(record, one) for record, one in zip(records, expected, strict=True) if one.checks]
        for test, one in zip(tests, expected, strict=True):
            if not one.checks:
                why = _("It has no check that is marked without a model, as most others have.")
                self._notes.add(test.where, _("The test is left out."), why)
        all_checks = [check for _record, one in pairs for check in one.checks]
        kinds = {check.type for check in all_checks}
        single = (
            len(kinds) == 1
            and len(all_checks) == len(pairs)
            and all(isinstance(check.value, str) and check.weight == 1 for check in all_checks)
        )
        kind = next(iter(kinds))
        for record, one in pairs:
            record[EXPECTED] = one.checks[0].value if single else [as_record(check) for check in one.checks]
        imported.metric = "checks" if not single else _metric(kind)
        imported.columns["answer"] = EXPECTED
        imported.rows = {None: [record for record, _one in pairs]}

    def _by_judge(
        self,
        imported: Imported,
        records: list[Record],
        expected: Sequence[Expected],
        common: Sequence[str],
    ) -> None:
        special = [[text for text in one.rubrics if text not in common] for one in expected]
        facts = any(one.facts for one in expected)
        imported.metric = "judge"
        if any(special):
            imported.criteria += (RUBRIC_IN_ROW,)
            what = _("Rubrics that differ from test to test are the reference answers of their rows.")
            self._notes.add(self._name, what, _("The judge is asked whether an answer meets them."))
        if facts:
            imported.criteria += (FACT_IN_ROW,)
        if not facts and not any(special):
            return
        both = facts and any(special)
        for record, rubrics, one in zip(records, special, expected, strict=True):
            texts = [f"Rubric: {text}" if both else text for text in rubrics]
            texts += [f"Fact: {text}" if both else text for text in one.facts]
            record[EXPECTED] = texts if len(texts) != 1 else texts[0]
        imported.columns["answer"] = EXPECTED


def _conversation(record: Record, used: dict[str, str]) -> Record:
    """A row whose question is a conversation, made of the turns before it and the question."""
    turns = record.pop(HISTORY, None)
    asked = record.pop(used["question"])
    return {
        "messages": [*(turns if isinstance(turns, list) else []), {"role": "user", "content": asked}],
        **record,
    }


def _metric(kind: str) -> Any:
    return "exact" if kind == "equals" else {"name": "checks", "type": kind}


def _is_file(text: str) -> bool:
    """Whether an entry below `prompts` names a file: it says so, or ends as one on a single line."""
    if text.startswith(("file://", "exec:")):
        return True
    is_short = "\n" not in text and len(text) < 500 and not any(mark in text for mark in "{ ")
    return is_short and (text.lower().endswith(_ENDINGS) or is_program(text))
