"""A prompt in pieces that can be cut on their own: sentences, list items, and whatever has to stay.

Cutting never breaks what a prompt is read by: slots and other placeholders, tags, code blocks, tables,
headings, brackets and quotation marks. A piece that holds a part of one of these stays.
"""

import re
from collections.abc import Collection, Iterator, Sequence
from itertools import pairwise
from typing import Final, Literal, NamedTuple

from spotui.domain.text import estimate_tokens

_PROTECTED: Final = re.compile(
    r"[{}`]|</?[A-Za-z!?][^<>]*>|<<|>>|\[\[|\]\]|~~~|\$\w+|%\(\w+\)|%[sd]\b|^\s*=== .* ===\s*$", re.MULTILINE
)
"""Placeholders of templates and programs, tags, and code; a piece that holds any of it stays."""

_FENCE: Final = re.compile(r"\s*(`{3,}|~{3,})")
_WHOLE_LINE: Final = re.compile(
    r"\s*(?:#{1,6}\s.*|=== .* ===|\|.*|[-*_=]{3,}|\S.*[:：]|</?[A-Za-z!?][^<>]*>)\s*"
)
"""Lines that lead in or frame others: headings, tables, rules, lines that end with a colon, tags alone."""

_ITEM: Final = re.compile(r"\s*(?:[-*+•‣–]|\(?(?:\d{1,3}|[A-Za-z])[.)])\s+\S")
_LINE_MARK: Final = re.compile(r"#{1,6}\s|\||={3}|[-*_=]{3}|~{3}")
"""What would be a heading, a table or a rule if a line began with it, and is not where it stands."""

_END: Final = re.compile(r"[.!?…]+[\"'”’»)\]]*(?=\s)|[。！？]+[」』”’）]*")
_ABBREVIATION: Final = re.compile(
    r"(?:^|[\s(])(?:e\.g|i\.e|etc|vs|cf|ca|approx|resp|incl|Dr|Mr|Mrs|Ms|Prof|St|No|Nr|Fig|Eq|Sec|[A-Za-z]|\d+)\.$"
)
_PAIRS: Final = (("(", ")"), ("[", "]"), ("{", "}"), ("“", "”"), ("「", "」"), ("『", "』"), ("（", "）"))
_WIDE: Final = "。！？"

_Kind = Literal["paragraph", "item", "whole"]


class Piece(NamedTuple):
    """A piece of a prompt.

    Attributes:
        text: Its text.
        gap: The white space behind it.
        stays: Whether it cannot be cut safely.
    """

    text: str
    gap: str
    stays: bool


class Pieces(NamedTuple):
    """A prompt in pieces; all of them together are the prompt, character by character.

    Attributes:
        lead: The white space before the first.
        items: The pieces.
    """

    lead: str
    items: tuple[Piece, ...]

    @property
    def loose(self) -> list[int]:
        """The numbers of the pieces that can be cut, from 0."""
        return [number for number, one in enumerate(self.items) if not one.stays]

    def without(self, cut: Collection[int]) -> str:
        """The prompt without some pieces; what stays is apart as it was, or by the larger gap of those cut.

        Args:
            cut: The numbers of pieces.

        Raises:
            ValueError: One of them stays.
        """
        if any(self.items[number].stays for number in cut):
            raise ValueError("A piece that stays cannot be cut.")
        left = [number for number in range(len(self.items)) if number not in cut]
        if not left:
            return "" if self.items else self.lead
        parts = [self.lead, self.items[left[0]].text]
        for before, after in pairwise(left):
            gaps = [self.items[number].gap for number in range(before, after)]
            parts += [max(gaps, key=lambda gap: (gap.count("\n"), len(gap))), self.items[after].text]
        return "".join(parts) + self.items[-1].gap

    def tokens(self, cut: Collection[int]) -> int:
        """About how many tokens some pieces have."""
        return sum(estimate_tokens(self.items[number].text) for number in cut)


def pieces_of(prompt: str) -> Pieces:
    """The pieces of a prompt."""
    spans: list[tuple[int, int, bool]] = []
    for start, end, kind in _blocks(prompt):
        if kind == "paragraph":
            spans += [(*one, False) for one in _sentences(prompt, start, end)]
        else:
            spans.append((start, end, kind == "whole"))
    if not spans:
        return Pieces(prompt, ())
    ends = [*(start for start, _end, _whole in spans[1:]), len(prompt)]
    return Pieces(
        prompt[: spans[0][0]],
        tuple(
            Piece(prompt[start:end], prompt[end:following], is_whole or _has_to_stay(prompt[start:end]))
            for (start, end, is_whole), following in zip(spans, ends, strict=True)
        ),
    )


def _has_to_stay(text: str) -> bool:
    return _PROTECTED.search(text) is not None or not _is_balanced(text)


def _is_balanced(text: str) -> bool:
    """Whether every bracket and quotation mark that it opens is closed in it, as far as one can tell."""
    if text.count('"') % 2 or text.count("`") % 2:
        return False
    return all(text.count(begin) == text.count(end) for begin, end in _PAIRS)


def _blocks(prompt: str) -> Iterator[tuple[int, int, _Kind]]:
    """The blocks of a prompt, from the indentation of its first line to its last character that is seen."""
    start = end = at = 0
    kind: _Kind | None = None
    fence = ""
    for line in prompt.splitlines(keepends=True):
        begin, at = at, at + len(line)
        stop = begin + len(line.rstrip())
        if fence:
            end = max(end, stop)
            if line.strip().startswith(fence) and not line.strip().strip(fence[0]):
                yield start, end, "whole"
                fence, kind = "", None
            continue
        opened, is_item = _FENCE.match(line), _ITEM.match(line) is not None
        is_whole = _WHOLE_LINE.fullmatch(line) is not None and not is_item
        continues = kind == "paragraph" or (kind == "item" and line[:1].isspace())
        if kind is not None and (opened or is_item or is_whole or not line.strip() or not continues):
            yield start, end, kind
            kind = None
        if opened:
            start, end, fence, kind = begin, stop, opened[1], None
        elif is_whole:
            yield begin, stop, "whole"
        elif line.strip() and kind is None:
            start, end, kind = begin, stop, "item" if is_item else "paragraph"
        elif line.strip():
            end = stop
    if fence:
        yield start, end, "whole"
    elif kind is not None:
        yield start, end, kind


def _sentences(prompt: str, start: int, end: int) -> Iterator[tuple[int, int]]:
    """The sentences of a paragraph; brackets, quotation marks and code that they share keep them together."""
    begin = start
    for found in _END.finditer(prompt, start, end):
        stop = found.end()
        if stop >= end:
            break
        rest = prompt[stop:end].lstrip()
        is_wide = found[0][0] in _WIDE
        if not rest or (not is_wide and rest[0].islower()) or _LINE_MARK.match(rest) or _ITEM.match(rest):
            continue
        sentence = prompt[begin:stop]
        if (not is_wide and _ABBREVIATION.search(sentence)) or not _is_balanced(sentence):
            continue
        yield begin, stop
        begin = end - len(rest)
    yield begin, end


def merged(pieces: Pieces, most: int) -> list[tuple[int, ...]]:
    """The pieces that can be cut, neighbours together where there are more than can be tried alone.

    Args:
        pieces: The pieces.
        most: How many groups there are at most.
    """
    loose = pieces.loose
    size = max(1, -(-len(loose) // most))
    return [tuple(loose[at : at + size]) for at in range(0, len(loose), size)]


def texts(pieces: Pieces, cut: Sequence[int]) -> tuple[str, ...]:
    """The texts of some pieces, in their order."""
    return tuple(pieces.items[number].text.strip() for number in sorted(cut))
