"""What can have the focus on a screen, told from what the screen composes, without showing it."""

from collections.abc import Iterator
from types import CodeType, FunctionType

from textual.screen import Screen
from textual.widget import Widget


def widgets_of(screen: type[Screen[object]]) -> list[type[Widget]]:
    """Every kind of widget that a screen composes, and what those compose in turn.

    Args:
        screen: The screen's class.
    """
    found: dict[type[Widget], None] = {}
    waiting: list[type[Widget]] = [screen]
    while waiting:
        owner = waiting.pop()
        for kind in _named(owner):
            if kind not in found:
                found[kind] = None
                waiting.append(kind)
    return list(found)


def _named(owner: type[Widget]) -> Iterator[type[Widget]]:
    """The widgets that a class names where it composes, and in what it calls there."""
    seen: set[FunctionType] = set()
    waiting: list[object] = [owner.compose]
    while waiting:
        function = waiting.pop()
        if not isinstance(function, FunctionType) or function in seen:
            continue
        if function.__module__.startswith("textual."):
            continue
        seen.add(function)
        for name in _names(function.__code__):
            value = function.__globals__.get(name, getattr(owner, name, None))
            if isinstance(value, FunctionType):
                waiting.append(value)
            elif isinstance(value, type) and issubclass(value, Widget) and not issubclass(value, Screen):
                yield value


def _names(code: CodeType) -> Iterator[str]:
    yield from code.co_names
    for constant in code.co_consts:
        if isinstance(constant, CodeType):
            yield from _names(constant)
