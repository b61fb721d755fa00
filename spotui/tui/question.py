"""A question over the screen, answered with one key."""

from collections.abc import Sequence
from typing import Any, NamedTuple

from textual.app import ComposeResult
from textual.containers import Vertical
from textual.content import Content
from textual.screen import Screen
from textual.widgets import OptionList, Static
from textual.widgets.option_list import Option

from spotui.tui.dialog import Dialog


class Choice(NamedTuple):
    """One answer.

    Attributes:
        id: What the screen gives back.
        key: The letter that chooses it.
        text: What it does, in a few words.
    """

    id: str
    key: str
    text: str


class QuestionScreen(Dialog[str]):
    """Asks something; gives back the id of the choice, or an empty text when it is left with Escape.

    Args:
        question: What is asked, on one line.
        choices: The answers, the usual one first.
        text: What a person needs to know to answer.
    """

    DEFAULT_CSS = """
    QuestionScreen {
        & > Vertical { width: 72; max-width: 95%; max-height: 90%; }
        & Static { height: auto; margin-bottom: 1; }
        & OptionList, & OptionList:focus { height: auto; border: none; padding: 0; background: $surface; }
    }
    """

    def __init__(self, question: str, choices: Sequence[Choice], text: str = "") -> None:
        super().__init__()
        self._question = question
        self._choices = tuple(choices)
        self._text = text
        for choice in choices:
            self._bindings.bind(choice.key, f"choose({choice.id!r})", choice.text)
        self._bindings.bind("escape", "choose('')", "back")

    def compose(self) -> ComposeResult:
        """The question, what there is to know, the answers."""
        with Vertical() as box:
            box.border_title = Content(self._question)
            if self._text:
                yield Static(self._text, markup=False)
            yield OptionList(
                *(Option(f"{one.key}  {one.text}", id=one.id) for one in self._choices), markup=False
            )

    def on_option_list_option_selected(self, event: OptionList.OptionSelected) -> None:
        """Take the choice under the cursor."""
        event.stop()
        self.dismiss(event.option_id or "")

    def action_choose(self, choice: str) -> None:
        """Take a choice by its key."""
        self.dismiss(choice)


async def confirmed(screen: Screen[Any], question: str, verb: str, text: str = "") -> bool:
    """Ask before something is deleted or stopped; whether it was confirmed.

    Args:
        screen: Where to ask.
        question: What is asked, on one line.
        verb: The word for doing it.
        text: What a person needs to know to answer.
    """
    choices = (Choice("yes", "y", verb), Choice("no", "n", "cancel"))
    return await screen.app.push_screen_wait(QuestionScreen(question, choices, text)) == "yes"
