"""Text as lines of a given width, fast enough for thousands of entries at once.

Textual's own wrapping keeps styles through it and takes twenty times as long; a log needs neither.
"""

import re
from bisect import bisect_right
from collections import OrderedDict
from collections.abc import Iterator, Sequence
from typing import ClassVar, Final, Generic, TypeVar

from rich.cells import cell_len, chop_cells
from textual.content import Content
from textual.geometry import Region, Size
from textual.scroll_view import ScrollView
from textual.strip import Strip
from textual.style import Style

from spotui.tui.focus_paint import PaintsItsCursor

_WORDS = re.compile(r"(\S*)(\s*)")


def wrap(text: str, width: int) -> list[str]:
    """Break a text at its line ends, and between words where a line would be wider than `width`.

    Args:
        text: Any text; a tab counts as one blank.
        width: In cells, at least 1. A word that is wider is broken anywhere; so are texts without blanks.

    Returns:
        At least one line, none with blanks at its end.
    """
    lines: list[str] = []
    for line in text.expandtabs(1).splitlines() or [""]:
        if len(line) <= width and line.isascii():
            lines.append(line.rstrip())
        else:
            lines += _wrap_line(line, max(1, width))
    return lines


def _wrap_line(line: str, width: int) -> Iterator[str]:
    measure = len if line.isascii() else cell_len
    kept, room = "", width
    for bare, blanks in _WORDS.findall(line):
        size = measure(bare)
        if size > room:
            if kept.strip():
                yield kept.rstrip()
            kept, room = "", width
        if size > width:
            *full, rest = _chop(bare, width)
            yield from full
            kept, room = rest + blanks, width - measure(rest) - measure(blanks)
        else:
            kept += bare + blanks
            room -= size + measure(blanks)
    yield kept.rstrip()


_NOT_FIRST: Final = frozenset("，。、；：？！）》〉」』】”’…")
"""Punctuation that belongs to what is in front of it."""
_MOVED_AT_MOST: Final = 2


def _chop(text: str, width: int) -> list[str]:
    """Break a text anywhere but in front of punctuation; what has to move down with it moves down.

    Where more of it would have to move than _MOVED_AT_MOST characters, the line is full, as without the rule.
    """
    pieces = chop_cells(text, width)
    if len(pieces) == 1 or _NOT_FIRST.isdisjoint(text):
        return pieces
    lines: list[str] = []
    waiting = ""
    for number, piece in enumerate(pieces):
        line, after = waiting + piece, pieces[number + 1][:1] if number + 1 < len(pieces) else ""
        end = len(line)
        while end > 1 and cell_len(line[:end]) > width:
            end -= 1
        ends = range(end, max(1, end - _MOVED_AT_MOST) - 1, -1)
        end = next((one for one in ends if (line[one:] or after)[:1] not in _NOT_FIRST), end)
        lines.append(line[:end])
        waiting = line[end:]
    return [*lines, *_chop(waiting, width)] if waiting else lines


TONES: Final = ("heading", "name", "best", "faint", "win", "loss", "tie", "void", "warning", "error")
"""The looks of a text in a LineView, the same wherever a round, an answer or a vote is shown."""

STRIPS_KEPT = 256
"""Blocks whose painted lines are kept; the others are painted again when they are scrolled to."""


class LineView(ScrollView, PaintsItsCursor, can_focus=True):
    """Blocks of lines, one below the other; what they say is for a subclass to tell.

    A change costs what it changes: a block that keeps its height repaints its own rows and nothing else,
    because over SSH the bytes follow the area that is painted.

    Attributes:
        follows: Whether it stays at the end as blocks are added.
    """

    COMPONENT_CLASSES: ClassVar[set[str]] = {f"line--{tone}" for tone in TONES}

    # A scrollbar that comes and goes would change the width, and with it the height that it came for.
    DEFAULT_CSS = """
    LineView {
        overflow-x: hidden;
        scrollbar-gutter: stable;
        background: $background;
        & .line--heading { text-style: bold; color: $secondary; }
        & .line--name, & .line--best { text-style: bold; color: $accent; }
        & .line--faint, & .line--loss { color: $text-muted; }
        & .line--win { text-style: bold; color: $text-success; }
        & .line--tie, & .line--warning { color: $text-warning; }
        & .line--void, & .line--error { color: $text-error; }
    }
    """

    def __init__(self, *, classes: str = "") -> None:
        super().__init__(classes=classes)
        self.follows = True
        # Textual passes through sizes on the way to another one, in some of which nothing can be scrolled.
        self._top = 0
        self._starts: list[int] = [0]
        self._strips: OrderedDict[int, list[Strip]] = OrderedDict()
        # A width; 0 while it has none, so that it is laid out once it has one.
        self._laid_out_for = 0

    def blocks(self) -> int:
        """How many blocks there are."""
        raise NotImplementedError

    def block(self, number: int, width: int) -> list[Content]:
        """The lines of a block, each at most `width` cells wide."""
        raise NotImplementedError

    def tone(self, name: str) -> Style:
        """The look of a text; `plain` is none."""
        return Style() if name == "plain" else self.get_visual_style(f"line--{name}", partial=True)

    def height_of(self, number: int, width: int) -> int:
        """How many lines a block has; a subclass may know it without making them."""
        return len(self.block(number, width))

    def update_blocks(self, first_changed: int, changed: set[int]) -> None:
        """Lay out again from `first_changed` where heights changed, and paint what is in `changed`.

        Args:
            first_changed: No block before it is another than it was.
            changed: Blocks whose text may be another.
        """
        width = self._width
        if width <= 0:
            self._laid_out_for = 0
            return
        for number in changed:
            self._strips.pop(number, None)
        total, known = self.blocks(), len(self._starts) - 1
        moved = False
        for number in sorted(number for number in changed if first_changed <= number < min(known, total)):
            height = self.height_of(number, width)
            if height != self._starts[number + 1] - self._starts[number]:
                self._shift(number, height)
                moved = True
            elif not moved:
                self._paint_again(number)
        if self._lay_out_rest() or moved:
            self._take_place()

    def lay_out(self, first: int = 0) -> None:
        """Lay out every block from `first` on anew: another width, another choice of blocks."""
        for number in [number for number in self._strips if number >= first]:
            del self._strips[number]
        del self._starts[first + 1 :]
        if self._width > 0:
            self._lay_out_rest()
            self._take_place()
        else:
            self._laid_out_for = 0

    def follow(self) -> None:
        """Go to the end and stay there."""
        self.follows = True
        self.call_after_refresh(self._stay_at_end)

    def scroll_to_block(self, number: int, line: int = 0) -> None:
        """Bring a line of a block to the top."""
        if 0 <= number < len(self._starts) - 1:
            self.follows = number == len(self._starts) - 2
            self._top = self._starts[number] + line
            self._stay_at_top()

    @property
    def reading(self) -> tuple[int, int] | None:
        """The block at the top and its first visible line; None while it stays at the end."""
        number = self.block_at(self._top)
        return None if self.follows or number < 0 else (number, self._top - self._starts[number])

    @reading.setter
    def reading(self, reading: tuple[int, int] | None) -> None:
        if reading is None or len(self._starts) < 2:
            self.follow()
            return
        number = min(reading[0], len(self._starts) - 2)
        self.follows = False
        self._top = self._starts[number] + min(
            reading[1], self._starts[number + 1] - self._starts[number] - 1
        )
        self._stay_at_top()

    def block_at(self, line: int) -> int:
        """The block that a line of the whole belongs to; the last one below the end."""
        return max(0, min(bisect_right(self._starts, line) - 1, len(self._starts) - 2))

    def render_line(self, y: int) -> Strip:
        """The line `y` rows below the top of what is visible."""
        base = self.visual_style.rich_style
        line = y + round(self.scroll_y)
        if line >= self._starts[-1]:
            return Strip.blank(self.size.width, base)
        number = self.block_at(line)
        strips, row = self._painted(number), line - self._starts[number]
        if row >= len(strips):  # it is painted in another width before it hears of that, and once more after
            return Strip.blank(self.size.width, base)
        return strips[row].crop_extend(0, self.size.width, base)

    def watch_scroll_y(self, old_value: float, new_value: float) -> None:
        """Following ends when somebody scrolls up, and begins again at the end."""
        super().watch_scroll_y(old_value, new_value)
        # Where the whole has become shorter it is scrolled up to its new end, and nobody did that.
        if old_value <= self.max_scroll_y:
            self.follows = new_value >= self.max_scroll_y or (self.follows and new_value > old_value)
            self._top = round(new_value)

    def watch_show_vertical_scrollbar(self) -> None:
        """What has just become longer than the view could not be scrolled until now."""
        self.call_after_refresh(self._stay_at_end if self.follows else self._stay_at_top)

    def on_resize(self) -> None:
        """Wrap for the new width; what was at the top stays there."""
        number = self.block_at(self._top)
        line = self._top - self._starts[number]
        if self._width != self._laid_out_for:
            self._laid_out_for = self._width
            self.lay_out()
        if not self.follows and number < len(self._starts) - 1:
            height = self._starts[number + 1] - self._starts[number]
            self._top = self._starts[number] + min(line, height - 1)
            self.call_after_refresh(self._stay_at_top)

    def notify_style_update(self) -> None:
        """Paint in the new colours."""
        super().notify_style_update()
        self._strips.clear()

    def _lay_out_rest(self) -> bool:
        """Place the blocks that have no place yet; whether the whole has become longer or shorter."""
        total, known = self.blocks(), len(self._starts) - 1
        del self._starts[total + 1 :]
        width = self._width
        for number in range(known, total):
            self._starts.append(self._starts[-1] + self.height_of(number, width))
        return total != known

    def _take_place(self) -> None:
        follows = self.follows
        self.virtual_size = Size(self._width, self._starts[-1])
        self.follows = follows
        if follows:
            self.call_after_refresh(self._stay_at_end)
        self.refresh()

    def _stay_at_top(self) -> None:
        self.scroll_to(y=self._top, animate=False, immediate=True)

    def _stay_at_end(self) -> None:
        if self.follows:  # somebody may have gone elsewhere meanwhile
            self.scroll_end(animate=False, immediate=True, x_axis=False)

    @property
    def _width(self) -> int:
        return self.scrollable_content_region.width

    def _shift(self, number: int, height: int) -> None:
        by = height - (self._starts[number + 1] - self._starts[number])
        for later in range(number + 1, len(self._starts)):
            self._starts[later] += by

    def _paint_again(self, number: int) -> None:
        top = self._starts[number] - round(self.scroll_y)
        height = self._starts[number + 1] - self._starts[number]
        region = Region(0, top, self.size.width, height).intersection(self.size.region)
        if region:
            self.refresh(region)

    def _painted(self, number: int) -> list[Strip]:
        strips = self._strips.get(number)
        if strips is None:
            base = self.visual_style
            strips = [Strip(line.render_segments(base)) for line in self.block(number, self._width)]
            self._strips[number] = strips
            if len(self._strips) > STRIPS_KEPT:
                self._strips.popitem(last=False)
        else:
            self._strips.move_to_end(number)
        return strips


Block = TypeVar("Block")


class BlockList(LineView, Generic[Block]):
    """A list of blocks, read from its beginning; only those that have changed are painted again."""

    def __init__(self, *, classes: str = "") -> None:
        super().__init__(classes=classes)
        self.follows = False
        self.shown_blocks: list[Block] = []

    def blocks(self) -> int:
        """How many there are."""
        return len(self.shown_blocks)

    def put(self, blocks: Sequence[Block]) -> None:
        """Show other blocks, or what has become of these."""
        old, self.shown_blocks = self.shown_blocks, list(blocks)
        both = min(len(old), len(blocks))
        changed = {number for number in range(both) if old[number] != blocks[number]}
        if changed or len(old) != len(blocks):
            self.update_blocks(min(changed, default=both), changed)

    def go_home(self) -> None:
        """Go to the beginning, and stay there."""
        self.scroll_home(animate=False, immediate=True)
        self.follows = False
