"""Slots: the places where a prompt shows a part of the row.

`{name}` is a slot. `{{name}}`, `${name}`, the braces of JSON and those of LaTeX are text, and stay as they
are written.
"""

import re
from collections.abc import Collection, Iterable, Iterator, Mapping
from typing import Final, NamedTuple

_SLOT: Final = re.compile(
    r"\\[A-Za-z]{2,}\*?(?:\[[^\]{}]*\])?(?:\{[^{}]*\})+"  # LaTeX, e.g. \boxed{answer} and \frac{a}{b}
    r"|\^\{[^{}]*\}"
    r"|(?<![{$])\{(?P<name>[^\W\d]\w*)\}"
)


def slot_names(prompt: str) -> frozenset[str]:
    """The names of all slots in a prompt."""
    return frozenset(slot["name"] for slot in _SLOT.finditer(prompt) if slot["name"])


def slot_fault(seed: str, kept: Collection[str], prompt: str) -> str:
    """The fault of a prompt's slots, one sentence; empty when it has those of the seed and no other.

    Args:
        seed: The prompt that the run began with.
        kept: Those of its slots that a row fills.
        prompt: The prompt to check.
    """
    found = slot_names(prompt)
    if lost := sorted(set(kept) - found):
        return f"Its prompt has lost {braced(lost)}, which must stay as it is written."
    if invented := sorted(found - slot_names(seed)):
        return f"Its prompt has {braced(invented)}, which nothing fills."
    return ""


def braced(names: Iterable[str]) -> str:
    """The slots of these names as a prompt has them."""
    return ", ".join(f"{{{name}}}" for name in names)


def fill(prompt: str, values: Mapping[str, str]) -> str:
    """The prompt with its slots filled; what looks like a slot in a value is text.

    Args:
        prompt: With slots, each as often as it likes.
        values: What to put in; a slot without a value stays as it is.
    """
    return _SLOT.sub(lambda slot: values.get(slot["name"] or "", slot[0]), prompt)


class Lookalike(NamedTuple):
    """A part of a prompt that looks like a slot of another tool, and is text here.

    Attributes:
        start: Where it begins.
        text: The part itself.
        name: The name in it; empty where it is a statement of a template language.
    """

    start: int
    text: str
    name: str


def lookalikes(prompt: str, columns: Collection[str] = ()) -> Iterator[Lookalike]:
    """The parts of a prompt that were probably meant as slots.

    Double braces and statements can hardly be anything else. `$name`, `<name>` and `[name]` often are, so
    they count only with a name that a row is likely to have, and `<name>` only where no tag closes it. Beside
    a slot of the same name they are text on purpose.

    Args:
        prompt: The prompt.
        columns: Further names that rows have.
    """
    slots = slot_names(prompt)
    likely = {*_LIKELY, *(name.casefold() for name in columns)}
    for found in _LOOKALIKE.finditer(prompt):
        name = next((one for one in found.groups() if one), "")
        is_certain = found.lastgroup in ("double", "python") or not name
        is_tag = found.lastgroup == "tag" and f"</{name}>" in prompt
        if name not in slots and not is_tag and (is_certain or name.casefold() in likely):
            yield Lookalike(found.start(), found[0], name)


_LIKELY: Final = frozenset(
    ("question", "input", "query", "context", "text", "passage", "document", "sentence", "user_input")
)
_LOOKALIKE: Final = re.compile(
    r"\{%.*?%\}"
    r"|\{\{\s*(?P<double>[^\W\d][\w.]*)(?:\s*\|[^{}]*)?\s*\}\}"
    r"|%\((?P<python>[^\W\d]\w*)\)[sd]"
    r"|\$\{?(?P<dollar>[^\W\d]\w*)\}?"
    r"|<(?P<tag>[^\W\d]\w*)>"
    r"|\[\[?(?P<bracket>[^\W\d]\w*)\]\]?"
    r"|(?<!\{)\{[ \t]*(?P<spaced>[^\W\d]\w*)(?:[ \t]+|[.!][\w.]*)\}"
    r"|(?<!\{)\{[ \t]+(?P<indented>[^\W\d]\w*)\}",
    re.DOTALL,
)
