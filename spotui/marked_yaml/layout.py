"""How a YAML text is laid out: its lines and columns, the comments around its items, its indentation."""

import re
from itertools import pairwise
from typing import Final

from spotui.marked_yaml.nodes import BLOCK_HEADER, MappingNode, Node, ScalarNode, SequenceNode

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
