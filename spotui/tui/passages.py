"""A page of passages to read: titles with facts, and texts below them."""

from collections.abc import Sequence

from rich.cells import cell_len
from textual.content import Content

from spotui.tui.line_view import BlockList, wrap
from spotui.view.round_prompts import Part, Passage
from spotui.view.word_diff import word_diff

_INDENT = 3
_CHANGES = {"same": "", "added": "$text-success underline", "removed": "$text-error strike"}


class PassagesView(BlockList[Passage]):
    """A block for every passage."""

    DEFAULT_CSS = "PassagesView .line--loss { text-style: bold; color: $text-error; }"

    def show(self, passages: Sequence[Passage], *, is_other: bool) -> None:
        """Show a page, or what has become of the one that is shown.

        Args:
            passages: All of it.
            is_other: Whether it is another page, which is read from its beginning.
        """
        if is_other:
            self.shown_blocks = list(passages)
            self.lay_out()
            self.go_home()
        else:
            self.put(passages)

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
