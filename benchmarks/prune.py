"""How far the words of `spotui prune` can be relied on: planted prompts whose true losses are known.

`python -m benchmarks.prune` plants prompts of twelve sentences, some of which matter, and rows of different
difficulty (48 to choose cuts by, 144 to confirm with), prunes each, and counts how often "no loss of more
than 5 points" is reported, and how often that is wrong. A prompt answers a row as the full prompt does, but
for the loss of what was cut and for one row in twenty, which comes out anew with every other wording. It
measures the rule and no model: marks are drawn.
"""

import asyncio
import random
from collections.abc import Callable, Sequence
from types import SimpleNamespace
from typing import Any, NamedTuple, cast

from spotui.domain.prompt_pieces import pieces_of
from spotui.domain.records import RoundLine
from spotui.domain.rows import Row
from spotui.engine import RowSet, Splits
from spotui.runs.prune import search
from spotui.runs.prune_comparing import RowComparer, search_order
from spotui.templates.data.load import Dataset

WORLDS = 200
SENTENCES = 12
SIZES = (("e", 48), ("t", 144))
MARGIN = 0.05
ANEW = 0.05
"""The share of rows whose answer comes out anew with another wording."""


class Kind(NamedTuple):
    """A kind of prompt.

    Attributes:
        name: What it is called in the table.
        losses: Draws the loss of score without each sentence, 0..1.
    """

    name: str
    losses: Callable[[random.Random], list[float]]


def some_matter(rng: random.Random) -> list[float]:
    """Three sentences are worth 3 to 20 points each, the others nothing."""
    losses = [rng.uniform(0.03, 0.2) for _ in range(3)] + [0.0] * (SENTENCES - 3)
    rng.shuffle(losses)
    return losses


KINDS = (
    Kind("three sentences matter", some_matter),
    Kind("none matters", lambda _rng: [0.0] * SENTENCES),
    Kind("each is worth 1 to 3 points", lambda rng: [rng.uniform(0.01, 0.03) for _ in range(SENTENCES)]),
)


class Planted(RowComparer):
    """Rows whose marks are drawn.

    Attributes:
        asked: Answers so far.
    """

    def __init__(self, world: int, full: str, losses: Sequence[float]) -> None:
        self.asked = 0
        self._world = world
        self._losses = losses
        self._full = full
        self._margin = MARGIN
        self._prepared = cast("Any", SimpleNamespace(settings=SimpleNamespace(seed=world)))
        own, unseen = (tuple(Row(f"{split} {at}") for at in range(size)) for split, size in SIZES)
        self._splits = Splits(Dataset((), own, unseen))
        self._rows = self._splits.eval
        self._order = search_order(self._rows, world)
        self._marks = {}

    async def _ask(self, prompt: str, rows: RowSet, positions: Sequence[int]) -> None:
        loss = self.loss(prompt)
        for at in positions:
            if (prompt, rows.split, at) not in self._marks:
                self.asked += 1
                row = random.Random(f"{self._world}/{rows.split}/{at}")
                right, luck = row.uniform(0.4, 1.0), row.random()
                wording = random.Random(f"{self._world}/{rows.split}/{at}/{prompt}")
                if wording.random() < ANEW:
                    luck = wording.random()
                self._marks[prompt, rows.split, at] = float(luck < right - loss)

    def loss(self, prompt: str) -> float:
        """The true loss of score of a prompt, 0..1."""
        return sum(one for number, one in enumerate(self._losses) if f"Sentence {number} " not in prompt)


class Found(NamedTuple):
    """What pruning one prompt has brought."""

    is_claimed: bool
    is_wrong: bool
    cut: int
    idle_cut: int
    idle: int
    asked: int


async def pruned(kind: Kind, world: int) -> Found:
    """Prune one planted prompt."""
    losses = kind.losses(random.Random(f"{world}/{kind.name}"))
    full = " ".join(f"Sentence {number} says something." for number in range(SENTENCES))
    comparer = Planted(world, full, losses)
    pieces = pieces_of(full)
    groups = [(number,) for number in pieces.loose]
    found = await search(pieces, groups, comparer, RoundLine(round=1, outcome="seed", prompt=full), MARGIN)
    cut = [number for number in range(SENTENCES) if f"Sentence {number} " not in found.prompt]
    is_claimed = found.verdict == "within_margin"
    return Found(
        is_claimed,
        is_claimed and comparer.loss(found.prompt) > MARGIN,
        len(cut),
        sum(losses[number] == 0 for number in cut),
        losses.count(0.0),
        comparer.asked,
    )


def main() -> None:
    """Print one line for each kind."""
    print(f"{'kind':28} {'claimed':>8} {'wrong':>6} {'cut':>5} {'idle cut':>9} {'answers':>8}")
    for kind in KINDS:
        all_found = [asyncio.run(pruned(kind, world)) for world in range(WORLDS)]
        idle = sum(one.idle for one in all_found)
        print(
            f"{kind.name:28} {sum(one.is_claimed for one in all_found):>4}/{WORLDS} "
            f"{sum(one.is_wrong for one in all_found):>6} "
            f"{sum(one.cut for one in all_found) / WORLDS:>5.1f} "
            f"{sum(one.idle_cut for one in all_found) / idle if idle else 0:>9.0%} "
            f"{sum(one.asked for one in all_found) / WORLDS:>8.0f}"
        )


if __name__ == "__main__":
    main()
