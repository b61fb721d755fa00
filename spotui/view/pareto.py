"""Score against price: which prompts of a run no other beats at their price or below."""

from collections.abc import Iterator, Sequence
from typing import NamedTuple

from spotui.domain.answer_cost import AnswerCost, latency, pareto_front, price
from spotui.domain.events import CandidateScored
from spotui.domain.figures import points
from spotui.lang import _, ngettext
from spotui.view.picture import Picture

FRONT = "◆"
"""The mark of a prompt on the front."""


class PricedPrompt(NamedTuple):
    """A prompt with its score and the price of an answer.

    Attributes:
        round: The round that scored it first.
        prompt: The prompt.
        score: 0..1, on all rows that prompts are chosen by.
        low: The lower end of its 95% interval.
        high: The upper end.
        cost: The cost of an answer.
        price: USD an answer, or tokens where prices are unknown.
        is_on_front: Whether no other prompt is as good for less, or better for as much.
        is_best: Whether it is the best prompt of the run.
    """

    round: int
    prompt: str
    score: float
    low: float
    high: float
    cost: AnswerCost
    price: float
    is_on_front: bool
    is_best: bool

    @property
    def mark(self) -> str:
        """The marks for the front and for the best prompt."""
        return (FRONT if self.is_on_front else " ") + ("*" if self.is_best else " ")


class Pareto(NamedTuple):
    """The prompts of a run by the price of an answer.

    Attributes:
        prompts: Every prompt with a whole score, the cheapest first.
        is_priced: Whether prices are USD; otherwise they are tokens.
    """

    prompts: tuple[PricedPrompt, ...] = ()
    is_priced: bool = False

    @property
    def front(self) -> list[PricedPrompt]:
        """Those on the front."""
        return [one for one in self.prompts if one.is_on_front]


def pareto_of(picture: Picture) -> Pareto:
    """The prompts of a run that were scored on all rows; none where no cost is known."""
    found = list(_scored(picture))
    is_priced = bool(found) and all(cost.usd is not None for _n, _s, cost in found)
    is_priced = is_priced and any(cost.usd for _n, _s, cost in found)
    prices = {
        scored.prompt: (cost.usd or 0.0) if is_priced else cost.prompt_tokens + cost.completion_tokens
        for _number, scored, cost in found
    }
    front = pareto_front({one.prompt: (one.score, prices[one.prompt]) for _n, one, _c in found})
    best = picture.prompt_of(picture.best or 1)
    prompts = [
        PricedPrompt(
            number,
            one.prompt,
            one.score,
            one.low,
            one.high,
            cost,
            prices[one.prompt],
            one.prompt in front,
            one.prompt == best,
        )
        for number, one, cost in found
    ]
    return Pareto(tuple(sorted(prompts, key=lambda one: (one.price, -one.score, one.round))), is_priced)


def _scored(picture: Picture) -> Iterator[tuple[int, CandidateScored, AnswerCost]]:
    """Each prompt with a whole score once, with the round that scored it first."""
    seen: set[str] = set()
    for number, one in sorted(picture.rounds.items()):
        for scored in one.scores.by_prompt.values():
            cost = scored.per_answer
            is_whole = scored.rows and not (scored.unasked or scored.positions)
            if cost is not None and is_whole and scored.prompt not in seen:
                seen.add(scored.prompt)
                yield number, scored, cost


def shown_in_table(pareto: Pareto) -> list[PricedPrompt]:
    """The front, of equal points the best prompt or the first one, with the seed and the best prompt."""
    seen: set[tuple[float, float]] = set()
    chosen: set[str] = set()
    for one in sorted(pareto.front, key=lambda one: (not one.is_best, one.round)):
        if (one.score, one.price) not in seen:
            seen.add((one.score, one.price))
            chosen.add(one.prompt)
    return [one for one in pareto.prompts if one.prompt in chosen or one.is_best or one.round == 1]


def table(pareto: Pareto) -> list[list[str]]:
    """The front with the seed and the best prompt, the heads first; empty where there are not two prompts."""
    if len(pareto.prompts) < 2:
        return []
    shown = shown_in_table(pareto)
    heads = ["", _("round"), _("score"), _("95% CI"), _("price"), _("tokens in"), _("out"), _("seconds")]
    return [heads, *map(_cells, shown)]


def _cells(priced: PricedPrompt) -> list[str]:
    interval = _("{low} to {high}", low=points(priced.low), high=points(priced.high))
    tokens = f"{priced.cost.prompt_tokens:,.0f}", f"{priced.cost.completion_tokens:,.0f}"
    return [
        priced.mark,
        str(priced.round),
        points(priced.score),
        interval,
        price(priced.cost),
        *tokens,
        latency(priced.cost),
    ]


def title(pareto: Pareto) -> str:
    """What the table is, in a sentence."""
    return ngettext(
        "Score against the price of an answer, of {n:,} prompt ({mark} none is as good for less):",
        "Score against the price of an answer, of {n:,} prompts ({mark} none is as good for less):",
        len(pareto.prompts),
        mark=FRONT,
    )


def without_empty_columns(rows: Sequence[Sequence[str]]) -> list[list[str]]:
    """The cells of a table without the columns that hold nothing below their head."""
    filled = [
        place for place in range(len(rows[0]) if rows else 0) if any(row[place].strip() for row in rows[1:])
    ]
    return [[row[place] for place in filled] for row in rows]
