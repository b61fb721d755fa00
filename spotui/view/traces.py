"""Traces of programs: how an answer came about, as text for people."""

from collections.abc import Mapping, Sequence
from typing import Any, Final

import msgspec

from spotui.domain.records import CallKey
from spotui.lang import ngettext
from spotui.settings.table import is_program
from spotui.view.picture import Picture

BRIEF: Final = 4
"""Lines of a trace that are shown beside an answer until somebody wants to see all of it."""

NO_TRACES: Final[Mapping[CallKey, Sequence[str]]] = {}

_LONGEST_LINE: Final = 200
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
    """Some traces as lines.

    Args:
        traces: As the journal has them, one a turn.
        most_lines: How many lines are wanted, with a key or an item on each; None for all, as indented JSON.
    """
    if most_lines is None:
        text = "\n".join(map(_whole, traces))
        shown, rest = text[:_LONGEST], len(text) - _LONGEST
    else:
        lines = [line for one in traces for line in _brief(one)]
        kept = [line[:_LONGEST_LINE] for line in lines[:most_lines]]
        rest = sum(map(len, lines)) - sum(map(len, kept))
        shown = "\n".join(
            line + "…" * (len(line) < len(whole)) for line, whole in zip(kept, lines, strict=False)
        )
    return f"{shown}\n{_more(rest)}" if rest > 0 else shown


def brief_trace(traces: Mapping[CallKey, Sequence[str]], key: CallKey, most_lines: int | None) -> str:
    """The trace of a call as text, or an empty text where it has none."""
    found = traces.get(key)
    return trace_text(found, most_lines) if found else ""


def _more(characters: int) -> str:
    return ngettext("… {n:,} character more", "… {n:,} characters more", characters)


def _whole(trace: str) -> str:
    value = _value(trace)
    return value if isinstance(value, str) else msgspec.json.format(trace.encode(), indent=2).decode()


def _brief(trace: str) -> list[str]:
    """The lines of a text, the keys of an object with their values, or the items of a list."""
    match _value(trace):
        case dict() as found:
            return [line for key, one in found.items() for line in f"{key}: {_on_a_line(one)}".splitlines()]
        case list() as found:
            return [line for one in found for line in _on_a_line(one).splitlines()]
        case found:
            return _on_a_line(found).splitlines()


def _on_a_line(value: Any) -> str:
    return value if isinstance(value, str) else msgspec.json.encode(value).decode()


def _value(trace: str) -> Any:
    try:
        return msgspec.json.decode(trace)
    except (msgspec.DecodeError, RecursionError):
        return trace
