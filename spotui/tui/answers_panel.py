"""Answers beside each other, and what was said of them."""

from typing import ClassVar

from rich.cells import cell_len
from textual.content import Content
from textual.style import Style

from spotui.tui.line_view import LineView
from spotui.view.answers import Answer, Answers, Pair, Said

_BESIDE_FROM = 96
"""Cells from which on two answers stand beside each other."""

_INDENT = 3
_GAP = " │ "

_Block = tuple[tuple[str, ...], Pair] | Said | str


class AnswersPanel(LineView):
    """A block for every question and every vote; only those that have changed are painted again."""

    COMPONENT_CLASSES: ClassVar[set[str]] = {
        "answers--question",
        "answers--name",
        "answers--faint",
        *(f"answers--{tone}" for tone in ("win", "loss", "tie", "void")),
    }

    DEFAULT_CSS = """
    AnswersPanel {
        overflow-x: hidden;
        scrollbar-gutter: stable;
        background: $background;
        & .answers--question { text-style: bold; color: $secondary; }
        & .answers--name { text-style: bold; color: $accent; }
        & .answers--faint { color: $text-muted; }
        & .answers--win { text-style: bold; color: $text-success; }
        & .answers--loss { text-style: bold; color: $text-muted; }
        & .answers--tie { text-style: bold; color: $text-warning; }
        & .answers--void { text-style: bold; color: $text-error; }
    }
    """

    def __init__(self) -> None:
        super().__init__()
        self.follows = False
        self._round = 0
        self._blocks: list[_Block] = []

    def show(self, answers: Answers) -> None:
        """Show other answers, or what has become of these."""
        blocks: list[_Block] = [f"Requirements: {answers.requirements}"] if answers.requirements else []
        blocks += [(answers.names, pair) for pair in answers.pairs]
        blocks += [text for text in (answers.note,) if text]
        blocks += answers.votes
        old, self._blocks = self._blocks, blocks
        if (answers.round, answers.names) != (self._round, self._names_of(old)):
            self._round = answers.round
            self.scroll_home(animate=False, immediate=True)
            self.follows = False
        changed = {number for number in range(min(len(old), len(blocks))) if old[number] != blocks[number]}
        if changed or len(old) != len(blocks):
            self.update_blocks(min(changed, default=min(len(old), len(blocks))), changed)

    def go_to_votes(self) -> None:
        """Bring the first vote to the top, or the answers where votes are seen already."""
        first = next((at for at, block in enumerate(self._blocks) if isinstance(block, Said)), 0)
        before = round(self.scroll_y)
        self.scroll_to_block(first)
        if round(self.scroll_y) == before:
            self.scroll_home(animate=False, immediate=True)

    def blocks(self) -> int:
        """How many there are."""
        return len(self._blocks)

    def block(self, number: int, width: int) -> list[Content]:
        """A question with its answers, a vote, or what there is to know."""
        match self._blocks[number]:
            case Said() as said:
                return self._said(said, width)
            case str() as note:
                return [*Content.styled(note, self._style("faint")).wrap(width), Content("")]
            case names, pair:
                heading = Content.styled(f"{pair.number}  {pair.question}", self._style("question"))
                lines = _indented(heading, width, 0)
                if pair.reference:
                    reference = Content.styled(f"reference: {pair.reference}", self._style("faint"))
                    lines += _indented(reference, width, _INDENT)
                if len(names) == 2 and width >= _BESIDE_FROM:
                    return [*lines, *self._beside(names, pair, width), Content("")]
                for name, answer in zip(names, pair.answers, strict=True):
                    lines += [Content.styled(name, self._style("name")).truncate(width)]
                    lines += [line.pad_left(_INDENT) for line in self._answer(answer, width - _INDENT)]
                return [*lines, Content("")]

    def _beside(self, names: tuple[str, ...], pair: Pair, width: int) -> list[Content]:
        column = (width - len(_GAP)) // 2
        left, right = (
            [
                Content.styled(name, self._style("name")).truncate(column),
                *self._answer(answer, column),
            ]
            for name, answer in zip(names, pair.answers, strict=True)
        )
        gap = Content.styled(_GAP, self._style("faint"))
        empty = Content("")
        return [
            Content.assemble(
                line.pad_right(column - line.cell_length),
                gap,
                right[row] if row < len(right) else empty,
            )
            for row, line in enumerate([*left, *[empty] * (len(right) - len(left))])
        ]

    def _answer(self, answer: Answer, width: int) -> list[Content]:
        if answer.is_here:
            return _wrapped(Content(answer.text), width)
        # One line of what is being written: an answer that grows would move everything below it at each tick.
        end = [Content(_end_of(answer.tail, width))] if answer.tail else []
        return [*_wrapped(Content.styled(answer.text, self._style("faint")), width), *end]

    def _said(self, said: Said, width: int) -> list[Content]:
        title = Content.assemble(
            (said.title, self._style(said.tone)),
            (f"   {said.facts}" if said.facts else "", self._style("faint")),
        )
        return [title.truncate(width), *_indented(Content(said.reason), width, _INDENT)]

    def _names_of(self, blocks: list[_Block]) -> tuple[str, ...]:
        return next((one[0] for one in blocks if isinstance(one, tuple)), ())

    def _style(self, name: str) -> Style:
        return self.get_visual_style(f"answers--{name}", partial=True)


def _wrapped(text: Content, width: int) -> list[Content]:
    return list(text.wrap(width)) if text.plain else []


def _indented(text: Content, width: int, indent: int) -> list[Content]:
    return [line.pad_left(indent) for line in _wrapped(text, width - indent)]


def _end_of(text: str, width: int) -> str:
    end = text[-width:]
    while cell_len(end) > width:
        end = end[1:]
    return end
