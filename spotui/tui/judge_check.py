"""Checking a judge before a run is paid for, in a process of its own."""

from collections.abc import Callable, Sequence

import msgspec

from spotui.errors import SpotuiError
from spotui.tui.child import ask, listen
from spotui.view.figures import duration, percent, plural, usd

Interval = tuple[float, float]


class Known(msgspec.Struct, frozen=True):
    """What an earlier check has found.

    Attributes:
        template: What it was made on.
        comparisons: Answers that were compared with a damaged copy.
        settled: Those that the judge decided rightly.
        pairs: Comparisons whose votes chose a side in both orders.
        flips: Those in which the order decided.
        fit: Whether the judge may judge a run.
    """

    template: str
    comparisons: int
    settled: int
    pairs: int
    flips: int
    fit: bool

    @property
    def line(self) -> str:
        """The same in a few words."""
        flips = f", flips {percent(self.flips / self.pairs)}" if self.pairs else ""
        return f"{self.settled} of {self.comparisons}{flips}"


class Offer(msgspec.Struct, frozen=True):
    """What a check would take, and what is known already.

    Attributes:
        judge: The kind of judge.
        models: Who judges.
        compares: Whether the run's method compares answers at all.
        calls: How many; the others alike.
        usd: USD, or None when a price is unknown.
        seconds: How long.
        missing: Embedded models that have to be fetched first.
        warnings: What stands against it.
        known: The newest check of this judge, on this template if there is one, or None.
    """

    judge: str
    models: tuple[str, ...]
    compares: bool
    calls: int
    usd: float | None
    seconds: float
    missing: tuple[str, ...]
    warnings: tuple[str, ...]
    known: Known | None

    @property
    def who(self) -> str:
        """The judge in a few words."""
        return f"{' + '.join(self.models)}, {self.judge}"

    @property
    def cost(self) -> str:
        """What it takes."""
        return f"about {plural(self.calls, 'call')}, {usd(self.usd)}, {duration(self.seconds)}"


class Found(msgspec.Struct, frozen=True):
    """What a check has found: see `spotui judge-check --json`."""

    fit: bool
    votes: int
    right: int
    voids: int
    comparisons: int
    settled: int
    pairs: int
    flips: int
    warning: str
    calls: int
    cost_usd: float | None
    estimated: bool
    accuracy: float | None = None
    accuracy_interval: Interval | None = None
    flip_rate: float | None = None
    flip_interval: Interval | None = None
    compared: int = 0
    agreed: int = 0

    @property
    def verdict(self) -> str:
        """The result in one sentence."""
        order = f"; the order decided in {self.flips}" if self.pairs else ""
        return f"Right in {self.settled} of {self.comparisons}{order}."

    @property
    def figures(self) -> list[str]:
        """Every figure behind it, with its interval."""
        accuracy = _share(self.accuracy, self.accuracy_interval)
        lines = [f"Votes that are right: {self.right} of {self.votes}{accuracy}"]
        if self.pairs:
            rate = _share(self.flip_rate, self.flip_interval)
            lines.append(f"Pairs of votes that the order flips: {self.flips} of {self.pairs}{rate}")
        if self.voids:
            lines.append(f"Votes without a choice: {self.voids}")
        if self.compared:
            lines.append(f"The judges agreed in {self.agreed} of {self.compared}.")
        return lines

    @property
    def caution(self) -> str:
        """What to beware of; empty when the judge is in order."""
        if self.fit:
            return ""
        what = self.warning or "It is not right more often than chance would have it."
        return f"{what} It is not fit for a run: choose another evaluator or another kind of judge."


async def offer(template: str, words: Sequence[str]) -> Offer:
    """What a check on a template would take; asks no model.

    Args:
        template: Its path, or the name of a shipped one.
        words: Options of the run that is planned.

    Raises:
        SpotuiError: The template or an option is wrong.
    """
    told = await ask(["judge-check", template, "--estimate", "--json", *words])
    if told.fault:
        raise SpotuiError(told.fault)
    return msgspec.json.decode(told.out, type=Offer)


async def check(template: str, words: Sequence[str], on_call: Callable[[int, int], None]) -> Found:
    """Check a judge; when nobody waits any more it ends, and what was asked is kept.

    Args:
        template: As in `offer`.
        words: The same.
        on_call: Called after every call with how many are done, and of how many.

    Raises:
        SpotuiError: It could not be done, and why.
    """
    found: list[Found] = []

    def take(line: bytes) -> None:
        said = msgspec.json.decode(line)
        if "done" in said:
            on_call(said["done"], said["of"])
        else:
            found.append(msgspec.convert(said, Found))

    told = await listen(["judge-check", template, "--json-lines", *words], take)
    if not found:
        raise SpotuiError(told.fault or "It ended without a result.")
    return found[0]


def _share(rate: float | None, interval: Interval | None) -> str:
    if rate is None or interval is None:
        return ""
    low, high = interval
    return f", {percent(rate)} ({percent(low)} to {percent(high)})"
