"""The prompts of a round of a method that scores them: its candidates, and what they have to beat."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from spotui.events import CandidateScored
from spotui.view.picture import Picture, RoundPicture


@dataclass(frozen=True)
class Prompt:
    """A prompt with what it scored.

    Attributes:
        name: What it is called in its round.
        text: The prompt.
        scored: Its score; None as long as it has none.
        modification: What was changed, one sentence.
        reasoning: Why.
        words_changed: Of the prompt it was made from.
        parent: The round that it was made from; 0 when nobody knows.
        marks: By the row's position in the split.
    """

    name: str
    text: str
    scored: CandidateScored | None = None
    modification: str = ""
    reasoning: str = ""
    words_changed: int | None = None
    parent: int = 0
    marks: Mapping[int, float | None] = field(default_factory=dict)


def read_prompts(picture: Picture, number: int) -> list[Prompt]:
    """The prompts of a round: the candidates, the best first, then the best before it and the seed.

    Args:
        picture: The run.
        number: The round.
    """
    one = picture.rounds.get(number)
    if one is None:
        return []
    own = [_own(picture, one, text) for text in dict.fromkeys([*one.scores.proposed, *one.scores.found])]
    own.sort(key=_rank)
    return own + [
        known
        for known in (the_best(picture, number), the_seed(picture))
        if known is not None and known.text not in {prompt.text for prompt in own}
    ]


def the_best(picture: Picture, number: int) -> Prompt | None:
    """The prompt that a round's candidates had to beat; None for the seed round."""
    one = picture.rounds.get(number)
    if one is None or not one.best or one.best == 1:
        return None
    return _known(picture, f"round {one.best}, the best", picture.prompt_of(one.best))


def the_seed(picture: Picture) -> Prompt | None:
    """The prompt that the run started from."""
    return _known(picture, "seed", picture.prompt_of(1)) if picture.prompt_of(1) else None


def _own(picture: Picture, one: RoundPicture, text: str) -> Prompt:
    scored = one.scores.found.get(text)
    proposed = one.scores.proposed.get(text)
    if proposed is None:
        known = _known(picture, "", text)
        is_best = one.best > 1 and text == picture.prompt_of(one.best)
        is_old = any(text in other.scores.found for n, other in picture.rounds.items() if n < one.number)
        name = "the best" if is_best else "earlier prompt" if is_old else "prompt"
        name = "seed" if text == picture.prompt_of(1) else name
        return Prompt(
            name,
            text,
            scored,
            modification=known.modification,
            marks=known.marks,
        )
    name = "written by hand" if proposed.edited else f"candidate {proposed.index + 1}"
    return Prompt(
        name,
        text,
        scored,
        proposed.modification,
        proposed.reasoning,
        proposed.words_changed,
        proposed.parent,
        _marks(scored),
    )


def _known(picture: Picture, name: str, text: str) -> Prompt:
    """A prompt with its score on the most rows, whichever round brought it."""
    scores = [
        found
        for _, one in sorted(picture.rounds.items())
        if (found := one.scores.found.get(text)) is not None
    ]
    best = max(scores, key=lambda one: len(one.marks), default=None)
    return Prompt(name, text, best, best.modification if best is not None else "", marks=_marks(best))


def _marks(scored: CandidateScored | None) -> dict[int, float | None]:
    if scored is None:
        return {}
    positions = scored.positions or range(len(scored.marks))
    return dict(zip(positions, scored.marks, strict=False))


def _rank(prompt: Prompt) -> tuple[int, float, int]:
    if prompt.scored is None:
        return (1, 0.0, 0)
    return (-len(prompt.scored.marks), -prompt.scored.score, len(prompt.text))
