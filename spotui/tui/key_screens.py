"""The screens that show every binding and change its keys."""

import asyncio
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import ClassVar, NamedTuple

from rich.cells import cell_len, set_cell_size
from textual.app import App, ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical, VerticalScroll
from textual.content import Content
from textual.events import Key
from textual.message import Message
from textual.screen import Screen
from textual.widgets import Static

from spotui.lang import N_, _, anew
from spotui.settings import locations
from spotui.settings.locations import shown
from spotui.settings.shortcuts import UserKeys, load_user_keys, save_user_keys
from spotui.tui.bindings import (
    check_keys,
    fault_of,
    group_of,
    merged_bindings,
    moved,
    own_bindings,
    widget_types,
)
from spotui.tui.child import attempt
from spotui.tui.dialogs import Dialog
from spotui.tui.page import Page, TitleBar
from spotui.tui.table_view import Column, Row, TableView


class PressScreen(Dialog[str]):
    """Gives back the key that was pressed, or an empty text for Escape.

    Args:
        what: What the key is for.
    """

    DEFAULT_CSS = """
    PressScreen {
        & > Vertical { width: 60; max-width: 95%; padding: 1; }
        & Static { height: auto; }
        & #fault { color: $text-error; min-height: 1; }
    }
    """

    def __init__(self, what: str) -> None:
        super().__init__()
        self._what = what

    def compose(self) -> ComposeResult:
        """What is asked, and what is wrong with a key."""
        with Vertical() as box:
            box.border_title = Content(anew(self._what))
            box.border_subtitle = _("escape leaves it as it is")
            yield Static(_("Press the new key."))
            yield Static(id="fault", markup=False)

    def on_key(self, event: Key) -> None:
        """Take the key, if it is one on every terminal."""
        event.stop()
        event.prevent_default()
        if event.key == "escape":
            self.dismiss("")
            return
        what, hint = fault_of(event.key)
        if what:
            self.query_one("#fault", Static).update(f"{what} {hint}")
        else:
            self.dismiss(event.key)


_COLUMNS = (Column("what it does"), Column("keys", 16), Column("", 5), Column("name", 26))


class KeyTable(TableView):
    """One row a binding."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter", "choose", "another key", id="key_map.change"),
        Binding("x,delete", "put_back", "its usual key", id="key_map.put_back"),
    ]

    @dataclass
    class PutBackWanted(Message):
        """A binding is to have its usual keys again."""

        name: str

    def __init__(self) -> None:
        super().__init__(_COLUMNS, id="key_table", title=_("Keys"))
        self.own: Mapping[str, str] = {}

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:  # noqa: ARG002
        """Only keys of the user's own have others to go back to."""
        return self.current in self.own if action == "put_back" else True

    def on_table_view_moved(self) -> None:
        """Another row, other actions."""
        self.refresh_bindings()

    def action_put_back(self) -> None:
        """Give the binding its usual keys again."""
        self.post_message(self.PutBackWanted(self.current))


class KeyMapScreen(Page[None]):
    """Gives keys to actions.

    Args:
        user_keys: The keys that the user has chosen, by the id of what they do.
    """

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "dismiss(None)", "back", id="key_map.back"),
    ]

    DEFAULT_CSS = "KeyMapScreen KeyTable { height: 1fr; }"

    @dataclass
    class Saved(Message):
        """The user's file holds other keys now, which `screen` is to show once they are in place."""

        screen: "KeyMapScreen"

    def __init__(self, user_keys: Mapping[str, str]) -> None:
        super().__init__()
        self._own = user_keys
        self._bindings_by_name: dict[str, Binding] = {}

    def parts(self) -> ComposeResult:
        """One table."""
        yield TitleBar(_("keys   {file}", file=shown(locations.keys_file())))
        yield KeyTable()

    def on_mount(self) -> None:
        """Look for every binding once the screen is there."""
        self.call_after_refresh(lambda: self.run_worker(self._read(), group="read"))

    def fill(self) -> None:
        """Show the keys, once every binding is known."""
        if self._bindings_by_name:
            self._show()

    async def give(self, name: str, key: str) -> None:
        """Give a binding a key, or its usual ones again when the key is empty."""
        user = await attempt(self, load_user_keys)
        if user is None or (key and not await self._can_have(user, name, key)):
            return
        await attempt(self, save_user_keys, name, (key,) if key else ())
        self.post_message(self.Saved(self))

    def show(self, user_keys: Mapping[str, str]) -> None:
        """Show the keys that are in place now."""
        self._own = user_keys
        self._show()

    async def on_key_table_put_back_wanted(self, event: KeyTable.PutBackWanted) -> None:
        """Give a binding its usual keys again."""
        await self.give(event.name, "")

    async def on_table_view_chosen(self, event: TableView.Chosen) -> None:
        """Ask for the key."""
        event.stop()
        name = event.key
        what = _(self._bindings_by_name[name].description)

        async def take(key: str | None) -> None:
            if key:
                await self.give(name, key)

        self.app.push_screen(
            PressScreen(_("{group}: {action}", group=group_of(self._bindings_by_name[name]), action=what)),
            take,
        )

    async def _can_have(self, user: UserKeys, name: str, key: str) -> bool:
        """Whether the key is free for it; otherwise its action is shown."""
        others = {one: keys for one, keys in user.keys.items() if one != name}
        wanted = UserKeys(
            path=user.path, keys={**others, name: (key,)}, lines={**dict.fromkeys(others, 0), name: 0}
        )
        app = type(self.app)
        checked = await asyncio.to_thread(lambda: check_keys(wanted, widget_types(), app))
        if name in checked.keys:
            return True
        mine = next(one for one in checked.problems if one.what.startswith(f"{name}: "))
        self.notify(mine.hint, title=mine.what.removeprefix(f"{name}: "), severity="warning", markup=False)
        return False

    async def _read(self) -> None:
        found = await asyncio.to_thread(
            lambda: [binding for kind in widget_types() for binding in own_bindings(kind) if binding.id]
        )
        self._bindings_by_name = {binding.id or "": binding for binding in found}
        self._show()

    def _show(self) -> None:
        own = self._own
        rows = []
        for name, binding in sorted(self._bindings_by_name.items()):
            keys = [each for one in moved(binding, own) for each in one.make_bindings([one])]
            shown_keys = "  ".join(dict.fromkeys(self.app.get_key_display(one) for one in keys))
            whose = Content.styled(_("yours"), "$text-accent") if name in own else ""
            what = _("{group}: {action}", group=group_of(binding), action=_(binding.description)).capitalize()
            rows.append(Row(name, (what, shown_keys, whose, Content.styled(name, "$text-muted"))))
        table = self.query_one(KeyTable)
        table.own = own
        table.show(rows)
        self.refresh_bindings()


_KEYS_WIDTH, _WHAT_WIDTH = 18, 24


class Help(NamedTuple):
    """One thing that can be done: with which keys, a sentence of the catalogue, the name of its binding."""

    keys: tuple[str, ...]
    what: str
    name: str


class Section(NamedTuple):
    """The actions in one place, whose title is a sentence of the catalogue."""

    title: str
    helps: tuple[Help, ...]


def sections_of(screen: Screen[object], user_keys: Mapping[str, str]) -> list[Section]:
    """The actions available now: where the focus is, on the screen, and everywhere.

    Args:
        screen: The screen that is asked about, before anything is put over it.
        user_keys: The keys that the user has chosen, by the id of what they do.
    """
    app = screen.app
    here: list[Binding] = []
    there: list[Binding] = []
    besides: list[Binding] = []
    for active in screen.active_bindings.values():
        if active.enabled and active.node is not app:
            group = there if active.node is screen else here
            (group if active.binding.id else besides).append(active.binding)
    everywhere = [
        own
        for bindings in merged_bindings(type(app)).values()
        for one in bindings
        if one.id and (one.priority or not screen.is_modal)
        for own in moved(one, user_keys)
    ]
    groups = (
        (N_("This panel"), here),
        (N_("This screen"), there),
        (N_("Everywhere"), everywhere),
        (N_("Fixed keys"), besides),
    )
    return [Section(title, _helps(app, found)) for title, found in groups if found]


def _helps(app: App[object], active: Iterable[Binding]) -> tuple[Help, ...]:
    """The particular ones first, then those that move about."""
    by_action: dict[tuple[str, str], list[Binding]] = {}
    for one in sorted(active, key=lambda one: not one.show):
        by_action.setdefault((one.action, one.id or ""), []).append(one)
    return tuple(
        Help(
            tuple(dict.fromkeys(app.get_key_display(one) for one in bindings)),
            bindings[0].description or bindings[0].action,
            name,
        )
        for (_node, name), bindings in by_action.items()
    )


class KeysScreen(Dialog[None]):
    """Tells the keys.

    Args:
        sections: The actions, and where they work.
    """

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,q,question_mark", "dismiss(None)", "back", id="keys.back"),
        Binding("down,j", "scroll('scroll_down')", "down", id="keys.down", show=False),
        Binding("up,k", "scroll('scroll_up')", "up", id="keys.up", show=False),
        Binding("pagedown,space", "scroll('scroll_page_down')", "page down", id="keys.page_down", show=False),
        Binding("pageup", "scroll('scroll_page_up')", "page up", id="keys.page_up", show=False),
        Binding("home", "scroll('scroll_home')", "first", id="keys.first", show=False),
        Binding("end", "scroll('scroll_end')", "last", id="keys.last", show=False),
    ]

    DEFAULT_CSS = """
    KeysScreen {
        & > VerticalScroll { width: 76; }
        & Static { height: auto; }
    }
    """

    AUTO_FOCUS = ""

    def __init__(self, sections: Iterable[Section]) -> None:
        super().__init__()
        self._sections = list(sections)

    def compose(self) -> ComposeResult:
        """One text that scrolls."""
        with VerticalScroll(can_focus=False) as box:
            box.border_title = _("Keys")
            box.border_subtitle = _("escape leaves")
            yield Static(Content("\n").join(self._lines()))

    def action_scroll(self, how: str) -> None:
        """Scroll the text."""
        getattr(self.query_one(VerticalScroll), how)(animate=False)

    def _lines(self) -> Iterable[Content]:
        for number, section in enumerate(self._sections):
            if number:
                yield Content("")
            yield Content.styled(_(section.title), "bold $secondary")
            for one in section.helps:
                joined = "  ".join(one.keys)
                keys = Content.styled(
                    set_cell_size(joined, max(_KEYS_WIDTH, cell_len(joined))), "bold $accent"
                )
                said = _(one.what).lower()
                what = Content(set_cell_size(said, max(_WHAT_WIDTH, cell_len(said))))
                yield Content.assemble(keys, " ", what, " ", Content.styled(one.name, "$text-muted"))
        yield Content("")
        yield Content.styled(
            _(
                "Keyboard shortcuts: write the name at the right and a key into {shown}, for example "
                " run.stop: S",
                shown=shown(locations.keys_file()),
            ),
            "$text-muted",
        )
