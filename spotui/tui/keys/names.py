"""What a key may be called, and which keys a terminal cannot tell from another."""

from textual.binding import Binding, BindingsMap
from textual.keys import KEY_NAME_REPLACEMENTS, Keys, key_to_character

from spotui.nearest import nearest

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
