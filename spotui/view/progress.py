"""How a run got on: what each candidate was worth against the calls spent by then, and what that took."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from spotui.domain.statistics import wilson
from spotui.domain.verdicts import BEST_SO_FAR
from spotui.view.headline import vote_rate
from spotui.view.picture import Picture, RoundPicture


@dataclass(frozen=True)
class Trial:
    """A candidate and what it was worth.

    Attributes:
        round: Its round.
        calls: Calls of the run by then; those of a round are spread evenly over its candidates.
        value: Its score or win rate, 0..1; None where it has neither, e.g. because it was refused.
        low: The lower end of its 95% interval.
        high: The upper end.
        outcome: What became of it: a verdict, or `open` while the round is under way.
    """

    round: int
    calls: float
    value: float | None
    low: float | None
    high: float | None
    outcome: str


class Spent(NamedTuple):
    """What a run had taken at a moment: seconds without pauses, calls, USD and tokens."""

    seconds: float
    calls: int
    cost: float
    tokens: int


class _Seen(NamedTuple):
    end: object
    outcome: str | None
    candidates: int
    votes: int
    calls: int


@dataclass
class Progress:
    """The trials of a run; a round that has not changed is not looked at again.

    Attributes:
        trials: Every candidate, in the order of the rounds.
        best: The best so far: calls and value at each round that brought another one.
        spent: What the run had taken at the end of each round, and now.
        is_scored: Whether values are scores rather than win rates.
        is_priced: Whether any cost is known.
    """

    trials: list[Trial] = field(default_factory=list)
    best: list[tuple[float, float]] = field(default_factory=list)
    spent: list[Spent] = field(default_factory=list)
    is_scored: bool = False
    is_priced: bool = False
    _seen: dict[int, _Seen] = field(default_factory=dict)
    _of_round: dict[int, list[Trial]] = field(default_factory=dict)

    def update(self, picture: Picture) -> bool:
        """Take in what has changed; whether anything has."""
        calls, is_changed, is_scored = 0, False, picture.is_scored
        if not self._seen.keys() <= picture.rounds.keys() or is_scored != self.is_scored:
            self._seen.clear()
            self._of_round.clear()
            is_changed = True
        self.is_scored = is_scored
        for number, one in sorted(picture.rounds.items()):
            now = picture.spending.calls if picture.spending is not None else calls
            of_round = one.end.calls if one.end is not None else max(0, now - calls)
            votes = sum(len(entry.votes) for entry in one.entries.values())
            seen = _Seen(one.end, one.outcome, len(one.scores.by_prompt), votes, calls + of_round)
            if seen != self._seen.get(number):
                self._seen[number], is_changed = seen, True
                self._of_round[number] = list(_trials(one, calls, of_round, is_scored=is_scored))
            calls += of_round
        spent = _spent(picture)
        if spent != self.spent:
            self.spent, is_changed = spent, True
        self.is_priced = any(one.cost for one in spent)
        if is_changed:
            self.trials = [trial for number in sorted(self._of_round) for trial in self._of_round[number]]
            self.best = list(self._best(picture))
        return is_changed

    def _best(self, picture: Picture) -> Sequence[tuple[float, float]]:
        """Where another prompt became the best; the seed's win rate against itself is one half."""
        found: list[tuple[float, float]] = []
        for number, trials in sorted(self._of_round.items()):
            one = picture.rounds[number]
            if one.end is None or one.outcome not in BEST_SO_FAR:
                continue
            kept = [trial for trial in trials if trial.outcome in BEST_SO_FAR and trial.value is not None]
            if kept:
                found.append((kept[-1].calls, kept[-1].value or 0.0))
            elif number == 1 and not self.is_scored:
                found.append((float(one.end.calls), 0.5))
        return found


def _trials(shown: RoundPicture, before: int, calls: int, *, is_scored: bool) -> Sequence[Trial]:
    if is_scored:
        scored = list(shown.scores.by_prompt.values())
        kept = shown.candidate.prompt if shown.candidate is not None else ""
        if shown.number == 1:
            kept = scored[0].prompt if scored else ""
        return [
            Trial(
                shown.number,
                before + calls * place / len(scored),
                event.score if event.rows or event.marks else None,
                event.low,
                event.high,
                (shown.outcome or "open") if event.prompt == kept else "refused" if event.unasked else "loss",
            )
            for place, event in enumerate(scored, 1)
        ] or _without_score(shown, before + calls)
    if shown.number == 1:
        return []
    if shown.several:
        return [
            _voted(shown, number, before + calls * place / len(shown.entries))
            for place, number in enumerate(sorted(shown.entries), 1)
        ]
    end = shown.end
    if end is None:
        return []
    rate, (low, high) = vote_rate(end) or (None, (None, None))
    return [Trial(shown.number, before + calls, rate, low, high, shown.outcome or "open")]


def _without_score(shown: RoundPicture, calls: float) -> list[Trial]:
    end = shown.end
    if end is None:
        return []
    low, high = end.score_interval or (None, None)
    return [Trial(shown.number, calls, end.score, low, high, shown.outcome or "open")]


def _voted(shown: RoundPicture, number: int, calls: float) -> Trial:
    choices = [vote.choice for vote in shown.entries[number].votes if vote.question is None]
    wins, decided = choices.count("win"), choices.count("win") + choices.count("loss")
    is_kept = shown.end is not None and shown.end.candidate == number
    outcome = (shown.outcome or "open") if is_kept else "loss" if shown.end is not None else "open"
    if not decided:
        return Trial(shown.number, calls, None, None, None, outcome)
    interval = wilson(wins, decided)
    return Trial(shown.number, calls, wins / decided, interval.low, interval.high, outcome)


def _spent(picture: Picture) -> list[Spent]:
    """At the start, at the end of every round, and now."""
    now = Spent(0.0, 0, 0.0, 0)
    found = [now]
    for _number, one in sorted(picture.rounds.items()):
        if (end := one.end) is not None:
            tokens = end.prompt_tokens + end.completion_tokens
            now = Spent(
                now.seconds + end.seconds,
                now.calls + end.calls,
                now.cost + (end.cost_usd or 0.0),
                now.tokens + tokens,
            )
            found.append(now)
    if (all_of_it := picture.spending) is not None and all_of_it.calls > now.calls:
        tokens = all_of_it.prompt_tokens + all_of_it.completion_tokens
        found.append(
            Spent(
                max(now.seconds, all_of_it.seconds),
                all_of_it.calls,
                all_of_it.cost_usd,
                max(now.tokens, tokens),
            )
        )
    return found
