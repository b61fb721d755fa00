"""Showing one round of a run, which may be going on."""

from typing import Final

from textual.reactive import Reactive
from textual.screen import Screen
from textual.widget import Widget

from spotui.tui.run.client import RunClient
from spotui.tui.run.pace import seconds_between_paints
from spotui.workspace.projects import Project

TONES: Final = {"win": "$text-success", "loss": "$text-muted", "void": "$text-error", "seed": "$accent"}
"""The colours of verdicts; a tie, and what is undecided, have that of a warning."""


class RoundScreen(Screen[int]):
    """Follows a run, and goes from round to round; gives back which was shown last, 0 for the newest.

    A subclass composes a line `#round` for the round's title.

    Args:
        project: The project.
        client: What is known of its run.
        selected: The round to show; 0 for the newest.
    """

    DEFAULT_CSS = "RoundScreen > #round { height: 1; padding: 0 1; }"

    # As on the run's screen: the widgets concerned paint themselves.
    focused = Reactive[Widget | None](None, repaint=False)

    def __init__(self, project: Project, client: RunClient, selected: int = 0) -> None:
        super().__init__()
        self._project = project
        self._client = client
        self._selected = selected
        self._seen = -1

    @property
    def newest(self) -> int:
        """The newest round that can be shown; 0 when there is none."""
        raise NotImplementedError

    def tick(self) -> None:
        """Show what is known now."""
        self._seen = self._client.changes

    def on_mount(self) -> None:
        """Follow what comes."""
        self.set_interval(seconds_between_paints(), self._look)

    @property
    def shown(self) -> int:
        """The round that is shown; 0 when there is none."""
        return self._selected or self.newest

    def _look(self) -> None:
        # Textual paints the top screen whole for what changes in the one below it.
        if self.app.screen is self and (self._client.changes != self._seen or self._client.picture.calls):
            self.tick()

    def action_step(self, by: int) -> None:
        """Show the round before or after."""
        rounds = sorted(self._client.picture.rounds)
        if rounds:
            number = min(max(self.shown + by, rounds[0]), rounds[-1])
            self._selected = 0 if number == self.newest else number
            self.tick()
