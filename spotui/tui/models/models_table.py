"""The models of the config file."""

import os
from collections.abc import Mapping
from typing import ClassVar

from textual.binding import Binding, BindingType
from textual.content import Content
from textual.message import Message

from spotui.settings.schema import Config, ModelConfig
from spotui.tui.table_view import Column, Row, TableView

_COLUMNS = (
    Column("model"),
    Column("endpoint", from_width=60),
    Column("key", 20),
    Column("limits", 16, from_width=90),
    Column("USD/M tokens", 12, is_number=True, from_width=90),
    Column("test", 8),
)
_EMPTY = (
    "No model is written down, and none has to be: gpt-4o-mini, anthropic/…, ollama/… and local/… work by "
    "their names. Press n to add an endpoint of your own, a key, limits or a price."
)


class ModelsTable(TableView):
    """One row a model."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter", "choose", "change", id="models.change"),
        Binding("n", "add", "new model", id="models.new"),
        Binding("t", "test", "test", id="models.test"),
        Binding("x,delete", "remove", "remove", id="models.remove"),
    ]

    class Wanted(Message):
        """Something is to be done: `add`, `test` or `remove`."""

        def __init__(self, what: str, model: str) -> None:
            super().__init__()
            self.what = what
            self.model = model

    def __init__(self) -> None:
        super().__init__(_COLUMNS, id="models")
        self.border_title = "Models"
        self.empty = Content(_EMPTY)

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
    endpoint = entry.base_url or Content.styled("its usual one", "$text-muted")
    price = f"{entry.price.input:g}, {entry.price.output:g}" if entry.price else ""
    return (model, endpoint, _key(entry), _limits(entry), price, tests.get(model, ""))


def _key(entry: ModelConfig) -> Content | str:
    if entry.api_key_env:
        if os.environ.get(entry.api_key_env):
            return f"${entry.api_key_env}"
        return Content.styled(f"${entry.api_key_env} not set", "$text-warning")
    return "in the keyring" if entry.api_key_keyring else Content.styled("usual", "$text-muted")


def _limits(entry: ModelConfig) -> str:
    limits = (
        f"{entry.concurrency} at once" if entry.concurrency else "",
        f"{entry.requests_per_minute}/min" if entry.requests_per_minute else "",
        f"{entry.tokens_per_minute} tok/min" if entry.tokens_per_minute else "",
    )
    return ", ".join(one for one in limits if one)
