"""Changes single values of a YAML text and leaves every other byte as it is."""

import re
from bisect import bisect_left, insort
from collections.abc import Iterator, Sequence
from itertools import pairwise
from operator import itemgetter
from typing import Final

from spotui.templates.yaml.emit import after_colon, block, inline, list_item, quoted
from spotui.templates.yaml.nodes import (
    BLOCK_HEADER,
    Entry,
    MappingNode,
    Node,
    Plain,
    ScalarNode,
    SequenceNode,
    keeps_blank_lines,
)

_BOM: Final = "\ufeff"
_DASH: Final = re.compile(r" *-(?=\s|$)")


def is_in_line(node: Node) -> bool:
    """Whether a value is written on the line of its key or in brackets, not as a block below it."""
    if isinstance(node, ScalarNode):
        return node.alias or node.style not in ("|", ">")
    return node.alias or (isinstance(node, MappingNode | SequenceNode) and node.flow)


class Layout:
    """Answers where things stand; offsets are into the text.

    Args:
        text: What was loaded.
        root: What `load` made of it.
    """

    def __init__(self, text: str, root: Node) -> None:
        self._text = text
        self._steps: dict[int, int] = {}
        self._find_steps(root)

    def line_start(self, offset: int) -> int:
        """Where the line of `offset` begins."""
        return self._text.rfind("\n", 0, offset) + 1

    def line_end(self, offset: int) -> int:
        """Where the line of `offset` ends, before its line end."""
        found = self._text.find("\n", offset)
        return found if found >= 0 else len(self._text)

    def column(self, offset: int) -> int:
        """How far from the margin `offset` is, as YAML counts it."""
        start = self.line_start(offset)
        return offset - start - (1 if self._text.startswith(_BOM, start) else 0)

    def step(self, column: int) -> int:
        """How much deeper a text block is indented below a key at `column`, as this file does it."""
        return self._steps.get(column) or next(iter(self._steps.values()), 2)

    def step_of(self, literal: ScalarNode, column: int) -> int:
        """How much deeper one text block is indented than its key at `column`."""
        header, *lines = self._text[literal.start : literal.end].split("\n")
        if (indicators := BLOCK_HEADER.match(header)) and indicators["indent"]:
            return int(indicators["indent"])
        margins = [len(line) - len(line.lstrip(" ")) for line in lines if line.strip()]
        return min(margins) - column if margins and min(margins) > column else 2

    def below(self, node: Node) -> int:
        """Where the last line of a value ends, with the comments that belong to its last item."""
        if isinstance(node, SequenceNode) and not is_in_line(node):
            return self.spans(node)[-1][1]
        return self.line_end(node.end)

    def is_airy(self, mapping: MappingNode) -> bool:
        """Whether blank lines stand between the keys."""
        gaps = (
            self._text[self.line_end(left.value.end) : self.line_start(right.key.start)]
            for left, right in pairwise(mapping.entries.values())
        )
        return any(gap.isspace() and gap.count("\n") > 1 for gap in gaps)

    def spans(self, sequence: SequenceNode) -> list[tuple[int, int]]:
        """Where each item begins and ends, with the comments that belong to it."""
        if sequence.flow:
            return [(item.start, item.end) for item in sequence.items]
        spans: list[tuple[int, int]] = []
        for item in sequence.items:
            dash = self._dash(item)
            start = self.line_start(dash)
            if spans:
                between = self._text[spans[-1][1] : start]
                if between.strip():
                    start = self.line_start(start - len(between.lstrip()))
            else:
                while start and _is_comment(self._text[self.line_start(start - 1) : start]):
                    start = self.line_start(start - 1)
            spans.append((start, self._end_with_comments(item, self.column(dash))))
        return spans

    def bullet(self, sequence: SequenceNode) -> tuple[int, int]:
        """The column of a block list's dashes, and how many spaces follow a dash."""
        first = sequence.items[0]
        dash = self._dash(first)
        on_its_line = first.start <= self.line_end(dash)
        return self.column(dash), first.start - dash - 1 if on_its_line else 1

    def _dash(self, item: Node) -> int:
        start = self.line_start(item.start)
        while (found := _DASH.match(self._text, start)) is None:
            start = self.line_start(start - 1)
        return found.end() - 1

    def _end_with_comments(self, item: Node, column: int) -> int:
        """Comments below an item that are indented deeper than its dash are about it."""
        end = self.line_end(item.end)
        while end < len(self._text):
            below = self._text[end + 1 : self.line_end(end + 1)]
            if not _is_comment(below) or len(below) - len(below.lstrip()) <= column:
                break
            end = self.line_end(end + 1)
        return end

    def _find_steps(self, node: Node) -> None:
        if isinstance(node, MappingNode) and not is_in_line(node):
            for entry in node.entries.values():
                if isinstance(entry.value, ScalarNode) and not is_in_line(entry.value):
                    column = self.column(entry.key.start)
                    self._steps.setdefault(column, self.step_of(entry.value, column))
                self._find_steps(entry.value)
        if isinstance(node, SequenceNode) and not is_in_line(node):
            for item in node.items:
                self._find_steps(item)


def _is_comment(line: str) -> bool:
    return line.lstrip().startswith("#")


_LINE_OF_NO_VALUE: Final = re.compile(r"^(?P<margin>[ \t]+)(?:(?P<comment>#)|\r?$)", re.MULTILINE)


class Editor:
    """Collects edits of one text.

    Args:
        text: What was loaded, with line ends as they are.
        root: What `load` made of it.
    """

    def __init__(self, text: str, root: Node) -> None:
        self._text = text
        self._splices: list[tuple[int, int, str]] = []
        self._json = isinstance(root, MappingNode) and root.flow
        self._layout = Layout(text, root)

    def text(self) -> str:
        """The text with all edits made."""
        new, end = self._slice(0, len(self._text)), len(self._text)
        has_new_last_line = any(
            right == end and "\n" in (written or "\n") for _, right, written in self._splices
        )
        return new + "\n" if has_new_last_line and not new.endswith("\n") else new

    def put(self, mapping: MappingNode, key: str, value: Plain, after: Sequence[str] = ()) -> None:
        """Give `key` a value; a value that is there keeps its style where the new one allows it.

        Args:
            mapping: A mapping of the tree.
            key: A new key, or one that is there.
            value: The new value.
            after: The keys that a new one should follow; where none of them is there, it goes to the end.
        """
        entry = mapping.entries.get(key)
        if entry is not None:
            self._replace(entry, value, flow=mapping.flow)
            return
        wanted = [mapping.entries[each] for each in after if each in mapping.entries]
        above = max(wanted or mapping.entries.values(), key=lambda each: each.key.start, default=None)
        self._insert(mapping, key, value, above)

    def remove(self, mapping: MappingNode, key: str) -> None:
        """Take a key and its value out; the comments above it stay.

        Args:
            mapping: A mapping of the tree; the key must not be the first of a list's item.
            key: A key that is there.
        """
        entries = list(mapping.entries.values())
        position = list(mapping.entries).index(key)
        entry = entries[position]
        above = entries[position - 1].value.end if position else 0
        if not mapping.flow:
            self._splice(*self._lines_of(entry, above), "")
        elif position:
            self._splice(above, entry.value.end, "")
        else:
            self._splice(entry.key.start, entries[1].key.start if len(entries) > 1 else entry.value.end, "")

    def arrange(self, sequence: SequenceNode, items: Sequence[Node | Plain]) -> None:
        """Add, remove and reorder the items of a list, after editing them and before editing what follows it.

        An item keeps the comments directly above it, and those below it that are indented deeper than
        its dash. Blank lines between the items stay where they are.

        Args:
            sequence: A list of the tree that has items.
            items: Its new content, at least one: items of the list as they are, and plain data for new ones.
        """
        spans = self._layout.spans(sequence)
        by_item = {id(item): span for item, span in zip(sequence.items, spans, strict=True)}
        gaps = [self._text[left[1] : right[0]] for left, right in pairwise(spans)]
        usual = gaps[-1] if gaps else (", " if sequence.flow else "\n")
        written = ""
        for position, item in enumerate(items):
            if position:
                written += gaps[position - 1] if position <= len(gaps) else usual
            written += (
                self._slice(*by_item[id(item)]) if isinstance(item, Node) else self._new(sequence, item)
            )
        start, end = spans[0][0], spans[-1][1]
        self._splices = [splice for splice in self._splices if not (start <= splice[0] and splice[1] <= end)]
        self._splice(start, end, written)

    def settle_lines(self, root: Node) -> None:
        """Move the blank lines and comments that a new text block above them would take in.

        Args:
            root: All of the tree.
        """
        values = sorted(self._values(root, 0))
        for line in _LINE_OF_NO_VALUE.finditer(self._text):
            position = bisect_left(values, (line.end("margin"),)) - 1
            _, end, column = values[position] if position >= 0 else (0, 0, 0)
            if end <= line.start() and (len(line["margin"]) > column or "\t" in line["margin"]):
                self._splice(line.start(), line.end("margin"), " " * column if line["comment"] else "")

    def settle_values(self, node: Node) -> None:
        """Rewrite what changes with other values or lines.

        These are aliases, and texts that keep the blank lines below them (`|+`) or end the file.
        """
        if isinstance(node, MappingNode) and not is_in_line(node):
            for key, entry in node.entries.items():
                value = entry.value
                if is_in_line(value) and _has_alias(value):
                    self.put(node, key, value.data())
                elif isinstance(value, ScalarNode) and self._depends_on_lines_below(value):
                    self.put(node, key, value.text)
                else:
                    self.settle_values(value)
        if isinstance(node, SequenceNode) and not is_in_line(node):
            for item in node.items:
                self.settle_values(item)
            repeated = [is_in_line(item) and _has_alias(item) for item in node.items]
            if any(repeated):
                items = zip(node.items, repeated, strict=True)
                self.arrange(node, [item.data() if is_repeated else item for item, is_repeated in items])

    def _values(self, node: Node, column: int) -> Iterator[tuple[int, int, int]]:
        """Where each single value begins and ends, and the column of the key or dash that it belongs to."""
        if isinstance(node, MappingNode) and not is_in_line(node):
            for entry in node.entries.values():
                column = self._layout.column(entry.key.start)
                yield entry.key.start, entry.key.end, column
                yield from self._values(entry.value, column)
        elif isinstance(node, SequenceNode) and not is_in_line(node):
            for item in node.items:
                yield from self._values(item, self._layout.bullet(node)[0])
        else:
            yield node.start, node.end, column

    def _depends_on_lines_below(self, text: ScalarNode) -> bool:
        if is_in_line(text):
            return False
        return text.end == len(self._text) or keeps_blank_lines(self._text, text.start)

    def _replace(self, entry: Entry, value: Plain, *, flow: bool) -> None:
        old = entry.value
        if flow:
            space = "" if self._text[old.start - 1].isspace() or old.start < old.end else " "
            self._splice(old.start, old.end, space + inline(value, as_json=self._json))
            return
        colon = self._text.index(":", entry.key.end) + 1
        key_end = self._layout.line_end(colon)
        in_line = is_in_line(old)
        end = self._layout.line_end(old.end) if in_line or not isinstance(old, ScalarNode) else old.end
        space, comment = " ", _comment(self._text[colon:key_end])
        if in_line and old.start <= key_end:
            space, comment = self._text[colon : old.start] or " ", self._text[old.end : end]
        elif in_line:
            comment = comment or self._text[old.end : end]
        column = self._layout.column(entry.key.start)
        new = self._alike(old, value, column) if isinstance(value, str) else None
        first, *below = (new or after_colon(value, column, self._layout.step(column))).split("\n", 1)
        if first:
            first = space + first.lstrip(" ")
        self._splice(colon, end, "\n".join([first + comment, *below]))

    def _alike(self, old: Node, text: str, column: int) -> str | None:
        """A text in the style of the one that it replaces, where that style can hold it."""
        if old.alias or not isinstance(old, ScalarNode):
            return None
        if old.style in ("|", ">"):
            step = self._layout.step_of(old, column)
            return block(text, column + step, step)
        if old.style == '"' and "\n" not in text:
            return quoted(text)
        if old.style == "'" and text.isprintable():
            return "'" + text.replace("'", "''") + "'"
        return None

    def _insert(self, mapping: MappingNode, key: str, value: Plain, above: Entry | None) -> None:
        if mapping.flow:
            place = above.value.end if above else mapping.end - 1
            pair = f"{inline(key, as_json=self._json)}: {inline(value, as_json=self._json)}"
            self._splice(place, place, f", {pair}" if above else pair)
            return
        first = next(iter(mapping.entries.values()))
        column = self._layout.column(first.key.start)
        place = self._layout.below(above.value if above else mapping)
        pair = f"{' ' * column}{inline(key)}:{after_colon(value, column, self._layout.step(column))}"
        self._splice(place, place, ("\n\n" if self._layout.is_airy(mapping) else "\n") + pair)

    def _new(self, sequence: SequenceNode, value: Plain) -> str:
        if sequence.flow:
            return inline(value, as_json=self._json)
        column, gap = self._layout.bullet(sequence)
        return list_item(value, column, self._layout.step(column + 1 + gap), gap)

    def _lines_of(self, entry: Entry, above: int) -> tuple[int, int]:
        """The lines of an entry, and the blank line above it where one below it takes its place."""
        start, end = self._layout.line_start(entry.key.start), self._layout.line_end(entry.value.end)
        if not start:
            return 0, end + 1
        below = self._text[end + 1 : self._layout.line_end(end + 1)]
        if below.strip():
            return start - 1, end
        return max(self._layout.line_end(len(self._text[:start].rstrip())), above), end

    def _splice(self, start: int, end: int, new: str) -> None:
        insort(self._splices, (start, end, new), key=itemgetter(0, 1))

    def _slice(self, start: int, end: int) -> str:
        """A part of the text with the edits in it made."""
        written, place = "", start
        for left, right, new in self._splices[bisect_left(self._splices, start, key=itemgetter(0)) :]:
            if left > end:
                break
            if right <= end:
                written += self._text[place:left] + new
                place = right
        return written + self._text[place:end]


def _comment(line: str) -> str:
    """The comment on a line that holds no text, with the spaces before it."""
    found = re.search(r"\s+#.*$", line)
    return found[0] if found else ""


def _has_alias(node: Node) -> bool:
    if isinstance(node, MappingNode):
        return node.alias or any(_has_alias(entry.value) for entry in node.entries.values())
    return node.alias or (isinstance(node, SequenceNode) and any(map(_has_alias, node.items)))
