"""Metrics of structured answers: the tools that are called, and JSON that is valid against a schema."""

import json
from collections import Counter
from typing import Any, Final, NamedTuple

from spotui.domain.rows import Row
from spotui.lang import N_, _
from spotui.metrics.mark import Comparing, Mark, MetricError, shown
from spotui.metrics.texts import NOTHING, find_json, json_values

_ARGUMENTS: Final = frozenset({"arguments", "parameters", "function"})


class Call(NamedTuple):
    """A call of a tool: its name, and its arguments as JSON with the keys in order."""

    name: str
    arguments: str

    def __str__(self) -> str:
        """The call as code has it."""
        return f"{self.name}({self.arguments})"


def read_calls(text: str) -> list[Call] | None:
    """The calls of tools in a text: a JSON list or object, alone or on the last line; None for none.

    The arguments are an object, or a text that holds one, as in OpenAI's API.
    """
    stripped = text.strip()
    for written in (stripped, stripped.rpartition("\n")[2]):
        try:
            found = json.loads(written)
        except (json.JSONDecodeError, RecursionError):
            continue
        calls = [_call(one) for one in (found if isinstance(found, list) else [found])]
        if all(calls):
            return [one for one in calls if one is not None]
    return None


def find_calls(answer: str) -> list[Call]:
    """The calls of tools in an answer: those of `read_calls`, or the JSON in it that has arguments."""
    if (found := read_calls(answer)) is not None:
        return found
    values = [one for value in json_values(answer) for one in (value if isinstance(value, list) else [value])]
    with_arguments = [one for one in values if isinstance(one, dict) and _ARGUMENTS & one.keys()]
    return [call for one in with_arguments if (call := _call(one))]


def _call(data: Any) -> Call | None:
    inner = data.get("function", data) if isinstance(data, dict) else None
    name = inner.get("name") if isinstance(inner, dict) else None
    if not isinstance(inner, dict) or not isinstance(name, str) or not name:
        return None
    arguments = inner.get("arguments", inner.get("parameters", {}))
    if isinstance(arguments, str):
        try:
            arguments = json.loads(arguments or "{}")
        except (json.JSONDecodeError, RecursionError):
            return Call(name, arguments)
    return Call(name, _canonical(arguments))


def _canonical(value: Any) -> str:
    return json.dumps(_plain(value), ensure_ascii=False, sort_keys=True)


def _plain(value: Any) -> Any:
    """A value in which 1 and 1.0 are the same, as they are in JSON."""
    if isinstance(value, dict):
        return {key: _plain(one) for key, one in value.items()}
    if isinstance(value, list):
        return [_plain(one) for one in value]
    return int(value) if isinstance(value, float) and value.is_integer() else value


class ToolCalls(Comparing[list[Call]]):
    """The answer calls the tools of a reference, with the same arguments; `[]` is no call at all.

    Args:
        ordered: Whether they have to be called in the same order.
    """

    wanted = N_('a list of calls of tools such as [{"name": "weather", "arguments": {"city": "Oslo"}}]')

    def __init__(self, *, ordered: bool = False) -> None:
        self._ordered = ordered

    def read(self, answer: str, row: Row) -> list[Call]:  # noqa: ARG002 - other metrics read the row
        """The calls in an answer."""
        return find_calls(answer)

    def read_reference(self, reference: str) -> list[Call] | None:
        """The calls of a reference."""
        return read_calls(reference)

    def equal(self, value: list[Call], expected: list[Call]) -> bool:
        """Whether the same calls are made."""
        return value == expected if self._ordered else Counter(value) == Counter(expected)

    def shown(self, value: list[Call]) -> str:
        """The calls as code has them."""
        return "; ".join(map(str, value)) or _("no call")


class Schema:
    """The answer is JSON that is valid against a JSON schema; text around the JSON is passed over.

    Args:
        schema: The schema.

    Raises:
        MetricError: It is no valid schema.
    """

    def __init__(self, *, schema: dict[str, Any]) -> None:
        from jsonschema import SchemaError
        from jsonschema.validators import validator_for

        kind = validator_for(schema)
        try:
            kind.check_schema(schema)
        except SchemaError as error:
            place = ".".join(map(str, error.path)) or _("the schema")
            raise MetricError(
                _("The schema is not valid: {place}: {error}.", place=place, error=error.message.rstrip(".")),
                _("Correct it; it follows json-schema.org."),
            ) from None
        self._validator = kind(schema)
        self._wanted = list if schema.get("type") == "array" else dict

    def mark(self, answer: str, row: Row) -> Mark:  # noqa: ARG002 - the schema says what is right
        """1 where the answer is valid; what was read is the first fault otherwise."""
        found = find_json(answer, self._wanted)
        if found is NOTHING:
            return Mark(0.0)
        error = next(iter(self._validator.iter_errors(found)), None)
        if error is None:
            return Mark(1.0, shown(json.dumps(found, ensure_ascii=False)))
        place = ".".join(map(str, error.absolute_path))
        return Mark(0.0, shown(f"{place}: {error.message}" if place else error.message))

    def fault(self, row: Row) -> str:  # noqa: ARG002 - the schema says what is right
        """Nothing: it needs no reference."""
        return ""
