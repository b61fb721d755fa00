"""A page of passages to read."""

from collections.abc import Sequence
from typing import ClassVar

from rich.cells import cell_len
from textual.content import Content
from textual.style import Style

from spotui.tui.line_view import LineView
from spotui.view.passage import Part, Passage
from spotui.view.word_diff import word_diff
from spotui.view.wrapping import wrap

_INDENT = 3
_CHANGES = {"same": "", "added": "$text-success underline", "removed": "$text-error strike"}


class PassagesView(LineView):
    """A block for every passage; only those that have changed are painted again."""

    COMPONENT_CLASSES: ClassVar[set[str]] = {
        "page--faint",
        "page--name",
        *(f"page--{tone}" for tone in ("heading", "best", "win", "loss", "tie", "void")),
    }

    DEFAULT_CSS = """
    PassagesView {
        overflow-x: hidden;
        scrollbar-gutter: stable;
        background: $background;
        & .page--faint { color: $text-muted; }
        & .page--name { text-style: bold; color: $accent; }
        & .page--heading { text-style: bold; color: $secondary; }
        & .page--best { text-style: bold; color: $accent; }
        & .page--win { text-style: bold; color: $text-success; }
        & .page--loss { text-style: bold; color: $text-error; }
        & .page--tie { color: $text-warning; }
        & .page--void { color: $text-error; }
    }
    """

    def __init__(self, *, id: str | None = None) -> None:  # noqa: A002 - Textual's name
        super().__init__(id=id)
        self.follows = False
        self._passages: list[Passage] = []

    def show(self, passages: Sequence[Passage], *, is_other: bool) -> None:
        """Show a page, or what has become of the one that is shown.

        Args:
            passages: All of it.
            is_other: Whether it is another page, which is read from its beginning.
        """
        old, self._passages = self._passages, list(passages)
        if is_other:
            self.lay_out()
            self.scroll_home(animate=False, immediate=True)
            self.follows = False
            return
        pairs = enumerate(zip(old, self._passages, strict=False))
        changed = {number for number, (was, now) in pairs if was != now}
        if changed or len(old) != len(self._passages):
            self.update_blocks(min(changed, default=min(len(old), len(self._passages))), changed)

    def blocks(self) -> int:
        """How many there are."""
        return len(self._passages)

    def block(self, number: int, width: int) -> list[Content]:
        """A passage: its title with its facts, and its texts."""
        passage = self._passages[number]
        tone = Style() if passage.tone == "plain" else self._style(passage.tone)
        title = Content.styled(passage.title, tone)
        room = width - title.cell_length - cell_len(passage.facts)
        if room >= 1:
            title = Content.assemble(title, " " * room, (passage.facts, self._style("faint")))
        lines = list(title.wrap(width)) if title.plain else []
        if room < 1 and passage.facts:
            lines += [Content.styled(line, self._style("faint")) for line in wrap(passage.facts, width)]
        for part in passage.parts:
            lines += self._part(part, width)
        return [*lines, Content("")]

    def _part(self, part: Part, width: int) -> list[Content]:
        name = [Content.styled(part.name, self._style("name")).truncate(width)] if part.name else []
        if part.before is None:
            lines = [Content(line) for line in wrap(part.text, max(1, width - _INDENT))]
        else:
            pieces = [(piece.text, _CHANGES[piece.change]) for piece in word_diff(part.before, part.text)]
            lines = list(Content.assemble(*pieces).wrap(max(1, width - _INDENT)))
        return name + [line.pad_left(_INDENT) for line in lines]

    def _style(self, name: str) -> Style:
        return self.get_visual_style(f"page--{name}", partial=True)
