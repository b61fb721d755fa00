"""What trackers are given of a score: a run without rounds, so that they show how a prompt does over time."""

from collections.abc import Sequence
from functools import partial
from typing import TYPE_CHECKING

import msgspec

from spotui.cli.tracking import Chosen, tell_aside
from spotui.wire.tracking import TrackedRun
from spotui.wire.tracking.feed import end_files
from spotui.wire.tracking.outbox import Outbox, masked
from spotui.wire.tracking.tables import score_end
from spotui.workspace.projects import new_run_id

if TYPE_CHECKING:
    from spotui.cli.measured import Measured
    from spotui.runs.gates import GateResult
    from spotui.runs.prepare import Prepared
    from spotui.wire.tracking import Tracker


def report_score(
    chosen: Sequence[Chosen],
    prepared: "Prepared",
    split: str,
    measured: "Measured",
    gates: "Sequence[GateResult]",
) -> None:
    """Report a finished measurement, and wait until trackers have it.

    Args:
        chosen: The trackers.
        prepared: What was measured.
        split: Which rows.
        measured: What came out.
        gates: What a CI asked for.
    """
    prompt, settings = list(measured.prompts.values())[-1], prepared.settings
    template = masked(prepared.path.name)
    run = TrackedRun(
        project=masked(prepared.path.stem),
        run=new_run_id(),
        method="",
        models={role: settings.roles.of(role).model for role in settings.asked},
        facts={"template": template, "split": split, "metric": prepared.metric},
        prompt="",  # it is no seed
        kind="score",
        tags={"template": template, "split": split},
    )
    passed = all(one.passed for one in gates) if gates else None
    names = [masked(name) for name in measured.prompts]
    ending = score_end(names, measured.scores, measured.compared, passed)

    def report(tracker: "Tracker") -> None:
        tracker.begin(run)
        with end_files(prompt, None, name="prompt.txt") as files:
            tracker.end(msgspec.structs.replace(ending, files=files))

    boxes = []
    for one in chosen:
        boxes.append(Outbox(one.name, tell_aside))
        boxes[-1].put(run.project, partial(report, one.tracker), ends=True)
    for box in boxes:
        box.close()
