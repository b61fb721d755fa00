"""Key bindings: which screens and widgets declare, which apply now, and the row that shows them."""

import pkgutil
from collections.abc import Iterator, Mapping
from importlib import import_module
from types import CodeType, FunctionType

from textual.binding import ActiveBinding, Binding, BindingsMap
from textual.content import Content
from textual.dom import DOMNode
from textual.events import Click
from textual.keys import KEY_NAME_REPLACEMENTS, Keys, key_to_character
from textual.screen import Screen
from textual.widget import Widget

import spotui.tui
from spotui.domain.errors import nearest

_MODIFIERS = ("ctrl", "shift", "alt", "super", "hyper", "meta")
_SAME = {
    "ctrl+h": "backspace",
    "ctrl+i": "tab",
    "ctrl+m": "enter",
    "ctrl+left_square_bracket": "escape",
}
_SIGNS = frozenset(KEY_NAME_REPLACEMENTS.values())
_NAMES = _SIGNS | {key.value.rpartition("+")[2] for key in Keys if not key.value.startswith("<")}


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
        return f"{key!r} is not a key: {unknown!r} is none of {', '.join(_MODIFIERS)}.", ""
    if len(name) != 1 and name not in _NAMES and key_to_character(name) is None:
        meant = nearest(name, _NAMES)
        return f"{key!r} is not a key.", f"Did you mean {'+'.join([*modifiers, meant])}?" if meant else ""
    if same := _SAME.get(key):
        return f"{key} is {same} on many terminals.", "Choose another key."
    if "ctrl" in modifiers and "shift" in modifiers:
        return f"{key} is ctrl+{name} on many terminals.", "Choose another key."
    if modifiers == ["shift"] and len(name) == 1:
        return f"{key} arrives as {name.upper()}.", f"Write {name.upper()}."
    return "", ""


def types_something(key: str) -> bool:
    """Whether it puts a character where somebody types."""
    character = key_to_character(key)
    return key in ("enter", "tab", *_SIGNS) or (character is not None and character.isprintable())


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


class KeyHints(Widget):
    """As many keys as fit, the most particular first; painted again only when they change.

    Textual's own footer makes its row of widgets anew at every key press, which lays out the whole screen and
    sends kilobytes.
    """

    DEFAULT_CSS = (
        "KeyHints { dock: bottom; height: 1; padding: 0 1; background: $panel; color: $text-muted; }"
    )

    def __init__(self) -> None:
        super().__init__()
        self._hints: list[ActiveBinding] = []
        self._more: ActiveBinding | None = None

    def on_mount(self) -> None:
        """Hear of every change of what has focus."""
        self.screen.bindings_updated_signal.subscribe(self, self._update)
        self._update(self.screen)

    def render(self) -> Content:
        """The hints that fit the row, and at its end the key that tells all of them."""
        placed = [hint for _, hint in self._placed()]
        if self._more is not None:
            more = self._hint(self._more).rstrip()
            gap = self.content_size.width - sum(hint.cell_length for hint in placed) - more.cell_length
            placed += [Content(" " * max(0, gap)), more]
        return Content("").join(placed)

    async def on_click(self, event: Click) -> None:
        """Do what was clicked."""
        end = self.styles.padding.left
        for active, hint in self._placed():
            end += hint.cell_length
            if event.x < end:
                await self.app.run_action(active.binding.action, active.node)
                return
        if self._more is not None and event.x >= self.size.width - self._hint(self._more).cell_length:
            await self.app.run_action(self._more.binding.action, self._more.node)

    def _placed(self) -> list[tuple[ActiveBinding, Content]]:
        placed: list[tuple[ActiveBinding, Content]] = []
        room = self.content_size.width - (self._hint(self._more).cell_length if self._more else 0)
        for active in self._hints:
            hint = self._hint(active)
            room -= hint.cell_length
            if room < -len("  "):
                break
            placed.append((active, hint))
        return placed

    def _hint(self, active: ActiveBinding) -> Content:
        key = self.app.get_key_display(active.binding)
        return Content.assemble((key, "bold $accent"), f" {active.binding.description}  ")

    def _update(self, screen: Screen[object]) -> None:
        found: dict[str, ActiveBinding] = {}
        for active in screen.active_bindings.values():
            if active.binding.show and active.enabled:
                found.setdefault(active.binding.action.removeprefix("app."), active)
        more = found.pop("keys", None)
        hints = list(found.values())
        if [one.binding for one in [*hints, more] if one] != [
            one.binding for one in [*self._hints, self._more] if one
        ]:
            self._hints, self._more = hints, more
            self.refresh()
