"""The best prompt of a run, in full."""

from typing import ClassVar

from rich.cells import cell_len
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import VerticalScroll
from textual.reactive import var
from textual.widgets import Static

from spotui.domain.answer_cost import latency, price
from spotui.domain.text import estimate_tokens
from spotui.lang import _, ngettext
from spotui.tui.focus_paint import Framed
from spotui.tui.run.diff_panel import changes_of
from spotui.tui.run.following import PanelTold, RunPanel
from spotui.view.picture import Picture
from spotui.view.word_diff import word_diff, words_changed

_CORNERS = 4
"""Cells of a frame beside its title."""


class BestPanel(VerticalScroll, Framed, RunPanel, can_focus=True):
    """The whole text of the best prompt so far, or what it changes of the seed.

    Attributes:
        shows_diff: Whether the changes are marked.
    """

    ALLOW_MAXIMIZE = True
    CARRIED: ClassVar[tuple[str, ...]] = ("shows_diff",)

    DEFAULT_CSS = "BestPanel { & Static { height: auto; padding: 0 1; } }"

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("d", "diff", "diff against the seed", id="best.diff"),
        Binding("y", "copy", "copy prompt", id="best.copy"),
    ]

    shows_diff = var(False)

    def __init__(self) -> None:
        super().__init__()
        self.border_title = _("Best prompt")
        self._shown: tuple[int, str, str] = (0, "", "")
        self._answer = ""

    def compose(self) -> ComposeResult:
        """The text."""
        yield Static(markup=False)

    def show(self, picture: Picture) -> None:
        """Show the prompt that is the best now."""
        best = picture.best or 1
        shown = best, picture.prompt_of(best), picture.prompt_of(1)
        end = picture.rounds[best].end if best in picture.rounds else None
        cost = end.per_answer if end is not None else None
        answer = ", ".join(filter(None, (price(cost), latency(cost))))
        if (shown, answer) != (self._shown, self._answer):
            self._shown, self._answer = shown, answer
            self._fill()

    def action_diff(self) -> None:
        """Mark what the best prompt changes of the seed, or show its text alone."""
        self.shows_diff = not self.shows_diff

    def on_resize(self) -> None:
        """There may be room for more in its frame."""
        self._fill()

    def action_copy(self) -> None:
        """Copy the best prompt."""
        self.app.copy_to_clipboard(self._shown[1])
        self.notify(_("The best prompt is on the clipboard, if your terminal allows it."))

    def watch_shows_diff(self) -> None:
        """Fill with or without the changes."""
        self._fill()

    def _fill(self) -> None:
        if not self.is_mounted:
            return
        best, prompt, seed = self._shown
        pieces = word_diff(seed, prompt)
        added, removed = words_changed(pieces)
        tokens = ngettext("~{n:,} token", "~{n:,} tokens", estimate_tokens(prompt))
        title = _("Best prompt  the seed") if best == 1 else _("Best prompt  round {round}", round=best)
        whole = _("{title}  {answer} an answer", title=title, answer=self._answer)
        has_room = cell_len(whole) <= self.size.width - _CORNERS
        self.border_title = whole if self._answer and has_room else title
        self.border_subtitle = (
            tokens
            if best == 1
            else _(
                "{tokens}, +{added} -{removed} words of the seed", tokens=tokens, added=added, removed=removed
            )
        )
        self.post_message(PanelTold())
        # Marks as well as colours: this is read on terminals without any.
        self.query_one(Static).update(
            changes_of(pieces, has_marks=True) if self.shows_diff and best > 1 else prompt
        )
