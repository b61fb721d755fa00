"""Variables of other tools and slots of ours: `{{name}}` there is `{name}` here, and the other way."""

import re
from collections.abc import Collection, Mapping
from typing import Any, Final, NamedTuple

from spotui.domain.rows import fill, slot_names
from spotui.lang import _
from spotui.templates.data.values import MISSING, reach, written
from spotui.templates.exchange.imported import Notes

_DOUBLE: Final = re.compile(r"\{\{-?\s*(?P<inner>.*?)\s*-?\}\}", re.DOTALL)
_STATEMENT: Final = re.compile(r"\{%.*?%\}", re.DOTALL)
_COMMENT: Final = re.compile(r"\{#.*?#\}", re.DOTALL)
_PATH: Final = re.compile(r"[^\W\d]\w*(?:\.\w+|\[\d+\]|\[(?:'[^']*'|\"[^\"]*\")\])*")
_STEP: Final = re.compile(r"\.(\w+)|\[(\d+)\]|\[['\"]([^'\"]*)['\"]\]")
_HARMLESS: Final = re.compile(r"\s*\|\s*(?:safe|string|trim|dump|tojson)(?:\(\s*\))?\s*")
"""Filters that change nothing of a text, or write a list as JSON, as we do."""
_FORMAT: Final = re.compile(r"(\{\{|\}\})|\{(?P<name>[^\W\d]\w*)(?:![rsa])?(?::[^{}]*)?\}")
_OPENS: Final = re.compile(r"\{[{%#]")
_MARK: Final = re.compile(r"\0(\w+)\0")
_RAW: Final = re.compile(r"\{%-?\s*raw\s*-?%\}(.*?)\{%-?\s*endraw\s*-?%\}", re.DOTALL)


class Slots(NamedTuple):
    """A text with slots, and the column of each slot whose name is another one."""

    text: str
    names: dict[str, str]


def slot_of(path: str, taken: Collection[str] = ()) -> str:
    """The name of the slot for a variable, e.g. `user_name` for `user.name`."""
    name = re.sub(r"\W+", "_", path).strip("_")
    name = name if name.isidentifier() else f"_{name}"
    while name in ("answer", "options") or name in taken:
        name += "_"
    return name


def from_double(text: str, notes: Notes, where: str, values: Mapping[str, str] | None = None) -> Slots:
    """A text whose variables are in double braces, as Nunjucks, Jinja and Mustache have them, with slots.

    Args:
        text: The text.
        notes: Takes what has no counterpart.
        where: The place of the text.
        values: Texts that stand for variables already, e.g. `env.NAME`.
    """
    raws: list[str] = []

    def keep(match: re.Match[str]) -> str:
        raws.append(match[1])
        return f"\0{len(raws) - 1}\0"

    text = _RAW.sub(keep, text.replace("\0", ""))
    text = _COMMENT.sub("", text)
    if statement := _STATEMENT.search(text):
        what = _("`{statement}` is sent to the model as it is written.", statement=statement[0][:60])
        notes.add(where, what, _("A prompt has slots here, and no statements: write it without them."))
    parts, names, at = [], dict[str, str](), 0
    for found in _DOUBLE.finditer(text):
        parts.append(literal(text[at : found.start()], notes, where))
        shown = _variable(found, names, notes, where, values or {})
        if parts[-1].endswith(("$", "{")) and shown.startswith("{") and not shown.startswith("{{"):
            what = _("A space is put before `{slot}`.", slot=shown)
            notes.add(where, what, _("Right after `$` or a brace, it would be text."))
            shown = f" {shown}"
        parts.append(shown)
        at = found.end()
    parts.append(literal(text[at:], notes, where))
    whole = re.sub(r"\0(\d+)\0", lambda raw: literal(raws[int(raw[1])], notes, where), "".join(parts))
    return Slots(whole, names)


def _variable(
    match: re.Match[str], names: dict[str, str], notes: Notes, where: str, values: Mapping[str, str]
) -> str:
    inner = match["inner"]
    path = _PATH.match(inner)
    rest = inner[path.end() :] if path else inner
    while rest and (filtered := _HARMLESS.match(rest)):
        rest = rest[filtered.end() :]
    if path is None or rest:
        what = _("`{variable}` is sent to the model as it is written.", variable=match[0][:60])
        notes.add(where, what, _("Filters and expressions have no counterpart: put the value into a column."))
        return match[0]
    dotted = dotted_path(path[0])
    if dotted in values:
        return literal(values[dotted], notes, where)
    if dotted.startswith("env."):
        name = dotted.removeprefix("env.")
        what = _("The environment variable {name} is not read, as it may be a key.", name=name)
        notes.add(
            where, what, _("If its value may be written into the template, add --env {name}.", name=name)
        )
        return match[0]
    slot = next((slot for slot, column in names.items() if column == dotted), "")
    slot = slot or slot_of(dotted, names)
    names[slot] = dotted
    return f"{{{slot}}}"


def dotted_path(path: str) -> str:
    """A path with dots in place of brackets: `a[0]['b']` is `a.0.b`."""
    return _STEP.sub(lambda step: f".{next(one for one in step.groups() if one is not None)}", path)


def from_format(text: str, notes: Notes, where: str) -> Slots:
    """A text whose variables are in single braces, as Python's `str.format` and f-strings have them.

    Args:
        text: The text.
        notes: Takes what has no counterpart.
        where: The place of the text.
    """
    names: dict[str, str] = {}

    def replaced(match: re.Match[str]) -> str:
        if match["name"] is None:
            return match[1][0]
        slot = next((slot for slot, column in names.items() if column == match["name"]), "")
        slot = slot or slot_of(match["name"], names)
        names[slot] = match["name"]
        return f"{{{slot}}}"

    parts, at = list[str](), 0
    for found in _FORMAT.finditer(text):
        parts += [text[at : found.start()], replaced(found)]
        at = found.end()
    whole = "".join([*parts, text[at:]])
    lost = {name: f"{{{{{name}}}}}" for name in slot_names(whole) - names.keys()}
    return Slots(fill(whole, {name: literal(f"{{{name}}}", notes, where) for name in lost}), names)


def literal(text: str, notes: Notes, where: str) -> str:
    """A text without slots; a name in single braces gets a second pair, which the model sees.

    Args:
        text: The text.
        notes: Takes what had to be changed.
        where: The place of the text.
    """
    names = slot_names(text)
    for name in sorted(names):
        what = _("The text `{{{name}}}` is written `{{{{{name}}}}}`, which the model sees.", name=name)
        notes.add(where, what, _("A name in single braces is a slot here."))
    return fill(text, {name: f"{{{{{name}}}}}" for name in names})


def to_double(text: str, columns: Mapping[str, str], slots: Collection[str]) -> str:
    """A prompt with its slots in double braces, as Nunjucks, Jinja and Mustache have them.

    Args:
        text: The prompt.
        columns: The column of each slot that is not called the same.
        slots: The names that are slots; others are text.
    """
    marked = fill(text, {name: f"\0{name}\0" for name in slots})
    marked = _OPENS.sub(lambda opening: f"{{% raw %}}{opening[0]}{{% endraw %}}", marked)
    return _MARK.sub(lambda mark: f"{{{{{columns.get(mark[1], mark[1])}}}}}", marked)


def to_format(text: str, slots: Collection[str]) -> str:
    """A prompt for `str.format`: all braces but those of slots are doubled."""
    marked = fill(text, {name: f"\0{name}\0" for name in slots})
    return _MARK.sub(r"{\1}", marked.replace("{", "{{").replace("}", "}}"))


def render(text: str, values: Mapping[str, Any]) -> str | None:
    """A text with its double braces filled; None where a value is missing, or there is more than variables.

    Args:
        text: The text.
        values: The variables.
    """
    missing = bool(_STATEMENT.search(text))

    def replaced(match: re.Match[str]) -> str:
        nonlocal missing
        path = _PATH.match(match["inner"])
        rest = match["inner"][path.end() :] if path else "?"
        while rest and (filtered := _HARMLESS.match(rest)):
            rest = rest[filtered.end() :]
        value = reach(dict(values), dotted_path(path[0])) if path else MISSING
        if value is MISSING or rest:
            missing = True
            return match[0]
        return written(value)

    filled = _DOUBLE.sub(replaced, text)
    return None if missing else filled
