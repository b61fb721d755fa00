"""One prompt, and what the model answers with it in front."""

from typing import ClassVar

from textual.binding import Binding, BindingType
from textual.content import Content
from textual.message import Message
from textual.style import Style

from spotui.tui.line_view import LineView
from spotui.view.tried import Tried

_PROMPT_LINES = 3
_FIXED = 2
"""Blocks in front of the answer: how it stands, and the prompt."""


class TryPane(LineView):
    """Shows a round's prompt in brief, and the answer as it comes."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("left_square_bracket", "step(-1)", "round before", id="try.previous_round"),
        Binding("right_square_bracket", "step(1)", "round after", id="try.next_round"),
    ]

    COMPONENT_CLASSES: ClassVar[set[str]] = {"try--facts", "try--prompt", "try--error"}

    DEFAULT_CSS = """
    TryPane {
        overflow-x: hidden;
        scrollbar-gutter: stable;
        & .try--facts { color: $secondary; }
        & .try--prompt { color: $text-muted; }
        & .try--error { color: $text-error; }
    }
    """

    class StepWanted(Message):
        """Another round's prompt is wanted here."""

        def __init__(self, pane: "TryPane", by: int) -> None:
            super().__init__()
            self.pane = pane
            self.by = by

    def __init__(self, *, id: str | None = None) -> None:  # noqa: A002 - Textual's name
        super().__init__(id=id)
        self.follows = False
        self._blocks: list[tuple[str, str]] = []

    def show(self, name: str, prompt: str, tried: Tried, now: float) -> None:
        """Show an answer as it stands.

        Args:
            name: Of the round.
            prompt: Its prompt.
            tried: The answer.
            now: The time, in seconds since 1970.
        """
        said = tried.say(now)
        took = said if tried.state == "answered" else ""  # it stays in sight, however long the answer
        if (self.border_title, self.border_subtitle) != (name, took):
            self.border_title, self.border_subtitle = name, took
        is_wrong = tried.state == "failed" or bool(tried.retry_at)
        blocks = [("error" if is_wrong else "facts", "" if took else said), ("prompt", prompt)]
        blocks += [("answer", line) for line in tried.text.split("\n")]
        old, self._blocks = self._blocks, blocks
        changed = {number for number in range(min(len(old), len(blocks))) if old[number] != blocks[number]}
        if changed or len(old) != len(blocks):
            if is_wrong or (tried.state == "asked" and not tried.text):
                self.scroll_home(animate=False, immediate=True)
                self.follows = tried.state == "asked"
            self.update_blocks(min(changed, default=min(len(old), len(blocks))), changed)

    def blocks(self) -> int:
        """How many there are."""
        return len(self._blocks)

    def block(self, number: int, width: int) -> list[Content]:
        """How it stands, the prompt, or a line of the answer."""
        kind, text = self._blocks[number]
        if number >= _FIXED:
            return list(Content(text).wrap(width)) if text else [Content("")]
        lines = list(Content.styled(text, self._style(kind)).wrap(width)) if text else []
        if kind == "prompt":
            if len(lines) > _PROMPT_LINES:
                last = lines[_PROMPT_LINES - 1]
                last = last.right_crop(1) if last.cell_length >= width else last
                lines = [*lines[: _PROMPT_LINES - 1], last.append("…")]
            return [*lines, Content("")]
        return [*lines, Content("")] if kind == "error" else lines

    def action_step(self, by: int) -> None:
        """Show another round's prompt."""
        self.post_message(self.StepWanted(self, by))

    def _style(self, kind: str) -> Style:
        return self.get_visual_style(f"try--{kind}", partial=True)
