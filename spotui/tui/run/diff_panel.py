"""What a candidate changed, word by word."""

from collections.abc import Sequence
from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, VerticalScroll
from textual.content import Content
from textual.reactive import var
from textual.widgets import Static

from spotui.lang import _, ngettext
from spotui.tui.focus_paint import Framed
from spotui.view.word_diff import Piece, word_diff, words_changed

_STYLES = {"same": "", "added": "$text-success underline", "removed": "$text-error strike"}
_MARKS = {"same": ("", ""), "added": ("{+", "+}"), "removed": ("[-", "-]")}


class DiffPanel(VerticalScroll, Framed, can_focus=True):
    """Two prompts as one text with its changes marked, or side by side.

    Attributes:
        is_split: Side by side.
        has_marks: Whether changes carry marks besides their colours.
    """

    ALLOW_MAXIMIZE = True
    CARRIED: ClassVar[tuple[str, ...]] = ("is_split", "has_marks")

    DEFAULT_CSS = """
    DiffPanel {
        & #one { width: 1fr; height: auto; padding: 0 1; }
        & Horizontal { height: auto; display: none; }
        & Horizontal Static { width: 1fr; height: auto; padding: 0 1; }
        &.-split { & Horizontal { display: block; } & #one { display: none; } }
    }
    """

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("Y", "copy_older", "copy older prompt", id="diff.copy_older"),
        Binding("w", "marks", "marks", id="diff.marks"),
    ]

    is_split = var(False, toggle_class="-split")
    has_marks = var(False)

    def __init__(self) -> None:
        super().__init__()
        self.border_title = _("Diff")
        self._names = ("", "")
        self._prompts = ("", "")

    def compose(self) -> ComposeResult:
        """One text, and two beside each other, of which one way is shown."""
        yield Static(id="one")
        with Horizontal():
            yield Static(id="old")
            yield Static(id="new")

    def show(self, old_name: str, old: str, new_name: str, new: str) -> None:
        """Show what leads from one prompt to another.

        Args:
            old_name: What the first one is called.
            old: Its text.
            new_name: What the second one is called.
            new: Its text.
        """
        if (self._names, self._prompts) == ((old_name, new_name), (old, new)):
            return
        self._names, self._prompts = (old_name, new_name), (old, new)
        self._fill()

    def action_copy_older(self) -> None:
        """Copy the prompt that the other one is compared with."""
        self.app.copy_to_clipboard(self._prompts[0])
        self.notify(
            _("The prompt of {name} is on the clipboard, if your terminal allows it.", name=self._names[0])
        )

    def action_marks(self) -> None:
        """Mark changes with signs as well as with colours."""
        self.has_marks = not self.has_marks

    def watch_is_split(self) -> None:
        """Fill the other form."""
        self._fill()

    def watch_has_marks(self) -> None:
        """Fill with or without marks."""
        self._fill()

    def _fill(self) -> None:
        if not self.is_mounted:
            return
        old_name, new_name = self._names
        pieces = word_diff(*self._prompts)
        added, removed = words_changed(pieces)
        self.border_title = (
            _("Diff  {old} → {new}", old=old_name, new=new_name)
            if old_name != new_name
            else _("Prompt of {new_name}", new_name=new_name)
        )
        self.border_subtitle = (
            ngettext(
                "{n:,} word added, {removed} removed",
                "{n:,} words added, {removed} removed",
                added,
                removed=removed,
            )
            if added or removed
            else ""
        )
        if self.is_split:
            self.query_one("#old", Static).update(self._text(pieces, "added"))
            self.query_one("#new", Static).update(self._text(pieces, "removed"))
        else:
            self.query_one("#one", Static).update(self._text(pieces, ""))

    def _text(self, pieces: list[Piece], without: str) -> Content:
        return changes_of([piece for piece in pieces if piece.change != without], has_marks=self.has_marks)


def changes_of(pieces: Sequence[Piece], *, has_marks: bool) -> Content:
    """A text with its changes in colours.

    Args:
        pieces: The text.
        has_marks: Whether changes carry signs as well.
    """
    parts: list[tuple[str, str]] = []
    for last, piece in zip([None, *pieces], pieces, strict=False):
        if last is not None and last.change == "removed" and not last.text[-1].isspace():
            parts.append((" ", ""))  # what went and what came in its place are two words
        before, after = _MARKS[piece.change] if has_marks else ("", "")
        parts.append((f"{before}{piece.text}{after}", _STYLES[piece.change]))
    return Content.assemble(*parts)
