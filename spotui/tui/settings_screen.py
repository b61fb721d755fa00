"""The settings of every run, and the themes: the one under the cursor is on the screen at once."""

import asyncio
import os
from dataclasses import dataclass
from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Container, VerticalScroll
from textual.content import Content
from textual.message import Message
from textual.widgets import Input, Static

from spotui.lang import VARIABLE, _, languages
from spotui.settings import locations
from spotui.settings.language import saved_language
from spotui.settings.locations import shown
from spotui.settings.table import SETTINGS, Group
from spotui.settings.themes import Theme, ThemeError, load_theme, own_theme_names, theme_names
from spotui.tui.child import attempt
from spotui.tui.defaults import LANGUAGE, DefaultRow, Defaults, save
from spotui.tui.filtering import Filter
from spotui.tui.page import Page, TitleBar, UseLanguage
from spotui.tui.preferences import use_theme
from spotui.tui.table_view import Column, Row, TableView

_COLUMNS = (Column("theme"), Column("", 5), Column("", 5))


class ThemeTable(TableView):
    """Every theme; Enter keeps the one under the cursor for later starts."""

    BINDINGS: ClassVar[list[BindingType]] = [Binding("enter", "choose", "keep it", id="themes.keep")]

    def __init__(self) -> None:
        super().__init__(_COLUMNS, id="themes")
        self.add_class("framed")
        self.border_title = _("Theme")
        self._kept = ""
        self._is_ready = False

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:  # noqa: ARG002
        """The filter of the screen is for what there is more of: the settings."""
        return action != "filter"

    async def read(self) -> None:
        """Read the themes; a broken one is shown as such."""
        rows = await asyncio.to_thread(_rows)
        self._kept = self.app.theme
        self.show(rows)
        self.select(self._kept)
        self.border_subtitle = _("enter keeps it")
        self.call_after_refresh(self._begin)

    def _begin(self) -> None:
        self._is_ready = True

    @property
    def is_trying(self) -> bool:
        """Whether another theme is shown than the one that is kept."""
        return self._is_ready and self.app.theme != self._kept

    def put_back(self) -> None:
        """Use the theme that is kept."""
        if self.is_trying:
            use_theme(self.app, self._kept)

    def on_table_view_moved(self, event: TableView.Moved) -> None:
        """Show what it looks like."""
        event.stop()
        if self._is_ready and event.key:
            use_theme(self.app, event.key)

    async def on_table_view_chosen(self, event: TableView.Chosen) -> None:
        """Keep it."""
        event.stop()
        if use_theme(self.app, event.key):
            await attempt(self, save, "theme", event.key)
            self._kept = event.key
            self.border_subtitle = _("{key} is kept", key=event.key)


def _rows() -> list[Row]:
    own = set(own_theme_names())
    return [_row(name, is_own=name in own) for name in theme_names()]


def _row(name: str, *, is_own: bool) -> Row:
    whose = Content.styled(_("yours"), "$text-accent") if is_own else ""
    try:
        theme: Theme = load_theme(name)
    except ThemeError:
        return Row(name, (name, Content.styled(_("wrong"), "$text-error"), whose))
    return Row(name, (name, Content.styled(_("dark") if theme.dark else _("light"), "$text-muted"), whose))


class SettingsScreen(Page[None]):
    """What holds for every run that says nothing else."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "back", "back", id="settings.back"),
        Binding("tab", "app.focus_next", "next", id="settings.next", show=False),
        Binding("slash,f3", "filter", "filter", id="settings.filter"),
        Binding("f2", "app.key_map", "keyboard shortcuts", id="settings.key_map"),
    ]

    DEFAULT_CSS = """
    SettingsScreen {
        & > Container { layout: vertical; }
        & ThemeTable { height: 10; }
        & DefaultForm { height: 1fr; padding: 0 1; }
        & .group { height: 1; margin: 1 0 0 0; color: $secondary; text-style: bold; }
        & .group.-first { margin: 0; }
        & #keys { height: auto; color: $text-muted; }
        & #fault { display: none; height: auto; padding: 0 1; color: $text-error; background: $panel; }
        &.-fault #fault { display: block; }
        &.-wide > Container { layout: horizontal; & ThemeTable { width: 34; height: 1fr; } }
    }
    """

    AUTO_FOCUS = "ThemeTable"
    HORIZONTAL_BREAKPOINTS = [(0, "-narrow"), (116, "-wide")]  # noqa: RUF012 - Textual's declaration

    def parts(self) -> ComposeResult:
        """Themes, defaults, keys."""
        yield TitleBar(_("settings   {file}", file=shown(locations.config_file())))
        yield Static(id="fault", markup=False)
        with Container():
            yield ThemeTable()
            with DefaultForm(classes="framed") as form:
                form.border_title = _("Defaults")
                form.border_subtitle = _("saved when you leave a field; an empty one is the usual value")
                yield FilterField()
                for number, group in enumerate(Group):
                    title = _(group).capitalize()
                    yield Static(title, classes="group" if number else "group -first", markup=False)
                    yield from (DefaultRow(setting) for setting in SETTINGS if setting.group == group)
                yield Static(_("Language"), classes="group", markup=False)
                yield DefaultRow(LANGUAGE, tuple(languages()))
                yield Static(_("Keys"), classes="group", markup=False)
                yield Static(
                    _(
                        "F2 changes keyboard shortcuts; yours are saved in {shown}.",
                        shown=shown(locations.keys_file()),
                    ),
                    id="keys",
                    markup=False,
                )

    @property
    def holds_input(self) -> bool:
        """Whether a field is not saved yet, or a theme is only looked at."""
        return any(row.is_changed for row in self.query(DefaultRow)) or self.query_one(ThemeTable).is_trying

    def action_filter(self) -> None:
        """Type what the settings are to contain."""
        field = self.query_one(FilterField)
        field.can_focus = True
        field.focus()

    def on_filter_field_typed(self, event: "FilterField.Typed") -> None:
        """Show the settings that contain it, and the titles of their groups."""
        event.stop()
        found = Filter()
        found.text = event.text
        title: Static | None = None
        for one in self.query_one(DefaultForm).children:
            if isinstance(one, Static) and one.has_class("group"):
                title = one
                title.display = not event.text
            elif isinstance(one, DefaultRow):
                one.display = found.matches(one.texts)
                if title is not None and one.display:
                    title.display = True

    def on_mount(self) -> None:
        """Read the files once the screen is there."""
        self.call_after_refresh(lambda: self.run_worker(self._read(), group="read"))

    async def _read(self) -> None:
        await self.query_one(ThemeTable).read()
        await self._show()

    async def remake(self) -> None:
        """Make the parts again; a theme that was only looked at is put back."""
        self.query_one(ThemeTable).put_back()
        await super().remake()

    def fill(self) -> None:
        """Read the files."""
        self.run_worker(self._read(), group="read")

    async def _show(self) -> None:
        defaults = await asyncio.to_thread(Defaults)
        self.set_class(bool(defaults.fault), "-fault")
        self.query_one("#fault", Static).update(defaults.fault)
        for row in self.query(DefaultRow):
            row.show(defaults.of(row.key))

    async def on_default_row_saved(self, event: DefaultRow.Saved) -> None:
        """Another variable or the file may say something else by now."""
        event.stop()
        await self._show()
        if event.key == LANGUAGE.key and VARIABLE not in os.environ:
            self.post_message(UseLanguage(await asyncio.to_thread(saved_language)))

    async def action_back(self) -> None:
        """Leave; what is typed is saved first, and a theme that was only looked at is put back."""
        for row in self.query(DefaultRow):
            await row.save()
        self.query_one(ThemeTable).put_back()
        self.dismiss(None)


class FilterField(Input):
    """What the settings are to contain; Escape empties it first."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "clear", "clear the filter", id="settings.clear_filter"),
    ]

    DEFAULT_CSS = "FilterField { margin: 0 0 1 0; }"

    @dataclass
    class Typed(Message):
        """Something else is typed."""

        text: str

    def __init__(self) -> None:
        super().__init__(placeholder=_("filter: press / or F3"), id="filter", compact=True)
        self.cursor_blink = False
        self.can_focus = False  # Tab leads to the first setting

    def on_blur(self) -> None:
        """An empty one is passed over."""
        self.can_focus = bool(self.value)

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:  # noqa: ARG002
        """There may be nothing to clear."""
        return bool(self.value) if action == "clear" else True

    def action_clear(self) -> None:
        """Show every setting."""
        self.value = ""

    def on_input_changed(self, event: Input.Changed) -> None:
        """Tell it."""
        event.stop()
        self.refresh_bindings()
        self.post_message(self.Typed(event.value))

    def on_input_submitted(self, event: Input.Submitted) -> None:
        """Go to the first setting that is shown."""
        event.stop()
        self.app.action_focus_next()


class DefaultForm(VerticalScroll, can_focus=False):
    """The defaults, one below the other."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("up", "app.focus_previous", "field before", id="defaults.up", show=False),
        Binding("down", "app.focus_next", "next field", id="defaults.down", show=False),
    ]
