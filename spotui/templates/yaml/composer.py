"""Reads YAML into a tree in which every value knows its line, its column and how it was written."""

import codecs
import re
from typing import Any, Final

import msgspec
import yaml

from spotui.lang import _
from spotui.templates.yaml.faults import IN_QUOTES, TOO_DEEP, EmptyYamlError, Fault, YamlError
from spotui.templates.yaml.nodes import (
    Entry,
    MappingNode,
    Node,
    ScalarNode,
    SequenceNode,
    keeps_blank_lines,
)

BOM: Final = "\ufeff"
MAX_DEPTH: Final = 50
"""How many lists and mappings may stand inside each other."""
MAX_REPEATED: Final = 10_000
"""How many values `*aliases` may repeat, so that a small file cannot stand for a huge one."""

_LOADER: Final = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_KEY_HINT: Final = "Write `key: text`, with plain words before the colon."
_SURROGATE: Final = re.compile("[\ud800-\udfff]")
_BREAKS: Final = "\x85\u2028\u2029"
_PRIVATE: Final = range(0xF0000, 0xFFFFE)
_BLANK: Final = " \t\r\n"
_TEXT_TAGS: Final = ("!", "tag:yaml.org,2002:str")


class _Shield:
    """Hides the characters that YAML 1.1 takes for line ends, and every editor and YAML 1.2 for text."""

    def __init__(self, text: str) -> None:
        found = [ord(char) for char in _BREAKS if char in text]
        unused = (code for code in _PRIVATE if chr(code) not in text)
        self._hidden = dict(zip(found, unused, strict=False))
        self._shown = {code: char for char, code in self._hidden.items()}

    def hide(self, text: str) -> str:
        return text.translate(self._hidden) if self._hidden else text

    def show(self, text: str) -> str:
        return text.translate(self._shown) if self._shown else text


class Composer:
    """Reads one document; `faults` holds what was wrong without keeping it from going on.

    Args:
        text: The document.
        merges: Whether merge keys (`<<`) are carried out; otherwise they are faults.
        most_repeated: How many values aliases may repeat.
    """

    def __init__(self, text: str, *, merges: bool = False, most_repeated: int = MAX_REPEATED) -> None:
        self.faults: list[Fault] = []
        self._merges = merges
        self._most_repeated = most_repeated
        self._text = text
        self._shift = len(BOM) if text.startswith(BOM) else 0
        self._shield = _Shield(text)
        self._events: Any = yaml.parse(self._shield.hide(text[self._shift :]), Loader=_LOADER)
        self._anchors: dict[str, Node] = {}
        self._repeated = 0

    def document(self) -> Node:
        """The root of the document.

        Raises:
            EmptyYamlError: There is nothing in it.
            YamlError: It cannot be read to its end.
            yaml.MarkedYAMLError: It is not YAML.
        """
        next(self._events)  # the stream's start
        if not isinstance(next(self._events), yaml.DocumentStartEvent):
            raise EmptyYamlError
        root = self._node(next(self._events), 0)
        next(self._events)  # the document's end
        after = next(self._events)
        if isinstance(after, yaml.DocumentStartEvent):
            hint = _("Remove the line ---, or move what follows it into a separate file.")
            self._fault(after, _("A second document begins here."), hint)
        return root

    def _node(self, event: Any, depth: int) -> Node:
        if depth > MAX_DEPTH:
            self._fault(event, _(TOO_DEEP), _(IN_QUOTES))
            raise YamlError(self.faults)
        if isinstance(event, yaml.AliasEvent):
            return self._alias(event)
        node: Node
        if isinstance(event, yaml.ScalarEvent):
            node = self._scalar(event)
        elif isinstance(event, yaml.MappingStartEvent):
            node = self._mapping(event, depth)
        else:
            node = self._sequence(event, depth)
        if event.anchor is not None:
            self._anchors[event.anchor] = node
        return node

    def _alias(self, event: Any) -> Node:
        line, start, end = self._place(event)
        target = self._anchors.get(event.anchor)
        if target is None:
            self._fault(
                event,
                _("*{anchor} refers to nothing above it.", anchor=event.anchor),
                _(IN_QUOTES),
            )
            return ScalarNode(line=line, start=start, end=end, text="", style="", typed=True)
        self._repeated += target.size
        if self._repeated > self._most_repeated:
            self._fault(event, _("The *aliases up to here repeat too much."), _("Write the values out."))
            raise YamlError(self.faults)
        return msgspec.structs.replace(target, line=line, start=start, end=end, alias=True)

    def _scalar(self, event: yaml.ScalarEvent) -> ScalarNode:
        line, start, end = self._place(event)
        style = event.style or ""
        if style in ("|", ">"):
            end = start + _length_of_block(self._text[start:end], event.value)
        if event.tag is not None and event.tag not in _TEXT_TAGS:
            self._fault(event, _("YAML tags such as {tag} are not used here.", tag=event.tag), _(IN_QUOTES))
        text = self._shield.show(event.value)
        if style == '"' and _SURROGATE.search(text):  # PyYAML's Python parser lets them through
            self._fault(
                event, _("A \\u escape here is half of a character."), _("Write the character itself.")
            )
        return ScalarNode(
            line=line,
            start=start,
            end=end,
            text=text,
            style=style,
            typed=not style and event.tag is None,
        )

    def _mapping(self, event: yaml.MappingStartEvent, depth: int) -> MappingNode:
        line, start, end = self._place(event)
        entries: dict[str, Entry] = {}
        merged: list[Node] = []
        size = 1
        while not isinstance(event_of_key := next(self._events), yaml.MappingEndEvent):
            key = self._node(event_of_key, depth + 1)
            value = self._node(next(self._events), depth + 1)
            end, size = value.end, size + key.size + value.size
            if not isinstance(key, ScalarNode):
                what, hint = _("A key must be a single word or text."), _KEY_HINT
                if isinstance(key, MappingNode | SequenceNode) and key.flow:
                    what, hint = _("A [ or { begins a list or a mapping here, not a text."), _(IN_QUOTES)
                self._fault(event_of_key, what, hint)
            elif key.typed and key.text == "<<" and self._merges:
                merged += value.items if isinstance(value, SequenceNode) else [value]
            elif key.typed and key.text == "<<":
                what = _("Merge keys (`<<`) are not used here.")
                self._fault(event_of_key, what, _("Write out the keys that it stands for."))
            elif key.text in entries:
                what = _(
                    "`{key}` is here twice, first on line {line}.",
                    key=key.text[:80],
                    line=entries[key.text].key.line,
                )
                self._fault(event_of_key, what, _("Keep one of the two."))
            else:
                entries[key.text] = Entry(key, value)
        if event.flow_style:
            end = self._place(event_of_key)[2]
        self._refuse_tag(event)
        for node in merged:
            if isinstance(node, MappingNode):
                entries = {**node.entries, **entries}
            else:
                self._fault(
                    event, _("A merge key (`<<`) here names no mapping."), _("Name one, such as *defaults.")
                )
        return MappingNode(
            line=line,
            start=start,
            end=end,
            size=size,
            entries=entries,
            flow=bool(event.flow_style),
        )

    def _sequence(self, event: yaml.SequenceStartEvent, depth: int) -> SequenceNode:
        line, start, end = self._place(event)
        items: list[Node] = []
        while not isinstance(event_of_item := next(self._events), yaml.SequenceEndEvent):
            items.append(self._node(event_of_item, depth + 1))
            end = items[-1].end
        if event.flow_style:
            end = self._place(event_of_item)[2]
        self._refuse_tag(event)
        return SequenceNode(
            line=line,
            start=start,
            end=end,
            size=1 + sum(item.size for item in items),
            items=tuple(items),
            flow=bool(event.flow_style),
        )

    def _refuse_tag(self, event: yaml.CollectionStartEvent) -> None:
        if event.tag is not None:
            self._fault(
                event, _("YAML tags such as {tag} are not used here.", tag=event.tag), _("Remove it.")
            )

    def _place(self, event: Any) -> tuple[int, int, int]:
        start, end = event.start_mark, event.end_mark
        return start.line + 1, start.index + self._shift, end.index + self._shift

    def _fault(self, event: Any, what: str, hint: str) -> None:
        self.faults.append(Fault(event.start_mark.line + 1, what, hint))


def _length_of_block(source: str, value: str) -> int:
    """How much of what the parser took for a block is the block.

    The blank lines below it are its own only where `+` keeps them. Spaces at the end of its last line are
    part of it, and so are last lines of spaces that are indented deeper than the block: the parser gives
    each of them as a line of the value, in a folded block too.
    """
    header, *below = source.split("\n")
    if keeps_blank_lines(header):
        return len(source.removesuffix("\n"))
    content = value.rstrip("\n")
    last = max((number for number, line in enumerate(below, 1) if line.strip(_BLANK)), default=0)
    if last:
        last += content[len(content.rstrip(_BLANK)) :].count("\n")
    elif content:
        last = content.count("\n") + 1
    return len("\n".join([header, *below[:last]])) if last else len(header.rstrip(_BLANK))


_UNREADABLE: Final = re.compile("[^\t\n\r\x20-\x7e\x85\xa0-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def decode(data: bytes) -> str:
    """The text of a YAML file; a byte order mark stays.

    Raises:
        YamlError: The bytes are not UTF-8 text.
    """
    if data.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        raise YamlError([Fault(1, _("The file is saved as UTF-16."), _("Save it as UTF-8 in your editor."))])
    if (zero := data.find(b"\0")) >= 0:
        hint = _("Choose a YAML file; this may be an image, an archive or a program.")
        raise YamlError([Fault(_line(data, zero), _("The file is not a text."), hint)])
    try:
        return data.decode()
    except UnicodeDecodeError as error:
        what = _("There are bytes here that are not UTF-8 text.")
        raise YamlError([Fault(_line(data, error.start), what, _("Save the file as UTF-8."))]) from None


def load(text: str, *, merges: bool = False, most_repeated: int = MAX_REPEATED) -> Node:
    """Read one YAML document.

    Args:
        text: The document; it may begin with a byte order mark.
        merges: Whether merge keys (`<<`) are carried out, for a file that is only read.
        most_repeated: How many values aliases may repeat.

    Raises:
        EmptyYamlError: There is nothing in it.
        YamlError: It is broken; every fault that could be found is in it.
    """
    if unreadable := _UNREADABLE.search(text):
        what = _("There is a character that no YAML file may hold (U+{ord:04X}).", ord=ord(unreadable[0]))
        line = text.count("\n", 0, unreadable.start()) + 1
        raise YamlError([Fault(line, what, _("Delete it."))])
    composer = Composer(text, merges=merges, most_repeated=most_repeated)
    try:
        root = composer.document()
    except yaml.MarkedYAMLError as error:
        from spotui.templates.yaml.explain import explain

        last = explain(error, text.removeprefix(BOM))
        known = any(fault.line == last.line for fault in composer.faults)
        raise YamlError(composer.faults if known else [*composer.faults, last]) from None
    if composer.faults:
        raise YamlError(composer.faults)
    if isinstance(root, ScalarNode) and root.typed and not root.text:
        raise EmptyYamlError
    return root


def _line(data: bytes, offset: int) -> int:
    return data.count(b"\n", 0, offset) + 1
