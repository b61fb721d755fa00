"""One default: its name, its value, and what there is to say about it."""

import asyncio
from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal
from textual.content import Content
from textual.events import DescendantBlur
from textual.message import Message
from textual.suggester import SuggestFromList
from textual.widgets import Input, Label, Static

from spotui.errors import SpotuiError
from spotui.tui.settings.defaults import Default, save


class DefaultRow(Horizontal):
    """Edits one default; it is saved with Enter, or when the cursor leaves it.

    Args:
        key: Its dotted place in the config file.
        label: What it is called.
        help: What it means, in a few words.
        choices: What can be completed.
    """

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "put_back", "as it was", id="default.put_back"),
    ]

    DEFAULT_CSS = """
    DefaultRow {
        height: auto;
        & Label { width: 18; color: $text-muted; }
        & Input { width: 22; }
        & .note { width: 1fr; height: auto; margin: 0 0 0 2; color: $text-muted; }
        &.-rival .note { color: $text-warning; }
        &.-wrong .note { color: $text-error; }
    }
    """

    class Saved(Message):
        """The config file says something else now."""

    def __init__(self, key: str, label: str, help: str, choices: tuple[str, ...] = ()) -> None:  # noqa: A002
        super().__init__(id=f"default-{key.replace('.', '-')}")
        self.key = key
        self._label = label
        self._help = help
        self._choices = choices
        self._saved = ""

    def compose(self) -> ComposeResult:
        """The name, the value, and what it means."""
        yield Label(self._label)
        made = Input(compact=True, suggester=SuggestFromList(self._choices) if self._choices else None)
        made.cursor_blink = False
        yield made
        yield Static(self._help, classes="note", markup=False)

    def show(self, default: Default) -> None:
        """Show what stands in the file, and what is used where nothing does; what is being typed stays."""
        if not self.is_changed:
            self.input.value = default.text
        self._saved = default.text
        self.input.placeholder = default.used
        self.set_class(bool(default.rival), "-rival")
        if not self.has_class("-wrong"):
            self._say(f"{default.rival} wins: {default.used}" if default.rival else self._help)

    @property
    def input(self) -> Input:
        """Where it is typed."""
        return self.query_one(Input)

    @property
    def is_changed(self) -> bool:
        """Whether something else is typed than is saved."""
        return self.input.value.strip() != self._saved

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:  # noqa: ARG002
        """There is something to put back only after typing."""
        return self.is_changed if action == "put_back" else True

    def action_put_back(self) -> None:
        """Drop what was typed."""
        self.input.value = self._saved
        self._mend()

    def on_input_changed(self, event: Input.Changed) -> None:
        """What was wrong may be right now."""
        event.stop()
        self._mend()
        self.refresh_bindings()

    async def on_input_submitted(self, event: Input.Submitted) -> None:
        """Save it."""
        event.stop()
        await self.save()

    async def on_descendant_blur(self, event: DescendantBlur) -> None:
        """Save it."""
        event.stop()
        await self.save()

    async def save(self) -> None:
        """Write what was typed into the config file, or say why not."""
        if not self.is_changed:
            return
        text = self.input.value.strip()
        try:
            await asyncio.to_thread(save, self.key, text)
        except SpotuiError as error:
            self.add_class("-wrong")
            self._say(str(error).removeprefix(f"{self.key} "))
            return
        self._saved = text
        self.refresh_bindings()
        self.post_message(self.Saved())

    def _mend(self) -> None:
        if self.has_class("-wrong"):
            self.remove_class("-wrong")
            self._say(self._help)

    def _say(self, text: str) -> None:
        self.query_one(".note", Static).update(Content(text))
