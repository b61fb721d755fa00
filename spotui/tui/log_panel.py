"""The live round log."""

import time
from typing import ClassVar

from textual.content import Content
from textual.style import Style

from spotui.tui.line_view import LineView
from spotui.view.figures import duration
from spotui.view.story import Entry, Story

_INDENT = 3
_ASIDE_LINES = 2


class LogPanel(LineView):
    """Every proposal, answer, vote and verdict of a run, as they come."""

    COMPONENT_CLASSES: ClassVar[set[str]] = {
        "log--heading",
        "log--faint",
        *(f"log--{tone}" for tone in ("best", "win", "loss", "tie", "void", "warning", "error")),
    }

    DEFAULT_CSS = """
    LogPanel {
        overflow-x: hidden;
        scrollbar-gutter: stable;
        & .log--heading { text-style: bold; color: $secondary; }
        & .log--faint { color: $text-muted; }
        & .log--best { text-style: bold; color: $accent; }
        & .log--win { text-style: bold; color: $text-success; }
        & .log--loss { color: $text-muted; }
        & .log--tie { color: $text-warning; }
        & .log--void { color: $text-error; }
        & .log--warning { color: $text-warning; }
        & .log--error { color: $text-error; }
    }
    """

    def __init__(self, *, id: str | None = None) -> None:  # noqa: A002 - Textual's name
        super().__init__(id=id)
        self.border_title = "Log"
        self._story = Story()

    def show(self, story: Story) -> None:
        """Show another run."""
        self._story = story
        story.take_changes()
        self.lay_out()

    def tick(self) -> None:
        """Paint what has happened since the last tick, and the clocks of what is under way."""
        changed = self._story.take_changes() | set(self._story.live)
        if changed:
            self.update_blocks(min(changed), changed)

    def blocks(self) -> int:
        """How many entries there are."""
        return len(self._story.entries)

    def block(self, number: int, width: int) -> list[Content]:
        """An entry: its title with its facts at the right, and below it what it says."""
        entry = self._story.entries[number]
        if entry.kind == "round":
            return self._heading(entry, width, is_first=number == 0)
        return [self._title(entry, width), *self._body(entry, width - _INDENT)]

    def _heading(self, entry: Entry, width: int, *, is_first: bool) -> list[Content]:
        style = self._style("heading")
        title = Content.assemble((entry.title, style), (f"  {entry.facts}", self._style("faint")))
        return [title.truncate(width)] if is_first else [Content(""), title.truncate(width)]

    def _title(self, entry: Entry, width: int) -> Content:
        style = Style() if entry.tone == "plain" else self._style(entry.tone)
        facts = self._facts(entry)
        title = Content.assemble(" ", (entry.title, style))
        room = width - title.cell_length - len(facts)
        if room < 1:
            return title.truncate(width, ellipsis=True)
        return Content.assemble(title, " " * room, (facts, self._style("faint")))

    def _facts(self, entry: Entry) -> str:
        if entry.began is None:
            return entry.facts
        now = time.time()
        if entry.retry_at > now:
            return f"again in {duration(entry.retry_at - now)}"
        return f"{duration(max(0.0, now - entry.began))} …"

    def _body(self, entry: Entry, width: int) -> list[Content]:
        lines: list[Content] = []
        if entry.aside:
            limit = 1 if entry.kind == "answer" else _ASIDE_LINES
            lines += _cut(Content.styled(entry.aside, self._style("faint")).wrap(width), limit, width)
        if entry.began is not None and not entry.retry_at:
            tail = " ".join(entry.streamed.split())
            lines.append(Content(tail[-(width - 1) :] if len(tail) >= width else tail))
        elif entry.text:
            lines += Content(entry.text).wrap(width)
        return [line.pad_left(_INDENT) for line in lines]

    def _style(self, tone: str) -> Style:
        return self.get_visual_style(f"log--{tone}", partial=True)


def _cut(lines: list[Content], limit: int, width: int) -> list[Content]:
    if len(lines) <= limit:
        return lines
    last = lines[limit - 1].right_crop(1) if lines[limit - 1].cell_length >= width else lines[limit - 1]
    return [*lines[: limit - 1], last.append("…")]
