"""Before a run starts: what it is called, what it uses, and what it will take."""

import asyncio
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical
from textual.content import Content
from textual.screen import ModalScreen
from textual.widgets import Input, Label, Static

from spotui.errors import SpotuiError
from spotui.own_process import OwnProcess
from spotui.tui.judge_line import JudgeLine
from spotui.tui.method.known import told_by
from spotui.tui.method.line import MethodLine
from spotui.tui.new_run import Choices, Expected, begin, expect
from spotui.workspace.create import check_free
from spotui.workspace.projects import Workspace

if TYPE_CHECKING:
    from textual.worker import Worker, WorkType

_QUIET_SECONDS = 0.3
"""How long nobody types before the estimate is made again."""

_FIELDS = (
    ("name", "Name", ""),
    ("model", "Model", "as in your settings"),
    ("base_url", "Endpoint", "the model's usual one"),
    ("rounds", "Rounds", "as in your settings"),
)
_BUDGET = (("usd", "USD"), ("tokens", "tokens"), ("calls", "calls"), ("minutes", "minutes"))


class NewRunScreen(ModalScreen[OwnProcess | None]):
    """Starts a run; gives back its process, or None when it is left with Escape.

    Args:
        workspace: Where the project will be.
        template: What the run works on.
        choices: What stands in the fields at first.
    """

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "back", "back", id="new_run.back", priority=True),
        Binding("ctrl+t", "check_judge", "check the judge", id="new_run.check_judge"),
        Binding("up", "app.focus_previous", "field before", id="new_run.up", show=False),
        Binding("down", "app.focus_next", "next field", id="new_run.down", show=False),
    ]

    DEFAULT_CSS = """
    NewRunScreen {
        align: center middle;
        & > Vertical {
            width: 76; max-width: 100%; height: auto; max-height: 100%; padding: 1 1 0 1;
            border: round $primary; border-title-color: $primary; background: $surface;
            border-subtitle-color: $text-muted;
        }
        & Horizontal { height: 1; }
        & Label { width: 10; color: $text-muted; }
        & Input { width: 1fr; }
        & #budget Label { width: auto; margin: 0 2 0 1; }
        & #budget Label.name { width: 10; margin: 0; }
        & #budget Input { width: 1fr; max-width: 9; }
        & #expected { height: auto; min-height: 4; margin: 1 0 0 0; }
    }
    """

    AUTO_FOCUS = "#name"

    def __init__(self, workspace: Workspace, template: Path, choices: Choices | None = None) -> None:
        super().__init__()
        self._workspace = workspace
        self._template = template
        self._first = choices or Choices()
        self._start: Worker[None] | None = None

    def compose(self) -> ComposeResult:
        """The fields, and what is expected."""
        first = {"name": self._workspace.free_name(self._template.stem), **self._first._asdict()}
        with Vertical() as box:
            box.border_title = Content(f"New run of {self._template.name}")
            box.border_subtitle = "enter starts it, escape leaves"
            for field, name, meaning in _FIELDS:
                with Horizontal():
                    yield Label(name)
                    yield _input(field, first[field], meaning)
            with Horizontal():
                yield Label("Method")
                yield MethodLine("as in the template", id="method")
            with Horizontal(id="budget"):
                yield Label("Budget", classes="name")
                for field, name in _BUDGET:
                    yield _input(field, first[field], "none")
                    yield Label(name)
            yield Static("…", id="expected", markup=False)
            yield JudgeLine("check_judge")

    def on_mount(self) -> None:
        """Estimate what stands there."""
        self.run_worker(self._read_method(), group="method")
        self._estimate()

    async def _read_method(self) -> None:
        base = await asyncio.to_thread(told_by, self._template)
        usual = f"{base}, as in the template" if base.method else "spo, unless you choose another"
        self.query_one(MethodLine).show(self._first.method, base, usual)

    def on_method_line_chosen(self, event: MethodLine.Chosen) -> None:
        """Another method takes something else."""
        event.stop()
        self.query_one(JudgeLine).forget()
        self._estimate()

    def on_input_changed(self, event: Input.Changed) -> None:
        """Estimate again once nobody types."""
        event.stop()
        if event.input.id != "name":
            self.query_one(JudgeLine).forget()
            self._estimate()

    def on_input_submitted(self, event: Input.Submitted) -> None:
        """Start it."""
        event.stop()
        if self._start is None or self._start.is_finished:
            self._start = self.run_worker(self._begin(), group="begin")

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:  # noqa: ARG002
        """There may be no judge to check."""
        return action != "check_judge" or any(line.can_check for line in self.query(JudgeLine))

    def action_check_judge(self) -> None:
        """See whether the judge can tell good answers from damaged ones."""
        self.query_one(JudgeLine).check()

    def action_back(self) -> None:
        """Leave; a start that is under way is given up first."""
        if self._start is not None and not self._start.is_finished:
            self._start.cancel()
            self._tell(Content("It was not started."))
        else:
            self.dismiss(None)

    @property
    def chosen(self) -> Choices:
        """What stands in the fields."""
        typed = {
            field: self.query_one(f"#{field}", Input).value.strip()
            for field in Choices._fields
            if field != "method"
        }
        return Choices(**typed, method=self.query_one(MethodLine).chosen)

    def _estimate(self) -> None:
        # As a function: a coroutine that is replaced before it begins is complained of.
        work: WorkType[None] = self._expect
        self.run_worker(work, group="estimate", exclusive=True)

    async def _expect(self) -> None:
        await asyncio.sleep(_QUIET_SECONDS if self.query_one("#expected", Static).content != "…" else 0)
        try:
            expected = await expect(self._template, self.chosen)
        except SpotuiError as error:
            self._tell(Content.styled(str(error), "$text-error"))
        else:
            self._tell(_told(expected))
        await self.query_one(JudgeLine).look(str(self._template), self.chosen.words)

    async def _begin(self) -> None:
        name = self.query_one("#name", Input).value.strip()
        try:
            project = self._workspace.project(name)
            check_free(self._workspace, name)
            self.workers.cancel_group(self, "estimate")
            self._tell(Content("Starting…"))
            process = await begin(
                project, self._template, self.chosen, lambda said: self._tell(Content(said))
            )
        except SpotuiError as error:
            self._tell(Content.styled(str(error), "$text-error"))
        else:
            self.dismiss(process)

    def _tell(self, text: Content) -> None:
        self.query_one("#expected", Static).update(text)


def _input(field: str, value: str, meaning: str) -> Input:
    made = Input(value, placeholder=meaning, id=field, compact=True)
    made.cursor_blink = False
    return made


def _told(expected: Expected) -> Content:
    lines = [
        Content.assemble("Expected: ", (expected.line, "bold")),
        Content.styled(expected.models, "$text-muted"),
        *(Content.styled(f"Warning: {warning}", "$text-warning") for warning in expected.warnings),
    ]
    return Content("\n").join(lines)
