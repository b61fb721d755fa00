"""Roles and models: who answers, where, with which key, and whether they do."""

import asyncio
from functools import partial
from typing import TYPE_CHECKING, ClassVar, NamedTuple

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.content import Content

from spotui.domain.errors import SpotuiError
from spotui.lang import _, anew
from spotui.settings import locations
from spotui.settings.locations import shown
from spotui.settings.save import Removed, put_back_model, take_out_model
from spotui.tui.child import attempt
from spotui.tui.defaults import Defaults
from spotui.tui.endpoint_screen import Endpoint, endpoint_of, probe
from spotui.tui.judge_line import JudgeLine
from spotui.tui.model_tables import ModelsTable, RolesTable
from spotui.tui.page import Bar, Page, TitleBar
from spotui.tui.table_view import TableView
from spotui.tui.terminal import open_by

if TYPE_CHECKING:
    from textual.worker import WorkType


CHECKED_ON = "product-name"
"""The shipped template on which a judge is checked that belongs to no run yet."""


class _Text(NamedTuple):
    """A text, and the tone that it is said in."""

    text: str
    tone: str = ""


class ModelsScreen(Page[None]):
    """The roles of every run that says nothing else, and the models of the config file."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("c", "check_judge", "check the judge", id="endpoints.check_judge"),
        Binding("u", "undo", "undo", id="endpoints.undo"),
        Binding("tab", "app.focus_next", "other panel", id="endpoints.other_panel"),
        Binding("escape", "dismiss(None)", "back", id="endpoints.back"),
    ]

    DEFAULT_CSS = """
    ModelsScreen {
        & #roles { height: 6; }
        & JudgeLine { padding: 0 2; max-height: 3; }
        & #models { height: 1fr; }
        & #told { max-height: 6; }
    }
    """

    AUTO_FOCUS = "#roles"

    def __init__(self) -> None:
        super().__init__()
        self._defaults = Defaults()
        self._tests: dict[str, _Text] = {}
        self._told = ("", _Text(""))
        self._removed: list[Removed] = []
        self._reading = asyncio.Lock()

    def parts(self) -> ComposeResult:
        """Roles, models, what came of a test."""
        yield TitleBar(_("models   {file}", file=shown(locations.config_file())))
        yield RolesTable()
        yield JudgeLine("check_judge")
        yield ModelsTable()
        yield Bar(id="told")

    def on_mount(self) -> None:
        """Show what was read."""
        self.fill()
        if self._defaults.fault:
            self._tell("", self._defaults.fault)

    def fill(self) -> None:
        """Show roles and models, what is known of the judge, and what came of a test."""
        self._fill()
        self._look_at_judge()
        model, said = self._told
        self._tell(model, *said)

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:  # noqa: ARG002
        """There may be nothing to undo, and no judge to check."""
        if action == "check_judge":
            return any(line.can_check for line in self.query(JudgeLine))
        return bool(self._removed) if action == "undo" else True

    async def on_table_view_chosen(self, event: TableView.Chosen) -> None:
        """Change a role or a model."""
        event.stop()
        if isinstance(event.table, RolesTable):
            from spotui.tui.model_tables import RoleScreen

            models = tuple(self._defaults.config.config.models)
            self.app.push_screen(RoleScreen(event.table.role, models), self._read_again)
        else:
            entry = self._defaults.config.config.models[event.key]
            self._edit(endpoint_of(event.key, entry), has_stored_key=entry.api_key_keyring)

    def on_roles_table_test_wanted(self, event: RolesTable.TestWanted) -> None:
        """Ask the role's model."""
        self._test(event.model)

    def on_models_table_wanted(self, event: ModelsTable.Wanted) -> None:
        """Add, test or remove a model."""
        match event.what:
            case "add":
                self._edit(Endpoint())
            case "test":
                self._test(event.model)
            case _:
                open_by(self, self._remove(event.model), group="models")

    def action_check_judge(self) -> None:
        """See whether the evaluator can tell good answers from damaged ones."""
        self.query_one(JudgeLine).check()

    def action_undo(self) -> None:
        """Bring back what was removed last."""
        self.run_worker(self._bring_back(), group="models")

    def _edit(self, endpoint: Endpoint, *, has_stored_key: bool = False) -> None:
        from spotui.tui.endpoint_screen import EndpointScreen

        self.app.push_screen(EndpointScreen(endpoint, has_stored_key=has_stored_key), self._arrive)

    async def _arrive(self, model: str | None) -> None:
        await self._read_again()
        if model:
            self._tests.pop(model, None)
            self.query_one(ModelsTable).select(model)

    async def _read_again(self, _: None = None) -> None:
        async with self._reading:  # what was read first is not to be shown last
            self._defaults = await asyncio.to_thread(Defaults)
            self._fill()
        self._look_at_judge()

    def _fill(self) -> None:
        tests = {model: Content.styled(anew(one.text), one.tone) for model, one in self._tests.items()}
        self.query_one(RolesTable).fill(self._defaults, tests)
        self.query_one(ModelsTable).fill(self._defaults.config.config, tests)

    def _look_at_judge(self) -> None:
        # As a function: a coroutine that is replaced before it begins is complained of.
        work: WorkType[None] = partial(self.query_one(JudgeLine).look, CHECKED_ON)
        self.run_worker(work, group="judge", exclusive=True)

    def _test(self, model: str) -> None:
        self._tests[model] = _Text("…", "$text-muted")
        self._fill()
        self.run_worker(self._ask(model), group=f"test {model}", exclusive=True)

    async def _ask(self, model: str) -> None:
        try:
            answer = await probe(["test", "--", model])
        except SpotuiError as error:
            self._tests[model] = _Text(_("failed"), "$text-error")
            self._tell(model, str(error), "$text-error")
        else:
            if answer is not None:
                self._tests[model] = _Text(answer.took, "$text-success")
                self._tell(model, answer.line)
        self._fill()

    async def _remove(self, model: str) -> None:
        from spotui.tui.dialogs import confirmed

        if not await confirmed(
            self,
            _("Remove {model}?", model=model),
            _("remove"),
            _("Press u to undo, as long as this screen is open."),
        ):
            return
        removed = await attempt(self, take_out_model, model)
        if removed is not None:
            self._removed.append(removed)
            self.notify(_("{model} is removed; u brings it back.", model=model), markup=False)
            if removed.entry.api_key_keyring:
                text = _(
                    "Its key is still in the system keyring. Delete it with 'spotui models remove {model}'.",
                    model=model,
                )
                self.notify(text, markup=False)
            self.refresh_bindings()
        await self._read_again()

    async def _bring_back(self) -> None:
        removed = self._removed.pop()
        self.refresh_bindings()
        await attempt(self, put_back_model, removed)
        await self._arrive(removed.model)

    def _tell(self, model: str, text: str, tone: str = "") -> None:
        self._told = model, _Text(text, tone)
        text_of_model = Content.assemble((f"{model}  " if model else "", "bold"), (anew(text), tone))
        self.query_one("#told", Bar).say(text_of_model)
