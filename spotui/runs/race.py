"""What a race found, as it is written down."""

from collections.abc import Mapping, Sequence
from typing import Final

import msgspec

from spotui.domain.answer_cost import AnswerCost
from spotui.domain.statistics import Comparison, Score, compare
from spotui.domain.verdicts import StopReason
from spotui.engine.layout import Layout
from spotui.engine.task import RowOutcome, Scored
from spotui.lang import _
from spotui.llm.spending import Spending
from spotui.runs.prepare import Prepared
from spotui.runs.recorder import Earlier
from spotui.runs.score import Ruler
from spotui.runs.snapshots import reopen
from spotui.settings.table import BudgetSettings, RunSettings
from spotui.workspace.history import History, read_history
from spotui.workspace.journal import Journal
from spotui.workspace.projects import Project
from spotui.workspace.race_file import Compared, RaceRecord, Tested
from spotui.workspace.race_rows import SEED, RaceRow, RowAnswer

_NO_MATTER: Final = frozenset(
    {"max_rounds", "embedding_model", "unused", "concurrency", "retry", "first_token_timeout", "call_timeout"}
)
"""Settings that change nothing in a race, or that its methods choose."""


class Entry(msgspec.Struct, frozen=True):
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
        per_answer: The cost of an answer with it, on the test rows.
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
    per_answer: AnswerCost | None = None


class Pair(msgspec.Struct, frozen=True):
    """Two methods compared row by row, from the side of the first."""

    one: str
    other: str
    comparison: Comparison


async def judge_race(ruler: Ruler, projects: Mapping[str, Project]) -> list[Entry]:
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


async def race_rows(
    ruler: Ruler, projects: Mapping[str, Project], places: Sequence[Entry]
) -> tuple[RaceRow, ...]:
    """Every test row with the answers of the seed and of each method's best prompt; all were asked before.

    Args:
        ruler: The one that has measured them.
        projects: Each method's project.
        places: What `judge_race` returned.

    Raises:
        Halted: As `judge_race`.
    """
    found: dict[str, list[RowOutcome]] = {}
    rows = ruler.rows("test")
    for place in places:
        prepared = reopen(projects[place.method])
        if SEED not in found:
            found[SEED] = await ruler.outcomes(prepared.template.prompt, prepared.layout, "test")
        found[place.method] = await ruler.outcomes(place.prompt, prepared.layout, "test")
    return tuple(
        RaceRow(
            row.asked,
            tuple(row.references),
            {name: _answer(outcomes[position]) for name, outcomes in found.items()},
        )
        for position, row in ((position, rows.row(position)) for position in rows.positions)
    )


def _answer(outcome: RowOutcome) -> RowAnswer:
    return RowAnswer(outcome.mark, outcome.answer, outcome.note)


def entrant(prepared: Prepared) -> Prepared:
    """A run without a test: the race tests the best prompt of every method."""
    settings = msgspec.structs.replace(prepared.settings, final_check=False)
    return msgspec.structs.replace(prepared, settings=settings, final_test=False)


def without_budget(test: Prepared) -> Prepared:
    """The test of a race without the budget, which is for the methods."""
    settings = msgspec.structs.replace(test.settings, budget=BudgetSettings())
    return msgspec.structs.replace(test, settings=settings)


def difference(project: Project, prepared: Prepared) -> str:
    """The first setting that a run was started with and that differs now; empty when none does.

    Args:
        project: The run.
        prepared: What a new run would be started with.
    """
    before = reopen(project)
    if before.text != prepared.text:
        return _("another text of the template")
    for name in RunSettings.__struct_fields__:
        old, new = getattr(before.settings, name), getattr(prepared.settings, name)
        if old != new and name not in _NO_MATTER:
            return _named(name, old, new)
    return _("other parameters") if before.given != prepared.given else ""


def _named(name: str, old: object, new: object) -> str:
    """A setting with its old value; the first of its fields that differ, where it has some."""
    if isinstance(old, msgspec.Struct) and isinstance(new, msgspec.Struct):
        for field in old.__struct_fields__:
            if getattr(old, field) != getattr(new, field):
                return _named(f"{name}.{field}", getattr(old, field), getattr(new, field))
    return f"{name} {'none' if old is None else old}"


def pairs(places: Sequence[Entry], *, seed: int) -> list[Pair]:
    """Every method against every one behind it, on the same rows."""
    return [
        Pair(one.method, other.method, compare(other.marks, one.marks, seed=seed))
        for at, one in enumerate(places)
        for other in places[at + 1 :]
    ]


async def _place(ruler: Ruler, method: str, project: Project) -> Entry:
    prepared, history = reopen(project), read_history(project)
    with Journal(project.journal) as journal:
        earlier = Earlier(journal.lines())
    seed = prepared.template.prompt
    prompt = history.best.prompt if history.best is not None else seed
    old, new = await _marks(ruler, [seed, prompt], prepared.layout)
    return Entry(
        method=method,
        prompt=prompt,
        improved=_improved(history),
        score=new.score,
        gain=compare(old.marks, new.marks, seed=prepared.settings.seed),
        rounds=len(history.rounds),
        stop=history.stop.reason if history.stop is not None else None,
        seconds=earlier.seconds,
        spending=earlier.spending,
        marks=new.marks,
        per_answer=new.cost,
    )


async def _marks(ruler: Ruler, prompts: Sequence[str], layout: Layout) -> list[Scored]:
    found = await ruler.measure([(one, layout) for one in dict.fromkeys(prompts)], "test")
    return [found[0], found[-1]]


def _improved(history: History) -> bool:
    return history.best is not None and history.best.round > 1


def recorded_race(record: RaceRecord, places: Sequence[Entry], pairs: Sequence[Pair]) -> RaceRecord:
    """A race with what the test says."""
    return msgspec.structs.replace(
        record,
        rows=len(places[0].marks),
        tested=tuple(map(_tested, places)),
        compared=tuple(map(_compared, pairs)),
    )


def _tested(entry: Entry) -> Tested:
    spent = entry.spending
    return Tested(
        method=entry.method,
        improved=entry.improved,
        score=entry.score.mean,
        interval=msgspec.structs.astuple(entry.score.interval),
        gain=entry.gain.difference,
        gain_interval=msgspec.structs.astuple(entry.gain.interval),
        calls=spent.calls,
        tokens=spent.tokens,
        cost_usd=spent.cost_usd,
        unpriced=spent.unpriced,
        estimated=spent.estimated,
        seconds=entry.seconds,
        rounds=entry.rounds,
        floor=entry.gain.floor,
        per_answer=entry.per_answer,
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
        floor=found.floor,
    )
