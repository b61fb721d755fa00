"""Changing what a run may use."""

from collections.abc import Mapping
from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.content import Content
from textual.widgets import Input, Static

from spotui.tui.dialog import FieldDialog, field_keys, row, text_field

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
