"""Before a race starts: who takes part, what they use, and what it will take."""

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
from spotui.tui.new_run import Choices
from spotui.tui.race.starting import Entrants, begin_race, expect_race
from spotui.workspace.projects import Workspace
from spotui.workspace.race_file import RaceFolder

if TYPE_CHECKING:
    from textual.worker import Worker, WorkType

    from spotui.tui.new_run import Expected

_QUIET_SECONDS = 0.3
_USUAL = "spo,gpo,gradsum"
_FIELDS = (
    ("name", "Name", ""),
    ("methods", "Methods", "spo,gpo,gradsum"),
    ("told", "Told", "such as gpo.max_steps=6 gradsum.beam=2"),
    ("model", "Model", "as in your settings"),
    ("base_url", "Endpoint", "the model's usual one"),
    ("rounds", "Rounds", "as each method has it"),
)
_BUDGET = (("usd", "USD"), ("tokens", "tokens"), ("calls", "calls"), ("minutes", "minutes"))


class NewRaceScreen(ModalScreen[RaceFolder | None]):
    """Starts a race; gives back where it is, or None when it is left with Escape.

    Args:
        workspace: Where the runs will be.
        template: What all methods work on.
    """

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "back", "back", id="new_race.back", priority=True),
        Binding("up", "app.focus_previous", "field before", id="new_race.up", show=False),
        Binding("down", "app.focus_next", "next field", id="new_race.down", show=False),
    ]

    DEFAULT_CSS = """
    NewRaceScreen {
        align: center middle;
        & > Vertical {
            width: 78; max-width: 100%; height: auto; max-height: 100%; padding: 1 1 0 1;
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

    AUTO_FOCUS = "#methods"

    def __init__(self, workspace: Workspace, template: Path) -> None:
        super().__init__()
        self._workspace = workspace
        self._template = template
        self._start: Worker[None] | None = None

    def compose(self) -> ComposeResult:
        """The fields, and what is expected."""
        first = {"name": self._workspace.free_name(f"{self._template.stem}-race"), "methods": _USUAL}
        with Vertical() as box:
            box.border_title = Content(f"New race on {self._template.name}")
            box.border_subtitle = "enter starts it, escape leaves"
            for field, name, meaning in _FIELDS:
                with Horizontal():
                    yield Label(name)
                    yield _input(field, first.get(field, ""), meaning)
            with Horizontal(id="budget"):
                yield Label("Each", classes="name")
                for field, name in _BUDGET:
                    yield _input(field, "", "none")
                    yield Label(name)
            yield Static("…", id="expected", markup=False)

    def on_mount(self) -> None:
        """Estimate what stands there."""
        self._estimate()

    def on_input_changed(self, event: Input.Changed) -> None:
        """Estimate again once nobody types."""
        event.stop()
        if event.input.id != "name":
            self._estimate()

    def on_input_submitted(self, event: Input.Submitted) -> None:
        """Start it."""
        event.stop()
        if self._start is None or self._start.is_finished:
            self._start = self.run_worker(self._begin(), group="begin")

    def action_back(self) -> None:
        """Leave; a start that is under way is given up first."""
        if self._start is not None and not self._start.is_finished:
            self._start.cancel()
            self._tell(Content("It was not started."))
        else:
            self.dismiss(None)

    @property
    def _entrants(self) -> Entrants:
        return Entrants(self._typed("methods") or _USUAL, self._typed("told"))

    @property
    def _choices(self) -> Choices:
        return Choices(
            model=self._typed("model"),
            base_url=self._typed("base_url"),
            rounds=self._typed("rounds"),
            usd=self._typed("usd"),
            tokens=self._typed("tokens"),
            calls=self._typed("calls"),
            minutes=self._typed("minutes"),
        )

    def _typed(self, field: str) -> str:
        return self.query_one(f"#{field}", Input).value.strip()

    def _estimate(self) -> None:
        # As a function: a coroutine that is replaced before it begins is complained of.
        work: WorkType[None] = self._expect
        self.run_worker(work, group="estimate", exclusive=True)

    async def _expect(self) -> None:
        await asyncio.sleep(_QUIET_SECONDS if self.query_one("#expected", Static).content != "…" else 0)
        try:
            expected = await expect_race(self._template, self._entrants, self._choices)
        except SpotuiError as error:
            self._tell(Content.styled(str(error), "$text-error"))
        else:
            self._tell(_told(expected))

    async def _begin(self) -> None:
        try:
            race = RaceFolder(self._workspace, self._typed("name"))
            self.workers.cancel_group(self, "estimate")
            self._tell(Content("Starting…"))
            await begin_race(
                race, self._template, self._entrants, self._choices, lambda said: self._tell(Content(said))
            )
        except SpotuiError as error:
            self._tell(Content.styled(str(error), "$text-error"))
        else:
            self.dismiss(race)

    def _tell(self, text: Content) -> None:
        self.query_one("#expected", Static).update(text)


def _input(field: str, value: str, meaning: str) -> Input:
    made = Input(value, placeholder=meaning, id=field, compact=True)
    made.cursor_blink = False
    return made


def _told(expected: "list[tuple[str, Expected]]") -> Content:
    width = max(len(method) for method, _ in expected)
    lines = [Content.assemble(f"{method:{width}}  ", (one.line, "bold")) for method, one in expected]
    warnings = dict.fromkeys(warning for _, one in expected for warning in one.warnings)
    lines += [Content.styled(f"Warning: {warning}", "$text-warning") for warning in warnings]
    return Content("\n").join([Content.styled("Expected, one after another:", "$text-muted"), *lines])
