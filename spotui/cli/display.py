"""How a run is shown while it goes on: live on a terminal, plain lines elsewhere."""

import os
import sys
from types import TracebackType
from typing import Protocol, Self

from spotui.cli.summary import how_to_continue, summary
from spotui.cli.terminal import Output
from spotui.domain.events import (
    Answered,
    CallFinished,
    CallStarted,
    Event,
    Likelihood,
    MethodEvent,
    RoundFinished,
    RoundStarted,
    RunOpened,
    RunStopped,
    StateChanged,
    VoteCast,
)
from spotui.view.picture import Picture
from spotui.view.telling import line

_STEPS = (RoundStarted, MethodEvent, Answered, Likelihood, VoteCast)


class Display(Protocol):
    """Shows one run.

    Attributes:
        wants_deltas: Whether it shows replies while they arrive.
    """

    wants_deltas: bool

    def __enter__(self) -> Self:
        """Begin to show."""
        ...

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Leave the terminal as it was."""
        ...

    def show(self, event: Event) -> None:
        """Show what happened."""
        ...

    def say(self, text: str) -> None:
        """Say something that is no event."""
        ...

    def let_go(self) -> None:
        """The terminal is gone: show nothing any more."""
        ...

    def farewell(self) -> None:
        """After the end: what the run is worth, and how to export it."""
        ...


def display_for(project: str, *, plain: bool) -> Display:
    """The display that suits standard output.

    Args:
        project: The project's name, for hints; empty when there is nothing to resume.
        plain: Plain lines even on a terminal.
    """
    if plain or not sys.stdout.isatty() or os.environ.get("TERM") == "dumb":
        return PlainDisplay(project)
    from spotui.cli.live import LiveDisplay
    from spotui.settings.config_file import load_config
    from spotui.settings.themes import DEFAULT_THEME, ThemeError, load_theme

    chosen = load_config().config.theme or DEFAULT_THEME
    try:
        theme = load_theme(chosen)
    except ThemeError as error:
        print(f"spotui: {error}", file=sys.stderr)
        theme = load_theme(DEFAULT_THEME)
    return LiveDisplay(project, theme)


class PlainDisplay:
    """One line for each thing worth one; of rounds that the journal has whole, only how they ended.

    Args:
        project: The project's name.
    """

    wants_deltas = False

    def __init__(self, project: str) -> None:
        self._project = project
        self._output = Output()
        self._picture = Picture()
        self._recorded = False
        self._held_back: list[Event] = []

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._output.flush()

    def show(self, event: Event) -> None:
        """Write the event's line."""
        self._picture.apply(event)
        match event:
            case CallFinished():  # most events are these, and the next one says what the call brought
                return
            case RunOpened():
                self._recorded = event.recorded > 0
            case CallStarted() | RunStopped():
                self._recorded = False
                self._let_out()
            case RoundFinished():
                self._held_back.clear()
            case _ if self._recorded and isinstance(event, _STEPS):
                self._held_back.append(event)
                return
            case _:
                pass
        self._write(event)
        if isinstance(event, StateChanged) and event.state == "paused" and self._project:
            self._output.line(f"Continue: {how_to_continue(self._project)}")

    def _let_out(self) -> None:
        for event in self._held_back:
            self._write(event)
        self._held_back.clear()

    def _write(self, event: Event) -> None:
        if (text := line(event)) is None:
            return
        if self._recorded:  # thousands of them come at once
            self._output.add(f"{text}\n".encode("utf-8", "replace"))
        else:
            self._output.line(text)

    def say(self, text: str) -> None:
        """Write a line."""
        self._output.line(text)

    def let_go(self) -> None:
        """Write nothing any more."""
        self._output.close()

    def farewell(self) -> None:
        """Write the summary."""
        for text in summary(self._project, self._picture):
            self._output.line(text)
