"""The trackers of a run that is worked on in this process."""

import argparse
import asyncio
import sys
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, NamedTuple

from spotui.cli import options
from spotui.domain.events import Event, RunStopped
from spotui.lang import _

if TYPE_CHECKING:
    from spotui.runs.launch import Launcher
    from spotui.runs.run import Run
    from spotui.wire.tracking import Tracker
    from spotui.workspace.projects import Project

_HASTE_SECONDS = 1.0


class Chosen(NamedTuple):
    """A tracker with its name."""

    name: str
    tracker: "Tracker"


def chosen_trackers(parsed: argparse.Namespace, launcher: "Launcher") -> list[Chosen]:
    """The trackers that the setting names, ready to be used.

    One that cannot work is left out with a sentence if a variable or the config file names it: a run is not
    held up by what was set on another day.

    Raises:
        TrackerError: One that was typed cannot work.
    """
    named = launcher.settings(options.flags(parsed)).settings.track or ""
    found = []
    for name in dict.fromkeys(one.strip() for one in named.split(",") if one.strip()):
        from spotui.wire.tracking import TrackerError, load_tracker

        try:
            found.append(Chosen(name, load_tracker(name)))
        except TrackerError as error:
            if getattr(parsed, "track", None) is not None:
                raise
            text = _("{what} {hint} The run begins without it.", what=error.what, hint=error.hint)
            print(f"spotui: {text}", file=sys.stderr)
    return found


def refuse_broken_trackers(parsed: argparse.Namespace, launcher: "Launcher") -> None:
    """Make sure that trackers that were typed can work, before a project is made.

    Raises:
        TrackerError: One cannot.
    """
    if getattr(parsed, "track", None) is not None:
        chosen_trackers(parsed, launcher)


@asynccontextmanager
async def tracking(run: "Run", chosen: Sequence[Chosen]) -> AsyncIterator[None]:
    """Report a run to some trackers while it is worked on; at the end they have some seconds more."""
    if not chosen:
        yield
        return
    from spotui.wire.tracking.feed import Feed

    loop, is_over = asyncio.get_running_loop(), False

    def watch(event: Event) -> None:
        nonlocal is_over
        is_over = is_over or isinstance(event, RunStopped)

    def tell(text: str) -> None:
        if is_over:  # nothing follows the last event
            print(f"spotui: {text}", file=sys.stderr)
        else:
            run.notice(text)

    def say(text: str) -> None:
        loop.call_soon_threadsafe(tell, text)

    feeds = [Feed(one.name, one.tracker, say, lambda: _report(run.project)) for one in chosen]
    run.subscribe(watch)
    for feed in feeds:
        run.subscribe(feed.take)
    seconds: float | None = None
    try:
        yield
    except asyncio.CancelledError:
        seconds = _HASTE_SECONDS
        raise
    finally:
        await asyncio.gather(*(loop.run_in_executor(None, feed.close, seconds) for feed in feeds))
        await asyncio.sleep(0)  # the last sentences are on their way


def _report(project: "Project") -> str:
    """The run's report as one HTML file."""
    from spotui.cli.show import pick_round
    from spotui.view.report.html import as_html
    from spotui.view.report.of_run import report_of_run
    from spotui.workspace.history import read_history

    history = read_history(project)
    return str(as_html(report_of_run(project, history, pick_round(project, history, "best"))))
