"""Home: the projects of the workspace, and the templates to start from."""

from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.screen import Screen
from textual.widgets import OptionList
from textual.widgets.option_list import Option

from spotui.tui.key_hints import KeyHints
from spotui.workspace.projects import Workspace


class HomeScreen(Screen[None]):
    """Everything there is to open."""

    BINDINGS: ClassVar[list[BindingType]] = [Binding("q", "app.quit", "quit", id="home.quit")]

    def __init__(self, workspace: Workspace) -> None:
        super().__init__()
        self._workspace = workspace

    def compose(self) -> ComposeResult:
        """The list and the keys."""
        yield OptionList(id="projects")
        yield KeyHints()

    def on_mount(self) -> None:
        """Read the workspace once the screen is there."""
        self.call_after_refresh(self._fill)

    def _fill(self) -> None:
        projects = self.query_one("#projects", OptionList)
        projects.add_options([Option(name, id=f"p{n}") for n, name in enumerate(self._workspace.names())])

    def on_option_list_option_selected(self, event: OptionList.OptionSelected) -> None:
        """Open a project."""
        from spotui.tui.run_screen import RunScreen

        self.app.push_screen(RunScreen(self._workspace.existing(str(event.option.prompt))))
