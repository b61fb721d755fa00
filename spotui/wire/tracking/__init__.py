"""Trackers: runs in Weights & Biases, MLflow or what another package adds.

A tracker is named by the setting `track`. Each listens in a thread with a bounded queue, so that it can be
slow, fail or hang without a consequence for the run.
"""

import csv
import io
from collections.abc import Mapping, Sequence
from importlib import import_module
from pathlib import Path
from typing import Any, Final, Literal, Protocol, runtime_checkable

import msgspec

from spotui.domain.errors import SpotuiError, nearest
from spotui.lang import _

GROUP: Final = "spotui.trackers"
"""The entry points by which other packages add trackers."""

TRACKERS: Final[Mapping[str, str]] = {
    "mlflow": "spotui.wire.tracking.of_mlflow:MlflowTracker",
    "wandb": "spotui.wire.tracking.of_wandb:WandbTracker",
}
"""spotui's trackers, by name, each with the place of a class that takes no argument."""


class TrackerError(SpotuiError):
    """A tracker that cannot be used."""


Kind = Literal["run", "race", "sweep", "migration", "score"]
"""What is reported: a run, what several runs are part of, or a measurement."""


class TrackedGroup(msgspec.Struct, frozen=True):
    """A race, a sweep or a migration.

    Attributes:
        kind: Which of them.
        name: The folder of its runs in the workspace.
        run: The `run` of the one that stands for all of it; resumed, it has the same.
    """

    kind: Kind
    name: str
    run: str


class TrackedRun(msgspec.Struct, frozen=True):
    """A run that begins or is resumed, a race, a sweep or a migration as a whole, or a score.

    It holds no key, no header and no address.

    Attributes:
        project: The project's name; of a race and the others, that of their folder.
        run: A name of the run that no other has: a resumed run has the same.
        method: The method; empty for several runs.
        models: The model of each role; empty for several runs.
        facts: Parameters, limits, sizes and the judge or metric, by name.
        prompt: The seed prompt; empty where there are several, and of a score.
        kind: A run, what stands for several, or a score; a run has rounds, the others a table at the end.
        group: What the run is part of.
        tags: What tells it from the other runs of its group, e.g. template, method, models and seed.
    """

    project: str
    run: str
    method: str
    models: Mapping[str, str]
    facts: Mapping[str, str | int | float | bool | None]
    prompt: str
    kind: Kind = "run"
    group: TrackedGroup | None = None
    tags: Mapping[str, str] = {}


class TrackedRound(msgspec.Struct, frozen=True):
    """A round that ended, with its candidate.

    Attributes:
        round: Its number, from 1; 1 is the seed. It is the step of its figures.
        outcome: win, lead, loss, tie, undecided, refused, void or seed.
        prompt: The candidate.
        modification: What was changed, a sentence.
        best: The round whose prompt is the best now.
        figures: What is known of `score`, `win_rate`, `gain`, `best_score`, of what the run has taken so far
            (`calls`, `tokens`, `usd`, `seconds`), and of `usd_per_answer` and `seconds_per_answer`.
    """

    round: int
    outcome: str
    prompt: str
    modification: str
    best: int
    figures: Mapping[str, float]


class TrackedTable(msgspec.Struct, frozen=True):
    """What several runs found.

    Attributes:
        columns: Names.
        rows: Values, as many a row as there are columns.
    """

    columns: tuple[str, ...]
    rows: tuple[tuple[str | float | None, ...], ...]

    @property
    def as_csv(self) -> str:
        """The same as the text of a CSV file."""
        text = io.StringIO()
        csv.writer(text, lineterminator="\n").writerows([self.columns, *self.rows])
        return text.getvalue()


class TrackedEnd(msgspec.Struct, frozen=True):
    """The end of a session: the run is done, or was stopped and can be resumed.

    Attributes:
        reason: The stop reason.
        cause: The same in a sentence.
        is_failed: Whether an error ended it.
        best: The round of the best prompt; 0 for several runs.
        figures: Those of the test or the final check, and what the run took.
        files: The best prompt as text, and the report as HTML.
        facts: What several runs found in words, e.g. `winner`.
        table: The same as a table.
    """

    reason: str
    cause: str
    is_failed: bool
    best: int
    figures: Mapping[str, float]
    files: Sequence[Path]
    facts: Mapping[str, str] = {}
    table: TrackedTable | None = None


class Tracker(Protocol):
    """What reports a run to a service; every call but the first comes from one thread, in order.

    Every run has another one. An error that it raises ends the tracking of this run, with one sentence in the
    log, and never the run.
    """

    def fault(self) -> tuple[str, str]:
        """What keeps it from working and how to fix it, a sentence each; two empty texts where nothing does.

        Asked before the run begins; it must not wait for a network.
        """
        ...

    def begin(self, run: TrackedRun) -> int:
        """Take up a run.

        Returns:
            The last round that an earlier session has reported; 0 for a new run.
        """
        ...

    def round(self, ended: TrackedRound) -> None:
        """Report a round; each one once."""
        ...

    def end(self, ending: TrackedEnd) -> None:
        """Report the end, keep the files, and let go of everything."""
        ...


@runtime_checkable
class AddsFigures(Protocol):
    """A tracker that can add to a run that has ended; others have the table of a race or a sweep only."""

    def add(self, run: str, figures: Mapping[str, float]) -> None:
        """Add figures of the test to a run of the group that this tracker was begun for.

        Args:
            run: The `run` of it.
            figures: As in `TrackedEnd`.
        """
        ...


def tracker_names() -> list[str]:
    """Every tracker there is, those of other packages included."""
    return sorted({*TRACKERS, *_added()})


def load_tracker(name: str) -> Tracker:
    """The tracker of that name, ready to be used.

    Raises:
        TrackerError: There is none, its package is broken, or it lacks what it needs, such as a key.
    """
    place = TRACKERS.get(name) or _added().get(name)
    if place is None:
        near, names = nearest(name, tracker_names()), ", ".join(tracker_names())
        hint = _("Did you mean '{near}'?", near=near) if near else _("Choose one of: {names}.", names=names)
        raise TrackerError(_("Unknown tracker '{name}'.", name=name), hint)
    module, _colon, attribute = place.partition(":")
    try:
        made: Any = getattr(import_module(module), attribute)()
        what, hint = made.fault()
    except Exception as error:  # noqa: BLE001 - code of another package can raise anything
        raise TrackerError(
            _(
                "The tracker '{name}' cannot be loaded from {place}: {fault}.",
                name=name,
                place=place,
                fault=f"{type(error).__name__}: {error}".rstrip("."),
            ),
            _("Fix or reinstall the package it comes from, or leave it out of --track."),
        ) from None
    if what:
        raise TrackerError(what, hint)
    tracker: Tracker = made
    return tracker


def _added() -> dict[str, str]:
    from importlib.metadata import entry_points

    return {one.name: one.value for one in entry_points(group=GROUP)}


def missing_package(name: str) -> tuple[str, str]:
    """The fault of a package that is not installed; two empty texts where it is."""
    from importlib.util import find_spec

    if find_spec(name) is not None:
        return "", ""
    return (
        _("The package {name} is not installed.", name=name),
        _("Install it with `pip install 'spotui[{name}]'`.", name=name),
    )
