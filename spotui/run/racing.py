"""Several methods on the same rows with the same budget, and what each is worth on unseen rows."""

from collections.abc import Mapping, Sequence

import msgspec

from spotui.engine.layout import Layout
from spotui.engine.task import Scored
from spotui.llm.budget import Spending
from spotui.run.measuring import Ruler
from spotui.run.past import Past
from spotui.run.setup import load_settings
from spotui.run.work import load_work
from spotui.statistics import Comparison, Score, compare
from spotui.workspace.history import History, read_history
from spotui.workspace.journal import Journal
from spotui.workspace.lines import StopReason
from spotui.workspace.projects import Project
from spotui.workspace.snapshot import read_snapshot


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
