"""What trackers are given of a sweep: its runs with what tells them apart, and its table."""

from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import TYPE_CHECKING

from spotui.cli.tracking import Chosen, GroupReports, tell_aside, tracking_group
from spotui.domain.events import Event
from spotui.runs.sweep.progress import Noted, Progress, SweepEnded
from spotui.runs.sweep.work import Outcome

if TYPE_CHECKING:
    from spotui.runs.sweep.plan import Cell, Plan
    from spotui.workspace.projects import Project
    from spotui.workspace.sweep_file import SweepFolder


class SweepReports:
    """Tells trackers what happens in the runs of a sweep; see `runs.sweep.work.Audience`.

    A run has no report there: hundreds of them would take long, and the sweep has one of all.

    Args:
        reports: What tells the trackers.
    """

    def __init__(self, reports: GroupReports) -> None:
        self._reports = reports

    def listen(self, cell: "Cell", project: "Project") -> Callable[[Event], None] | None:
        """See `Audience.listen`."""
        return self._reports.listen(project, _tags(cell), with_report=False)

    def note_past(self, cell: "Cell", project: "Project") -> None:
        """See `Audience.note_past`."""
        self._reports.retell(project, _tags(cell), with_report=False)

    def conclude(self, folder: "SweepFolder", outcome: Outcome) -> None:
        """Report what the test says of each run, and the table."""
        if not self._reports.is_wanted:
            return
        from spotui.view.report.html import as_html
        from spotui.view.report.of_sweep import report_of_sweep
        from spotui.wire.tracking.tables import measured_figures, sweep_end

        for one in outcome.measured:
            self._reports.add(folder.project(one.cell.name).name, measured_figures(one))
        ending = sweep_end(outcome.reason, outcome.cause, outcome.table)
        self._reports.end(ending, report=lambda: as_html(report_of_sweep(folder)))


def tracking_sweep(
    chosen: list[Chosen], plan: "Plan", folder: "SweepFolder", tell: Callable[[Progress], None]
) -> tuple[AbstractContextManager[GroupReports], Callable[[Progress], None]]:
    """What reports a sweep to trackers while it is worked on.

    Args:
        chosen: The trackers.
        plan: The plan.
        folder: Where the sweep is kept.
        tell: Called with everything that happens, and with what a tracker lacks until the sweep has ended.

    Returns:
        It, and what is called with everything that happens in place of `tell`.
    """
    is_over = False

    def watch(event: Progress) -> None:
        nonlocal is_over
        is_over = is_over or isinstance(event, SweepEnded)
        tell(event)

    def say(text: str) -> None:
        if is_over:  # nothing follows the last event
            tell_aside(text)
        else:
            tell(Noted(text=text))

    record = folder.read()
    facts: dict[str, str | int | float | bool | None] = {
        "plan": record.plan,
        "runs": record.runs,
        "templates": ", ".join(plan.templates),
        "methods": ", ".join(plan.methods),
        "models": ", ".join(plan.models),
        "conditions": ", ".join(plan.conditions),
        "seeds": ", ".join(map(str, plan.seeds)),
    }
    known = {name: fact for name, fact in facts.items() if fact}
    return tracking_group(chosen, "sweep", folder.name, record.tracked_as, known, say=say), watch


def _tags(cell: "Cell") -> dict[str, str]:
    tags = {
        "template": cell.template,
        "method": cell.method,
        "models": cell.model,
        "condition": cell.condition,
        "seed": str(cell.seed),
    }
    return {name: tag for name, tag in tags.items() if tag}
