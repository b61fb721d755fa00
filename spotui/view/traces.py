"""Traces of programs: how an answer came about, as text for people."""

from collections.abc import Mapping, Sequence
from typing import Any, Final

import msgspec

from spotui.domain.records import CallKey
from spotui.lang import _
from spotui.settings.table import is_program
from spotui.view.picture import Picture

BRIEF: Final = 4
"""Lines of a trace that are shown beside an answer until somebody wants to see all of it."""

NO_TRACES: Final[Mapping[CallKey, Sequence[str]]] = {}

_LONGEST_LINE: Final = 400
_LONGEST: Final = 20_000
"""Characters of a whole trace that are shown; the journal has the rest."""


def has_traces(picture: Picture) -> bool:
    """Whether a program answers in a run, so that there may be traces."""
    return picture.opened is not None and is_program(picture.opened.models.get("executor", ""))


def answer_key(number: int, index: int, candidate: int = 0) -> CallKey:
    """The call that brought an answer of a round.

    Args:
        number: The round.
        index: Which question.
        candidate: Which of several candidates of the round, from 1; 0 for the only one.
    """
    return CallKey(number, "execute", index, candidate=candidate)


def trace_values(traces: Sequence[str]) -> list[Any]:
    """What the program reported, one value a turn; a trace that was cut in the journal stays a text."""
    return [_value(one) for one in traces]


def trace_text(traces: Sequence[str], most_lines: int | None = None) -> str:
    """Some traces as lines: a text as it is, everything else as JSON with one key a line.

    Args:
        traces: As the journal has them, one a turn.
        most_lines: How many lines are wanted; None for all.
    """
    text = "\n".join(map(_readable, traces))
    lines = text[:_LONGEST].splitlines()
    if most_lines is None:
        shown, rest = lines, len(text) - _LONGEST
    else:
        shown = [line if len(line) <= _LONGEST_LINE else line[:_LONGEST_LINE] + "…" for line in lines]
        shown = shown[:most_lines]
        rest = len(text) - len("\n".join(lines[:most_lines]))
    if rest > 0:
        shown = [*shown, _("… {n:,} characters more", n=rest)]
    return "\n".join(shown)


def brief_trace(traces: Mapping[CallKey, Sequence[str]], key: CallKey, most_lines: int | None) -> str:
    """The trace of a call as text, or an empty text where it has none."""
    found = traces.get(key)
    return trace_text(found, most_lines) if found else ""


def _readable(trace: str) -> str:
    value = _value(trace)
    if isinstance(value, str):
        return value
    return msgspec.json.format(trace.encode(), indent=2).decode()


def _value(trace: str) -> Any:
    try:
        return msgspec.json.decode(trace)
    except (msgspec.DecodeError, RecursionError):
        return trace
