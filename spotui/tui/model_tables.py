"""The tables of roles and of models, and what one role uses."""

import asyncio
import os
from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.content import Content
from textual.message import Message

from spotui.lang import N_, _
from spotui.settings.config_file import Config, ModelConfig
from spotui.settings.table import DEFAULT_MODEL, ROLES, SETTINGS, Role, is_embedded, is_program
from spotui.tui.defaults import Default, DefaultRow, Defaults
from spotui.tui.dialogs import Dialog, field_keys
from spotui.tui.table_view import Column, Row, TableView


class RoleScreen(Dialog[None]):
    """Edits a role's defaults; each is saved as it is left.

    Args:
        role: The role.
        models: The ids that can be completed.
    """

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "back", "back", id="role.back"),
        *field_keys("role"),
    ]

    DEFAULT_CSS = """
    RoleScreen {
        & > Vertical { width: 78; padding: 1; }
        & DefaultRow Input { width: 30; margin: 0 0 0 14; }
    }
    """

    def __init__(self, role: Role, models: tuple[str, ...]) -> None:
        super().__init__()
        self._role = role
        self._models = models

    def compose(self) -> ComposeResult:
        """The fields."""
        with Vertical() as box:
            box.border_title = _("The {role}", role=_(self._role))
            box.border_subtitle = _("saved when you leave a field; an empty one is the usual value")
            for setting in SETTINGS:
                of_program = self._role == "executor" and setting.path[0] == "program"
                if of_program or setting.path[:-1] == ("roles", self._role):
                    models = (*self._models, DEFAULT_MODEL) if setting.path[-1] == "model" else ()
                    yield DefaultRow(setting, models)

    async def on_mount(self) -> None:
        """Show what is saved."""
        await self._show()

    def fill(self) -> None:
        """Read what is saved again."""
        self.run_worker(self._show(), group="show")

    async def on_default_row_saved(self, event: DefaultRow.Saved) -> None:
        """Another model may have another timeout."""
        event.stop()
        await self._show()

    async def action_back(self) -> None:
        """Leave; what is typed is saved first, and what is wrong keeps the screen."""
        rows = list(self.query(DefaultRow))
        for row in rows:
            await row.save()
        if not any(row.is_changed for row in rows):
            self.dismiss(None)

    async def _show(self) -> None:
        defaults = await asyncio.to_thread(Defaults)
        for row in self.query(DefaultRow):
            row.show(defaults.of(row.key))


_ROLE_COLUMNS = (
    Column("role", 9),
    Column("model"),
    Column("temp.", 5, is_number=True, from_width=50),
    Column("reply", 7, is_number=True, from_width=90),
    Column("silent", 7, is_number=True, from_width=90),
    Column("endpoint", 24, from_width=60),
    Column("test", 8),
)


class RolesTable(TableView):
    """One row a role."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter", "choose", "change", id="roles.change"),
        Binding("t", "test", "test", id="roles.test"),
    ]

    @dataclass
    class TestWanted(Message):
        """Somebody wants to know whether the role's model answers."""

        model: str

    def __init__(self) -> None:
        super().__init__(_ROLE_COLUMNS, id="roles", title=_("Roles"))
        self._models: dict[str, str] = {}

    @property
    def role(self) -> Role:
        """The role under the cursor."""
        return next((role for role in ROLES if role == self.current), ROLES[0])

    def fill(self, defaults: Defaults, tests: Mapping[str, Content]) -> None:
        """Bring the rows up to date."""
        rows = []
        for role in ROLES:
            model, temperature, reply, silent = (
                defaults.of(f"roles.{role}.{name}")
                for name in ("model", "temperature", "max_tokens", "timeout")
            )
            self._models[role] = model.used
            endpoint = _endpoint(model.used, defaults.config.config, defaults.of("run.base_url").used)
            cells = (
                _(role),
                _shown(model),
                _shown(temperature),
                _shown(reply),
                _shown(silent, " s"),
                endpoint,
            )
            rows.append(Row(role, (*cells, tests.get(model.used, ""))))
        self.show(rows)

    def action_test(self) -> None:
        """Ask the role's model."""
        if model := self._models.get(self.current):
            self.post_message(self.TestWanted(model))


def _shown(default: Default, unit: str = "") -> Content:
    text = "" if default.used == "none" else f"{default.used}{unit}"
    tone = "$text-warning" if default.rival else "" if default.text else "$text-muted"
    return Content.styled(text, tone)


def _endpoint(model: str, config: Config, for_all: str) -> Content | str:
    entry = config.models.get(model)
    if entry is not None and entry.base_url:
        return entry.base_url
    if is_embedded(model):
        return Content.styled(_("on this machine"), "$text-muted")
    if is_program(model):
        return Content.styled(_("a program"), "$text-muted")
    return for_all if for_all not in ("", "none") else Content.styled(_("its usual one"), "$text-muted")


_MODEL_COLUMNS = (
    Column("model"),
    Column("endpoint", from_width=60),
    Column("key", 20),
    Column("limits", 16, from_width=90),
    Column("USD/M tokens", 12, is_number=True, from_width=90),
    Column("test", 8),
)
_EMPTY = N_(
    "No model is written down, and none has to be: gpt-4o-mini, anthropic/…, ollama/… and local/… work by "
    "their names. Press n to add your endpoint, a key, limits or a price."
)


class ModelsTable(TableView):
    """One row a model."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter", "choose", "change", id="models.change"),
        Binding("n", "add", "new model", id="models.new"),
        Binding("t", "test", "test", id="models.test"),
        Binding("x,delete", "remove", "remove", id="models.remove"),
    ]

    @dataclass
    class Wanted(Message):
        """Something is to be done: `add`, `test` or `remove`."""

        what: str
        model: str

    def __init__(self) -> None:
        super().__init__(_MODEL_COLUMNS, id="models", title=_("Models"))
        self.empty = Content(_(_EMPTY))

    def fill(self, config: Config, tests: Mapping[str, Content]) -> None:
        """Bring the rows up to date."""
        self.show([Row(model, _cells(model, entry, tests)) for model, entry in config.models.items()])
        self.refresh_bindings()

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:  # noqa: ARG002
        """Without models there is nothing to change."""
        return bool(self.keys) if action in ("choose", "test", "remove") else True

    def action_add(self) -> None:
        """Add a model."""
        self.post_message(self.Wanted("add", ""))

    def action_test(self) -> None:
        """Ask the model."""
        self.post_message(self.Wanted("test", self.current))

    def action_remove(self) -> None:
        """Take the model out of the config file."""
        self.post_message(self.Wanted("remove", self.current))


def _cells(model: str, entry: ModelConfig, tests: Mapping[str, Content]) -> tuple[Content | str, ...]:
    endpoint = entry.base_url or Content.styled(_("its usual one"), "$text-muted")
    price = f"{entry.price.input:g}, {entry.price.output:g}" if entry.price else ""
    return (model, endpoint, _key(entry), _limits(entry), price, tests.get(model, ""))


def _key(entry: ModelConfig) -> Content | str:
    if entry.api_key_env:
        if os.environ.get(entry.api_key_env):
            return f"${entry.api_key_env}"
        return Content.styled(_("${api_key_env} not set", api_key_env=entry.api_key_env), "$text-warning")
    return _("in the keyring") if entry.api_key_keyring else Content.styled(_("usual"), "$text-muted")


def _limits(entry: ModelConfig) -> str:
    limits = (
        _("{concurrency} at once", concurrency=entry.concurrency) if entry.concurrency else "",
        _("{n}/min", n=entry.requests_per_minute) if entry.requests_per_minute else "",
        _("{tokens_per_minute} tok/min", tokens_per_minute=entry.tokens_per_minute)
        if entry.tokens_per_minute
        else "",
    )
    return ", ".join(one for one in limits if one)
