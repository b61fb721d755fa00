"""A page of passages to read: titles with facts, and texts below them."""

from collections.abc import Iterator, Sequence
from typing import ClassVar

from rich.cells import cell_len
from textual.binding import Binding, BindingType
from textual.content import Content

from spotui.tui.filtering import Filtered
from spotui.tui.line_view import BlockList, wrap
from spotui.view.round_prompts import Part, Passage
from spotui.view.word_diff import word_diff

_INDENT = 3
_CHANGES = {"same": "", "added": "$text-success underline", "removed": "$text-error strike"}


class PassagesView(BlockList[Passage], Filtered):
    """A block for every passage, as far as they contain what the filter says."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("slash", "filter", "filter", id="passages.filter"),
    ]

    DEFAULT_CSS = "PassagesView .line--loss { text-style: bold; color: $text-error; }"

    def __init__(self) -> None:
        super().__init__()
        self._all: list[Passage] = []

    def show(self, passages: Sequence[Passage], *, is_other: bool) -> None:
        """Show a page, or what has become of the one that is shown.

        Args:
            passages: All of it.
            is_other: Whether it is another page, which is read from its beginning.
        """
        self._all = list(passages)
        if is_other:
            self.shown_blocks = self._filtered()
            self.lay_out()
            self.go_home()
        else:
            self.put(self._filtered())

    def apply_filter(self) -> None:
        """Show what the filter lets through."""
        self.shown_blocks = self._filtered()
        self.lay_out()
        self.go_home()
        self.refresh()
        self.refresh_bindings()

    def _filtered(self) -> list[Passage]:
        """The passages that match, below the filter while there is one."""
        if not self._filter:
            return self._all
        found = [one for one in self._all if self._filter.matches(_texts(one))]
        return [Passage(self._filter.line(len(found), len(self._all)).plain, tone="heading"), *found]

    def block(self, number: int, width: int) -> list[Content]:
        """A passage: its title with its facts, and its texts."""
        passage = self.shown_blocks[number]
        title = Content.styled(passage.title, self.tone(passage.tone))
        room = width - title.cell_length - cell_len(passage.facts)
        if room >= 1:
            title = Content.assemble(title, " " * room, (passage.facts, self.tone("faint")))
        lines = list(title.wrap(width)) if title.plain else []
        if room < 1 and passage.facts:
            lines += [Content.styled(line, self.tone("faint")) for line in wrap(passage.facts, width)]
        for part in passage.parts:
            lines += self._part(part, width)
        return [*lines, Content("")]

    def _part(self, part: Part, width: int) -> list[Content]:
        name = [Content.styled(part.name, self.tone("name")).truncate(width)] if part.name else []
        if part.before is None:
            lines = [Content(line) for line in wrap(part.text, max(1, width - _INDENT))]
        else:
            pieces = [(piece.text, _CHANGES[piece.change]) for piece in word_diff(part.before, part.text)]
            lines = list(Content.assemble(*pieces).wrap(max(1, width - _INDENT)))
        return name + [line.pad_left(_INDENT) for line in lines]


def _texts(passage: Passage) -> Iterator[str]:
    yield passage.title
    yield passage.facts
    for part in passage.parts:
        yield part.name
        yield part.text
