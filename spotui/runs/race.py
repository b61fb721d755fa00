"""What a race found, as it is written down."""

from collections.abc import Mapping, Sequence
from typing import Any, Final

import msgspec

from spotui.domain.statistics import Comparison, Score, compare
from spotui.domain.verdicts import StopReason
from spotui.engine.execute import Layout
from spotui.engine.task import Scored
from spotui.llm.budget import Spending
from spotui.methods import load_method
from spotui.methods.parameters import read_parameters
from spotui.runs.recorder import Past
from spotui.runs.score import Ruler
from spotui.runs.setup import length, load_settings
from spotui.runs.work import load_work
from spotui.settings.run_settings import RunSettings
from spotui.templates.read import parse_template
from spotui.templates.sections import parameters_of
from spotui.workspace.history import History, read_history
from spotui.workspace.journal import Journal
from spotui.workspace.projects import Project
from spotui.workspace.race_file import Compared, RaceRecord, Tested
from spotui.workspace.snapshot import read_snapshot

_NO_MATTER: Final = frozenset(
    {"max_rounds", "embedding_model", "unused", "concurrency", "retry", "first_token_timeout", "call_timeout"}
)
"""Settings that change nothing in a race, or that its methods choose."""


class Place(msgspec.Struct, frozen=True):
    """What one method did.

    Attributes:
        method: Its name.
        prompt: Its best prompt, which is the seed when it found none that is better.
        improved: Whether it is another one.
        score: The best prompt's, on the test rows.
        gain: Best against seed on the test rows, both asked as the method asks them.
        rounds: How many ended.
        stop: Why it ended, or None when it was cut off.
        seconds: How long it worked.
        spending: What it cost, without the test.
        marks: The best prompt's on the test rows.
    """

    method: str
    prompt: str
    improved: bool
    score: Score
    gain: Comparison
    rounds: int
    stop: StopReason | None
    seconds: float
    spending: Spending
    marks: tuple[float | None, ...]


class Pair(msgspec.Struct, frozen=True):
    """Two methods compared row by row, from the side of the first."""

    one: str
    other: str
    comparison: Comparison


async def judge_race(ruler: Ruler, projects: Mapping[str, Project]) -> list[Place]:
    """Ask the test rows with the best prompt of every method, and with the seed.

    Args:
        ruler: Measures them.
        projects: Each method's project; its run has ended.

    Returns:
        One a method, the best score first.

    Raises:
        Halted: A call failed for good, or the budget is spent.
    """
    places = [await _place(ruler, method, project) for method, project in projects.items()]
    return sorted(places, key=lambda one: one.score.mean, reverse=True)


def difference(
    project: Project,
    template: str,
    settings: RunSettings,
    parameters: Mapping[str, Any],
    *,
    rounds_chosen: bool,
) -> str:
    """What a run that is there was begun with differently; an empty text when nothing is.

    Args:
        project: The run.
        template: The text of the template now.
        settings: What is wanted now; rounds are left to the method.
        parameters: What the method is told now on top of what the template tells it.
        rounds_chosen: Whether somebody chose the number of rounds.
    """
    snapshot = read_snapshot(project.snapshot)
    before = load_settings(snapshot, project.snapshot)
    if snapshot.template != template:
        return "another text of the template"
    for name in RunSettings.__struct_fields__:
        old, new = getattr(before, name), getattr(settings, name)
        if old != new and name not in _NO_MATTER:
            return _named(name, old, new)
    method = load_method(snapshot.method)
    own = parse_template(template, snapshot.template_name)
    told = {**(parameters_of(own) if snapshot.method == own.method else {}), **parameters}
    told = {**length(method, settings, rounds_chosen=rounds_chosen), **told}
    old, new = (read_parameters(snapshot.method, method, one) for one in (snapshot.parameters, told))
    return "other parameters" if old != new else ""


def _named(name: str, old: object, new: object) -> str:
    """A setting with its old value; the first of its fields that differ, where it has some."""
    if isinstance(old, msgspec.Struct) and isinstance(new, msgspec.Struct):
        for field in old.__struct_fields__:
            if getattr(old, field) != getattr(new, field):
                return _named(f"{name}.{field}", getattr(old, field), getattr(new, field))
    return f"{name} {'none' if old is None else old}"


def pairs(places: Sequence[Place], *, seed: int) -> list[Pair]:
    """Every method against every one behind it, on the same rows."""
    return [
        Pair(one.method, other.method, compare(other.marks, one.marks, seed=seed))
        for at, one in enumerate(places)
        for other in places[at + 1 :]
    ]


async def _place(ruler: Ruler, method: str, project: Project) -> Place:
    snapshot = read_snapshot(project.snapshot)
    settings = load_settings(snapshot, project.snapshot)
    work = load_work(snapshot, project, settings)
    history = read_history(project)
    with Journal(project.journal) as journal:
        past = Past(journal.lines())
    prompt = history.best.prompt if history.best is not None else work.task.prompt
    old, new = await _marks(ruler, [work.task.prompt, prompt], work.layout)
    return Place(
        method=method,
        prompt=prompt,
        improved=_improved(history),
        score=new.score,
        gain=compare(old.marks, new.marks, seed=settings.seed),
        rounds=len(history.rounds),
        stop=history.stop.reason if history.stop is not None else None,
        seconds=past.seconds,
        spending=past.spending,
        marks=new.marks,
    )


async def _marks(ruler: Ruler, prompts: Sequence[str], layout: Layout) -> list[Scored]:
    found = await ruler.measure([(one, layout) for one in dict.fromkeys(prompts)], "test")
    return [found[0], found[-1]]


def _improved(history: History) -> bool:
    return history.best is not None and history.best.round > 1


def recorded_race(record: RaceRecord, places: Sequence[Place], pairs: Sequence[Pair]) -> RaceRecord:
    """A race with what the test says."""
    return msgspec.structs.replace(
        record,
        rows=len(places[0].marks),
        tested=tuple(map(_tested, places)),
        compared=tuple(map(_compared, pairs)),
    )


def _tested(place: Place) -> Tested:
    spent = place.spending
    return Tested(
        method=place.method,
        improved=place.improved,
        score=place.score.mean,
        interval=msgspec.structs.astuple(place.score.interval),
        gain=place.gain.difference,
        gain_interval=msgspec.structs.astuple(place.gain.interval),
        calls=spent.calls,
        tokens=spent.tokens,
        cost_usd=spent.cost_usd,
        unpriced=spent.unpriced,
        estimated=spent.estimated,
        seconds=place.seconds,
        rounds=place.rounds,
    )


def _compared(pair: Pair) -> Compared:
    found = pair.comparison
    return Compared(
        one=pair.one,
        other=pair.other,
        difference=found.difference,
        interval=msgspec.structs.astuple(found.interval),
        won=found.wins,
        lost=found.losses,
        settled=found.is_settled,
    )
