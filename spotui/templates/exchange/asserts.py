"""From promptfoo's asserts to checks, criteria and references; what has no counterpart is noted."""

import json
import re
from collections.abc import Callable, Mapping, Sequence
from decimal import Decimal
from typing import Any, Final

import msgspec

from spotui.lang import N_, _
from spotui.metrics.checks import CHECKS, NOT, Check
from spotui.templates.data.values import written
from spotui.templates.exchange.braces import render
from spotui.templates.exchange.imported import Notes, Record
from spotui.templates.exchange.source import compact
from spotui.templates.yaml.composer import load
from spotui.templates.yaml.faults import YamlError

RUBRICS: Final = ("llm-rubric", "model-graded-closedqa", "g-eval")
FACTS: Final = ("factuality", "model-graded-factuality")
RUBRIC_IN_ROW: Final = "The answer meets the rubric that is given as its reference answer."
"""The criterion where each row has its own rubric. It is material for a model, so it stays English."""
FACT_IN_ROW: Final = "The answer is factually consistent with the reference answer."

_CODE: Final = N_("spotui never runs code of a source.")
_WHY: Final[Mapping[str, str]] = {
    **dict.fromkeys(("javascript", "python", "ruby", "webhook"), _CODE),
    **dict.fromkeys(
        ("similar", "bert-score"), N_("Similarity of embeddings is not a metric here: write a criterion.")
    ),
    "cost": N_("Costs belong to a run: give it a budget."),
    "latency": N_("The time of an answer is not marked."),
    **dict.fromkeys(
        ("rouge-n", "bleu", "gleu", "meteor", "levenshtein"), N_("Choose a metric for all rows.")
    ),
    **dict.fromkeys(
        ("is-sql", "contains-sql", "is-xml", "contains-xml", "is-html"), N_("Write a regex instead.")
    ),
}
_OTHER_REASON: Final = N_("There is no counterpart; a criterion or a custom metric may do.")
_LISTS: Final = ("contains-any", "contains-all", "icontains-any", "icontains-all")
_TEXTS: Final = ("contains", "icontains", "starts-with", "ends-with", "regex")
_CSV: Final = re.compile(
    r"(?P<type>(?:not-)?[a-z][a-z0-9-]*)(?:\((?P<threshold>\d+(?:\.\d+)?)\))?(?::(?P<value>.*))?", re.DOTALL
)
_KNOWN: Final = frozenset({*CHECKS, *RUBRICS, *FACTS, *_WHY, "answer-relevance", "classifier", "moderation"})
_IN_CELLS: Final = {"fn": "javascript", "eval": "javascript", "grade": "llm-rubric"}


class Expected(msgspec.Struct):
    """What one test expects of its answer.

    Attributes:
        checks: What can be checked without a model.
        rubrics: What a judge has to look for.
        facts: Texts that the answer must not contradict.
    """

    checks: list[Check] = []
    rubrics: list[str] = []
    facts: list[str] = []


class AssertReader:
    """Reads the asserts of tests.

    Args:
        notes: Takes what has no counterpart.
        values: Texts that stand for variables everywhere, e.g. `env.NAME`.
        load: Reads the file that an assert refers to, by the reference and the place of the assert; None
            where it is a program.
    """

    def __init__(
        self, notes: Notes, values: Mapping[str, str], load: Callable[[str, str], str | None]
    ) -> None:
        self._notes = notes
        self._values = values
        self._load = load

    def read(self, asserts: Sequence[tuple[str, Any]], row: Record) -> Expected:
        """What the asserts of a test come to.

        Args:
            asserts: Each with its place.
            row: The variables of the test, which fill the values of asserts.
        """
        expected = Expected([], [], [])
        for where, one in asserts:
            self._one(where, one, row, expected)
        return expected

    def _one(self, where: str, data: Any, row: Record, expected: Expected) -> None:
        if not isinstance(data, dict) or not isinstance(data.get("type"), str):
            self._notes.add(where, _("The assert is left out."), _("It has no type."))
            return
        kind = data["type"]
        if kind == "assert-set":
            self._several(where, data, row, expected)
            return
        positive = kind.removeprefix(NOT)
        if positive in CHECKS:
            if check := self._check(where, data, row):
                expected.checks.append(check)
        elif kind in RUBRICS or kind in FACTS:
            text = self._value(where, data.get("value"), row)
            texts = [written(one) for one in (text if isinstance(text, list) else [text]) if one is not None]
            (expected.facts if kind in FACTS else expected.rubrics).extend(filter(str.strip, texts))
            if not texts:
                self._leave_out(where, kind, _("It has no value."))
        else:
            self._leave_out(where, kind, _(_WHY[positive]) if positive in _WHY else _(_OTHER_REASON))
            return
        for key in data.keys() & {
            "threshold",
            "transform",
            "provider",
            "rubricPrompt",
            "config",
            "contextTransform",
        }:
            what = _("`{key}` of an assert is left out.", key=key)
            self._notes.add(where, what, _("Only its type, value and weight have a counterpart."))

    def _several(self, where: str, data: Mapping[str, Any], row: Record, expected: Expected) -> None:
        inner = data.get("assert")
        for number, one in enumerate(inner if isinstance(inner, list) else [], 1):
            self._one(f"{where}.assert[{number}]", one, row, expected)
        if "threshold" in data:
            what = _("The threshold of an `assert-set` is left out; its asserts count one by one.")
            self._notes.add(where, what, _("The mark of an answer is the share of checks that it passes."))

    def _check(self, where: str, data: Mapping[str, Any], row: Record) -> Check | None:
        kind = data["type"]
        positive = kind.removeprefix(NOT)
        value = self._value(where, data.get("value"), row)
        if positive in ("is-json", "contains-json"):
            value = self._schema(where, kind, value)
        elif positive in _LISTS:
            several = value if isinstance(value, list) else str(value or "").split(",")
            value = [text for one in several if (text := written(one).strip())]
        elif positive in _TEXTS or not isinstance(value, list | dict):
            value = written(value)
        weight = data.get("weight")
        is_number = isinstance(weight, int | float | Decimal) and not isinstance(weight, bool)
        check = Check(kind, value, 1.0 if weight is None else float(weight) if is_number else -1.0)
        if fault := check.fault():
            self._leave_out(where, kind, fault)
            return None
        return check

    def _schema(self, where: str, kind: str, value: Any) -> dict[str, Any] | None:
        """The JSON schema of a check, which may be written as JSON or YAML."""
        if isinstance(value, str) and value.strip():
            try:
                value = load(value).data()
            except YamlError:
                value = {}
        if value is None or (isinstance(value, str) and not value.strip()):
            return None
        if isinstance(value, dict) and value and not (fault := Check(kind, value).fault()):
            plain: dict[str, Any] = json.loads(compact(value))
            return plain
        what = _("The schema of `{kind}` is left out; that it is JSON is checked.", kind=kind)
        self._notes.add(where, what, fault if isinstance(value, dict) and value else _("It is not a schema."))
        return None

    def _value(self, where: str, value: Any, row: Record) -> Any:
        """A value with its variables filled and its file read; None where there is none."""
        if isinstance(value, list):
            return [self._value(where, one, row) for one in value]
        if not isinstance(value, str):
            return value
        if value.startswith("file://"):
            value = self._load(value, where)
            if value is None:
                return None
        if "{{" not in value and "{%" not in value:
            return value
        filled = render(value, {**row, **self._values})
        if filled is None:
            what = _("The value `{value}` of an assert is used as it is written.", value=value[:60])
            self._notes.add(where, what, _("It has a variable without a value, or a statement."))
            return value
        return filled

    def _leave_out(self, where: str, kind: str, why: str) -> None:
        self._notes.add(where, _("The assert `{kind}` is left out.", kind=kind), why)


def assert_of_cell(cell: str) -> dict[str, Any]:
    """The assert that a cell of a table stands for, e.g. `icontains: Paris`; equality for a plain text."""
    if cell.startswith("file://") and re.search(r"\.(?:js|ts|mjs|py)(?::\w+)?$", cell):
        return {"type": "python" if ".py" in cell else "javascript", "value": cell}
    match = _CSV.fullmatch(cell.strip())
    kind = _IN_CELLS.get(match["type"], match["type"]) if match else ""
    if match is None or kind.removeprefix(NOT) not in _KNOWN or (match["value"] is None and ":" in cell):
        return {"type": "equals", "value": cell}
    value: Any = match["value"]
    if value is None and kind.removeprefix(NOT) not in (
        "is-json",
        "contains-json",
        "cost",
        "latency",
        "is-sql",
    ):
        return {"type": "equals", "value": cell}
    if kind.removeprefix(NOT) in _LISTS:
        value = [one.strip() for one in value.split(",")]
    found = {"type": kind, "value": value.strip() if isinstance(value, str) else value}
    if match["threshold"]:
        found["threshold"] = float(match["threshold"])
    return {key: one for key, one in found.items() if one is not None}


def as_record(check: Check) -> Record:
    """A check as a row has it; what is usual is left out."""
    found: Record = {"type": check.type}
    if check.value is not None:
        found["value"] = check.value
    if check.weight != 1:
        found["weight"] = int(check.weight) if check.weight.is_integer() else check.weight
    return found


def as_assert(record: Any) -> dict[str, Any] | None:
    """The assert for a check as a row has it; None where it is none."""
    if isinstance(record, str):
        try:
            record = json.loads(record)
        except ValueError:
            return None
    if not isinstance(record, dict) or not isinstance(record.get("type"), str):
        return None
    plain: dict[str, Any] = json.loads(compact({key: record[key] for key in record}))
    return plain if record["type"].removeprefix(NOT) in CHECKS else None
