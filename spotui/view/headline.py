"""What a run is worth so far, what is left of its budget, and how long it will take: its headline."""

from dataclasses import dataclass
from functools import lru_cache
from typing import Final

from spotui.domain.events import CandidateScored, FinalCheckFinished, RoundFinished
from spotui.domain.figures import clock, count, percent, points, usd
from spotui.domain.statistics import Comparison, compare, wilson
from spotui.lang import N_, _, ngettext
from spotui.view.picture import Picture


@dataclass(frozen=True)
class Gain:
    """The gain of the best prompt over the seed.

    Attributes:
        texts: The same in words, from the longest to the shortest.
        is_beyond_noise: Whether the interval and the A/A floor leave no doubt that there is one.
    """

    texts: tuple[str, ...]
    is_beyond_noise: bool = False


@dataclass(frozen=True)
class Budget:
    """How much of a limit is spent.

    Attributes:
        name: What is counted.
        share: The part that is spent, 0..1.
        text: What is spent of how much.
    """

    name: str
    share: float
    text: str


def gain(picture: Picture) -> Gain:
    """The gain of the best prompt over the seed, or why there is none to report.

    A test on unseen rows or a final check counts more than what the rounds themselves say: each round was won
    by a prompt that was chosen for winning it.
    """
    if picture.is_scored:
        return _gain_in_points(picture)
    seed = picture.rounds.get(1)
    if seed is None or seed.end is None:
        return Gain((_("The seed prompt has not been answered yet."), _("no result yet")))
    if picture.best <= 1:
        return Gain((_("No candidate has beaten the seed prompt yet."), _("no gain yet")))
    return _gain_in_votes(picture)


def _gain_in_points(picture: Picture) -> Gain:
    tested = picture.tested
    if tested is not None and tested.best == picture.best:
        difference, interval = tested.difference, tested.difference_interval
        is_beyond = difference >= tested.floor and interval[0] > 0
        rows = ngettext("{n:,} unseen row", "{n:,} unseen rows", tested.rows)
        return _points(picture.best, difference, interval, rows, is_beyond=is_beyond)
    seed = _scored(picture, picture.prompt_of(1))
    if seed is None:
        return Gain((_("The seed prompt has no score yet."), _("no result yet")))
    score, low, high = points(seed.score), points(seed.low), points(seed.high)
    if picture.best <= 1:
        text = _(
            "The seed scores {score} (95% CI {low} to {high}); no candidate is better yet.",
            score=score,
            low=low,
            high=high,
        )
        return Gain((text, _("no gain yet")))
    best = _scored(picture, picture.prompt_of(picture.best))
    if best is None:
        return Gain((_("Best so far: round {best}.", best=picture.best), _("no result yet")))
    both = compared(seed, best)
    interval = both.interval.low, both.interval.high
    is_beyond = both.is_beyond_floor and both.interval.low > 0
    rows = ngettext(
        "{n:,} row that it was chosen by",
        "{n:,} rows that it was chosen by",
        both.wins + both.losses + both.ties,
    )
    return _points(picture.best, both.difference, interval, rows, is_beyond=is_beyond)


def _points(
    best: int, difference: float, interval: tuple[float, float], rows: str, *, is_beyond: bool
) -> Gain:
    low, high = (f"{100 * end:.1f}" for end in interval)
    value = f"{100 * difference:+.1f}"
    found = _("{value} points (95% CI {low} to {high})", value=value, low=low, high=high)
    if not is_beyond:
        return _noise(best, _("{found} on {rows}", found=found, rows=rows), found)
    texts = (
        _(
            "Best: round {best}, {value} points over the seed (95% CI {low} to {high}) on {rows}",
            best=best,
            value=value,
            low=low,
            high=high,
            rows=rows,
        ),
        _("Best: round {best}, {found}", best=best, found=found),
        found,
    )
    return Gain(texts, is_beyond_noise=True)


def _gain_in_votes(picture: Picture) -> Gain:
    best = picture.rounds.get(picture.best)
    check = picture.check
    if isinstance(check, FinalCheckFinished) and check.best == picture.best:
        if check.win_rate is None or check.win_interval is None:
            return _noise(picture.best, _("no difference from the seed on any question"))
        return _rate(picture.best, check.win_rate, check.win_interval)
    end = best.end if best is not None else None
    if best is None or end is None or best.best > 1:
        wins = sum(one.outcome == "win" for one in picture.rounds.values())
        text = ngettext(
            "Best so far: round {best}, after {n:,} won duel; it has not been compared with the seed yet.",
            "Best so far: round {best}, after {n:,} won duels; it has not been compared with the seed yet.",
            wins,
            best=picture.best,
        )
        return Gain((text, _("not compared with the seed yet")))
    rate = vote_rate(end)
    if rate is None:
        return _noise(picture.best, _("no vote chose a side"))
    return _rate(picture.best, *rate)


def vote_rate(end: RoundFinished) -> tuple[float, tuple[float, float]] | None:
    """The win rate of a duel with its 95% interval; None where no vote chose a side."""
    if end.win_rate is not None and end.win_interval is not None:
        return end.win_rate, end.win_interval
    wins, losses = max(0, end.wins), max(0, end.losses)
    if not wins + losses:
        return None
    interval = wilson(wins, wins + losses)
    return wins / (wins + losses), (interval.low, interval.high)


def _rate(best: int, rate: float, interval: tuple[float, float]) -> Gain:
    share = percent(rate)
    low, high = (f"{100 * end:.0f}" for end in interval)
    found = _("win rate {share} (95% CI {low} to {high})", share=share, low=low, high=high)
    whole = _("win rate {share} against the seed (95% CI {low} to {high})", share=share, low=low, high=high)
    if interval[0] <= 0.5:
        return _noise(best, whole, found)
    texts = (
        _("Best: round {best}, {found}", best=best, found=whole),
        _("Best: round {best}, {found}", best=best, found=found),
        found,
    )
    return Gain(texts, is_beyond_noise=True)


def _noise(best: int, *found: str) -> Gain:
    """A gain that may be chance, with what was found from the longest to the shortest."""
    texts = [
        _("Best so far: round {best}. No gain beyond noise yet: {found}", best=best, found=one)
        for one in found
    ]
    return Gain(
        (*texts, _("No gain beyond noise yet: {found}", found=found[-1]), _("no gain beyond noise yet"))
    )


def compared(old: CandidateScored, new: CandidateScored) -> Comparison:
    """Two scored prompts on the rows that both have a mark for."""
    before, after = marks_by_row(old), marks_by_row(new)
    rows = sorted(before.keys() & after.keys())
    return _compared(tuple(before[row] for row in rows), tuple(after[row] for row in rows))


@lru_cache(maxsize=8)  # of many marks that are not 0 or 1 the interval takes some milliseconds
def _compared(old: tuple[float | None, ...], new: tuple[float | None, ...]) -> Comparison:
    return compare(old, new)


def marks_by_row(event: CandidateScored) -> dict[int, float | None]:
    """The marks of a scored prompt, by the row's position in its split."""
    positions = event.positions or range(event.first, event.first + len(event.marks))
    return dict(zip(positions, event.marks, strict=False))


def _scored(picture: Picture, prompt: str) -> CandidateScored | None:
    """The score of a prompt on the most rows, whichever round brought it."""
    found = (one.scores.by_prompt.get(prompt) for one in picture.rounds.values())
    return max((one for one in found if one is not None), key=lambda one: len(one.marks), default=None)


_NAMES: Final = {
    "calls": N_("calls"),
    "usd": N_("cost"),
    "tokens": N_("tokens"),
    "minutes": N_("time"),
    "rounds": N_("rounds"),
}


def budget(picture: Picture) -> Budget | None:
    """What is spent of the budget of calls, else of the limit that is nearest, else of the wanted rounds."""
    spent, limits = picture.spending, picture.limits
    found: dict[str, Budget] = {}
    if spent is not None:
        tokens = spent.prompt_tokens + spent.completion_tokens
        for name, value, written in (
            ("calls", spent.calls, lambda number: f"{number:,.0f}"),
            ("usd", spent.cost_usd, usd),
            ("tokens", tokens, lambda number: count(round(number))),
            ("minutes", spent.seconds / 60, lambda number: clock(60 * number)),
        ):
            if limit := limits.get(name):
                text = _("{spent} of {limit}", spent=written(value), limit=written(limit))
                found[name] = Budget(_(_NAMES[name]), min(1.0, value / limit), text)
    if "calls" in found:
        return found["calls"]
    if found:
        return max(found.values(), key=lambda one: one.share)
    if not picture.rounds_wanted:
        return None
    ended = sum(one.end is not None for one in picture.rounds.values())
    text = _("{spent:,} of {limit:,}", spent=ended, limit=picture.rounds_wanted)
    return Budget(_(_NAMES["rounds"]), min(1.0, ended / picture.rounds_wanted), text)


def seconds_left(picture: Picture) -> float | None:
    """Until the wanted rounds are done or the budget is spent, whichever is first; pauses do not count.

    None when unknown, and when nothing is left to wait for.
    """
    left, spent, limits = picture.seconds_left, picture.spending, picture.limits
    if picture.stopped is not None or spent is None:
        return left
    ends = [] if left is None else [left]
    if (calls := limits.get("calls")) and spent.calls and spent.seconds:
        ends.append(max(0.0, calls - spent.calls) * spent.seconds / spent.calls)
    if minutes := limits.get("minutes"):
        ends.append(max(0.0, 60 * minutes - spent.seconds))
    return min(ends, default=None) if left is not None else None
