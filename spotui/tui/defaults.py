"""The defaults of the config file as texts that a person edits."""

import asyncio
import os
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import zip_longest
from typing import ClassVar, Final, NamedTuple

import msgspec
from msgspec import UNSET
from rich.cells import cell_len
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.content import Content
from textual.events import DescendantBlur
from textual.geometry import Size
from textual.message import Message
from textual.suggester import SuggestFromList
from textual.widget import Widget
from textual.widgets import Input

from spotui.domain.errors import SpotuiError
from spotui.lang import N_, VARIABLE, _, name_of
from spotui.settings.config_file import ConfigFile, ModelConfig, load_config
from spotui.settings.errors import SettingsError
from spotui.settings.resolve import Flags, Resolution, SourceKind, resolve
from spotui.settings.save import save_default, save_defaults, save_model
from spotui.settings.table import BY_KEY, DEFAULT_MODEL, ROLES, Setting, option, text_of, value_at
from spotui.settings.values import Language, choices
from spotui.tui.line_view import wrap


class Default(NamedTuple):
    """One default.

    Attributes:
        text: What stands in the config file; empty when nothing does.
        used: What a run uses that says nothing else.
        rival: Which variable of the environment wins over the file; empty when none does.
    """

    text: str
    used: str
    rival: str


class Defaults:
    """One reading of the config file and the environment.

    Attributes:
        config: What the file says; nothing when it is wrong.
        fault: What is wrong with the file or a variable; empty when nothing is.
    """

    def __init__(self) -> None:
        self.config = ConfigFile()
        self.fault = ""
        self._found: Resolution | None = None
        try:
            self.config = load_config()
            self._found = resolve(Flags(), os.environ, {}, self.config)
        except SettingsError as error:
            self.fault = str(error)

    def of(self, key: str) -> Default:
        """One default by its dotted place in the file."""
        written = self.config.config.settings.get(key, "")
        if key == LANGUAGE.key:
            return _language(self.config.config.language or "")
        if self._found is None:
            return Default(text_of(written), "", "")
        source, used = self._found.sources[key], value_at(self._found.settings, BY_KEY[key].path)
        rival = source.name if source.kind is SourceKind.ENVIRONMENT else ""
        return Default(text_of(written), text_of(used), rival)


LANGUAGE: Final = Setting(
    N_("the language of all texts, for example en or zh_CN"),
    label=N_("Language"),
    key="language",
    kind=Language,
)
"""The setting of the app and every command that belongs to no run."""


def _language(written: str) -> Default:
    used = name_of(written) if written else _("that of the system")
    typed = os.environ.get(VARIABLE, "")
    return Default(written, typed or used, VARIABLE if typed and typed != written else "")


def save(key: str, text: str) -> None:
    """Write a default into the config file, or take it out when the text is empty.

    Raises:
        SettingsError: The value is wrong, or the file cannot be read or written; it is as it was.
    """
    save_default(key, text.strip() or UNSET)


_GAP: Final = 2
"""Cells between the field and what is beside it."""


class DefaultRow(Widget):
    """Edits one default; it is saved with Enter, or when the cursor leaves it.

    It paints the name and the note beside its field itself: there are dozens of rows on a screen.

    Args:
        setting: The setting it is the default of.
        completions: Texts that can be completed on top of the words that the setting takes.

    Attributes:
        input: Where it is typed; its margin is the room for the name.
        note: What is said beside it.
    """

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "put_back", "as it was", id="default.put_back"),
    ]

    DEFAULT_CSS = """
    DefaultRow {
        layout: horizontal;
        height: auto;
        text-wrap: nowrap;
        & Input { width: 22; margin: 0 0 0 20; }
    }
    """

    @dataclass
    class Saved(Message):
        """The config file says something else now."""

        key: str

    def __init__(self, setting: Setting, completions: tuple[str, ...] = ()) -> None:
        super().__init__(id=f"default-{setting.key.replace('.', '-')}")
        self.key = setting.key
        self._label = setting.label
        self._help = setting.help
        self._flags = tuple(map(option, setting.flags))
        self._saved = ""
        words = (*completions, *choices(setting.kind))
        self.input = Input(compact=True, suggester=SuggestFromList(words) if words else None)
        self.input.cursor_blink = False
        self.note = _(self._help)

    def compose(self) -> ComposeResult:
        """The field."""
        yield self.input

    def get_content_height(self, container: Size, viewport: Size, width: int) -> int:  # noqa: ARG002
        """As many lines as the name or the note has."""
        return len([*self._lines(width)])

    def render(self) -> Content:
        """The name and the note, with room for the field."""
        tone = "error" if self.has_class("-wrong") else "warning" if self.has_class("-rival") else "muted"
        room = self._field_ends
        return Content("\n").join(
            Content.assemble((name, "$text-muted"), " " * (room - cell_len(name)), (note, f"$text-{tone}"))
            for name, note in self._lines(self.content_size.width)
        )

    @property
    def _field_ends(self) -> int:
        width = self.input.styles.width
        return self.input.styles.margin.left + int(width.value if width else 0) + _GAP

    def _lines(self, width: int) -> Iterator[tuple[str, str]]:
        names = wrap(_(self._label), self.input.styles.margin.left)
        return zip_longest(names, wrap(self.note, width - self._field_ends), fillvalue="")

    def show(self, default: Default) -> None:
        """Show what stands in the file, and what is used where nothing does; what is being typed stays."""
        if not self.is_changed:
            self.input.value = default.text
        self._saved = default.text
        self.input.placeholder = default.used
        self.set_class(bool(default.rival), "-rival")
        if not self.has_class("-wrong"):
            self._say(
                _("{variable} wins: {value}", variable=default.rival, value=default.used)
                if default.rival
                else _(self._help)
            )

    @property
    def texts(self) -> tuple[str, ...]:
        """What it is called, here and elsewhere, and what it means."""
        return _(self._label), self._label, self.key, _(self._help), self._help, *self._flags

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
        self.post_message(self.Saved(self.key))

    def _mend(self) -> None:
        if self.has_class("-wrong"):
            self.remove_class("-wrong")
            self._say(_(self._help))

    def _say(self, text: str) -> None:
        if text != self.note:
            self.note = text
            self.refresh(layout=True)


def remember(model: str, base_url: str) -> bool:
    """Make a model that of all three roles in the config file, if none is chosen there yet and it is another.

    Returns:
        Whether it was written.

    Raises:
        SettingsError: The config file is wrong or cannot be written.
    """
    config = load_config().config
    if model == DEFAULT_MODEL or any(f"roles.{role}.model" in config.settings for role in ROLES):
        return False
    if base_url:
        entry = config.models.get(model, ModelConfig())
        save_model(model, msgspec.structs.replace(entry, base_url=base_url))
    save_defaults({f"roles.{role}.model": model for role in ROLES})
    return True
