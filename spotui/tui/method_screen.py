"""The methods there are, as `spotui methods` tells them."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar, NamedTuple

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.content import Content
from textual.events import Click
from textual.message import Message
from textual.widget import Widget
from textual.widgets import Static

from spotui.domain.errors import SpotuiError
from spotui.lang import N_, _
from spotui.methods import DEFAULT_METHOD
from spotui.tui.child import ask
from spotui.tui.dialogs import Dialog, NameScreen
from spotui.tui.table_view import Column, Row, TableView
from spotui.tui.terminal import open_by

Value = str | int | float | bool | None


class Parameter(NamedTuple):
    """A parameter of a method.

    Attributes:
        name: Its name.
        takes: Its values, in words.
        default: Its value when nobody says otherwise.
        what: What it is for.
    """

    name: str
    takes: str
    default: Value
    what: str


class Known(NamedTuple):
    """A method.

    Attributes:
        name: Its name.
        summary: What it does.
        source: Where it was published.
        scores: Whether it needs rows.
        parameters: Its parameters.
    """

    name: str
    summary: str
    source: str
    scores: bool
    parameters: tuple[Parameter, ...]


class MethodChoice(NamedTuple):
    """A method that was chosen, and its parameters.

    Attributes:
        method: Its name; empty leaves it to the template.
        parameters: What differs from its defaults.
    """

    method: str = ""
    parameters: Mapping[str, Value] = {}

    @property
    def words(self) -> list[str]:
        """As options of the command line."""
        sets = [f"--set={name}={in_words(value)}" for name, value in self.parameters.items()]
        return [f"--method={self.method}", *sets] if self.method else sets

    def __str__(self) -> str:
        """On one line."""
        told = ", ".join(f"{name} {in_words(value)}" for name, value in self.parameters.items())
        return f"{self.method}: {told}" if told else self.method


async def known_methods() -> list[Known]:
    """Every method, those of other packages included.

    Raises:
        SpotuiError: One of them is broken.
    """
    told = await ask(["methods", "--json"])
    if told.fault:
        raise SpotuiError(told.fault)
    return [
        Known(
            one["name"],
            one["summary"],
            one["source"],
            one["scores"],
            tuple(Parameter(**parameter) for parameter in one["parameters"]),
        )
        for one in json.loads(told.out)
    ]


def method_of(template: Path) -> MethodChoice:
    """What a template says of its method; nothing where it cannot be read, which the estimate tells."""
    from spotui.templates.model import TemplateError
    from spotui.templates.read import read_template
    from spotui.templates.sections import parameters_of

    try:
        read = read_template(template)
        return MethodChoice(read.method or "", parameters_of(read))
    except TemplateError:
        return MethodChoice()


def typed(text: str) -> Value:
    """A value as a template would have it: numbers and truth values are none that are quoted."""
    if text in ("true", "false"):
        return text == "true"
    for kind in (int, float):
        try:
            return kind(text)
        except ValueError:
            continue
    return text


def in_words(value: Value) -> str:
    """A value as it is typed."""
    return "none" if value is None else str(value).lower() if isinstance(value, bool) else str(value)


_METHODS = (Column("method", 12), Column("description"))
_PARAMETERS = (Column("parameter", 24), Column("value", 14), Column("description", from_width=56))


class MethodScreen(Dialog[MethodChoice | None]):
    """Chooses a method and its parameters; gives back None when it is left with Escape.

    Args:
        choice: What stands there at first.
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

    def __init__(self, choice: MethodChoice) -> None:
        super().__init__()
        self._told = choice
        self._method = ""
        self._values: dict[str, dict[str, Value]] = {choice.method: dict(choice.parameters)}
        self._known: dict[str, Known] = {}

    def compose(self) -> ComposeResult:
        """The methods, the parameters of the one under the cursor, and what the cursor is on."""
        with Vertical() as box:
            box.border_title = _("Method")
            box.border_subtitle = _("enter edits a value, ctrl+s accepts, escape cancels")
            methods = TableView(_METHODS, id="methods")
            methods.empty = Content(_("Reading the methods…"))
            yield methods
            parameters = TableView(_PARAMETERS, id="parameters")
            parameters.empty = Content(_("It has no parameters."))
            yield parameters
            yield Static(markup=False)

    def on_mount(self) -> None:
        """Ask for them once the screen is there."""
        self.fill()

    def fill(self) -> None:
        """Ask for the methods."""
        self.run_worker(self._read(), group="read", exclusive=True)

    async def _read(self) -> None:
        try:
            found = await known_methods()
        except SpotuiError as error:
            self.query_one(Static).update(str(error))
            return
        self._known = {one.name: one for one in found}
        table = self.query_one("#methods", TableView)
        if not table.is_awaiting:
            table.wanted = self._told.method or DEFAULT_METHOD
        table.show([Row(one.name, (one.name, _(one.summary))) for one in found])
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
        question = _("{name}: {text}", name=name, text=_(parameter.takes))
        value = await self.app.push_screen_wait(
            NameScreen(question, in_words(self._value(parameter)), lambda _typed: None, N_("Value"))
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
        """Take the method under the cursor with its parameters."""
        if (chosen := self._chosen) is not None:
            self.dismiss(MethodChoice(chosen.name, dict(self._values_now)))

    @property
    def _values_now(self) -> dict[str, Value]:
        """The parameters of the method under the cursor."""
        return self._values.setdefault(self.query_one("#methods", TableView).current, {})

    def _reset(self, name: str) -> None:
        self._values_now.pop(name, None)
        self._show_method()

    def _show_method(self) -> None:
        chosen = self._chosen
        if chosen is None:
            return
        rows = [Row(one.name, (one.name, self._cell(one), _(one.what))) for one in chosen.parameters]
        self.query_one("#parameters", TableView).show(rows)
        self._explain()

    def _cell(self, parameter: Parameter) -> Content:
        return Content.styled(
            in_words(self._value(parameter)), "bold $accent" if parameter.name in self._values_now else ""
        )

    def _value(self, parameter: Parameter) -> Value:
        return self._values_now.get(parameter.name, parameter.default)

    def _parameter(self, name: str) -> Parameter | None:
        chosen = self._chosen
        return (
            next((one for one in chosen.parameters if one.name == name), None) if chosen is not None else None
        )

    def _explain(self) -> None:
        chosen, text = self._chosen, ""
        if chosen is not None:
            needs = _("It scores prompts on rows.") if chosen.scores else _("It compares prompts by votes.")
            text = f"{chosen.name}: {needs} {chosen.source}".strip()
            if (one := self._parameter(self.query_one("#parameters", TableView).current)) is not None:
                text += _(
                    "\n{one}: {one2}. Takes {takes}; default {in_words}.",
                    one=one.name,
                    one2=_(one.what),
                    takes=one.takes,
                    in_words=in_words(one.default),
                )
        self.query_one(Static).update(text)


class MethodLine(Widget, can_focus=True):
    """The choice, or the usual value.

    Args:
        usual: What holds when nothing is chosen, as text.
    """

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter,space", "choose", "choose method", id="method.choose"),
    ]

    DEFAULT_CSS = """
    MethodLine { height: 1; color: $foreground; &:focus { background: $primary; color: $background; } }
    """

    @dataclass
    class Chosen(Message):
        """Another method was chosen, or other parameters."""

        choice: MethodChoice

    def __init__(self, usual: str, *, id: str | None = None) -> None:  # noqa: A002 - Textual's name
        super().__init__(id=id)
        self.usual = usual
        self._chosen = MethodChoice()
        self._base = MethodChoice()

    @property
    def chosen(self) -> MethodChoice:
        """What was chosen; an empty name leaves it as it is."""
        return self._chosen

    def show(self, chosen: MethodChoice, base: MethodChoice, usual: str) -> None:
        """Show a choice.

        Args:
            chosen: What was chosen.
            base: What holds when nothing is.
            usual: The same, as text.
        """
        self._chosen, self._base, self.usual = chosen, base, usual
        self.refresh()

    def choose(self, chosen: MethodChoice) -> None:
        """Put another choice in the place of this one."""
        self.show(chosen, self._base, self.usual)

    def render(self) -> Content:
        """The choice, on as much of the row as there is."""
        width = self.content_size.width
        text = Content(str(self._chosen) if self._chosen.method else self.usual)
        if self.has_focus:  # elsewhere in the dialog, Enter starts
            hint = text.append("   ").append(_("enter shows all methods"))
            text = hint if hint.cell_length <= width else text
        return text.truncate(width, ellipsis=True)

    def on_click(self, event: Click) -> None:
        """As with Enter."""
        event.stop()
        self.action_choose()

    def action_choose(self) -> None:
        """Show every method with its parameters."""
        open_by(self, self._choose(), group="method", exclusive=True)

    async def _choose(self) -> None:
        told = await self.app.push_screen_wait(
            MethodScreen(self._chosen if self._chosen.method else self._base)
        )
        if told is not None:
            self._chosen = told
            self.refresh()
            self.post_message(self.Chosen(told))
            self.screen.focus_next()  # where Enter does not open the methods again
