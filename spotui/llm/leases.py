"""One budget over several runs: each takes parts of it as it needs them, and gives back what is left."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from typing import Final

import msgspec

from spotui.domain.calls import Request
from spotui.lang import _
from spotui.llm.budget import Budget, BudgetSpentError
from spotui.llm.routing import Price
from spotui.llm.spending import Amounts, Reservation, Spending
from spotui.settings.table import BudgetSettings

KINDS: Final = ("calls", "tokens", "usd")
"""The limits of a budget that are shared out; minutes pass for all at once."""

_PARTS: Final = 2
"""A run gets one part in so many of its equal share at a time, so that little is left over at the end."""


def amounts_of(spending: Spending) -> Amounts:
    """What was spent, as amounts."""
    return Amounts(spending.calls, spending.tokens, spending.cost_usd)


class Pool:
    """The one budget, as the runs see it that take parts of it.

    What all runs may spend never adds up to more than the limits, whichever of them die: a part belongs to
    its run until that run says what it really spent.

    Args:
        limits: Calls, tokens and USD of all runs together; None is no limit.

    Attributes:
        limits: See above.
        kept_back: What no run gets, because the test after the runs takes it.
        is_spent: Whether a run was refused more.
    """

    def __init__(self, limits: BudgetSettings) -> None:
        self.limits = limits
        self.kept_back = Amounts()
        self.is_spent = False
        self._given: dict[str, Amounts] = {}
        self._open: set[str] = set()

    @property
    def given(self) -> Amounts:
        """What was spent, or may be by the runs that are open."""
        total = Amounts()
        for one in self._given.values():
            total += one
        return total

    def open(self, name: str, spent: Amounts) -> Amounts:
        """Let a run begin, or begin again somewhere else, with what it spent before; returns just that."""
        self._given[name] = spent
        self._open.add(name)
        return spent

    def close(self, name: str, spent: Amounts) -> None:
        """Take back what a run did not spend."""
        self._given[name] = spent
        self._open.discard(name)

    def lend(self, name: str, wanted: Amounts) -> Amounts:
        """Let a run spend more.

        Args:
            name: The run.
            wanted: What it needs to have been given in all, for its next call.

        Returns:
            What it may spend in all: more than that, less where the budget ends, and never less than before.
        """
        before, given = self._given[name], self.given
        found: dict[str, float] = {}
        for kind in KINDS:
            limit, has, needs = getattr(self.limits, kind), getattr(before, kind), getattr(wanted, kind)
            if limit is None:
                found[kind] = max(has, needs)
                continue
            free = max(0, limit - getattr(given, kind) - getattr(self.kept_back, kind))
            share = free / (_PARTS * max(1, len(self._open)))
            more = min(free, max(needs - has, share if kind == "usd" else int(share)))
            found[kind] = has + max(0, more)
            self.is_spent = self.is_spent or found[kind] < needs
        self._given[name] = Amounts(int(found["calls"]), int(found["tokens"]), found["usd"])
        return self._given[name]


Lend = Callable[[Amounts], Awaitable[Amounts]]
"""Asks the pool for as much as a run needs in all; brings what it may spend in all."""


class LeasedBudget(Budget):
    """The budget of a run that takes parts of a pool; it keeps to its own limits, too.

    Args:
        own: The run's own limits.
        pooled: The limits of the pool.
        lend: Asks the pool for more.
        spending: What the run cost in earlier sessions.
        seconds: Time worked on it in earlier sessions.
        clock: A monotonic clock in seconds.
        by_round: See `Budget`.
    """

    def __init__(
        self,
        own: BudgetSettings,
        pooled: BudgetSettings,
        lend: Lend,
        spending: Spending | None = None,
        seconds: float = 0.0,
        clock: Callable[[], float] = time.monotonic,
        by_round: dict[tuple[str, int], Spending] | None = None,
    ) -> None:
        super().__init__(own, spending, seconds, clock, by_round)
        self._own = own
        self._kinds = tuple(kind for kind in KINDS if getattr(pooled, kind) is not None)
        self._lend = lend
        self._given = amounts_of(self.spending)
        self._asking = asyncio.Lock()
        self._apply()

    async def reserve(
        self, request: Request, purpose: str, price: Price | None, *, is_repeated: bool = False
    ) -> Reservation:
        """Keep room for a call, after asking the pool where the part that the run has is too small for it."""
        is_refused = bool(self._kinds) and not await self._make_room(
            self.most(request, purpose, price, self.dearest(request.model))
        )
        try:
            return await super().reserve(request, purpose, price, is_repeated=is_repeated)
        except BudgetSpentError:
            if not is_refused:
                raise
            raise BudgetSpentError(_("The budget of the sweep is spent.")) from None

    def change(self, limits: BudgetSettings) -> None:
        """Set other limits of the run's own."""
        self._own = limits
        self._apply()

    def most(
        self, request: Request, purpose: str, price: Price | None, dearest: float | None = None
    ) -> Amounts:
        """The most that a call can take, as it is reserved."""
        prompt, completion = self.sizes(request, purpose)
        usd = price.cost(prompt, completion) if price is not None else dearest or 0.0
        return Amounts(1, prompt + completion, usd)

    async def _make_room(self, most: Amounts) -> bool:
        """Ask for more until a call fits; False when the pool has no more."""
        while not self._fits(self._needed(most)):
            async with self._asking:
                needed = self._needed(most)
                if self._fits(needed):
                    return True
                before, self._given = self._given, await self._lend(needed)
                self._apply()
                if self._given == before:
                    return False
        return True

    def _needed(self, most: Amounts) -> Amounts:
        return amounts_of(self.spending) + self.held + most

    def _fits(self, needed: Amounts) -> bool:
        return all(getattr(needed, kind) <= getattr(self._given, kind) for kind in self._kinds)

    def _apply(self) -> None:
        """Let the lower of the run's own limit and its part of the pool hold."""
        limits: dict[str, float | int] = {}
        for kind in self._kinds:
            own, given = getattr(self._own, kind), getattr(self._given, kind)
            limits[kind] = given if own is None else min(own, given)
        super().change(msgspec.structs.replace(self._own, **limits))
