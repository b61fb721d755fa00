"""Every method, and everything it can be told."""

from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.content import Content
from textual.widgets import Static

from spotui.errors import SpotuiError
from spotui.tui.dialog import Dialog
from spotui.tui.home.name_screen import NameScreen
from spotui.tui.method.known import Known, Parameter, Told, Value, in_words, known_methods, typed
from spotui.tui.table_view import Column, Row, TableView
from spotui.tui.typed_ahead import open_by

_METHODS = (Column("method", 12), Column("description"))
_PARAMETERS = (Column("parameter", 24), Column("value", 14), Column("description", from_width=56))


class MethodScreen(Dialog[Told | None]):
    """Chooses a method and its parameters; gives back None when it is left with Escape.

    Args:
        told: What stands there at first.
    """

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("ctrl+s", "take", "use this method", id="method.take", priority=True),
        Binding("delete,backspace", "reset", "reset to default", id="method.reset"),
        Binding("tab", "app.focus_next", "methods or parameters", id="method.other", show=False),
        Binding("escape", "dismiss(None)", "cancel", id="method.back", priority=True),
    ]

    DEFAULT_CSS = """
    MethodScreen {
        & > Vertical { width: 110; height: 90%; }
        & #methods { height: auto; max-height: 10; background: $surface; }
        & #parameters { height: 1fr; background: $surface; margin: 1 0 0 0; }
        & Static { height: auto; min-height: 2; max-height: 4; color: $text-muted; margin: 1 0 0 0; }
    }
    """

    AUTO_FOCUS = "#methods"

    def __init__(self, told: Told) -> None:
        super().__init__()
        self._told = told
        self._method = ""
        self._values: dict[str, dict[str, Value]] = {told.method: dict(told.parameters)}
        self._known: dict[str, Known] = {}

    def compose(self) -> ComposeResult:
        """The methods, the parameters of the one under the cursor, and what the cursor is on."""
        with Vertical() as box:
            box.border_title = "Method"
            box.border_subtitle = "enter edits a value, ctrl+s accepts, escape cancels"
            methods = TableView(_METHODS, id="methods")
            methods.empty = Content("Reading the methods…")
            yield methods
            parameters = TableView(_PARAMETERS, id="parameters")
            parameters.empty = Content("It has no parameters.")
            yield parameters
            yield Static(markup=False)

    def on_mount(self) -> None:
        """Ask for them once the screen is there."""
        self.run_worker(self._read(), group="read")

    async def _read(self) -> None:
        try:
            found = await known_methods()
        except SpotuiError as error:
            self.query_one(Static).update(str(error))
            return
        self._known = {one.name: one for one in found}
        table = self.query_one("#methods", TableView)
        table.show([Row(one.name, (one.name, one.summary)) for one in found])
        table.select(self._told.method or "spo")
        self._show_method()

    @property
    def _chosen(self) -> Known | None:
        return self._known.get(self.query_one("#methods", TableView).current)

    def on_table_view_moved(self, event: TableView.Moved) -> None:
        """Another method or parameter is under the cursor."""
        event.stop()
        if event.table.id == "methods":
            self._show_method()
        else:
            self._explain()

    def on_table_view_chosen(self, event: TableView.Chosen) -> None:
        """From a method to its parameters; from a parameter to its value."""
        event.stop()
        if event.table.id == "methods":
            parameters = self.query_one("#parameters", TableView)
            if parameters.keys:
                parameters.focus()
            else:
                self.action_take()
        else:
            open_by(self, self._change(event.key), group="change", exclusive=True)

    async def _change(self, name: str) -> None:
        parameter = self._parameter(name)
        if parameter is None:
            return
        question = f"{name}: {parameter.takes}"
        value = await self.app.push_screen_wait(
            NameScreen(question, in_words(self._value(parameter)), lambda _typed: None, "Value")
        )
        if value == in_words(parameter.default):
            self._reset(name)
        elif value:
            self._values_now[name] = typed(value)
            self._show_method()

    def action_reset(self) -> None:
        """Give the parameter under the cursor its default again."""
        self._reset(self.query_one("#parameters", TableView).current)

    def action_take(self) -> None:
        """Take the method under the cursor with what it is told."""
        if (chosen := self._chosen) is not None:
            self.dismiss(Told(chosen.name, dict(self._values_now)))

    @property
    def _values_now(self) -> dict[str, Value]:
        """What the method under the cursor is told."""
        return self._values.setdefault(self.query_one("#methods", TableView).current, {})

    def _reset(self, name: str) -> None:
        self._values_now.pop(name, None)
        self._show_method()

    def _show_method(self) -> None:
        chosen = self._chosen
        if chosen is None:
            return
        rows = [Row(one.name, (one.name, self._cell(one), one.what)) for one in chosen.parameters]
        self.query_one("#parameters", TableView).show(rows)
        self._explain()

    def _cell(self, one: Parameter) -> Content:
        return Content.styled(
            in_words(self._value(one)), "bold $accent" if one.name in self._values_now else ""
        )

    def _value(self, one: Parameter) -> Value:
        return self._values_now.get(one.name, one.default)

    def _parameter(self, name: str) -> Parameter | None:
        chosen = self._chosen
        return (
            next((one for one in chosen.parameters if one.name == name), None) if chosen is not None else None
        )

    def _explain(self) -> None:
        chosen, text = self._chosen, ""
        if chosen is not None:
            needs = "It scores prompts on rows." if chosen.scores else "It compares prompts by votes."
            text = f"{chosen.name}: {needs} {chosen.source}".strip()
            if (one := self._parameter(self.query_one("#parameters", TableView).current)) is not None:
                text += f"\n{one.name}: {one.what}. Takes {one.takes}; default {in_words(one.default)}."
        self.query_one(Static).update(text)
