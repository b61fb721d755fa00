"""Before a run starts: what it is called, what it uses, and what it will take."""

import asyncio
from pathlib import Path
from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import VerticalScroll
from textual.content import Content
from textual.widgets import Input, Static

from spotui.domain.errors import SpotuiError
from spotui.lang import N_, _
from spotui.settings.table import ROLES
from spotui.tui.dialogs import field_keys, row, text_field
from spotui.tui.expected import Choices, Expected, expect
from spotui.tui.headroom import HeadroomScreen, Suggested
from spotui.tui.judge_line import JudgeLine
from spotui.tui.method_screen import MethodChoice, MethodLine, method_of
from spotui.tui.start_dialog import (
    ROLE_NAMES,
    StartDialog,
    begin,
    budget,
    estimate_line,
    share_of,
    warning_lines,
)
from spotui.wire.process import OwnProcess
from spotui.workspace.moving import NameTakenError, check_free
from spotui.workspace.projects import Workspace

_FIELDS = (("base_url", N_("Endpoint")), ("rounds", N_("Rounds")))


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

    DEFAULT_CSS = """
    NewRunScreen {
        & > VerticalScroll { width: 100; }
    }
    """

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
            yield row(_("Name"), text_field("name", first["name"], ""))
            yield row(_("Model of all roles"), text_field("model", first["model"], "…"))
            for role in ROLES:
                with row(_(ROLE_NAMES[role]), text_field(role, first[role], "…")):
                    yield share_of(role)
            for field, name in _FIELDS:
                yield row(_(name), text_field(field, first[field], "…"))
            yield row(_("Method"), MethodLine(_("as in the template"), id="method"))
            yield from budget(_("Budget"), self._first)
            yield estimate_line()
            yield JudgeLine("check_judge")

    def on_mount(self) -> None:
        """See which method the template has."""
        self.run_worker(self._read_method(), group="method")

    async def relabel(self) -> None:
        """Show everything in the language that is used now, with what was typed and chosen."""
        self._first = self.chosen
        await super().relabel()

    def fill(self) -> None:
        """Show the method and the estimate."""
        self.query_one(MethodLine).choose(self._first.method)
        super().fill()
        self.run_worker(self._read_method(), group="method")

    async def _read_method(self) -> None:
        base = await asyncio.to_thread(method_of, self._template)
        usual = _("{base}, as in the template", base=base) if base.method else _("spo, the default")
        self.query_one(MethodLine).show(self._first.method, base, usual)
        await self.offer_models()

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
        models = {found.used[role] for role in ROLES if role in found.used}
        several = {"model": _("one for each role:")} if len(models) > 1 else {}
        self.show_used({**found.used, **several})
        for role in ROLES:
            share = found.shares.get(role)
            self.query_one(f"#share-{role}", Static).update(share.line if share is not None else "")
        self.query_one(JudgeLine).show(found.judge, str(self._template), chosen.judge_words)
        told = _told(found)
        if chosen.probes:
            starts = _("It starts from the probes that beat the seed.")
            told = Content("\n").join([told, Content.styled(starts, "$text-muted")])
        return told

    async def begin(self, name: str) -> OwnProcess:
        """Start the run."""
        project = self._workspace.project(name)
        try:
            check_free(self._workspace, name)
        except NameTakenError as error:
            raise SpotuiError(error.what, _("Type another name above.")) from None
        return await begin(project, self._template, self.chosen, self.say)


def _told(expected: Expected) -> Content:
    lines = [
        Content.assemble(_("Expected: "), (expected.line, "bold")),
        *warning_lines(expected.warnings),
    ]
    return Content("\n").join(lines)
