"""Every binding that spotui's screens and widgets declare."""

import pkgutil
from collections.abc import Iterator, Mapping
from importlib import import_module

from textual.binding import Binding, BindingsMap
from textual.dom import DOMNode

import spotui.tui


def kinds() -> list[type[DOMNode]]:
    """Every class of ours that declares bindings; imports all of the app, so never before it is painted."""
    found: dict[type[DOMNode], None] = {}
    for info in pkgutil.walk_packages(spotui.tui.__path__, f"{spotui.tui.__name__}."):
        for one in vars(import_module(info.name)).values():
            if isinstance(one, type) and issubclass(one, DOMNode) and own_bindings(one):
                found[one] = None
    return list(found)


def own_bindings(kind: type[DOMNode]) -> list[Binding]:
    """What a class of ours declares itself, a binding of several keys once."""
    if not kind.__module__.startswith("spotui."):
        return []
    return list(_declared(kind))


def merged_bindings(kind: type[DOMNode]) -> dict[str, list[Binding]]:
    """For each key what it does in a class, whose own bindings come before those it inherits.

    Several bindings of one key are for several states, of which one is there at a time.
    """
    merged: dict[str, list[Binding]] = {}
    for base in reversed(kind.__mro__):
        if issubclass(base, DOMNode):
            merged |= BindingsMap(base.__dict__.get("BINDINGS", [])).key_to_bindings
    return merged


def moved(binding: Binding, user_keys: Mapping[str, str]) -> list[Binding]:
    """A binding on the keys that the user has chosen for it, one for each; itself when there are none."""
    own = user_keys.get(binding.id or "")
    return [binding.with_key(key) for key in own.split(",")] if own else [binding]


def group_of(binding: Binding) -> str:
    """What a binding belongs to, in a word or two: the first part of its id."""
    return (binding.id or "").partition(".")[0].replace("_", " ")


def _declared(kind: type[DOMNode]) -> Iterator[Binding]:
    for one in kind.__dict__.get("BINDINGS", []):
        if isinstance(one, Binding):
            yield one
        else:
            yield from Binding.make_bindings([one])
