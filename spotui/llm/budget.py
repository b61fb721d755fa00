"""One budget over all roles: reserved before a call is sent, settled when its reply is here."""

import asyncio
import time
from collections.abc import Callable, Iterable

from spotui.domain.calls import Reply, Request
from spotui.domain.errors import SpotuiError
from spotui.lang import _
from spotui.llm.routing import Price
from spotui.llm.spending import NOTHING_KEPT, Amounts, KeptBack, Reservation, Spending, prompt_size
from spotui.settings.table import BudgetSettings

MOST_COMPLETION = 4096
LEAST_COMPLETION = 512


class BudgetSpentError(SpotuiError):
    """The next call does not fit into what is left."""


class UnknownPriceError(SpotuiError):
    """A budget in USD cannot be kept, because the price of a model is unknown.

    Args:
        models: The models without a price.
    """

    def __init__(self, models: Iterable[str]) -> None:
        names = sorted(models)
        super().__init__(
            _("A budget in USD cannot be kept: the price of {names} is unknown.", names=", ".join(names)),
            _(
                "Set models.{name}.price in the config file or on the models screen, as input and output in "
                "USD per million tokens, then stop and resume a run that has started; or limit tokens or "
                "calls instead.",
                name=names[0],
            ),
        )


class _Held:
    """The rooms that are kept, with their sums: a batch may hold many thousands."""

    def __init__(self) -> None:
        self.tokens = 0
        self.usd = 0.0
        self._all: set[Reservation] = set()

    def __len__(self) -> int:
        return len(self._all)

    def add(self, reservation: Reservation) -> None:
        self._all.add(reservation)
        self.tokens += reservation.tokens
        self.usd += reservation.usd

    def discard(self, reservation: Reservation) -> None:
        if reservation in self._all:
            self._all.discard(reservation)
            self.tokens -= reservation.tokens
            # Without any, there is nothing left of what was rounded.
            self.usd = self.usd - reservation.usd if self._all else 0.0


class Budget:
    """Keeps a run within its limits.

    A completion's length is unknown beforehand, so while a token or USD limit is set each call gets a
    ceiling on its reply that fits into what is left: the limit holds even when every call in flight uses
    all that was reserved for it.

    A model without a price may be on an endpoint that reports the cost of each reply. Its first call shows
    whether it does, and the others wait for it. From then on each call reserves what the dearest one took.

    What is kept back is for the test of the best prompt: calls before it do not get it, and in the test,
    calls that repeat another one get only what the first calls leave.

    Args:
        limits: What the run may cost.
        spending: What it has cost in earlier sessions; counted on from there.
        seconds: Time worked on it in earlier sessions.
        clock: A monotonic clock in seconds.
        by_round: What finished calls of earlier sessions took, by purpose and round; counted on from there.

    Attributes:
        limits: What the run may cost.
        spending: What it has cost.
        by_round: What finished calls took, by purpose and round.
        needed: The tokens and USD that have to be free for a call to begin, by purpose: more than most take.
        kept_back: What is left for the test.
        is_testing: Whether the test has begun.
    """

    def __init__(
        self,
        limits: BudgetSettings,
        spending: Spending | None = None,
        seconds: float = 0.0,
        clock: Callable[[], float] = time.monotonic,
        by_round: dict[tuple[str, int], Spending] | None = None,
    ) -> None:
        self.limits = limits
        self.spending = spending or Spending()
        self.by_round = {} if by_round is None else by_round
        self.needed: dict[str, tuple[int, float]] = {}
        self.kept_back = NOTHING_KEPT
        self.is_testing = False
        self._clock = clock
        self._started = clock() - seconds
        self._paused_at: float | None = None
        self._held = _Held()
        self._longest: dict[str, int] = {}
        self._unpriced: set[str] = set()
        self._dearest: dict[str, float] = {}
        self._asked_first: set[str] = set()
        self._settled = asyncio.Event()

    @property
    def seconds(self) -> float:
        """Time the run was worked on, earlier sessions included and pauses left out."""
        return (self._clock() if self._paused_at is None else self._paused_at) - self._started

    @property
    def seconds_left(self) -> float | None:
        """Until the time limit, or None when there is none."""
        return None if self.limits.minutes is None else max(0.0, self.limits.minutes * 60 - self.seconds)

    async def reserve(
        self, request: Request, purpose: str, price: Price | None, *, is_repeated: bool = False
    ) -> Reservation:
        """Keep room for a call, waiting for calls in flight to settle where that may make room.

        Args:
            request: What will be asked.
            purpose: The verb that asks, whose longest reply so far tells how much this one may need.
            price: Of the model, or None when it is unknown.
            is_repeated: Whether it asks again what brought no usable reply.

        Raises:
            BudgetSpentError: It does not fit, and nothing in flight can change that.
            UnknownPriceError: There is a limit in USD, and neither a list nor the endpoint knows the price.
        """
        if price is None:
            await self._learn_price(request.model)
        draws = self.is_testing and not is_repeated
        while True:
            try:
                reservation = self._fit(request, purpose, price, NOTHING_KEPT if draws else self.kept_back)
            except BudgetSpentError:
                if not self._held:
                    raise
                self._settled.clear()
                await self._settled.wait()
            else:
                self._held.add(reservation)
                if draws:
                    self.kept_back = self.kept_back.after_one
                return reservation

    @property
    def held(self) -> Amounts:
        """The room that is kept for the calls in flight."""
        held = self._held
        return Amounts(len(held), held.tokens, held.usd)

    def sizes(self, request: Request, purpose: str) -> tuple[int, int]:
        """Tokens of a request, and the most that its reply may have where a limit has room for them."""
        most = max(MOST_COMPLETION, 2 * self._longest.get(purpose, 0))
        return prompt_size(request), 0 if request.embed else request.max_tokens or most

    def hold(self, request: Request, purpose: str, price: Price | None) -> Reservation:
        """Keep room for a call that is bought already, whatever is left.

        Args:
            request: What was asked.
            purpose: The verb that asked.
            price: Of the model, or None when it is unknown.
        """
        prompt, completion = prompt_size(request), self.expected_reply(request, purpose)
        usd = price.cost(prompt, completion) if price else 0.0
        unpriced = "" if price else request.model
        reservation = Reservation(tokens=prompt + completion, usd=usd, ceiling=None, unpriced=unpriced)
        self._held.add(reservation)
        return reservation

    def expected(self, request: Request, purpose: str) -> int:
        """Tokens that a call will probably take, prompt and completion."""
        return prompt_size(request) + self.expected_reply(request, purpose)

    def expected_reply(self, request: Request, purpose: str) -> int:
        """Tokens that a reply will probably take: as many as the longest of its kind so far."""
        return 0 if request.embed else self._longest.get(purpose, 0) or LEAST_COMPLETION

    def settle(self, reservation: Reservation, purpose: str, reply: Reply, number: int = 0) -> None:
        """Replace a reservation by what the call really took.

        Args:
            reservation: What was kept for it.
            purpose: The verb that asked.
            reply: What came.
            number: The round that asked.
        """
        self._longest[purpose] = max(self._longest.get(purpose, 0), reply.usage.completion_tokens)
        if model := reservation.unpriced:
            if reply.cost_usd is None:
                self._unpriced.add(model)
            else:
                self._dearest[model] = max(self._dearest.get(model, 0.0), reply.cost_usd)
        usage = reply.usage
        for spending in (self.spending, self.by_round.setdefault((purpose, number), Spending())):
            spending.add(
                usage.prompt_tokens, usage.completion_tokens, reply.cost_usd, estimated=usage.estimated
            )
        self.release(reservation)

    def is_overrun(self, reservation: Reservation, completion: int, price: Price | None) -> bool:
        """Whether a reply on its way is longer than the rest of the budget, its own room included.

        An endpoint that ignores the ceiling could write for ever.

        Args:
            reservation: What was kept for the call.
            completion: Tokens that came.
            price: Of the model.
        """
        if reservation.ceiling is None or completion <= reservation.ceiling:
            return False
        limits, spent, more = self.limits, self.spending, completion - reservation.ceiling
        kept = self.kept_back
        if limits.tokens is not None:
            held = self._held.tokens
            if spent.tokens + held + kept.tokens + more > limits.tokens:
                return True
        if limits.usd is None or price is None:
            return False
        held_usd = self._held.usd
        return spent.cost_usd + held_usd + kept.usd + price.cost(0, more) > limits.usd

    def dearest(self, model: str) -> float | None:
        """USD of the dearest call of a model whose endpoint reports costs; None for every other model."""
        return self._dearest.get(model)

    def release(self, reservation: Reservation) -> None:
        """Give the room back; safe to call twice."""
        self._held.discard(reservation)
        self._asked_first.discard(reservation.unpriced)
        self._settled.set()

    def check(self, limits: BudgetSettings) -> None:
        """Make sure that limits can be kept with the models that were asked so far.

        Raises:
            UnknownPriceError: They cannot.
        """
        if limits.usd is not None and self._unpriced:
            raise UnknownPriceError(self._unpriced)

    def change(self, limits: BudgetSettings) -> None:
        """Set new limits; they hold from the next call on."""
        self.limits = limits
        self._settled.set()

    def begin_test(self, reserve: KeptBack) -> None:
        """Give what is kept back to the calls that come now.

        Args:
            reserve: What the test takes, without the room for repeated calls.
        """
        self.kept_back, self.is_testing = reserve, True
        self._settled.set()

    def stop_clock(self) -> None:
        """Count no time while nobody works; safe to call twice."""
        if self._paused_at is None:
            self._paused_at = self._clock()

    def start_clock(self) -> None:
        """Count time again; safe to call twice."""
        if self._paused_at is not None:
            self._started += self._clock() - self._paused_at
            self._paused_at = None

    async def _learn_price(self, model: str) -> None:
        """Wait until the first reply of a model has shown whether its endpoint reports costs.

        Raises:
            UnknownPriceError: It does not.
        """
        while self.limits.usd is not None and model not in self._dearest:
            if model in self._unpriced:
                raise UnknownPriceError(self._unpriced)
            if model not in self._asked_first:
                self._asked_first.add(model)
                return
            self._settled.clear()
            await self._settled.wait()

    def _fit(self, request: Request, purpose: str, price: Price | None, reserve: KeptBack) -> Reservation:
        limits, spent = self.limits, self.spending
        if limits.calls is not None and spent.calls + len(self._held) + reserve.calls >= limits.calls:
            raise _calls_spent(limits.calls, reserve.calls)
        if self.seconds_left == 0:
            raise BudgetSpentError(_("The budget of {minutes:g} minutes is spent.", minutes=limits.minutes))
        if limits.tokens is None and limits.usd is None:
            unpriced = "" if price else request.model
            return Reservation(tokens=0, usd=0.0, ceiling=None, unpriced=unpriced)
        prompt, wanted = self.sizes(request, purpose)
        longest = self._longest.get(purpose, 0)
        needed = min(wanted, max(LEAST_COMPLETION, longest * 5 // 4))
        least_usd = price.cost(prompt, needed) if price else self._dearest.get(request.model, 0.0)
        self.needed[purpose] = prompt + needed, least_usd
        room: int | None = None
        if limits.tokens is not None:
            left_tokens = limits.tokens - spent.tokens - self._held.tokens
            room = left_tokens - reserve.tokens - prompt
            if room < needed:
                raise _tokens_spent(limits.tokens, max(0, left_tokens), reserve.tokens)
        usd = 0.0
        if limits.usd is not None and price is None:
            usd = self._dearest.get(request.model, 0.0)
            left = limits.usd - spent.cost_usd - self._held.usd - reserve.usd
            if left <= 0 or left < usd:
                raise self._usd_spent(limits.usd, reserve.usd)
        if limits.usd is not None and price is not None and (price.input or price.output):
            left = limits.usd - spent.cost_usd - self._held.usd - reserve.usd
            left -= price.cost(prompt, 0)
            affordable = int(left * 1_000_000 / price.output) if price.output else wanted
            if left < 0 or affordable < needed:
                raise self._usd_spent(limits.usd, reserve.usd)
            room = affordable if room is None else min(room, affordable)
        ceiling = None if room is None else min(room, wanted)
        most = ceiling or wanted
        return Reservation(
            tokens=prompt + most,
            usd=price.cost(prompt, most) if price else usd,
            ceiling=ceiling,
            is_tight=ceiling is not None and ceiling < wanted,
            unpriced="" if price else request.model,
        )

    def _usd_spent(self, limit: float, reserve: float) -> BudgetSpentError:
        left = max(0.0, limit - self.spending.cost_usd)
        if reserve:
            return BudgetSpentError(
                _(
                    "The budget of ${limit:g} is spent: ${left:.4f} left, of which ${kept:.4f} is kept back "
                    "for the test.",
                    limit=limit,
                    left=left,
                    kept=reserve,
                )
            )
        return BudgetSpentError(
            _(
                "The budget of ${limit:g} is spent: ${left:.4f} left, too little for another call.",
                limit=limit,
                left=left,
            )
        )


def _calls_spent(limit: int, reserve: int) -> BudgetSpentError:
    if reserve >= limit:
        return BudgetSpentError(
            _(
                "The budget of {calls:,} calls leaves none for rounds: {kept:,} are kept back for the test.",
                calls=limit,
                kept=reserve,
            )
        )
    if reserve:
        return BudgetSpentError(
            _(
                "The budget of {calls:,} calls is spent, except for {kept:,} kept back for the test.",
                calls=limit,
                kept=reserve,
            )
        )
    return BudgetSpentError(_("The budget of {calls:,} calls is spent.", calls=limit))


def _tokens_spent(limit: int, left: int, reserve: int) -> BudgetSpentError:
    if reserve:
        return BudgetSpentError(
            _(
                "The budget of {tokens:,} tokens is spent: {value:,} left, of which {kept:,} are kept back "
                "for the test.",
                tokens=limit,
                value=left,
                kept=reserve,
            )
        )
    return BudgetSpentError(
        _(
            "The budget of {tokens:,} tokens is spent: {value:,} left, too few for another call.",
            tokens=limit,
            value=left,
        )
    )
