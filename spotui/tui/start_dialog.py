"""Before something starts: a dialog for what it uses, and a start that can be given up."""

import asyncio
import re
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, TypeVar

from textual.app import ComposeResult
from textual.content import Content
from textual.suggester import SuggestFromList
from textual.widgets import Input, Label, Static

from spotui.domain.errors import SpotuiError
from spotui.lang import N_, _
from spotui.settings.table import DEFAULT_MODEL, ROLES
from spotui.tui.defaults import Defaults
from spotui.tui.dialogs import FieldDialog, Result, not_trusted, row, text_field, trusts_template
from spotui.tui.expected import FLAGS, Choices
from spotui.tui.method_screen import MethodChoice
from spotui.wire.process import Background, OwnProcess
from spotui.workspace.projects import Project, Workspace

if TYPE_CHECKING:
    from textual.worker import Worker, WorkType


_LOOK_SECONDS = 0.05
_AProcess = TypeVar("_AProcess", bound=Background)


async def begin(
    project: Project, template: Path, choices: Choices, tell: Callable[[str], None]
) -> OwnProcess:
    """Start a run's own process, and wait until it can be attached to.

    Args:
        project: What is to be made.
        template: From what.
        choices: With what.
        tell: Called with what it says while it prepares, such as the progress of fetching a model.

    Raises:
        SpotuiError: It did not start, and why.
    """
    return await start(project, ["run", str(template), "--name", project.name, *choices.words], tell)


async def go_on(project: Project, limits: Sequence[str], tell: Callable[[str], None]) -> OwnProcess:
    """Start a process that takes a run up where it ended, and wait until it can be attached to.

    Args:
        project: The project.
        limits: Options of `spotui resume`.
        tell: As in `begin`.

    Raises:
        SpotuiError: It did not start, and why.
    """
    return await start(project, ["resume", project.name, *limits], tell)


async def start(project: Project, words: Sequence[str], tell: Callable[[str], None]) -> OwnProcess:
    """Work on a project in a separate process, and wait until it can be attached to.

    Args:
        project: The project.
        words: What would be typed after `spotui`.
        tell: As in `begin`.

    Raises:
        SpotuiError: It did not start, and why.
    """
    return await wait_for(await asyncio.to_thread(OwnProcess, project, words), tell)


async def wait_for(process: _AProcess, tell: Callable[[str], None]) -> _AProcess:
    """Wait until a process works; it is ended when nobody waits any more.

    Args:
        process: The process.
        tell: As in `begin`.

    Raises:
        SpotuiError: It did not start, and why.
    """
    said = ""
    try:
        while not process.is_ready():
            await asyncio.sleep(_LOOK_SECONDS)
            if process.said != said:
                said = process.said
                tell(said.splitlines()[-1] if said else "")
    except asyncio.CancelledError:
        await asyncio.to_thread(process.end)
        raise
    return process


ROLE_NAMES: Final = {
    "optimizer": N_("  Optimizer"),
    "evaluator": N_("  Evaluator"),
    "executor": N_("  Executor"),
}
"""The labels of the models of single roles, below that of all."""

_QUIET_SECONDS = 0.3
"""How long nobody types before the estimate is made again."""

_NOT_ESTIMATED = "…"
BUDGET = ("usd", "tokens", "calls", "minutes")
_BUDGET_NAMES = (N_("USD"), N_("tokens"), N_("calls"), N_("minutes"))


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
        & .share { width: auto; max-width: 40; margin: 0 0 0 2; color: $text-muted; }
        &.-narrow .share { display: none; }
    }
    """

    HORIZONTAL_BREAKPOINTS = [(0, "-narrow"), (76, "-wide")]  # noqa: RUF012 - Textual's declaration

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
        ids = {field.id for field in self.query(Input)}
        typed: dict[str, Any] = {field: self.typed_in(field) for field in Choices._fields if field in ids}
        return Choices(**typed, method=MethodChoice())

    def on_mount(self) -> None:
        """Estimate what stands there."""
        self.estimate()

    def fill(self) -> None:
        """Estimate it again; a start that is under way goes on."""
        if self._start is not None and not self._start.is_finished:
            self.say(_("Starting…"))
        else:
            self.estimate()

    def on_input_changed(self, event: Input.Changed) -> None:
        """Estimate again once nobody types."""
        event.stop()
        if event.input.id != "name":
            self.estimate()

    def on_input_submitted(self, event: Input.Submitted) -> None:
        """Start it, unless what it will take is not shown yet."""
        event.stop()
        if self.query_one("#expected", Static).content == _NOT_ESTIMATED:
            self.notify(_("What it will take is not worked out yet. Press Enter again when you see it."))
        elif self._start is None or self._start.is_finished:
            self._start = self.run_worker(self._begin(), group="begin")

    def action_back(self) -> None:
        """Leave; a start that is under way is given up first."""
        if self._start is not None and not self._start.is_finished:
            self._start.cancel()
            self.say(_("It was not started."))
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

    def name_budget(self, label: str) -> None:
        """Give the fields of the budget another label.

        Args:
            label: As in `budget`.
        """
        for field, name in zip(BUDGET, _BUDGET_NAMES, strict=True):
            shown = self.query_one(f"#{field}").parent
            if shown is not None:
                shown.query_one(Label).update(_("{label}, {name}", label=label, name=_(name)))

    def show_used(self, used: Mapping[str, str]) -> None:
        """Show in the empty fields which values will be used.

        Args:
            used: By the ids of the fields.
        """
        for field, value in used.items():
            for shown in self.query(f"#{field}").results(Input):
                if not shown.value:  # else it is what was typed, or a share of it
                    shown.placeholder = value

    async def offer_models(self) -> None:
        """Complete the models of the config file and the embedded one where a model is typed."""
        config = await asyncio.to_thread(Defaults)
        known = SuggestFromList([*config.config.config.models, DEFAULT_MODEL])
        for field in ("model", *ROLES):
            self.query_one(f"#{field}", Input).suggester = known

    def say(self, text: str) -> None:
        """Tell something in place of the estimate."""
        self._tell(Content(text))

    async def _begin(self) -> None:
        self.workers.cancel_group(self, "estimate")  # it would replace what is said of the start
        self.say(_("Starting…"))
        try:
            if not await trusts_template(self, self._template):
                raise not_trusted()
            started = await self.begin(self.typed_in("name"))
        except SpotuiError as error:
            self._refuse(error)
        else:
            self.dismiss(started)

    def _refuse(self, error: SpotuiError) -> None:
        self._tell(Content.styled(self._in_words_of_fields(str(error)), "$text-error"))

    def _in_words_of_fields(self, text: str) -> str:
        """An error of the command line, with the labels of the fields in place of the flags."""
        for field, flag in FLAGS.items():
            for label in (found.parent.query_one(Label) for found in self.query(f"#{field}") if found.parent):
                text = re.sub(rf"{flag}(?![\w-])", str(label.content).strip(), text)
        return text

    def _tell(self, text: Content) -> None:
        self.query_one("#expected", Static).update(text)


def budget(label: str, first: Choices) -> ComposeResult:
    """The rows of what may be used.

    Args:
        label: What it is for.
        first: What the fields hold at first.
    """
    for field, name in zip(BUDGET, _BUDGET_NAMES, strict=True):
        yield row(
            _("{label}, {name}", label=label, name=_(name)),
            text_field(field, getattr(first, field), _("empty = no limit")),
        )


def share_of(role: str) -> Static:
    """Where it is shown what a role would take, beside the field of its model."""
    return Static(id=f"share-{role}", classes="share", markup=False)


def estimate_line() -> Static:
    """Where the estimate is shown."""
    return Static(_NOT_ESTIMATED, id="expected", markup=False)


def warning_lines(warnings: list[str]) -> list[Content]:
    """What stands against it, a line each."""
    return [Content.styled(_("Warning: {text}", text=warning), "$text-warning") for warning in warnings]
