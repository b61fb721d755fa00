"""The runs of all methods, and the test of what they found."""

import sys
import time
from pathlib import Path
from typing import Final, NamedTuple

from benchmarks.evidence.results import Result
from benchmarks.evidence.shared_replies import SharingLauncher
from benchmarks.evidence.tasks import (
    CALLS,
    ENTRANTS,
    LONGEST_ANSWER,
    SEED_PROMPT,
    Entrant,
    Models,
    template_of,
)
from spotui.domain.errors import SpotuiError
from spotui.domain.events import Event
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


class Found(NamedTuple):
    """What a method found, and the calls that it took."""

    calls: int
    prompt: str


class Place(NamedTuple):
    """One task with one seed and its models, and where its runs are kept."""

    rows: Path
    work: Path
    models: Models
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

    def project(self, entrant: Entrant) -> Project:
        """The project of one method."""
        return self.workspace.project(entrant.name.replace(", ", "-").replace(" ", "-"))


def prepared_for(
    launcher: SharingLauncher, place: Place, entrant: Entrant, purpose: Purpose = "run", calls: int = CALLS
) -> Prepared:
    """The models and limits of every run."""
    text = template_of(place.rows, place.work, place.task)
    template = parse_template(text)
    executor, writer, has_grammar = place.models
    flags = Flags(
        exec_model=executor,
        opt_model=writer,
        eval_model=writer,
        exec_max_tokens=LONGEST_ANSWER,
        budget_calls=calls if purpose == "run" else None,
        seed=place.seed,
        max_rounds=1000 if entrant.method == "spo" else None,
        final_check=False if purpose == "run" else None,
        start_from_probes=entrant.from_probes,
        grammar=has_grammar,
    )
    return prepare(
        template,
        text,
        place.work / place.task,
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


async def run(launcher: SharingLauncher, place: Place, entrant: Entrant) -> Found | None:
    """One method, to the end of its calls; None where its package is not installed."""
    project = place.project(entrant)
    probes = (await probe(launcher, place)).planned if entrant.from_probes else 0
    if not project.exists:
        try:
            prepared = prepared_for(launcher, place, entrant, calls=CALLS - probes)
        except SpotuiError as error:
            tell(f"{place.slug}, {entrant.name} is left out: {error}")
            return None
        new_project(place.workspace, project.name, without_own_test(prepared))
    stop = read_history(project).stop
    if stop is None or stop.reason not in _ENDED:
        began = time.time()
        stopped = await launcher.run(project).go()
        if stopped.reason not in _ENDED:
            raise SystemExit(f"{place.slug}, {entrant.name} ended: {stopped.cause}")
        seconds = time.time() - began
        tell(f"{place.slug}, {entrant.name}: {stopped.reason}, best is round {stopped.best}, {seconds:.0f} s")
    best = read_history(project).best
    assert best is not None
    assert reopen(project).layout.position == "before_question"
    with Journal(project.journal) as journal:
        calls = Earlier(journal.lines()).spending.calls
    return Found(probes + calls, best.prompt)


async def test(launcher: SharingLauncher, place: Place, name: str, found: Found) -> Result:
    """What a method found, and the seed, on the test rows; one test at a time."""
    prepared = without_budget(prepared_for(launcher, place, ENTRANTS[0], "score"))
    folder, connections = place.work / "tests" / place.slug, launcher.connections(prepared.settings)
    async with open_ruler(prepared, folder, connections, _ignore) as ruler:
        (old,) = await ruler.measure([(SEED_PROMPT, prepared.layout)], "test")
        new = old
        if found.prompt != SEED_PROMPT:
            (new,) = await ruler.measure([(found.prompt, prepared.layout)], "test")
    tell(f"{place.slug}, {name}: {old.score.mean:.3f} before, {new.score.mean:.3f} after")
    return Result(
        *place.models, place.task, place.seed, name, found.calls, found.prompt, old.marks, new.marks
    )


def _ignore(event: Event) -> None:
    """Show nothing."""


def tell(text: str) -> None:
    """Say how far it is."""
    sys.stdout.write(f"{time.strftime('%H:%M:%S')} {text}\n")
    sys.stdout.flush()
