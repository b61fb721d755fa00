"""The trackers of runs that are worked on in this process: one, or those of a race or a sweep."""

import argparse
import asyncio
import sys
from collections.abc import AsyncIterator, Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager, contextmanager, suppress
from typing import TYPE_CHECKING, Any, NamedTuple

from spotui.cli import options
from spotui.domain.errors import SpotuiError
from spotui.domain.events import Event, RunStopped
from spotui.lang import _

if TYPE_CHECKING:
    from spotui.runs.launch import Launcher
    from spotui.runs.run import Run
    from spotui.wire.tracking import Kind, TrackedEnd, TrackedGroup, Tracker
    from spotui.wire.tracking.feed import Report
    from spotui.wire.tracking.group import GroupFeed
    from spotui.workspace.projects import Project
    from spotui.workspace.record_folder import RecordFolder

_HASTE_SECONDS = 1.0


class Chosen(NamedTuple):
    """A tracker with its name."""

    name: str
    tracker: "Tracker"


def named_trackers(parsed: argparse.Namespace, launcher: "Launcher") -> list[str]:
    """The names of trackers in the setting, each once."""
    named = launcher.settings(options.flags(parsed)).settings.track or ""
    return list(dict.fromkeys(one.strip() for one in named.split(",") if one.strip()))


def chosen_trackers(parsed: argparse.Namespace, launcher: "Launcher") -> list[Chosen]:
    """The trackers that the setting names, ready to be used.

    One that cannot work is left out with a sentence if a variable or the config file names it: a run is not
    held up by what was set on another day.

    Raises:
        TrackerError: One that was typed cannot work.
    """
    found = []
    for name in named_trackers(parsed, launcher):
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
    from spotui.wire.tracking.outbox import Outbox

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

    group = _group_of(run.project)
    boxes = [Outbox(one.name, say) for one in chosen]
    feeds = [
        Feed(box, _giving(one.tracker), lambda: _report(run.project), group=group)
        for box, one in zip(boxes, chosen, strict=True)
    ]
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
        for feed in feeds:
            feed.abandon()
        await asyncio.gather(*(loop.run_in_executor(None, box.close, seconds) for box in boxes))
        await asyncio.sleep(0)  # the last sentences are on their way


class GroupReports:
    """Reports the runs of a race or a sweep to all trackers that were chosen; without any it does nothing.

    Args:
        feeds: One for each tracker.
    """

    def __init__(self, feeds: "Sequence[GroupFeed]" = ()) -> None:
        self._feeds = feeds

    @property
    def is_wanted(self) -> bool:
        """Whether there is a tracker."""
        return bool(self._feeds)

    def listen(
        self, project: "Project", tags: Mapping[str, str], *, with_report: bool = True
    ) -> Callable[[Event], None] | None:
        """What takes the events of a run that begins or is resumed; None where nothing does.

        Args:
            project: Its project.
            tags: What tells it from the others.
            with_report: Whether its report is a file there, too.
        """
        if not self._feeds:
            return None
        report = (lambda: _report(project)) if with_report else None
        takers = [feed.listen(tags, report) for feed in self._feeds]

        def take(event: Event) -> None:
            for taker in takers:
                taker(event)

        return take

    def retell(self, project: "Project", tags: Mapping[str, str], *, with_report: bool = True) -> None:
        """Report a run that ended before, from its journal; see `listen`."""
        report = (lambda: _report(project)) if with_report else None
        for feed in self._feeds:
            feed.retell(project.name, lambda: _past(project), tags, report)

    def add(self, project: str, figures: Mapping[str, float]) -> None:
        """Add figures of the test to a run."""
        for feed in self._feeds:
            feed.add(project, figures)

    def end(self, ending: "TrackedEnd", prompt: str = "", report: "Report | None" = None) -> None:
        """Report what was found; see `GroupFeed.end`."""
        for feed in self._feeds:
            feed.end(ending, prompt, report)

    def close(self, seconds: float | None = None) -> None:
        """Wait until everything is reported."""
        for feed in self._feeds:
            feed.close(seconds)


@contextmanager
def tracking_group(
    chosen: Sequence[Chosen],
    kind: "Kind",
    name: str,
    run: str,
    facts: Mapping[str, str | int | float | bool | None],
    prompt: str = "",
    say: Callable[[str], None] | None = None,
) -> Iterator[GroupReports]:
    """Report several runs while they are worked on; at the end trackers have some seconds more.

    Args:
        chosen: The trackers.
        kind: What they are part of.
        name: The folder of the runs.
        run: The name that trackers know all of them by.
        facts: What is known of all of them.
        prompt: Their seed prompt; empty where there are several.
        say: Called with a sentence about what a tracker lacks, from any thread (default: standard error).
    """
    if not chosen:
        yield GroupReports()
        return
    from spotui.wire.tracking import TrackedGroup, TrackedRun
    from spotui.wire.tracking.group import GroupFeed

    whole = TrackedRun(name, run, "", {}, facts, prompt, kind=kind, group=TrackedGroup(kind, name, run))
    reports = GroupReports(
        [GroupFeed(one.name, one.tracker, _loading(one.name), whole, say or tell_aside) for one in chosen]
    )
    try:
        yield reports
    except BaseException:
        reports.close(_HASTE_SECONDS)
        raise
    reports.close()


def tell_aside(text: str) -> None:
    """Print a sentence that is not the result."""
    print(f"spotui: {text}", file=sys.stderr, flush=True)


def _giving(tracker: "Tracker") -> "Callable[[], Tracker]":
    return lambda: tracker


def _loading(name: str) -> "Callable[[], Tracker]":
    from spotui.wire.tracking import load_tracker

    return lambda: load_tracker(name)


def _past(project: "Project") -> Iterable[Event]:
    """What happened in a run that has ended."""
    from spotui.view.retell import retell
    from spotui.workspace.history import read_history

    return retell(project, read_history(project))


def _group_of(project: "Project") -> "TrackedGroup | None":
    """The race, sweep or migration that a project is a run of."""
    from spotui.wire.tracking import TrackedGroup
    from spotui.workspace.migration_file import MigrationFolder
    from spotui.workspace.projects import Workspace
    from spotui.workspace.race_file import RaceFolder
    from spotui.workspace.sweep_file import SweepFolder

    name, slash, _run = project.name.partition("/")
    if not slash:
        return None
    workspace = Workspace(project.folder.parents[project.name.count("/")])
    kinds: dict[Kind, Callable[[], RecordFolder[Any]]] = {
        "race": lambda: RaceFolder(workspace, name),
        "sweep": lambda: SweepFolder(workspace, name),
        "migration": lambda: MigrationFolder(workspace, name),
    }
    for kind, folder in kinds.items():
        with suppress(SpotuiError):  # where it is damaged, the run is not
            if (found := folder()).exists and (known := found.read().tracked_as):
                return TrackedGroup(kind, name, known)
    return None


def _report(project: "Project") -> str:
    """The run's report as one HTML file."""
    from spotui.cli.show import pick_round
    from spotui.view.report.html import as_html
    from spotui.view.report.of_run import report_of_run
    from spotui.workspace.history import read_history

    history = read_history(project)
    return str(as_html(report_of_run(project, history, pick_round(project, history, "best"))))
