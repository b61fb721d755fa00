"""The methods: each reads like its paper's pseudocode, written in the engine's verbs."""

from collections.abc import Awaitable, Callable
from importlib import import_module
from typing import TYPE_CHECKING

from spotui.errors import SpotuiError

if TYPE_CHECKING:
    from spotui.engine import Engine

Method = Callable[["Engine"], Awaitable[None]]

METHODS = {"spo": "spotui.methods.spo"}


def load_method(name: str) -> Method:
    """The method of that name, imported when it is needed.

    Raises:
        SpotuiError: There is none.
    """
    if name not in METHODS:
        raise SpotuiError(f"There is no method {name!r}.", f"Choose one of: {', '.join(METHODS)}.")
    method: Method = import_module(METHODS[name]).optimize
    return method
