"""Changing what a run may use."""

from collections.abc import Mapping
from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.content import Content
from textual.widgets import Input, Static, TextArea

from spotui.tui.dialogs import Dialog, FieldDialog, field_keys, row, text_field

Limit = float | int | None

_FIELDS = (
    ("rounds", "Rounds in all", "", int),
    ("usd", "Budget, USD", "empty = no limit", float),
    ("tokens", "Budget, tokens", "empty = no limit", int),
    ("calls", "Budget, calls", "empty = no limit", int),
    ("minutes", "Budget, minutes", "empty = no limit", float),
    ("concurrency", "Calls at once", "empty = the limit of each endpoint", int),
)


class LimitsScreen(FieldDialog[dict[str, Limit] | None]):
    """Asks for a run's limits; gives back those that were changed, or None when it is left with Escape.

    Args:
        title: What the new limits are for.
        limits: Those in force, by their names on the wire.
        proposed: What stands in fields instead of what is in force.
        text: What a person needs to know to answer.
    """

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "dismiss(None)", "back", id="limits.back"),
        *field_keys("limits"),
    ]

    DEFAULT_CSS = """
    LimitsScreen {
        & > Vertical { width: 64; }
        & Label { width: 17; }
        & .text { height: auto; margin: 0 0 1 0; }
        & #wrong { height: auto; min-height: 1; color: $text-error; margin: 1 0 0 0; }
    }
    """

    def __init__(
        self,
        title: str,
        limits: Mapping[str, Limit],
        proposed: Mapping[str, Limit] | None = None,
        text: str = "",
    ) -> None:
        super().__init__()
        self._title = title
        self._limits = limits
        self._proposed = {**limits, **(proposed or {})}
        self._text = text

    def compose(self) -> ComposeResult:
        """The fields, and what is wrong with them."""
        with Vertical() as box:
            box.border_title = Content(self._title)
            box.border_subtitle = "enter accepts, escape cancels"
            if self._text:
                yield Static(self._text, classes="text", markup=False)
            for field, name, meaning, _ in _FIELDS:
                yield row(name, text_field(field, _shown(self._proposed.get(field)), meaning))
            yield Static(id="wrong", markup=False)

    def on_input_changed(self, event: Input.Changed) -> None:
        """What was wrong may be right now."""
        event.stop()
        self.query_one("#wrong", Static).update("")

    def on_input_submitted(self, event: Input.Submitted) -> None:
        """Take the limits, if every one is a number."""
        event.stop()
        changed: dict[str, Limit] = {}
        for field, name, meaning, number in _FIELDS:
            typed = self.typed_in(field)
            try:
                value: Limit = number(typed) if typed else None
            except ValueError:
                kind = "whole number" if number is int else "number"
                self._refuse(field, f"{name} must be a {kind}" + (" or empty." if meaning else "."))
                return
            if (value is None and not meaning) or (value is not None and not 0 < value < 1e12):
                self._refuse(field, f"{name} must be more than 0.")
                return
            if value != self._limits.get(field):
                changed[field] = value
        self.dismiss(changed)

    def _refuse(self, field: str, why: str) -> None:
        self.query_one("#wrong", Static).update(why)
        self.query_one(f"#{field}", Input).focus()


def _shown(value: Limit) -> str:
    return "" if value is None else f"{value:g}" if isinstance(value, float) else str(value)


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
