"""The app: themes, keys, screens."""

from pathlib import Path
from typing import ClassVar

from textual.app import App
from textual.binding import Binding, BindingType

from spotui.tui.home_screen import HomeScreen
from spotui.workspace.projects import Workspace


class SpotuiApp(App[None]):
    """spotui, full screen.

    Args:
        workspace: Where the projects are.
    """

    TITLE = "spotui"
    ENABLE_COMMAND_PALETTE = True
    BINDINGS: ClassVar[list[BindingType]] = [Binding("ctrl+q", "quit", "quit", id="app.quit", priority=True)]

    def __init__(self, workspace: Workspace) -> None:
        super().__init__()
        self.workspace = workspace
        self.animation_level = "none"

    def on_mount(self) -> None:
        """Home first."""
        self.push_screen(HomeScreen(self.workspace))


def run(root: Path) -> int:
    """Run the app until the user leaves it.

    Args:
        root: The workspace.

    Returns:
        The exit code.
    """
    app = SpotuiApp(Workspace(root))
    app.run()
    return app.return_code or 0
