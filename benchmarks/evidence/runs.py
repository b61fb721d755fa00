"""The runs of all methods, and the test of what they found."""

import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Final, NamedTuple

from benchmarks.evidence.shared_replies import SharingLauncher
from benchmarks.evidence.tasks import (
    CALLS,
    ENTRANTS,
    EXECUTOR,
    LONGEST_ANSWER,
    PROBES,
    SEED_PROMPT,
    WRITER,
    Entrant,
    template_of,
)
from spotui.domain.errors import SpotuiError
from spotui.domain.events import Event
from spotui.engine.task import Scored
from spotui.runs.headroom import measure_headroom
from spotui.runs.prepare import Prepared, Purpose, prepare
from spotui.runs.race import entrant as without_own_test
from spotui.runs.race import without_budget
from spotui.runs.recorder import Earlier
from spotui.runs.score import open_ruler
from spotui.runs.snapshots import kept_as, new_project, reopen
from spotui.settings.resolve import Flags
from spotui.templates.read import parse_template
from spotui.workspace.headroom_file import Headroom, read_headroom
from spotui.workspace.history import read_history
from spotui.workspace.journal import Journal
from spotui.workspace.projects import Project, Workspace

_ENDED: Final = {"budget", "finished", "perfect"}


class Place(NamedTuple):
    """One task with one seed, and where its runs are kept."""

    rows: Path
    work: Path
    task: str
    seed: int

    @property
    def slug(self) -> str:
        """Its name in paths."""
        return f"{self.task.replace(' ', '-')}-{self.seed}"

    @property
    def workspace(self) -> Workspace:
        """Where its runs are."""
        return Workspace(self.work / self.slug)

    def project(self, name: str) -> Project:
        """The project of one method."""
        return self.workspace.project(name)


class Result(NamedTuple):
    """What one method did on one task with one seed."""

    task: str
    seed: int
    name: str
    calls: int
    minutes: float
    prompt: str
    seed_test: Scored
    best_test: Scored


def prepared_for(
    launcher: SharingLauncher, place: Place, entrant: Entrant, purpose: Purpose = "run"
) -> Prepared:
    """The models and limits of every run."""
    text = template_of(place.rows, place.task)
    template = parse_template(text)
    flags = Flags(
        exec_model=EXECUTOR,
        opt_model=WRITER,
        eval_model=WRITER,
        exec_max_tokens=LONGEST_ANSWER,
        budget_calls=CALLS if purpose == "run" else None,
        seed=place.seed,
        max_rounds=1000 if entrant.method == "spo" else None,
        final_check=False if purpose == "run" else None,
    )
    return prepare(
        template,
        text,
        place.rows / place.task,
        launcher.settings(flags, template),
        method=entrant.method,
        parameters=dict(entrant.parameters),
        purpose=purpose,
    )


async def probe(launcher: SharingLauncher, place: Place) -> Headroom:
    """The headroom of a task; what was measured before takes no time."""
    prepared = prepared_for(launcher, place, ENTRANTS[0], "headroom")
    folder = place.workspace.measured(kept_as(prepared))
    known = read_headroom(folder)
    if known is not None:
        return known
    began = time.time()
    found = await measure_headroom(
        prepared, place.workspace, launcher.connections(prepared.settings), _ignore
    )
    tell(f"{place.slug}: {'headroom' if found.found else 'no headroom'}, {time.time() - began:.0f} s")
    return found


async def run(launcher: SharingLauncher, place: Place, entrant: Entrant) -> None:
    """One method, to the end of its calls; one whose package is not installed is left out."""
    project = place.project(entrant.name)
    if not project.exists:
        try:
            prepared = prepared_for(launcher, place, entrant)
        except SpotuiError as error:
            tell(f"{place.slug}, {entrant.name} is left out: {error}")
            return
        new_project(place.workspace, project.name, without_own_test(prepared))
    stop = read_history(project).stop
    if stop is not None and stop.reason in _ENDED:
        return
    began = time.time()
    stopped = await launcher.run(project).go()
    if stopped.reason not in _ENDED:
        raise SystemExit(f"{place.slug}, {entrant.name} ended: {stopped.cause}")
    tell(
        f"{place.slug}, {entrant.name}: {stopped.reason}, best is round {stopped.best}, "
        f"{time.time() - began:.0f} s"
    )


async def test(launcher: SharingLauncher, place: Place) -> list[Result]:
    """What the probes and every method found, and the seed, on the test rows."""
    prepared = without_budget(prepared_for(launcher, place, ENTRANTS[0], "score"))
    folder, connections = place.work / "tests" / place.slug, launcher.connections(prepared.settings)
    found: list[Result] = []
    async with open_ruler(prepared, folder, connections, _ignore) as ruler:
        for name, calls, minutes, prompt in _ended(place, await probe(launcher, place)):
            (old,) = await ruler.measure([(SEED_PROMPT, prepared.layout)], "test")
            new = old
            if prompt != SEED_PROMPT:
                (new,) = await ruler.measure([(prompt, prepared.layout)], "test")
            found.append(Result(place.task, place.seed, name, calls, minutes, prompt, old, new))
    tell(f"{place.slug}: tested")
    return found


def _ended(place: Place, headroom: Headroom) -> Iterator[tuple[str, int, float, str]]:
    """Of the probes and each run that has ended: its name, calls, minutes and best prompt."""
    winners = headroom.winners
    yield PROBES, headroom.planned, 0.0, winners[0].prompt if winners else SEED_PROMPT
    for entrant in ENTRANTS:
        project = place.project(entrant.name)
        if not project.exists:
            continue
        history = read_history(project)
        if history.stop is None or history.stop.reason not in _ENDED or history.best is None:
            continue
        assert reopen(project).layout.position == "before_question"
        with Journal(project.journal) as journal:
            calls = Earlier(journal.lines()).spending.calls
        yield entrant.name, calls, history.stop.seconds / 60, history.best.prompt


def _ignore(event: Event) -> None:
    """Show nothing."""


def tell(text: str) -> None:
    """Say how far it is."""
    sys.stdout.write(f"{time.strftime('%H:%M:%S')} {text}\n")
    sys.stdout.flush()
