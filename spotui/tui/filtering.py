"""A filter of rows: `/` begins it, what is typed narrows a list, Enter keeps it, and Escape clears it."""

from collections.abc import Iterable
from typing import Any, ClassVar

from textual.content import Content
from textual.events import Key, Paste
from textual.widget import Widget

from spotui.lang import _, ngettext

_CURSOR = "▏"


class Filter:
    """What is typed after `/`, and whether it is being typed now.

    Attributes:
        text: What rows have to contain; empty for all of them.
        is_typed: Whether keys go into the text.
    """

    def __init__(self) -> None:
        self.text = ""
        self.is_typed = False

    def __bool__(self) -> bool:
        """Whether there is anything to show of it."""
        return self.is_typed or bool(self.text)

    def begin(self) -> None:
        """Type the text, from where it was left."""
        self.is_typed = True

    def clear(self) -> None:
        """Show every row again."""
        self.text, self.is_typed = "", False

    def press(self, key: Key) -> bool:
        """Take a key; whether it belongs to the filter.

        Up and down belong to the list, so that a row can be chosen while the text is typed.
        """
        if key.key == "escape" and self:
            self.clear()
        elif not self.is_typed:
            return False
        elif key.key == "enter":
            self.is_typed = False
        elif key.key == "backspace":
            self.is_typed, self.text = bool(self.text), self.text[:-1]
        elif key.key == "ctrl+u":
            self.text = ""
        elif key.is_printable and key.character is not None:
            self.text += key.character
        else:
            return False
        return True

    def paste(self, text: str) -> bool:
        """Take the first line of a pasted text; whether the filter is being typed."""
        if self.is_typed:
            self.text += next(iter(text.splitlines()), "")
        return self.is_typed

    def takes(self, character: str | None) -> bool:
        """Whether a character would go into the text."""
        return self.is_typed and character is not None and character.isprintable()

    def matches(self, texts: Iterable[str]) -> bool:
        """Whether texts of a row contain every word of the filter, in upper or lower case.

        Args:
            texts: What the row says.
        """
        whole = "\n".join(texts).casefold()
        return all(word in whole for word in self.text.casefold().split())

    def line(self, shown: int, rows: int) -> Content:
        """The filter as it is shown above the rows.

        Args:
            shown: Rows that match.
            rows: All of them.
        """
        counted = ngettext("{shown:,} of {n:,} row", "{shown:,} of {n:,} rows", rows, shown=shown)
        keys = _("enter keeps it, escape clears it") if self.is_typed else _("escape clears it")
        return Content.assemble(
            ("/", "bold $accent"),
            (self.text, "bold"),
            (_CURSOR if self.is_typed else "", "bold $accent"),
            (f"  {counted}, {keys}", "$text-muted"),
        )

    def nothing(self) -> Content:
        """What is said where no row matches."""
        return Content(_("No row contains {text!r}. Escape clears the filter.", text=self.text))


class Filtered(Widget):
    """A list that `/` filters; it binds `slash` to `filter`, and puts itself anew when the filter changes.

    It is the last base of a class, since Textual takes the style of the first one.
    """

    CARRIED: ClassVar[tuple[str, ...]] = ("_filter",)

    def __init__(self, *children: Widget, **options: Any) -> None:
        super().__init__(*children, **options)
        self._filter = Filter()

    def on_key(self, event: Key) -> None:
        """Type the filter, or clear it."""
        if self._filter.press(event):
            event.stop()
            event.prevent_default()
            self.apply_filter()

    def on_paste(self, event: Paste) -> None:
        """Paste into the filter."""
        if self._filter.paste(event.text):
            event.stop()
            self.apply_filter()

    def check_consume_key(self, key: str, character: str | None = None) -> bool:  # noqa: ARG002
        """Letters are no commands while the filter is typed."""
        return self._filter.takes(character)

    def action_filter(self) -> None:
        """Show only what contains the text that is typed from now on."""
        self._filter.begin()
        self.apply_filter()

    def apply_filter(self) -> None:
        """Show what the filter lets through."""
        raise NotImplementedError
