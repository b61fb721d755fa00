"""Changing a candidate by hand before it is executed."""

from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.widgets import Static, TextArea

from spotui.tui.dialog import Dialog


class CandidateScreen(Dialog[str | None]):
    """Asks for the candidate's text; gives back None when it is left with Escape.

    Args:
        number: The round.
        prompt: What the optimizer proposed.
        modification: How it describes its change.
    """

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("ctrl+s", "take", "save and resume", id="candidate.take", priority=True),
        Binding("escape", "dismiss(None)", "cancel", id="candidate.back", priority=True),
    ]

    DEFAULT_CSS = """
    CandidateScreen {
        & > Vertical { width: 100; max-width: 95%; height: 80%; }
        & Static { height: auto; max-height: 3; color: $text-muted; margin: 0 0 1 0; }
        & TextArea, & TextArea:focus { height: 1fr; border: none; padding: 0; background: $surface; }
    }
    """

    def __init__(self, number: int, prompt: str, modification: str) -> None:
        super().__init__()
        self._number = number
        self._prompt = prompt
        self._modification = modification

    def compose(self) -> ComposeResult:
        """What it is about, and the text."""
        with Vertical() as box:
            box.border_title = f"Candidate of round {self._number}"
            box.border_subtitle = "ctrl+s saves it and resumes, escape cancels"
            yield Static(self._modification, markup=False)
            editor = TextArea(self._prompt, soft_wrap=True)
            editor.cursor_blink = False
            yield editor

    def action_take(self) -> None:
        """Take the text, unless there is none."""
        text = self.query_one(TextArea).text
        if text.strip():
            self.dismiss(text)
        else:
            self.notify("A candidate without a text cannot be executed.", severity="warning")
