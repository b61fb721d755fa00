"""The live round log, and what is shown of it."""

from typing import ClassVar, get_args

import msgspec
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.content import Content
from textual.events import Click
from textual.widgets import Input

from spotui.tui.run.log_view import LogView
from spotui.view.choosing import Choice, Show
from spotui.view.story import Story

_SHOWS = get_args(Show)


class LogPanel(Vertical):
    """The log, with its filter, its search and its folded rounds."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("slash", "search", "search", id="log.search"),
        Binding("f", "next_show", "filter", id="log.filter"),
        Binding("c", "fold", "fold round", id="log.fold"),
        Binding("C", "fold_all", "fold all", id="log.fold_all", show=False),
        Binding("end", "follow", "follow", id="log.follow", show=False),
        Binding("escape", "show_all", "show all", id="log.show_all"),
    ]

    ALLOW_MAXIMIZE = True

    DEFAULT_CSS = """
    LogPanel {
        & LogView { height: 1fr; }
        & Input { display: none; }
        &.-searching Input { display: block; }
    }
    """

    def __init__(self, *, id: str | None = None) -> None:  # noqa: A002 - Textual's name
        super().__init__(id=id)
        self.border_title = "Log"
        self._choice = Choice()
        self._round = 0
        self._rounds: range = range(0)

    def compose(self) -> ComposeResult:
        """The log above, what is searched for below it."""
        yield LogView()
        search = Input(placeholder="filter the log…", compact=True)
        search.cursor_blink = False
        yield search

    def show(self, story: Story) -> None:
        """Show another run."""
        self.query_one(LogView).show(story)

    def tick(self) -> None:
        """Paint what has happened since the last tick."""
        self.query_one(LogView).tick()

    def go_to_round(self, number: int, newest: int) -> None:
        """Show a round, which is the one that is folded from now on.

        Args:
            number: The round.
            newest: The newest round there is; going there means to follow the run.
        """
        self._round, self._rounds = number, range(1, newest + 1)
        if number == newest:
            self.query_one(LogView).follow()
        else:
            self.query_one(LogView).go_to_round(number)

    def on_click(self, event: Click) -> None:
        """A click on a heading folds its round."""
        view = self.query_one(LogView)
        offset = event.get_content_offset(view)
        if offset is not None and event.chain > 1 and (number := view.round_at(offset.y)):
            self._fold(number)

    def on_input_changed(self, event: Input.Changed) -> None:
        """Show what holds what has been typed so far."""
        event.stop()
        self._choose(text=event.value.strip())

    def on_input_submitted(self, event: Input.Submitted) -> None:
        """Back to the log, which stays as it was chosen."""
        event.stop()
        self.query_one(LogView).focus()
        self.set_class(bool(self._choice.text), "-searching")

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:  # noqa: ARG002
        """There may be nothing that is left out."""
        return self._choice != Choice() or self.has_class("-searching") if action == "show_all" else True

    def action_search(self) -> None:
        """Type what is searched for."""
        self.add_class("-searching")
        self.query_one(Input).focus()
        self.refresh_bindings()

    def action_next_show(self) -> None:
        """Everything, then only verdicts, then only trouble."""
        self._choose(show=_SHOWS[(_SHOWS.index(self._choice.show) + 1) % len(_SHOWS)])

    def action_fold(self) -> None:
        """Show only the heading and the verdict of the selected round, or all of it again."""
        if number := self._round or max(self._rounds, default=0):
            self._fold(number)

    def action_fold_all(self) -> None:
        """Fold every round, or none."""
        self._choose(folded=frozenset() if self._choice.folded else frozenset(self._rounds))

    def action_follow(self) -> None:
        """Go to the end and stay there."""
        self.query_one(LogView).follow()

    def action_show_all(self) -> None:
        """Leave nothing out any more."""
        self.query_one(Input).value = ""
        self.remove_class("-searching")
        self._choose(show="everything", text="", folded=frozenset())
        self.query_one(LogView).focus()

    def _fold(self, number: int) -> None:
        self._choose(folded=self._choice.folded ^ {number})

    def _choose(self, **changes: object) -> None:
        choice = msgspec.structs.replace(self._choice, **changes)
        if choice != self._choice:
            self._choice = choice
            self.query_one(LogView).choose(choice)
            self.border_subtitle = Content(_told(choice))
            self.refresh_bindings()


def _told(choice: Choice) -> str:
    parts = [] if choice.show == "everything" else [f"only {choice.show}"]
    if choice.text:
        parts.append(f"only lines with “{choice.text}”")
    if choice.folded:
        parts.append(f"{len(choice.folded)} folded")
    return ", ".join(parts)
