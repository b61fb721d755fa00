"""The limits of endpoints over several machines: calls in flight are shared out, rates are asked for.

Home knows how many calls each run wants to have in flight, and gives and takes back places one way only: a
place is with home, or with one run. So there are never more calls in flight than the endpoint allows.
"""

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from typing import Any, Final

import msgspec

from spotui.llm.limits import Limiter
from spotui.llm.routing import Limits
from spotui.runs.sweep.cluster.link import Link, Message

_IDLE: Final = 0.1
"""Seconds after which places that nobody uses go home; the calls of a round come one after another."""


def endpoint_of(server: str, limits: Limits) -> str:
    """The name of an endpoint with its limits in messages."""
    return msgspec.json.encode((server, limits)).decode()


def limits_of(endpoint: str) -> Limits:
    """The limits in the name of an endpoint."""
    return msgspec.json.decode(endpoint, type=tuple[str, Limits])[1]


class _Holder:
    """What a run holds of an endpoint: `granted` places, of which `recalled` are asked back."""

    def __init__(self) -> None:
        self.granted = 0
        self.recalled = 0
        self.wanted = 0


class Endpoint:
    """An endpoint at home.

    Args:
        limits: Of all runs together.
        tell: Sends a message to a run: its name, the operation, and a number.
    """

    def __init__(self, limits: Limits, tell: Callable[[str, str, int], None]) -> None:
        self._places = limits.concurrency
        self._tell = tell
        self._holders: dict[str, _Holder] = {}
        self.rates = Limiter(limits)

    @property
    def in_use(self) -> int:
        """Places that are not at home."""
        return sum(one.granted for one in self._holders.values())

    def want(self, run: str, places: int) -> None:
        """Take note of how many calls a run wants to have in flight."""
        self._holders.setdefault(run, _Holder()).wanted = places
        self._share()

    def give_back(self, run: str, places: int) -> None:
        """Take places back from a run."""
        holder = self._holders[run]
        holder.granted -= places
        holder.recalled = max(0, holder.recalled - places)
        self._share()

    def leave(self, run: str) -> None:
        """Forget a run: what it held is free."""
        if self._holders.pop(run, None) is not None:
            self._share()

    def _share(self) -> None:
        """Give free places to those that have least, and ask back what others hold beyond their part."""
        targets = self._targets()
        free = self._places - self.in_use
        for run in sorted(targets, key=lambda one: self._holders[one].granted):
            holder = self._holders[run]
            more = min(free, targets[run] - holder.granted)
            if more > 0:
                free -= more
                holder.granted += more
                self._tell(run, "grant", more)
        is_short = any(targets[run] > one.granted for run, one in self._holders.items())
        for run, holder in self._holders.items():
            excess = holder.granted - holder.recalled - targets[run]
            if is_short and excess > 0:
                holder.recalled += excess
                self._tell(run, "recall", excess)

    def _targets(self) -> dict[str, int]:
        """Equal parts for all, and what some of them do not want for the others."""
        found: dict[str, int] = {}
        left = self._places
        waiting = sorted(
            self._holders, key=lambda run: (self._holders[run].wanted, -self._holders[run].granted)
        )
        for at, run in enumerate(waiting):
            part = -(-left // (len(waiting) - at))
            found[run] = min(self._holders[run].wanted, part)
            left -= found[run]
        return found


class LeasedLimiter(Limiter):
    """The limits of an endpoint on a worker, for one run.

    Args:
        endpoint: The name of the endpoint.
        limits: Its limits.
        link: The way home.
    """

    def __init__(self, endpoint: str, limits: Limits, link: Link) -> None:
        super().__init__(msgspec.structs.replace(limits, requests_per_minute=None, tokens_per_minute=None))
        self._endpoint = endpoint
        self._link = link
        self._is_rated = (limits.requests_per_minute, limits.tokens_per_minute) != (None, None)
        self._share = 0
        self._owed = 0
        self._used = 0
        self._told = 0
        self._waiters: deque[asyncio.Future[None]] = deque()
        self._idle: asyncio.TimerHandle | None = None

    @property
    def has_rates(self) -> bool:
        """Whether calls may have to wait for their turn."""
        return self._is_rated

    async def turn(self, tokens: int) -> None:
        """Wait until home allows another call."""
        await self._link.ask("turn", endpoint=self._endpoint, tokens=tokens)

    def hold_for(self, seconds: float) -> None:
        """Let no call out for so long, here and on every other worker."""
        super().hold_for(seconds)
        self._link.send("hold", endpoint=self._endpoint, seconds=seconds)

    @asynccontextmanager
    async def slot(self) -> AsyncIterator[None]:
        """A place among the calls in flight of all workers; see `Limiter.slot`."""
        await self._take()
        try:
            async with super().slot():
                yield
        finally:
            self._release()

    def take(self, message: Message) -> None:
        """Take a message of home about this endpoint."""
        match message["op"]:
            case "grant":
                self._share += message["n"]
            case "recall":
                self._owed += message["n"]
            case "hold":
                super().hold_for(message["seconds"])
        self._settle()

    async def _take(self) -> None:
        if self._used < self._share and not self._waiters:
            self._used += 1
            return
        waiter = asyncio.get_running_loop().create_future()
        self._waiters.append(waiter)
        self._want()
        try:
            await waiter
        except asyncio.CancelledError:
            if waiter.done() and not waiter.cancelled():
                self._release()
            else:
                with suppress(ValueError):
                    self._waiters.remove(waiter)
            raise

    def _release(self) -> None:
        self._used -= 1
        self._settle()

    def _settle(self) -> None:
        """Pay back what home asked for, let waiting calls go, and give back later what nobody uses."""
        if pay := min(self._owed, self._share - self._used):
            self._owed -= pay
            self._pay(pay)
        while self._waiters and self._used < self._share:
            waiter = self._waiters.popleft()
            if not waiter.done():
                self._used += 1
                waiter.set_result(None)
        if self._share > self._used and self._idle is None:
            self._idle = asyncio.get_running_loop().call_later(_IDLE, self._give_back)

    def _give_back(self) -> None:
        self._idle = None
        if idle := self._share - self._used:
            self._want()
            self._pay(idle)

    def _pay(self, places: int) -> None:
        self._share -= places
        self._link.send("give_back", endpoint=self._endpoint, n=places)

    def _want(self) -> None:
        wanted = self._used + len(self._waiters)
        if wanted != self._told:
            self._told = wanted
            self._link.send("want", endpoint=self._endpoint, n=wanted)


class LeasedLimiters:
    """The limits of every endpoint that a run on a worker asks.

    Args:
        link: The way home.
    """

    def __init__(self, link: Link) -> None:
        self._link = link
        self._known: dict[str, LeasedLimiter] = {}

    def __call__(self, server: str, limits: Limits) -> Limiter:
        """The limits of a server, which are made when first asked for."""
        name = endpoint_of(server, limits)
        if name not in self._known:
            self._known[name] = LeasedLimiter(name, limits, self._link)
        return self._known[name]

    def take(self, message: Message) -> None:
        """Take a message of home about an endpoint."""
        if found := self._known.get(message["endpoint"]):
            found.take(message)


def tell_run(link: Link, op: str, endpoint: str, value: Any) -> None:
    """Send a message about an endpoint to a run."""
    key = "seconds" if op == "hold" else "n"
    link.send(op, endpoint=endpoint, **{key: value})
