"""Home: the projects and the templates, and the way to everything else."""

from collections.abc import Callable
from typing import TYPE_CHECKING, ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.content import Content

from spotui.lang import N_, _
from spotui.settings import locations
from spotui.tui.child import attempt
from spotui.tui.home.projects_panel import ProjectsPanel
from spotui.tui.home.shelf import Shelf
from spotui.tui.home.templates_panel import TemplatesPanel
from spotui.tui.page import BeginRun, OpenProject, OpenTour, Page, TitleBar
from spotui.tui.table_view import TableView
from spotui.tui.terminal import open_by
from spotui.workspace.projects import Workspace

if TYPE_CHECKING:
    from textual.worker import WorkType


_LOOK_SECONDS = 2.0
_EMPTY = N_(
    "No projects yet. Choose a template below and press Enter: a run of it becomes the first project."
)


class HomeScreen(Page[None]):
    """Everything there is to open.

    Args:
        workspace: Where the projects are.
    """

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("u", "undo", "undo", id="home.undo"),
        Binding("tab", "app.focus_next", "other panel", id="home.other_panel"),
        Binding("i", "import", "import", id="home.import"),
        Binding("t", "tour", "tour", id="home.tour"),
        Binding("w", "welcome", "find models", id="home.welcome"),
        Binding("m", "app.models", "models", id="home.models"),
        Binding("comma", "app.settings", "settings", id="home.settings"),
        Binding("q", "app.quit", "quit", id="home.quit"),
    ]

    DEFAULT_CSS = """
    HomeScreen {
        & TableView { border-subtitle-color: $text-error; }
        & #projects { height: 3fr; }
        & #templates { height: 2fr; min-height: 6; }
    }
    """

    AUTO_FOCUS = "#projects"

    def __init__(self, workspace: Workspace) -> None:
        super().__init__()
        self._workspace = workspace
        self._undo: list[tuple[str, Callable[[], object]]] = []
        self._is_read = False

    def parts(self) -> ComposeResult:
        """Projects, templates, keys."""
        yield TitleBar(locations.shown(self._workspace.root))
        projects = ProjectsPanel(self._workspace)
        projects.empty = Content(_(_EMPTY))
        yield projects
        yield TemplatesPanel(locations.templates_dir())

    def on_mount(self) -> None:
        """Read the workspace once the screen is there, and look again every now and then."""
        if self._workspace.is_empty:
            self.set_focus(self.query_one(TemplatesPanel))  # in an empty table no key does anything
            self.action_welcome()
        self.call_after_refresh(self._read_all)
        self.set_interval(_LOOK_SECONDS, self._look)

    def on_screen_resume(self) -> None:
        """Something may have happened while another screen was shown."""
        if self._is_read:
            self._read_all()

    def fill(self) -> None:
        """Read projects and templates."""
        self._read_all()

    def _read_all(self) -> None:
        self._is_read = True
        reading: WorkType[None] = self._read  # not a coroutine: somebody may leave before it begins
        self.run_worker(reading, group="read")

    async def _read(self) -> None:
        projects, templates = self.query_one(ProjectsPanel), self.query_one(TemplatesPanel)
        await projects.read()
        await templates.read()

    def expect(self, project: str) -> None:
        """Have the cursor on a project that was just started, for whoever comes back from its run.

        Args:
            project: Its name.
        """
        projects = self.query_one(ProjectsPanel)
        projects.wanted = project
        self.set_focus(projects)

    def _look(self) -> None:
        if self.is_on_top:
            looking: WorkType[None] = self.query_one(ProjectsPanel).read
            self.run_worker(looking, group="look", exclusive=True)

    def on_table_view_chosen(self, event: TableView.Chosen) -> None:
        """Open a project, or start a run of a template."""
        if isinstance(event.table, TemplatesPanel):
            self.post_message(BeginRun(event.table.path_of(event.key)))
        else:
            self.post_message(OpenProject(event.key))

    def on_projects_panel_new_wanted(self) -> None:
        """A run starts from a template."""
        self.query_one(TemplatesPanel).focus()
        self.notify(_("Choose a template and press Enter."))

    def on_shelf_removed(self, event: Shelf.Removed) -> None:
        """Offer the way back."""
        self._undo.append((event.name, event.undo))
        self.refresh_bindings()
        self.notify(_("{event} moved to the trash. Press u to undo.", event=event.name), markup=False)

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:  # noqa: ARG002
        """There may be nothing to undo."""
        return bool(self._undo) if action == "undo" else True

    def action_undo(self) -> None:
        """Bring back what was deleted last."""
        self.run_worker(self._bring_back(), group="undo")

    async def _bring_back(self) -> None:
        name, undo = self._undo.pop()
        self.refresh_bindings()
        if await attempt(self, undo) is not None:
            await self._read()
            self.query_one(ProjectsPanel).select(name)
            self.query_one(TemplatesPanel).select_named(name)

    def action_welcome(self) -> None:
        """Show what can be used here."""
        from spotui.tui.home.welcome import WelcomeScreen

        self.app.push_screen(WelcomeScreen())

    def action_import(self) -> None:
        """Make a template of what another tool has."""
        open_by(self, self._import(), group="import")

    async def _import(self) -> None:
        from spotui.tui.home.import_screen import ImportScreen

        name = await self.app.push_screen_wait(ImportScreen())
        if name:
            await self._read()
            templates = self.query_one(TemplatesPanel)
            templates.focus()
            templates.select_named(name)

    def action_tour(self) -> None:
        """Show a recorded run."""
        self.post_message(OpenTour())
