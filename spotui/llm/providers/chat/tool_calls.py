"""The tools that a model calls, read out of chunks and messages, and written in one canonical form."""

from collections.abc import Iterable, Mapping
from typing import NamedTuple, Self

import msgspec

from spotui.domain.text import whole_text
from spotui.llm.providers.chat.bodies import read_number


class ToolCall(NamedTuple):
    """A call of a tool, or a piece of one.

    Attributes:
        name: The tool's name, which comes whole with the first piece.
        arguments: As the model writes them: JSON, in pieces.
    """

    name: str = ""
    arguments: str = ""

    def __add__(self, piece: Self) -> Self:  # type: ignore[override]
        """The call with its next piece; a name that comes again is the same."""
        return type(self)(self.name or piece.name, self.arguments + piece.arguments)

    @property
    def size(self) -> int:
        """Characters of it."""
        return len(self.name) + len(self.arguments)


def read_calls(piece: object) -> list[tuple[int, ToolCall]]:
    """The calls in a delta or a message, each with its number."""
    if not isinstance(piece, Mapping):
        return []
    listed = piece.get("tool_calls")
    if not isinstance(listed, list):
        single = piece.get("function_call")  # as models had it before there were several
        listed = [{"function": single}] if isinstance(single, Mapping) else []
    return [
        (read_number(one.get("index", place)), _call(one))
        for place, one in enumerate(listed)
        if isinstance(one, Mapping)
    ]


def _call(written: Mapping[str, object]) -> ToolCall:
    inner = written.get("function")
    called = inner if isinstance(inner, Mapping) else written
    name, arguments = called.get("name"), called.get("arguments")
    if arguments is not None and not isinstance(arguments, str):
        arguments = msgspec.json.encode(arguments).decode()
    return ToolCall(name if isinstance(name, str) else "", arguments or "")


def written_calls(calls: Iterable[ToolCall]) -> str:
    """Calls as a JSON list on one line, keys in order; empty where there are none.

    Arguments that are no JSON stay a text.
    """
    listed = [{"arguments": _read(one.arguments), "name": one.name} for one in calls]
    return whole_text(msgspec.json.encode(listed, order="sorted").decode()) if listed else ""


def _read(arguments: str) -> object:
    text = whole_text(arguments)
    try:
        return msgspec.json.decode(text or "{}")
    except msgspec.DecodeError:
        return text
