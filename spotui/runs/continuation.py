"""Race, then continue: each method gets a share of the budget, and the rest goes to the most promising one.

This is successive halving (Jamieson and Talwalkar, arXiv 1502.07943) with two rungs and one survivor: either
rung gets half of the budget.
"""

import math
from collections.abc import Mapping
from typing import Final, NamedTuple

import msgspec

from spotui.domain.statistics import score
from spotui.llm.spending import Spending
from spotui.runs.prepare import Prepared
from spotui.runs.recorder import Earlier
from spotui.runs.score import Ruler
from spotui.runs.snapshots import reopen
from spotui.settings.table import BudgetSettings
from spotui.workspace.history import History, read_history
from spotui.workspace.journal import Journal
from spotui.workspace.projects import Project
from spotui.workspace.race_file import Continued, shared

_MOST_ROUNDS: Final = 10_000


def sharing(prepared: Prepared, methods: int) -> Prepared:
    """A run of a race with its share of the budget.

    Raises:
        SpotuiError: The budget cannot be shared.
    """
    budget = shared(prepared.settings.budget, methods)
    settings = msgspec.structs.replace(prepared.settings, budget=budget)
    return msgspec.structs.replace(prepared, settings=settings)


class _Standing(NamedTuple):
    """How a method stands after its share.

    Attributes:
        score: What its best prompt scores on the eval rows; None where no row has a mark.
        history: Its rounds.
        spending: What it spent.
        seconds: How long it worked.
    """

    score: float | None
    history: History
    spending: Spending
    seconds: float


async def choose(ruler: Ruler, projects: Mapping[str, Project], budget: BudgetSettings) -> Continued:
    """The method that continues: its best prompt scores best on the eval rows; of equals the first.

    A method that scored its best prompt there itself is believed; that of another is asked the eval rows.
    The test rows are asked only when the race is over.

    Args:
        ruler: Asks the eval rows.
        projects: Each method's project; its share is spent.
        budget: That of the whole race.

    Raises:
        Halted: A call failed for good, or the budget is spent.
    """
    standings = {method: await _standing(ruler, project) for method, project in projects.items()}
    scores = {method: one.score for method, one in standings.items() if one.score is not None}
    first = max(scores, key=lambda method: scores[method]) if scores else next(iter(standings))
    return Continued(method=first, scores=scores, limits=_limits(first, standings, ruler.spending, budget))


async def _standing(ruler: Ruler, project: Project) -> _Standing:
    prepared, history = reopen(project), read_history(project)
    with Journal(project.journal) as journal:
        earlier = Earlier(journal.lines())
    best = history.best
    prompt = best.prompt if best is not None else prepared.template.prompt
    if best is not None and best.score is not None and len(best.marks) == len(ruler.rows("eval")):
        found = score(best.marks)
    else:
        (asked,) = await ruler.measure([(prompt, prepared.layout)], "eval")
        found = asked.score
    return _Standing(found.mean if found.rows else None, history, earlier.spending, earlier.seconds)


def _limits(
    first: str, standings: Mapping[str, _Standing], asked: Spending, budget: BudgetSettings
) -> dict[str, float | int | None]:
    """The limits that a method continues with: what it has spent, and what is left over."""
    own = standings[first]
    stop = own.history.stop
    if stop is not None and stop.reason == "perfect":
        return {}
    own_spent, others = _spent(own), [_spent(one) for one in standings.values()]
    scored = _amounts(asked, 0.0)
    limits: dict[str, float | int | None] = {}
    growths = []
    for name, total in msgspec.structs.asdict(budget).items():
        if total is None:
            continue
        mine = own_spent[name]
        rest = total - sum(one[name] for one in others) - scored[name]
        if rest <= 0:
            return {}
        limits[name] = mine + rest
        growths.append((mine + rest) / mine if mine else 1.0)
    rounds = len(own.history.rounds)
    if stop is not None and stop.reason == "finished" and growths:  # its rounds ended it, not its share
        limits["rounds"] = min(_MOST_ROUNDS, math.ceil(rounds * min(growths)))
    if stop is not None and stop.reason == "patience":
        limits["patience"] = None
    if stop is not None and stop.reason == "target":
        limits["target_wins"] = None
    return limits


def _spent(standing: _Standing) -> dict[str, float]:
    return _amounts(standing.spending, standing.seconds)


def _amounts(spending: Spending, seconds: float) -> dict[str, float]:
    """What was spent, by the names of the limits."""
    return {
        "usd": spending.cost_usd,
        "tokens": spending.tokens,
        "calls": spending.calls,
        "minutes": seconds / 60,
    }


def is_begun(continued: Continued, project: Project) -> bool:
    """Whether the run of the method that continues has its new limits already."""
    limits = read_history(project).limits
    return all(name in limits and limits[name] == value for name, value in continued.limits.items())
