"""The app: its themes, its keys, its screens, and how it ends."""

import gc
import os
import signal
from typing import ClassVar

from textual.app import App
from textual.binding import Binding, BindingType

from spotui.themes import DEFAULT_THEME, ThemeError, load_theme, theme_names
from spotui.tui.colours import textual_theme
from spotui.tui.home_screen import HomeScreen
from spotui.workspace.projects import Workspace


class SpotuiApp(App[None]):
    """spotui, full screen.

    Args:
        workspace: Where the projects are.
        theme: The theme to begin with.
    """

    TITLE = "spotui"
    BINDINGS: ClassVar[list[BindingType]] = [Binding("ctrl+q", "quit", "quit", id="app.quit", priority=True)]

    def __init__(self, workspace: Workspace, theme: str = DEFAULT_THEME) -> None:
        super().__init__()
        self.workspace = workspace
        self.animation_level = "none"
        self._use_theme(theme)

    def on_mount(self) -> None:
        """What nobody sees yet comes after the first paint."""
        for number in (signal.SIGTERM, signal.SIGHUP):
            # Textual restores the terminal when it exits, not when it is killed.
            self._loop_signal(number)
        self.call_after_refresh(self._settle)

    def get_default_screen(self) -> HomeScreen:
        """Home first."""
        return HomeScreen(self.workspace)

    def _settle(self) -> None:
        gc.enable()
        gc.collect()
        gc.freeze()
        for name in theme_names():
            if name not in self.available_themes:
                self._add_theme(name)

    def _loop_signal(self, number: signal.Signals) -> None:
        import asyncio

        asyncio.get_running_loop().add_signal_handler(number, self.exit, None, 128 + number)

    def _use_theme(self, name: str) -> None:
        chosen = name if self._add_theme(name) else DEFAULT_THEME
        if chosen not in self.available_themes:
            self._add_theme(chosen)
        self.theme = "terminal" if os.environ.get("NO_COLOR") and self._add_theme("terminal") else chosen

    def _add_theme(self, name: str) -> bool:
        try:
            self.register_theme(textual_theme(load_theme(name)))
        except ThemeError as error:
            self.call_later(self.notify, str(error), title="A theme is left out", severity="warning")
            return False
        return True
