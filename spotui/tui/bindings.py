"""Key bindings: what screens and widgets declare, and the user's own keys, checked against that."""

import pkgutil
from collections import ChainMap
from collections.abc import Iterable, Iterator, Mapping
from importlib import import_module
from types import CodeType, FunctionType
from typing import NamedTuple

from textual.binding import Binding, BindingsMap
from textual.dom import DOMNode
from textual.keys import KEY_NAME_REPLACEMENTS, Keys, key_to_character
from textual.screen import Screen
from textual.widget import Widget
from textual.widgets import Input, TextArea

import spotui.tui
from spotui.domain.errors import nearest
from spotui.lang import N_, _
from spotui.settings.errors import Problem
from spotui.settings.shortcuts import UserKeys

_MODIFIERS = ("ctrl", "shift", "alt", "super", "hyper", "meta")
_SAME = {
    "ctrl+h": "backspace",
    "ctrl+i": "tab",
    "ctrl+m": "enter",
    "ctrl+left_square_bracket": "escape",
}
_SIGNS = frozenset(KEY_NAME_REPLACEMENTS.values())
_NAMES = _SIGNS | {key.value.rpartition("+")[2] for key in Keys if not key.value.startswith("<")}

_GROUPS = (
    *(N_("answers"), N_("app"), N_("archive"), N_("candidate"), N_("browser"), N_("chart"), N_("default")),
    *(
        N_("defaults"),
        N_("diff"),
        N_("edit row"),
        N_("endpoints"),
        N_("form"),
        N_("grid"),
        N_("headroom"),
        N_("hint"),
        N_("passages"),
        N_("race rows"),
        N_("wizard"),
    ),
    *(N_("history"), N_("home"), N_("import"), N_("judge check"), N_("key map"), N_("keys")),
    *(N_("limits"), N_("log"), N_("method"), N_("model"), N_("models"), N_("name"), N_("new race")),
    *(N_("new rows"), N_("new run"), N_("projects"), N_("questions"), N_("race"), N_("role")),
    *(N_("roles"), N_("run"), N_("scores"), N_("settings"), N_("table"), N_("template")),
    *(N_("templates"), N_("themes"), N_("try"), N_("welcome")),
)
"""What bindings belong to, in the words that `group_of` makes of their ids; for the catalogue."""


def normalised(key: str) -> str:
    """A key as Textual calls it: `question_mark` for `?`."""
    last = "+" if key.endswith("+") else key.rpartition("+")[2]
    modifiers = key.removesuffix(last)
    return modifiers + next(iter(BindingsMap([Binding(last, "x")]).key_to_bindings), last)


def fault_of(key: str) -> tuple[str, str]:
    """Why a key cannot be used, and what to do about it; empty texts when it can.

    Args:
        key: Its name as Textual has it.
    """
    *modifiers, name = key.split("+")
    if unknown := next((one for one in modifiers if one not in _MODIFIERS), ""):
        return _(
            "{key!r} is not a key: {unknown!r} is none of {modifiers}.",
            key=key,
            unknown=unknown,
            modifiers=", ".join(_MODIFIERS),
        ), ""
    if len(name) != 1 and name not in _NAMES and key_to_character(name) is None:
        meant = nearest(name, _NAMES)
        return _("{key!r} is not a key.", key=key), _(
            "Did you mean {value}?", value="+".join([*modifiers, meant])
        ) if meant else ""
    if same := _SAME.get(key):
        return _("{key} is {same} on many terminals.", key=key, same=same), _("Choose another key.")
    if "ctrl" in modifiers and "shift" in modifiers:
        return _("{key} is ctrl+{name} on many terminals.", key=key, name=name), _("Choose another key.")
    if modifiers == ["shift"] and len(name) == 1:
        return _("{key} arrives as {name}.", key=key, name=name.upper()), _("Write {key}.", key=name.upper())
    return "", ""


def types_something(key: str) -> bool:
    """Whether it puts a character where somebody types."""
    character = key_to_character(key)
    return key in ("enter", "tab", *_SIGNS) or (character is not None and character.isprintable())


def widget_types() -> list[type[DOMNode]]:
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
    group = (binding.id or "").partition(".")[0].replace("_", " ")
    return _(group) if group else ""


def _declared(kind: type[DOMNode]) -> Iterator[Binding]:
    for one in kind.__dict__.get("BINDINGS", []):
        if isinstance(one, Binding):
            yield one
        else:
            yield from Binding.make_bindings([one])


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
    """The widgets that a class names where it is made or composes, and in what it calls there."""
    seen: set[FunctionType] = set()
    waiting: list[object] = [owner.compose, owner.__init__]
    while waiting:
        function = waiting.pop()
        if not isinstance(function, FunctionType) or function in seen:
            continue
        if function.__module__.startswith("textual."):
            continue
        seen.add(function)
        names = list(_names(function.__code__))
        late = [vars(import_module(name)) for name in names if name.startswith("spotui.")]
        known = ChainMap(function.__globals__, *late)
        for name in names:
            value = known.get(name, getattr(owner, name, None))
            if isinstance(value, FunctionType):
                waiting.append(value)
            elif isinstance(value, type) and issubclass(value, Widget) and not issubclass(value, Screen):
                yield value


def _names(code: CodeType) -> Iterator[str]:
    yield from code.co_names
    for constant in code.co_consts:
        if isinstance(constant, CodeType):
            yield from _names(constant)


_Keys = Mapping[str, tuple[str, ...]]
_Table = Mapping[str, list[Binding]]


class KeyMap(NamedTuple):
    """What can be used of the user's keys.

    Attributes:
        keys: For each binding's id its keys, as `App.set_keymap` takes them.
        problems: What cannot be used, and why.
    """

    keys: dict[str, str]
    problems: tuple[Problem, ...]


def check_keys(user: UserKeys, widgets: Iterable[type[DOMNode]], app: type[DOMNode]) -> KeyMap:
    """Leave out names that are no binding's, keys that are none, and keys that would do two things or none.

    Args:
        user: What the user wrote.
        widgets: Every class that declares bindings.
        app: The app, whose keys work on every screen.
    """
    widgets = list(widgets)
    tables = [merged_bindings(kind) for kind in widgets]
    places = [_Place(kind) for kind in widgets if issubclass(kind, Screen)]
    everywhere = merged_bindings(app)
    known = {
        one.id: one
        for table in [*tables, everywhere]
        for bindings in table.values()
        for one in bindings
        if one.id
    }
    problems = list(user.problems)

    def leave_out(name: str, what: str, hint: str) -> None:
        problems.append(Problem(user.where(name), f"{name}: {what}", hint))

    wanted: dict[str, tuple[str, ...]] = {}
    for name, written in user.keys.items():
        if name not in known:
            meant = nearest(name, known)
            leave_out(
                name,
                _("nothing is called so."),
                _("Did you mean {meant}?", meant=meant) if meant else _(_SEE_NAMES),
            )
            continue
        keys = tuple(normalised(key) for key in written)
        what, hint = next((fault for key in keys if (fault := fault_of(key))[0]), ("", ""))
        typed = next((key for key in keys if types_something(key)), "")
        if what:
            leave_out(name, what, hint)
        elif known[name].priority and typed:
            leave_out(
                name,
                _("{typed} is typed into texts, and this key works there too.", typed=typed),
                _("Add ctrl to it."),
            )
        else:
            wanted[name] = keys
    while clash := _clash(wanted, tables, everywhere) or _shadow(wanted, places):
        name, key, other = clash
        what = (
            _("{binding} already", binding=_said(other))
            if other is not None
            else _("typed into the text there")
        )
        leave_out(
            name,
            _("{key} is {what}.", key=key, what=what),
            _("Give that another key as well, or choose another."),
        )
        del wanted[name]
    return KeyMap({name: ",".join(keys) for name, keys in wanted.items()}, tuple(problems))


_SEE_NAMES = N_("Press F1 in the app to see every name.")


class _Place:
    """A screen with what can have the focus on it.

    Args:
        screen: The screen's class.
    """

    def __init__(self, screen: type[Screen[object]]) -> None:
        takers = [kind for kind in widgets_of(screen) if kind.can_focus]
        panels = [kind for kind in takers if not issubclass(kind, Input | TextArea) and _is_ours(kind)]
        # Nobody expects the keys of a screen to work where text is typed, unless that is all there is.
        self.takes_text = not panels and any(issubclass(kind, Input | TextArea) for kind in takers)
        self.table = merged_bindings(screen)
        self.panels = [merged_bindings(kind) for kind in (takers if self.takes_text else panels)]


def _is_ours(kind: type[Widget]) -> bool:
    return kind.__module__.partition(".")[0] != "textual"


_Clash = tuple[str, str, Binding | None]


def _shadow(wanted: _Keys, places: Iterable[_Place]) -> _Clash | None:
    """The first of the user's keys for a screen that what has the focus there takes for itself."""
    for place in places:
        for key, binding in _moved(place.table, wanted):
            name = binding.id or ""
            usual = {usual for usual, bindings in place.table.items() if name in {one.id for one in bindings}}
            if name not in wanted or binding.priority or key in usual:
                continue
            if place.takes_text and types_something(key):
                return name, key, None
            for panel in place.panels:
                for other_key, other in _moved(panel, wanted):
                    if other_key == key and other.id != name:
                        return name, key, other
    return None


def _clash(wanted: _Keys, tables: Iterable[_Table], everywhere: _Table) -> _Clash | None:
    """The first of the user's keys that does something else already: its name, the key, and what that is."""
    order = list(wanted)
    for table in [*tables, everywhere]:
        taken: dict[str, list[Binding]] = {}
        for key, binding in _moved({**everywhere, **table} if table is not everywhere else table, wanted):
            for other in taken.setdefault(key, []):
                users = [one.id for one in (binding, other) if one.id and one.id in wanted]
                if users and not _are_together(table, binding, other):
                    loser = max(users, key=order.index)  # of two of the user's, the later one
                    return loser, key, other if loser == binding.id else binding
            taken[key].append(binding)
    return None


def _moved(table: _Table, wanted: _Keys) -> Iterable[tuple[str, Binding]]:
    """Every key and what it does once the user's keys are in place, each binding once for each key."""
    seen = set()
    for key, bindings in table.items():
        for binding in bindings:
            name = binding.id or ""
            if name not in wanted:
                yield key, binding
            elif name not in seen:
                seen.add(name)
                for own in wanted[name]:
                    yield own, binding


def _are_together(table: _Table, first: Binding, second: Binding) -> bool:
    """Whether they have a key in common anyway, for two states of which one is there at a time."""
    names = {first.id, second.id}
    return len(names) == 1 or any(names <= {each.id for each in bindings} for bindings in table.values())


def _said(binding: Binding) -> str:
    what = _(binding.description) if binding.description else binding.action
    return f"{what!r} ({binding.id})" if binding.id else f"{what!r}"
