"""The questions of a template, one line each."""

from collections.abc import Sequence
from typing import ClassVar, Literal

from textual.binding import Binding, BindingType
from textual.message import Message
from textual.widgets import OptionList
from textual.widgets.option_list import Option

from spotui.template.model import QA
from spotui.view.figures import plural

Change = Literal["add", "remove", "up", "down"]


class RowList(OptionList):
    """The list in which questions are chosen, added, removed and reordered."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("n,plus", "want('add')", "new question", id="questions.add"),
        Binding("x,delete", "want('remove')", "remove", id="questions.remove"),
        Binding("K,shift+up", "want('up')", "move up", id="questions.up"),
        Binding("J,shift+down", "want('down')", "move down", id="questions.down"),
    ]

    DEFAULT_CSS = """
    RowList {
        height: auto; min-height: 3; max-height: 12; padding: 0 1; background: $background;
        text-wrap: nowrap; text-overflow: ellipsis;
        border: round $border-blurred; border-title-color: $text-muted; border-subtitle-color: $text-muted;
        &:focus { border: round $primary; border-title-color: $primary; }
    }
    """

    class Wanted(Message):
        """Somebody wants the list changed."""

        def __init__(self, change: Change) -> None:
            super().__init__()
            self.change = change

    def __init__(self) -> None:
        super().__init__(markup=False)
        self._labels: list[str] = []

    def show(self, rows: Sequence[QA], selected: int) -> None:
        """Show the questions with the cursor on one of them; only what changed is written anew."""
        labels = [f"{number}  {' '.join(row.question.split()) or '…'}" for number, row in enumerate(rows, 1)]
        if len(labels) == len(self._labels):
            for place, (old, new) in enumerate(zip(self._labels, labels, strict=True)):
                if old != new:
                    self.replace_option_prompt_at_index(place, new)
        else:
            self.set_options([Option(label) for label in labels])
        self._labels = labels
        self.border_title = plural(len(rows), "question")
        if rows and self.highlighted != selected:
            self.highlighted = selected

    def action_want(self, change: Change) -> None:
        """Ask for a change."""
        self.post_message(self.Wanted(change))
