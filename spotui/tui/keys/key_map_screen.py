"""Every binding with its keys, to be given another."""

import asyncio
from typing import TYPE_CHECKING, ClassVar, cast

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.content import Content
from textual.reactive import Reactive
from textual.screen import Screen
from textual.widget import Widget

from spotui import locations
from spotui.locations import shown
from spotui.settings.user_keys import UserKeys, load_user_keys, save_user_keys
from spotui.tui.attempt import attempt
from spotui.tui.home.title_bar import TitleBar
from spotui.tui.key_hints import KeyHints
from spotui.tui.keys.declared import group_of, kinds, moved, own_bindings
from spotui.tui.keys.key_map import check_keys
from spotui.tui.keys.press_screen import PressScreen
from spotui.tui.table_view import Column, Row, TableView

if TYPE_CHECKING:
    from spotui.tui.app import SpotuiApp

_COLUMNS = (Column("what it does"), Column("keys", 16), Column("", 5), Column("name", 26))


class KeyTable(TableView):
    """One row a binding."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter", "choose", "another key", id="key_map.change"),
        Binding("x,delete", "put_back", "its usual key", id="key_map.put_back"),
    ]

    def __init__(self) -> None:
        super().__init__(_COLUMNS, id="key_table")
        self.border_title = "Keys"

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:  # noqa: ARG002
        """Only keys of the user's own have others to go back to."""
        return self.current in cast("SpotuiApp", self.app).user_keys if action == "put_back" else True

    def on_table_view_moved(self) -> None:
        """Another row, other actions."""
        self.refresh_bindings()

    async def action_put_back(self) -> None:
        """Give the binding its usual keys again."""
        await cast("KeyMapScreen", self.screen).give(self.current, "")


class KeyMapScreen(Screen[None]):
    """Gives keys to what can be done."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "dismiss(None)", "back", id="key_map.back"),
    ]

    DEFAULT_CSS = """
    KeyMapScreen KeyTable {
        height: 1fr; border: round $primary; border-title-color: $primary; background: $background;
    }
    """

    focused = Reactive[Widget | None](None, repaint=False)

    def __init__(self) -> None:
        super().__init__()
        self._bindings_by_name: dict[str, Binding] = {}

    def compose(self) -> ComposeResult:
        """One table."""
        yield TitleBar(f"keys   {shown(locations.keys_file())}")
        yield KeyTable()
        yield KeyHints()

    def on_mount(self) -> None:
        """Look for every binding once the screen is there."""
        self.call_after_refresh(lambda: self.run_worker(self._read(), group="read"))

    async def give(self, name: str, key: str) -> None:
        """Give a binding a key, or its usual ones again when the key is empty."""
        user = await attempt(self, load_user_keys)
        if user is None or (key and not await self._can_have(user, name, key)):
            return
        await attempt(self, save_user_keys, name, (key,) if key else ())
        await cast("SpotuiApp", self.app).read_keys()
        self._show()

    async def on_table_view_chosen(self, event: TableView.Chosen) -> None:
        """Ask for the key."""
        event.stop()
        name = event.key
        what = self._bindings_by_name[name].description

        async def take(key: str | None) -> None:
            if key:
                await self.give(name, key)

        self.app.push_screen(PressScreen(f"{group_of(self._bindings_by_name[name])}: {what}"), take)

    async def _can_have(self, user: UserKeys, name: str, key: str) -> bool:
        """Whether the key is free for it; otherwise what it does is told."""
        others = {one: keys for one, keys in user.keys.items() if one != name}
        wanted = UserKeys(
            path=user.path, keys={**others, name: (key,)}, lines={**dict.fromkeys(others, 0), name: 0}
        )
        app = type(self.app)
        checked = await asyncio.to_thread(lambda: check_keys(wanted, kinds(), app))
        if name in checked.keys:
            return True
        mine = next(one for one in checked.problems if one.what.startswith(f"{name}: "))
        self.notify(mine.mend, title=mine.what.removeprefix(f"{name}: "), severity="warning", markup=False)
        return False

    async def _read(self) -> None:
        found = await asyncio.to_thread(
            lambda: [binding for kind in kinds() for binding in own_bindings(kind) if binding.id]
        )
        self._bindings_by_name = {binding.id or "": binding for binding in found}
        self._show()

    def _show(self) -> None:
        own = cast("SpotuiApp", self.app).user_keys
        rows = []
        for name, binding in sorted(self._bindings_by_name.items()):
            keys = [each for one in moved(binding, own) for each in one.make_bindings([one])]
            shown_keys = "  ".join(dict.fromkeys(self.app.get_key_display(one) for one in keys))
            whose = Content.styled("yours", "$text-accent") if name in own else ""
            what = f"{group_of(binding)}: {binding.description}".capitalize()
            rows.append(Row(name, (what, shown_keys, whose, Content.styled(name, "$text-muted"))))
        self.query_one(KeyTable).show(rows)
        self.refresh_bindings()
