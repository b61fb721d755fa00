"""The first start: a model, a template, and off it goes."""

import json
from pathlib import Path
from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Container
from textual.content import Content
from textual.widgets import Static

from spotui.lang import N_, _
from spotui.settings import locations
from spotui.tui.child import ask
from spotui.tui.expected import Choices
from spotui.tui.home.templates_panel import TemplatesPanel
from spotui.tui.page import BeginRun, OpenTour, Page, TitleBar, UseModel
from spotui.tui.table_view import Column, Row, TableView

_WORDS = N_(
    "A run makes a prompt better, round by round: one model proposes, one answers, one compares. "
    "Choose a model, then a template, or press n there to paste your own prompt. Before anything is asked "
    "you see what it will cost."
)
_TOUR, _OTHER = "tour", "other"
_OTHER_OF = "endpoint "
_EMBEDDED = N_("embedded")
_FIRST_TEMPLATE = "product-name"

EMBEDDED_ROUNDS = "4"
"""For a first run on the embedded model, which takes some minutes a round."""


class WelcomeScreen(Page[None]):
    """What can be used here, and the way to a first run in three keystrokes."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("tab", "app.focus_next", "other panel", id="welcome.other_panel"),
        Binding("escape", "leave", "projects and templates", id="welcome.back"),
        Binding("q", "app.quit", "quit", id="welcome.quit"),
    ]

    DEFAULT_CSS = """
    WelcomeScreen {
        & Static { height: auto; max-width: 100; padding: 0 2; margin: 1 0; }
        & #panels { height: 1fr; }
        & TableView { height: 1fr; }
        & #models { height: auto; min-height: 7; max-height: 45%; }
        &.-wide { & #panels { layout: horizontal; } & TableView { width: 1fr; } }
        &.-wide #models { height: 1fr; max-height: 100%; }
        &.-low Static { margin: 0; }
    }
    """

    AUTO_FOCUS = "#models"
    HORIZONTAL_BREAKPOINTS = [(0, "-narrow"), (150, "-wide")]  # noqa: RUF012 - Textual's declaration
    VERTICAL_BREAKPOINTS = [(0, "-low"), (24, "-high")]  # noqa: RUF012 - Textual's declaration

    def __init__(self) -> None:
        super().__init__()
        self._choices: dict[str, Choices] = {_OTHER: Choices()}
        self._endpoints: dict[str, str] = {_OTHER: ""}
        self._chosen = ""

    def parts(self) -> ComposeResult:
        """What this is, the models, the templates."""
        yield TitleBar(_("welcome"))
        yield Static(_(_WORDS), markup=False)
        columns = (Column(_("model")), Column(_("found by"), 15, from_width=50), Column("", from_width=60))
        with Container(id="panels"):
            models = TableView(columns, id="models", title=_("1  A model"))
            models.border_subtitle = _("looking for models…")
            yield models
            templates = TemplatesPanel(locations.templates_dir())
            templates.border_title = _("2  A template")
            yield templates

    def on_mount(self) -> None:
        """Look for models once the screen is there."""
        self.fill()

    def fill(self) -> None:
        """Show what works without a model, and look for models."""
        self._show([])
        self.call_after_refresh(lambda: self.run_worker(self._look(), group="look"))

    async def _look(self, chosen: str = "") -> None:
        """Look for models and templates.

        Args:
            chosen: A model that is chosen once it is there.
        """
        templates = self.query_one(TemplatesPanel)
        is_first = not templates.is_awaiting
        await templates.read()
        if is_first:
            templates.select_named(_FIRST_TEMPLATE)
        told = await ask(["models", "find", "--json"])
        models = self.query_one("#models", TableView)
        is_untouched = models.current == _TOUR
        models.border_subtitle = ""
        if told.fault:
            self.notify(told.fault, title=_("Models were not looked for"), severity="error", markup=False)
            return
        rows = []
        for line in told.out.splitlines():
            found = json.loads(line)
            model, url = found["model"], found.get("base_url", "")
            key = f"{model} {url}"
            if not model:
                note = Content.styled(f"{found['note']}: {url}", "$text-warning")
                self._endpoints[_OTHER_OF + found["source"]] = url
                rows.append(
                    Row(_OTHER_OF + found["source"], (_("a model of your endpoint"), found["source"], note))
                )
                continue
            is_embedded = found["source"] == _EMBEDDED
            self._choices[key] = Choices(model, url, rounds=EMBEDDED_ROUNDS if is_embedded else "")
            rows.append(
                Row(
                    key,
                    (
                        model,
                        _(_EMBEDDED) if is_embedded else found["source"],
                        Content.styled(found.get("note") or url, "$text-muted"),
                    ),
                )
            )
        self._show(rows)
        if (key := f"{chosen} ") in self._choices:
            models.select(key)
            self._choose(key)
        elif is_untouched and rows:
            models.select(rows[0].key)

    def _show(self, rows: list[Row]) -> None:
        more = (
            Row(
                _OTHER, (_("another model or endpoint"), "", Content.styled(_("you type it"), "$text-muted"))
            ),
            Row(
                _TOUR, (_("the tour: a recorded run"), "", Content.styled(_("needs no model"), "$text-muted"))
            ),
        )
        models = self.query_one("#models", TableView)
        models.show([*rows, *more])
        if not rows and not models.is_awaiting:
            models.select(_TOUR)

    def on_table_view_chosen(self, event: TableView.Chosen) -> None:
        """A model leads to the templates, a template to the run."""
        event.stop()
        if isinstance(event.table, TemplatesPanel):
            self._start(event.table.path_of(event.key))
        elif event.key == _TOUR:
            self.post_message(OpenTour())
        elif event.key in self._endpoints:
            self._add(self._endpoints[event.key])
        else:
            self._choose(event.key)

    def _choose(self, key: str) -> None:
        self._chosen = key
        self.query_one(TemplatesPanel).focus()

    def _add(self, base_url: str) -> None:
        """Ask for a model that was not found."""
        from spotui.tui.endpoint_screen import Endpoint, EndpointScreen

        self.app.push_screen(EndpointScreen(Endpoint(base_url=base_url)), self._arrive)

    def _arrive(self, model: str | None) -> None:
        if model:
            self.run_worker(self._look(model), group="look", exclusive=True)

    def action_leave(self) -> None:
        """Show projects and templates; a model that was chosen here stays chosen."""
        if (chosen := self._choices.get(self._chosen, Choices())).model:
            self.post_message(UseModel(chosen.model, chosen.base_url))
        self.dismiss(None)

    def _start(self, template: Path) -> None:
        key = self.query_one("#models", TableView).current
        self.post_message(BeginRun(template, self._choices.get(key, Choices()), is_first=True))
