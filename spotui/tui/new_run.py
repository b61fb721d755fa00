"""Before a run starts: what it is called, what it uses, and what it will take."""

import asyncio
from pathlib import Path
from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import VerticalScroll
from textual.content import Content
from textual.widgets import Input

from spotui.lang import _
from spotui.tui.dialogs import field_keys, row, text_field
from spotui.tui.headroom import HeadroomScreen, Suggested
from spotui.tui.judge_check import JudgeLine
from spotui.tui.method_screen import MethodChoice, MethodLine, method_of
from spotui.tui.start_dialog import (
    Choices,
    Expected,
    StartDialog,
    begin,
    budget,
    estimate_line,
    expect,
    warning_lines,
)
from spotui.wire.process import OwnProcess
from spotui.workspace.moving import check_free
from spotui.workspace.projects import Workspace

_FIELDS = (
    ("name", "Name", ""),
    ("model", "Model", "…"),
    ("base_url", "Endpoint", "…"),
    ("rounds", "Rounds", "…"),
)


class NewRunScreen(StartDialog[OwnProcess]):
    """Starts a run; gives back its process, or None when it is left with Escape.

    Args:
        workspace: Where the project will be.
        template: What the run works on.
        choices: What stands in the fields at first.
    """

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "back", "back", id="new_run.back", priority=True),
        Binding("ctrl+t", "check_judge", "check the judge", id="new_run.check_judge"),
        Binding("ctrl+g", "headroom", "measure the headroom", id="new_run.headroom"),
        *field_keys("new_run"),
    ]

    DEFAULT_CSS = "NewRunScreen > VerticalScroll { width: 76; }"

    AUTO_FOCUS = "#name"

    def __init__(self, workspace: Workspace, template: Path, choices: Choices | None = None) -> None:
        super().__init__(workspace, template)
        self._first = choices or Choices()
        self._starts_from_probes = self._first.probes

    def compose(self) -> ComposeResult:
        """The fields, and what is expected."""
        first = {"name": self._workspace.free_name(self._template.stem), **self._first._asdict()}
        with VerticalScroll(can_focus=False) as box:
            box.border_title = Content(_("New run of {template}", template=self._template.name))
            box.border_subtitle = _("enter starts, ^g measures the headroom, escape cancels")
            for field, name, meaning in _FIELDS:
                yield row(name, text_field(field, first[field], meaning))
            yield row("Method", MethodLine(_("as in the template"), id="method"))
            yield from budget("Budget", self._first)
            yield estimate_line()
            yield JudgeLine("check_judge")

    def on_mount(self) -> None:
        """See which method the template has."""
        self.run_worker(self._read_method(), group="method")

    async def _read_method(self) -> None:
        base = await asyncio.to_thread(method_of, self._template)
        usual = _("{base}, as in the template", base=base) if base.method else _("spo, the default")
        self.query_one(MethodLine).show(self._first.method, base, usual)

    def on_method_line_chosen(self, event: MethodLine.Chosen) -> None:
        """Another method takes something else."""
        event.stop()
        self.estimate()

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:  # noqa: ARG002
        """There may be no judge to check."""
        return action != "check_judge" or any(line.can_check for line in self.query(JudgeLine))

    def action_check_judge(self) -> None:
        """See whether the judge can tell good answers from damaged ones."""
        self.query_one(JudgeLine).check()

    def action_headroom(self) -> None:
        """See whether there is anything to gain, and take over what is suggested."""
        words = [*self.chosen.headroom_words, f"--workspace={self._workspace.root}"]
        self.app.push_screen(HeadroomScreen(str(self._template), words), self._take_over)

    def _take_over(self, suggested: Suggested | None) -> None:
        if suggested is None:
            return
        line = self.query_one(MethodLine)
        if line.chosen.method != suggested.method:
            line.choose(MethodChoice(suggested.method))
        self.query_one("#calls", Input).value = str(suggested.calls)
        self._starts_from_probes = suggested.probes
        self.estimate()

    @property
    def chosen(self) -> Choices:
        """What stands in the fields, and the method."""
        method = self.query_one(MethodLine).chosen
        return super().chosen._replace(method=method, probes=self._starts_from_probes)

    def estimate(self) -> None:
        """Make the estimate again; what is known of the judge may be so no more."""
        self.query_one(JudgeLine).forget()
        super().estimate()

    async def expected(self) -> Content:
        """What the run would take; the same answer tells what is known of its judge."""
        chosen = self.chosen
        found = await expect(self._workspace, self._template, chosen)
        self.show_used(found.used)
        self.query_one(JudgeLine).show(found.judge, str(self._template), chosen.judge_words)
        told = _told(found)
        if chosen.probes:
            starts = _("It starts from the probes that beat the seed.")
            told = Content("\n").join([told, Content.styled(starts, "$text-muted")])
        return told

    async def begin(self, name: str) -> OwnProcess:
        """Start the run."""
        project = self._workspace.project(name)
        check_free(self._workspace, name)
        return await begin(project, self._template, self.chosen, self.say)


def _told(expected: Expected) -> Content:
    lines = [
        Content.assemble("Expected: ", (expected.line, "bold")),
        Content.styled(expected.models, "$text-muted"),
        *warning_lines(expected.warnings),
    ]
    return Content("\n").join(lines)
