"""The methods: each reads like its paper's pseudocode, written in the engine's verbs.

Another package adds one with an entry point of the group `spotui.methods`: its name, and a `Method`, or just
the function that takes an `Engine` and returns when the wanted rounds are done.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any, Final

from spotui.domain.errors import SpotuiError, nearest

if TYPE_CHECKING:
    from spotui.methods.method import Method


DEFAULT_METHOD = "spo"
METHODS: Final = {
    "spo": "spotui.methods.spo:SPO",
    "gpo": "spotui.methods.gpo:GPO",
    "ape": "spotui.methods.gpo:APE",
    "apo": "spotui.methods.gpo:APO",
    "opro": "spotui.methods.gpo:OPRO",
    "pe2": "spotui.methods.gpo:PE2",
    "sgdm": "spotui.methods.gpo:SGDM",
    "gradsum": "spotui.methods.gradsum:GRADSUM",
}
"""Those that come with spotui; a package cannot put another in the place of one of them."""

GROUP = "spotui.methods"


def method_names() -> list[str]:
    """Every method there is, those of other packages included."""
    return sorted({*METHODS, *_added()})


def check_method(name: str) -> None:
    """Make sure that there is a method of that name, without importing it.

    Raises:
        SpotuiError: There is none.
    """
    if name in METHODS or name in _added():
        return
    near = nearest(name, method_names())
    mend = f"Did you mean {near!r}?" if near else f"Choose one of: {', '.join(method_names())}."
    raise SpotuiError(f"There is no method {name!r}.", mend)


def load_method(name: str) -> "Method":
    """The method of that name, imported when it is needed.

    Raises:
        SpotuiError: There is none, or the package it comes from is broken.
    """
    check_method(name)
    place = METHODS.get(name) or _added()[name]
    module, _, attribute = place.partition(":")
    from spotui.methods.method import Method, of_function

    try:
        found: Any = getattr(import_module(module), attribute)
    except (ImportError, AttributeError) as error:
        raise SpotuiError(
            f"The method {name!r} cannot be loaded from {place}: {error}.",
            "Install the package it comes from again.",
        ) from None
    return found if isinstance(found, Method) else of_function(found)


def _added() -> dict[str, str]:
    from importlib.metadata import entry_points

    return {one.name: one.value for one in entry_points(group=GROUP)}
