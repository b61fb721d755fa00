"""Slots: where a prompt shows a part of the row.

`{name}` is a slot. `{{name}}`, `${name}` and the braces of JSON are text, and stay as they are written.
"""

import re
from collections.abc import Mapping
from typing import Final

_SLOT: Final = re.compile(r"(?<![{$])\{([^\W\d]\w*)\}")


def slot_names(prompt: str) -> frozenset[str]:
    """The names of all slots in a prompt."""
    return frozenset(_SLOT.findall(prompt))


def fill(prompt: str, values: Mapping[str, str]) -> str:
    """The prompt with its slots filled; what looks like a slot in a value is text.

    Args:
        prompt: With slots, each as often as it likes.
        values: What to put in; a slot without a value stays as it is.
    """
    return _SLOT.sub(lambda slot: values.get(slot[1], slot[0]), prompt)
