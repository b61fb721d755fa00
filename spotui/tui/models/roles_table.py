"""The three roles: which model each uses, and how it is asked."""

from collections.abc import Mapping
from typing import ClassVar

from textual.binding import Binding, BindingType
from textual.content import Content
from textual.message import Message

from spotui.settings.roles import ROLES, Role, is_embedded
from spotui.settings.schema import Config
from spotui.tui.settings.defaults import Default, Defaults
from spotui.tui.table_view import Column, Row, TableView

_COLUMNS = (
    Column("role", 9),
    Column("model"),
    Column("temp.", 5, is_number=True),
    Column("reply", 7, is_number=True, from_width=90),
    Column("silent", 7, is_number=True, from_width=90),
    Column("endpoint", 24),
    Column("test", 8),
)


class RolesTable(TableView):
    """One row a role."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter", "choose", "change", id="roles.change"),
        Binding("t", "test", "test", id="roles.test"),
    ]

    class TestWanted(Message):
        """Somebody wants to know whether the role's model answers."""

        def __init__(self, model: str) -> None:
            super().__init__()
            self.model = model

    def __init__(self) -> None:
        super().__init__(_COLUMNS, id="roles")
        self.border_title = "Roles"
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
            endpoint = _endpoint(model.used, defaults.config.config, defaults.of("base_url").used)
            cells = (role, _shown(model), _shown(temperature), _shown(reply), _shown(silent, " s"), endpoint)
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
        return Content.styled("on this machine", "$text-muted")
    return for_all if for_all not in ("", "none") else Content.styled("its usual one", "$text-muted")
