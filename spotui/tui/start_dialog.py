"""Before something starts: what it may use, what it will take, and a start that can be given up."""

import asyncio
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from textual.app import ComposeResult
from textual.content import Content
from textual.widgets import Input, Static

from spotui.errors import SpotuiError
from spotui.tui.dialog import FieldDialog, Result, row, text_field
from spotui.tui.method.known import Told
from spotui.tui.new_run import Choices
from spotui.tui.trusting import not_trusted, trusts_template
from spotui.workspace.projects import Workspace

if TYPE_CHECKING:
    from textual.worker import Worker, WorkType

_QUIET_SECONDS = 0.3
"""How long nobody types before the estimate is made again."""

_NOT_ESTIMATED = "…"
_BUDGET = ("usd", "tokens", "calls", "minutes")


class StartDialog(FieldDialog[Result | None]):
    """Starts what a subclass is about; gives back what was started, or None when it is left with Escape.

    A subclass composes a field for the name and for every choice but the method, and says in `expected` and
    `begin` what is estimated and started.

    Args:
        workspace: Where it will be.
        template: What it works on.
    """

    DEFAULT_CSS = """
    StartDialog {
        & Label { width: 21; }
        & > VerticalScroll { padding: 1 1 0 1; }
        & #expected { height: auto; min-height: 3; margin: 1 0 0 0; }
    }
    """

    def __init__(self, workspace: Workspace, template: Path) -> None:
        super().__init__()
        self._workspace = workspace
        self._template = template
        self._start: Worker[None] | None = None

    async def expected(self) -> Content:
        """What it would take, as it is typed now.

        Raises:
            SpotuiError: The template or a choice is wrong.
        """
        raise NotImplementedError

    async def begin(self, name: str) -> Result:
        """Start it, and wait until it works.

        Args:
            name: What it is to be called.

        Raises:
            SpotuiError: It did not start, and why.
        """
        raise NotImplementedError

    @property
    def chosen(self) -> Choices:
        """What stands in the fields; the method is left to the template."""
        typed = {field: self.typed_in(field) for field in Choices._fields if field != "method"}
        return Choices(**typed, method=Told())

    def on_mount(self) -> None:
        """Estimate what stands there."""
        self.estimate()

    def on_input_changed(self, event: Input.Changed) -> None:
        """Estimate again once nobody types."""
        event.stop()
        if event.input.id != "name":
            self.estimate()

    def on_input_submitted(self, event: Input.Submitted) -> None:
        """Start it."""
        event.stop()
        if self._start is None or self._start.is_finished:
            self._start = self.run_worker(self._begin(), group="begin")

    def action_back(self) -> None:
        """Leave; a start that is under way is given up first."""
        if self._start is not None and not self._start.is_finished:
            self._start.cancel()
            self.say("It was not started.")
        else:
            self.dismiss(None)

    def estimate(self) -> None:
        """Make the estimate again, in place of one that is being made."""
        # As a function: a coroutine that is replaced before it begins is complained of.
        work: WorkType[None] = self.work_out
        self.run_worker(work, group="estimate", exclusive=True)

    async def work_out(self) -> None:
        """Find out what it would take once nobody types, and tell it."""
        is_first = self.query_one("#expected", Static).content == _NOT_ESTIMATED
        await asyncio.sleep(0 if is_first else _QUIET_SECONDS)
        try:
            self._tell(await self.expected())
        except SpotuiError as error:
            self._refuse(error)

    def show_used(self, used: Mapping[str, str]) -> None:
        """Show in the empty fields which values will be used.

        Args:
            used: By the ids of the fields.
        """
        for field, value in used.items():
            self.query_one(f"#{field}", Input).placeholder = value

    def say_it_starts(self) -> None:
        """Nothing is estimated any more."""
        self.workers.cancel_group(self, "estimate")
        self.say("Starting…")

    def say(self, text: str) -> None:
        """Tell something in place of the estimate."""
        self._tell(Content(text))

    async def _begin(self) -> None:
        try:
            if not await trusts_template(self, self._template):
                raise not_trusted()
            started = await self.begin(self.typed_in("name"))
        except SpotuiError as error:
            self._refuse(error)
        else:
            self.dismiss(started)

    def _refuse(self, error: SpotuiError) -> None:
        self._tell(Content.styled(str(error), "$text-error"))

    def _tell(self, text: Content) -> None:
        self.query_one("#expected", Static).update(text)


def budget(label: str, first: Choices) -> ComposeResult:
    """The rows of what may be used.

    Args:
        label: What it is for.
        first: What the fields hold at first.
    """
    for field in _BUDGET:
        name = "USD" if field == "usd" else field
        yield row(f"{label}, {name}", text_field(field, getattr(first, field), "empty = no limit"))


def estimate_line() -> Static:
    """Where the estimate is told."""
    return Static(_NOT_ESTIMATED, id="expected", markup=False)


def warning_lines(warnings: list[str]) -> list[Content]:
    """What stands against it, a line each."""
    return [Content.styled(f"Warning: {warning}", "$text-warning") for warning in warnings]
