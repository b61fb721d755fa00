"""The price and the latency of an answer: what a prompt costs once it is deployed, beside its score.

USD and tokens are means, as a bill is the mean times the number of answers. Seconds are a median, as one cold
start or one queue would pull a mean away from what most users wait.
"""

import math
from collections.abc import Iterable, Mapping, Sequence
from typing import Final, Literal, NamedTuple

import msgspec

from spotui.domain.figures import clock, count, usd
from spotui.domain.text import estimate_tokens
from spotui.lang import _

Prefer = Literal["none", "cheaper", "shorter"]
"""What decides between prompts that are equally good as far as one can tell."""

Preferred = Literal["cheaper", "shorter"]
"""What a round's prompt was preferred for."""


class AnswerCost(msgspec.Struct, frozen=True, omit_defaults=True, gc=False):
    """The cost of an answer with one prompt; repairs and all turns of a conversation are part of it.

    Attributes:
        answers: The answers that it was measured on, 1 or more.
        prompt_tokens: Mean tokens that the model reads for one, cached ones included.
        completion_tokens: Mean tokens that it writes, reasoning included.
        cached_tokens: The mean part of the prompt that the endpoint read from its cache.
        usd: Mean price of one, or None where the price of any call is unknown.
        seconds: Median time to the last byte of one, or None where calls were sent as a batch.
        estimated: Whether any count of tokens is an estimate.
    """

    answers: int
    prompt_tokens: float
    completion_tokens: float
    cached_tokens: float = 0.0
    usd: float | None = None
    seconds: float | None = None
    estimated: bool = False


class Taken(NamedTuple):
    """What one call for an answer took, or all calls for it together.

    Attributes:
        prompt_tokens: Read.
        completion_tokens: Written.
        cached_tokens: Read from the cache.
        usd: The price, or None where it is unknown.
        seconds: To the last byte.
        estimated: Whether the tokens are an estimate.
    """

    prompt_tokens: int
    completion_tokens: int
    cached_tokens: int
    usd: float | None
    seconds: float
    estimated: bool = False


def together(calls: Sequence[Taken]) -> Taken:
    """The calls for one answer as one."""
    prices = [one.usd for one in calls if one.usd is not None]
    return Taken(
        sum(one.prompt_tokens for one in calls),
        sum(one.completion_tokens for one in calls),
        sum(one.cached_tokens for one in calls),
        math.fsum(prices) if len(prices) == len(calls) else None,
        math.fsum(one.seconds for one in calls),
        any(one.estimated for one in calls),
    )


def cost_of(answers: Iterable[Taken], *, is_timed: bool = True) -> AnswerCost | None:
    """The cost of an answer, in whatever order they came; None without any.

    Args:
        answers: One an answer.
        is_timed: Whether their seconds say how long a user waits; those of a batch do not.
    """
    found = list(answers)
    if not found:
        return None
    prices = [one.usd for one in found if one.usd is not None]
    return AnswerCost(
        answers=len(found),
        prompt_tokens=sum(one.prompt_tokens for one in found) / len(found),
        completion_tokens=sum(one.completion_tokens for one in found) / len(found),
        cached_tokens=sum(one.cached_tokens for one in found) / len(found),
        usd=math.fsum(prices) / len(found) if len(prices) == len(found) else None,
        seconds=_median([one.seconds for one in found]) if is_timed else None,
        estimated=any(one.estimated for one in found),
    )


def _median(seconds: Sequence[float]) -> float:
    ordered, middle = sorted(seconds), len(seconds) // 2
    return round((ordered[middle] + ordered[~middle]) / 2, 3)


def is_cheaper(first: AnswerCost | None, second: AnswerCost | None) -> bool | None:
    """Whether an answer is cheaper with one prompt than with another; None where that is not known.

    Without a price, fewer tokens are cheaper at any price, if neither kind is more.
    """
    if first is None or second is None:
        return None
    if first.usd is not None and second.usd is not None and (first.usd or second.usd):
        return first.usd < second.usd
    mine = first.prompt_tokens, first.completion_tokens
    theirs = second.prompt_tokens, second.completion_tokens
    if mine[0] <= theirs[0] and mine[1] <= theirs[1]:
        return mine != theirs
    return False if mine[0] >= theirs[0] and mine[1] >= theirs[1] else None


def is_preferred(
    prefer: Prefer, first: tuple[str, AnswerCost | None], second: tuple[str, AnswerCost | None]
) -> bool | None:
    """Whether one prompt is preferred to another that is as good; None where nothing says so.

    Args:
        prefer: What decides.
        first: A prompt with the cost of an answer.
        second: The other one.
    """
    if prefer == "cheaper":
        return is_cheaper(first[1], second[1])
    if prefer == "shorter":
        return estimate_tokens(first[0]) < estimate_tokens(second[0])
    return None


def reason(
    prefer: Prefer, first: tuple[str, AnswerCost | None], second: tuple[str, AnswerCost | None]
) -> str:
    """The difference that decides between two prompts, for a sentence in brackets."""
    if prefer == "shorter":
        mine, theirs = (estimate_tokens(text) for text, _cost in (first, second))
        return _("~{mine} tokens in the prompt, not ~{theirs}", mine=count(mine), theirs=count(theirs))
    if first[1] is None or second[1] is None:
        return ""
    if first[1].usd is not None and second[1].usd is not None and (first[1].usd or second[1].usd):
        return _("{mine} an answer, not {theirs}", mine=price(first[1]), theirs=price(second[1]))
    mine, theirs = (round(cost.prompt_tokens + cost.completion_tokens) for cost in (first[1], second[1]))
    return _("{mine} tokens an answer, not {theirs}", mine=f"{mine:,}", theirs=f"{theirs:,}")


_SMALL: Final = 0.01
"""USD below which a price is shown with three significant digits: answers cost thousandths of a cent."""


def dollars(amount: float) -> str:
    """An amount of USD that may be thousandths of a cent."""
    if not 0 < amount < _SMALL:
        return usd(amount)
    return f"${amount:.{min(2 - math.floor(math.log10(amount)), 12)}f}"


def price(cost: AnswerCost | None) -> str:
    """The price of an answer as it is shown; an unknown one is left out, and never shown as $0."""
    if cost is None or cost.usd is None:
        return ""
    return f"{'~' if cost.estimated and cost.usd else ''}{dollars(cost.usd)}"


def latency(cost: AnswerCost | None) -> str:
    """The seconds of an answer as they are shown; empty where they are unknown."""
    return "" if cost is None or cost.seconds is None else clock(cost.seconds)


def in_words(cost: AnswerCost) -> str:
    """The cost of an answer in a few words: price, time, tokens; what is unknown is left out."""
    mark = "~" if cost.estimated else ""
    tokens = {
        "prompt": f"{mark}{cost.prompt_tokens:,.0f}",
        "completion": f"{mark}{cost.completion_tokens:,.0f}",
        "cached": f"{cost.cached_tokens:,.0f}",
    }
    if cost.cached_tokens:
        read = _("{prompt} tokens in ({cached} cached), {completion} out", **tokens)
    else:
        read = _("{prompt} tokens in, {completion} out", **tokens)
    usual = _("{seconds} (median)", seconds=latency(cost)) if cost.seconds is not None else ""
    mean = _("{price} (mean)", price=price(cost)) if cost.usd is not None else ""
    return ", ".join(filter(None, (mean, usual, read)))


def pareto_front(points: Mapping[str, tuple[float, float]]) -> frozenset[str]:
    """The names of the points that no other beats: none is as good or better at a price as low or lower.

    Of equal points all belong to it.

    Args:
        points: The score and the price of each.
    """
    front: set[str] = set()
    best = -math.inf
    by_price: dict[float, list[str]] = {}
    for name, (_score, cost) in points.items():
        by_price.setdefault(cost, []).append(name)
    for cost in sorted(by_price):
        top = max(points[name][0] for name in by_price[cost])
        if top > best:
            best = top
            front.update(name for name in by_price[cost] if points[name][0] == top)
    return frozenset(front)
