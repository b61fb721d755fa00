"""Checks answers as evals do: each row lists what its answer has to contain, match or be."""

import json
from collections.abc import Callable
from functools import lru_cache
from typing import Any, Final

import msgspec

from spotui.domain.rows import Row
from spotui.lang import _
from spotui.metrics.mark import Mark, MetricError, no_reference, shown
from spotui.metrics.texts import SECONDS, json_values

NOT: Final = "not-"
"""What the type of a check begins with that has to fail."""


class Check(msgspec.Struct, frozen=True):
    """One thing that an answer has to meet.

    Attributes:
        type: One of `CHECKS`, or one with `not-` before it.
        value: What it is compared with; a list for those with `any` and `all`, and nothing for JSON.
        weight: How much it counts among the checks of its row.
    """

    type: str
    value: Any = None
    weight: float = 1.0

    def __str__(self) -> str:
        value = self.value if isinstance(self.value, str) else json.dumps(self.value, ensure_ascii=False)
        return self.type if self.value is None else f"{self.type} {shown(value)}"

    @property
    def kind(self) -> str:
        """The type without `not-`."""
        return self.type.removeprefix(NOT)

    def passes(self, answer: str) -> bool:
        """Whether an answer meets it.

        Raises:
            TimeoutError: The search for a pattern took too long.
        """
        return CHECKS[self.kind](answer, self.value) != self.type.startswith(NOT)

    def fault(self) -> str:
        """Why it cannot be carried out, one sentence, or an empty text."""
        if self.kind not in CHECKS:
            types = ", ".join(CHECKS)
            return _("Unknown check `{type}`; the checks are {types}.", type=self.type[:40], types=types)
        if self.weight < 0:
            return _("The weight of the check {check} is below 0.", check=self)
        if self.kind in _OF_JSON:
            if self.value is None:
                return ""
            if not isinstance(self.value, dict):
                return _("The check `{type}` takes a JSON schema, or no value.", type=self.type)
            return _fault_of_schema(self.value)
        if self.kind in _OF_LISTS:
            texts = self.value if isinstance(self.value, list) else []
            if not texts or not all(isinstance(one, str) for one in texts):
                return _("The check `{type}` needs a list of texts.", type=self.type)
            return ""
        if not isinstance(self.value, str) and self.kind != "equals":
            return _("The check `{type}` needs a text.", type=self.type)
        return _fault_of_pattern(self.value) if self.kind == "regex" else ""


class Checks:
    """The share of a row's checks that the answer passes, by their weights.

    Each reference of the row is a check as JSON, `{"type": "contains", "value": "Paris"}`. With `type`, each
    reference is the value of a check of that type, and one of them is enough.

    Args:
        type: The type of all checks.

    Raises:
        MetricError: There is no such type.
    """

    def __init__(self, type: str = "") -> None:  # noqa: A002 - the option is called that
        self._type = type
        if type and type.removeprefix(NOT) not in CHECKS:
            raise MetricError(Check(type).fault(), _("Correct it, or leave it out."))

    def mark(self, answer: str, row: Row) -> Mark:
        """The share of the checks that it passes, and those that it fails.

        Raises:
            MetricError: The search for a pattern took too long.
        """
        try:
            checks = self._checks(row)
        except (ValueError, msgspec.ValidationError):
            return Mark(0.0)
        try:
            failed = [one for one in checks if not one.passes(answer)]
        except TimeoutError:
            what = _(
                "A pattern of {place} takes more than {seconds:g} s on an answer.",
                place=row.where,
                seconds=SECONDS,
            )
            raise MetricError(what, _("Write it so that it need not try so many ways.")) from None
        if self._type:
            return Mark(float(len(failed) < len(checks)), "; ".join(map(str, failed)) or None)
        whole = sum(one.weight for one in checks)
        lost = sum(one.weight for one in failed)
        value = 1 - lost / whole if whole else float(not failed)
        return Mark(value, "failed: " + "; ".join(map(str, failed)) if failed else "all checks passed")

    def fault(self, row: Row) -> str:
        """Why a row cannot be scored."""
        if what := no_reference(row):
            return what
        try:
            return next(filter(None, (one.fault() for one in self._checks(row))), "")
        except (ValueError, msgspec.ValidationError):
            reference = next(one for one in row.references if not _is_check(one))
            return _("The answer {shown} is not a check.", shown=shown(reference))

    def _checks(self, row: Row) -> list[Check]:
        if self._type:
            return [Check(self._type, _value(self._type, one)) for one in row.references]
        return [check for one in row.references for check in read_checks(one)]


def read_checks(reference: str) -> list[Check]:
    """The checks that a reference holds: one as an object, or a list of them.

    Raises:
        ValueError: It is not JSON.
        msgspec.ValidationError: It is none.
    """
    value = json.loads(reference)
    return msgspec.convert(value if isinstance(value, list) else [value], list[Check])


def _is_check(reference: str) -> bool:
    try:
        return bool(read_checks(reference))
    except (ValueError, msgspec.ValidationError):
        return False


def _value(kind: str, reference: str) -> Any:
    """The value of a check as a row has it; a list is JSON, or separated by commas."""
    if kind.removeprefix(NOT) in _OF_JSON:
        return None
    if kind.removeprefix(NOT) not in _OF_LISTS:
        return reference
    try:
        value = json.loads(reference)
    except ValueError:
        value = None
    return value if isinstance(value, list) else [one.strip() for one in reference.split(",")]


def _equals(answer: str, value: Any) -> bool:
    if isinstance(value, str):
        return answer.strip() == value.strip()
    try:
        return bool(json.loads(answer) == value)
    except (ValueError, RecursionError):
        return False


def _found(answer: str, pattern: str) -> bool:
    return _compiled(pattern).search(answer, timeout=SECONDS) is not None


def _is_json(answer: str, schema: dict[str, Any] | None) -> bool:
    try:
        found = json.loads(answer)
    except (ValueError, RecursionError):
        return False
    return _is_valid(found, schema)


def _is_valid(value: Any, schema: dict[str, Any] | None) -> bool:
    if schema is None:
        return True
    from jsonschema.validators import validator_for

    return bool(validator_for(schema)(schema).is_valid(value))


def _fault_of_schema(schema: dict[str, Any]) -> str:
    from jsonschema import SchemaError
    from jsonschema.validators import validator_for

    try:
        validator_for(schema).check_schema(schema)
    except SchemaError as error:
        return _("The schema of a check is not valid: {error}.", error=error.message.rstrip("."))
    return ""


def _holds_json(answer: str, schema: dict[str, Any] | None) -> bool:
    return any(_is_valid(one, schema) for one in json_values(answer))


def _folded(of: Callable[[str, Any], bool]) -> Callable[[str, Any], bool]:
    """The same check without regard to case."""

    def check(answer: str, value: Any) -> bool:
        several = [one.lower() for one in value] if isinstance(value, list) else value.lower()
        return of(answer.lower(), several)

    return check


def _contains(answer: str, value: str) -> bool:
    return value in answer


def _any(answer: str, values: list[str]) -> bool:
    return any(one in answer for one in values)


def _all(answer: str, values: list[str]) -> bool:
    return all(one in answer for one in values)


CHECKS: Final[dict[str, Callable[[str, Any], bool]]] = {
    "equals": _equals,
    "contains": _contains,
    "icontains": _folded(_contains),
    "contains-any": _any,
    "contains-all": _all,
    "icontains-any": _folded(_any),
    "icontains-all": _folded(_all),
    "starts-with": lambda answer, value: answer.startswith(value),
    "ends-with": lambda answer, value: answer.endswith(value),
    "regex": _found,
    "is-json": _is_json,
    "contains-json": _holds_json,
}
"""The checks by the names that promptfoo has for them."""

_OF_LISTS: Final = ("contains-any", "contains-all", "icontains-any", "icontains-all")
_OF_JSON: Final = ("is-json", "contains-json")


@lru_cache(maxsize=1024)
def _compiled(pattern: str) -> Any:
    import regex

    return regex.compile(pattern)


def _fault_of_pattern(pattern: str) -> str:
    import regex

    try:
        _compiled(pattern)
    except regex.error as error:
        return _("The pattern {shown} is broken: {error}.", shown=shown(pattern), error=error)
    return ""
