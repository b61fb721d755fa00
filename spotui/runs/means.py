"""What a run may share with others: a budget, limits of endpoints, a second place for its journal."""

from collections.abc import Callable
from typing import Final, NamedTuple

from spotui.llm.accounts import Ledger
from spotui.llm.budget import Budget
from spotui.llm.leases import LeasedBudget, Lend
from spotui.llm.limits import Limiter
from spotui.llm.routing import Limits
from spotui.runs.recorder import Earlier
from spotui.settings.table import BudgetSettings
from spotui.workspace.journal import Journal


class Means(NamedTuple):
    """What calls are paid from and kept in.

    Attributes:
        budget: Makes a budget from its limits and from what earlier sessions took.
        ledger: Makes of a journal what calls are kept in.
    """

    budget: Callable[[BudgetSettings, Earlier], Budget]
    ledger: Callable[[Journal], Ledger]


def own_budget(limits: BudgetSettings, earlier: Earlier) -> Budget:
    """A budget that no other run takes from."""
    return Budget(limits, earlier.spending, earlier.seconds, by_round=earlier.by_round)


def only_journal(journal: Journal) -> Ledger:
    """A journal that goes nowhere else."""
    return journal


ALONE: Final = Means(own_budget, only_journal)
"""Of a run that shares nothing."""


def leased(pooled: BudgetSettings, lend: Lend, ledger: Callable[[Journal], Ledger] = only_journal) -> Means:
    """Of a run that takes parts of one budget.

    Args:
        pooled: The limits of that budget.
        lend: Asks for a part.
        ledger: See `Means`.
    """

    def budget(limits: BudgetSettings, earlier: Earlier) -> Budget:
        spent, seconds, rounds = earlier.spending, earlier.seconds, earlier.by_round
        return LeasedBudget(limits, pooled, lend, spent, seconds, by_round=rounds)

    return Means(budget, ledger)


class SharedLimiters:
    """The limits of every endpoint, each once, for all runs of one event loop."""

    def __init__(self) -> None:
        self._known: dict[tuple[str, Limits], Limiter] = {}

    def __call__(self, server: str, limits: Limits) -> Limiter:
        """The limits of a server, which are made when first asked for."""
        key = server, limits
        if key not in self._known:
            self._known[key] = Limiter(limits)
        return self._known[key]
