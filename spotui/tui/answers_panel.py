"""Answers beside each other, and what was said of them."""

from rich.cells import cell_len
from textual.content import Content

from spotui.lang import _
from spotui.tui.line_view import BlockList, wrap
from spotui.view.answers import Answer, Answers, Pair, Said

_BESIDE_FROM = 96
"""Cells from which on two answers stand beside each other."""

_INDENT = 3
_GAP = " │ "

_Block = tuple[tuple[str, ...], Pair] | Said | str


class AnswersPanel(BlockList[_Block]):
    """A block for every question and every vote."""

    def __init__(self) -> None:
        super().__init__()
        self._round = 0

    def show(self, answers: Answers) -> None:
        """Show other answers, or what has become of these."""
        blocks: list[_Block] = (
            [_("Requirements: {text}", text=answers.requirements)] if answers.requirements else []
        )
        blocks += [(answers.names, pair) for pair in answers.pairs]
        blocks += [text for text in (answers.note,) if text]
        blocks += answers.votes
        if (answers.round, answers.names) != (self._round, self._names_of(self.shown_blocks)):
            self._round = answers.round
            self.go_home()
        self.put(blocks)

    def go_to_votes(self) -> None:
        """Bring the first vote to the top, or the answers where votes are seen already."""
        first = next((at for at, block in enumerate(self.shown_blocks) if isinstance(block, Said)), 0)
        before = round(self.scroll_y)
        self.scroll_to_block(first)
        if round(self.scroll_y) == before:
            self.scroll_home(animate=False, immediate=True)

    def go_to_question(self, index: int) -> None:
        """Bring a question to the top.

        Args:
            index: Which, from 0.
        """
        for at, block in enumerate(self.shown_blocks):
            if isinstance(block, tuple) and block[1].number == index + 1:
                self.scroll_to_block(at)
                return

    def block(self, number: int, width: int) -> list[Content]:
        """A question with its answers, a vote, or what there is to know."""
        match self.shown_blocks[number]:
            case Said() as said:
                return self._said(said, width)
            case str() as note:
                return [*Content.styled(note, self.tone("faint")).wrap(width), Content("")]
            case names, pair:
                heading = Content.styled(f"{pair.number}  {pair.question}", self.tone("heading"))
                lines = _indented(heading, width, 0)
                if pair.reference:
                    reference = Content.styled(
                        _("reference: {answer}", answer=pair.reference), self.tone("faint")
                    )
                    lines += _indented(reference, width, _INDENT)
                if len(names) == 2 and width >= _BESIDE_FROM:
                    return [*lines, *self._beside(names, pair, width), Content("")]
                for name, answer in zip(names, pair.answers, strict=True):
                    lines += [Content.styled(name, self.tone("name")).truncate(width)]
                    lines += [line.pad_left(_INDENT) for line in self._answer(answer, width - _INDENT)]
                return [*lines, Content("")]

    def _beside(self, names: tuple[str, ...], pair: Pair, width: int) -> list[Content]:
        column = (width - len(_GAP)) // 2
        left, right = (
            [
                Content.styled(name, self.tone("name")).truncate(column),
                *self._answer(answer, column),
            ]
            for name, answer in zip(names, pair.answers, strict=True)
        )
        gap = Content.styled(_GAP, self.tone("faint"))
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
            lines = _wrapped(Content(answer.text), width)
            if answer.trace:
                faint = self.tone("faint")
                lines += [Content.styled(_("trace"), self.tone("name")).truncate(width)]
                lines += [Content.styled(line, faint) for line in wrap(answer.trace, width)]
            return lines
        # One line of what is being written: an answer that grows would move everything below it at each tick.
        end = [Content(_end_of(answer.tail, width))] if answer.tail else []
        return [*_wrapped(Content.styled(answer.text, self.tone("faint")), width), *end]

    def _said(self, said: Said, width: int) -> list[Content]:
        title = Content.assemble(
            (said.title, self.tone(said.tone)),
            (f"   {said.facts}" if said.facts else "", self.tone("faint")),
        )
        return [title.truncate(width), *_indented(Content(said.reason), width, _INDENT)]

    def _names_of(self, blocks: list[_Block]) -> tuple[str, ...]:
        return next((one[0] for one in blocks if isinstance(one, tuple)), ())


def _wrapped(text: Content, width: int) -> list[Content]:
    return list(text.wrap(width)) if text.plain else []


def _indented(text: Content, width: int, indent: int) -> list[Content]:
    return [line.pad_left(indent) for line in _wrapped(text, width - indent)]


def _end_of(text: str, width: int) -> str:
    end = text[-width:]
    while cell_len(end) > width:
        end = end[1:]
    return end
