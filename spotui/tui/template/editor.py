"""The template's YAML, coloured as it is typed, with the lines marked that are wrong."""

from collections.abc import Iterable
from typing import ClassVar, NamedTuple

from rich.text import Text
from textual.events import Key
from textual.geometry import Region
from textual.strip import Strip

from spotui.template.model import Problem
from spotui.tui.template.text_box import TextBox
from spotui.view.yaml_colours import NO_BLOCK, Part, indent_below, read_line


class _Line(NamedTuple):
    """A line as it was read: its text, the text block before it, its parts, and the text block after it."""

    text: str
    before: int
    parts: list[Part]
    after: int


class YamlEditor(TextBox):
    """A text area for a template."""

    COMPONENT_CLASSES: ClassVar[set[str]] = {
        *(f"yaml--{kind}" for kind in ("key", "mark", "quoted", "constant", "comment", "error", "warning")),
    }

    DEFAULT_CSS = """
    YamlEditor {
        border: none;
        padding: 0;
        background: $background;
        scrollbar-gutter: stable;
        &:focus { border: none; }
        & .text-area--gutter, & .text-area--cursor-gutter { color: $text-muted; background: $background; }
        & .text-area--cursor-line { background: $surface; }
        & .yaml--key { color: $secondary; }
        & .yaml--mark { color: $text-muted; }
        & .yaml--quoted { color: $text-success; }
        & .yaml--constant { color: $accent; }
        & .yaml--comment { color: $text-muted; text-style: italic; }
        & .yaml--error { color: $text-error; text-style: underline; }
        & .yaml--warning { text-style: underline; }
    }
    """

    def __init__(self, text: str = "", *, id: str | None = None) -> None:  # noqa: A002 - Textual's name
        super().__init__(text, id=id, soft_wrap=True, show_line_numbers=True, max_checkpoints=500)
        self.indent_width = 2
        self._read: list[_Line] = []
        self._marks: dict[int, str] = {}

    def mark(self, problems: Iterable[Problem]) -> None:
        """Mark the lines that something is wrong with."""
        marks: dict[int, str] = {}
        for problem in problems:
            if marks.get(problem.line - 1) != "error":
                marks[problem.line - 1] = problem.severity
        if marks != self._marks:
            self._marks = marks
            self.notify_style_update()
            self.refresh()

    def get_line(self, line_index: int) -> Text:
        """A line with its colours."""
        line = super().get_line(line_index)
        if line_index < len(self._read):
            for start, end, kind in self._read[line_index].parts:
                line.stylize(self.get_component_rich_style(f"yaml--{kind}", partial=True), start, end)
        if mark := self._marks.get(line_index):
            start = len(line.plain) - len(line.plain.lstrip())
            line.stylize(self.get_component_rich_style(f"yaml--{mark}", partial=True), start)
        return line

    def render_lines(self, crop: Region) -> list[Strip]:
        """Read the lines that have changed, then paint."""
        block = NO_BLOCK
        for number, text in enumerate(self.document.lines):
            known = self._read[number] if number < len(self._read) else None
            if known is None or known.text != text or known.before != block:
                parts, after = read_line(text, block)
                self._read[number : number + 1] = [_Line(text, block, parts, after)]
                block = after
            else:
                block = known.after
        del self._read[self.document.line_count :]
        return super().render_lines(crop)

    def on_key(self, event: Key) -> None:
        """A new line begins where the line above has its text."""
        if event.key == "enter" and not self.read_only:
            event.stop()
            event.prevent_default()
            start, end = sorted(self.selection)
            indent = indent_below(self.document.get_line(start[0]), start[1])
            self.replace(f"\n{indent}", start, end, maintain_selection_offset=False)
