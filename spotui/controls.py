"""Keeping a text from commanding the terminal: what a model writes is shown, never obeyed."""

from types import ModuleType
from typing import Final

_KEPT = "\t\n"

LEFT_OUT: Final[dict[int, None]] = {
    code: None for code in (*range(32), *range(127, 160)) if chr(code) not in _KEPT
}
"""Every control character that a shown text goes without, as `str.translate` takes them.

Those from 128 on are the same commands as an escape character with a letter: U+009B begins one as ESC [ does.
"""


def without_controls(text: str) -> str:
    """The text without what a terminal would obey; line breaks and tabs stay."""
    return text.translate(LEFT_OUT)


def keep_out(*modules: ModuleType) -> None:
    """Let Rich and Textual leave out every control character of what they paint from now on.

    Both leave out five control characters, and let the escape character through: an answer could clear the
    screen or write to the clipboard. Neither has an option for it, so their tables of what is left out are
    made longer.

    Args:
        modules: Those with such a table: `rich.control`, `textual.content`.
    """
    for module in modules:
        getattr(module, "_CONTROL_STRIP_TRANSLATE", {}).update(LEFT_OUT)
