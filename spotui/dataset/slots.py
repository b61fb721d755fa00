"""Slots: the places where a prompt shows a part of the row.

`{name}` is a slot. `{{name}}`, `${name}`, the braces of JSON and those of LaTeX are text, and stay as they
are written.
"""

import re
from collections.abc import Mapping
from typing import Final

_SLOT: Final = re.compile(
    r"\\[A-Za-z]{2,}\*?(?:\[[^\]{}]*\])?(?:\{[^{}]*\})+"  # LaTeX, e.g. \boxed{answer} and \frac{a}{b}
    r"|\^\{[^{}]*\}"
    r"|(?<![{$])\{(?P<name>[^\W\d]\w*)\}"
)


def slot_names(prompt: str) -> frozenset[str]:
    """The names of all slots in a prompt."""
    return frozenset(slot["name"] for slot in _SLOT.finditer(prompt) if slot["name"])


def fill(prompt: str, values: Mapping[str, str]) -> str:
    """The prompt with its slots filled; what looks like a slot in a value is text.

    Args:
        prompt: With slots, each as often as it likes.
        values: What to put in; a slot without a value stays as it is.
    """
    return _SLOT.sub(lambda slot: values.get(slot["name"] or "", slot[0]), prompt)
