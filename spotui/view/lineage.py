"""Which prompt was made from which: the candidates of a run as a tree, with those that led nowhere folded."""

from collections import defaultdict
from collections.abc import Collection
from dataclasses import dataclass

from spotui.domain.figures import rounds_named
from spotui.domain.verdicts import BEST_SO_FAR
from spotui.view.picture import Picture


@dataclass(frozen=True)
class Branch:
    """A line of the tree.

    Attributes:
        round: The round, or the one that the folded rounds were made from.
        depth: How many steps it is beside the line from the seed to the best prompt.
        folded: The rounds that are folded here; empty for a single round.
        others: Its other parents.
    """

    round: int
    depth: int
    folded: tuple[int, ...] = ()
    others: tuple[int, ...] = ()

    @property
    def key(self) -> str:
        """What it is known by."""
        return f"fold {self.round}" if self.folded else str(self.round)

    @property
    def text(self) -> str:
        """Where it is in the tree, and its name."""
        line = "│ " * self.depth
        if self.folded:
            return f"{line}├╴{rounds_named(self.folded)}"
        return f"{line}{'●' if self.depth == 0 else '○'} {self.round}"


def lineage(picture: Picture, unfolded: Collection[int]) -> list[Branch]:
    """The rounds below those that they were made from.

    The line from the seed to the best prompt goes straight down; what branches off is to the right of it, in
    front of the next step of the line. Rounds that lost, and from which nothing was made that was kept, are
    folded into one line.

    Args:
        picture: The run.
        unfolded: Rounds whose children are all shown.
    """
    children: defaultdict[int, list[int]] = defaultdict(list)
    for number, one in sorted(picture.rounds.items()):
        if number > 1:
            parent = picture.parent_of(number) if one.candidate is not None else one.best
            children[parent if parent in picture.rounds and parent < number else 1].append(number)
    if 1 not in picture.rounds:
        return []
    matters = _that_matter(picture, children)
    trunk, step = {picture.best}, picture.best
    while step > 1 and (step := _parent(picture, step)) not in trunk:
        trunk.add(step)
    found: list[Branch] = []
    pending = [(1, 0)]
    while pending:
        number, depth = pending.pop()
        one = picture.rounds[number]
        others = one.candidate.other_parents if one.candidate is not None else ()
        found.append(Branch(number, depth, others=others))
        below = children[number]
        shown = [child for child in below if child in matters or number in unfolded]
        lost = tuple(child for child in below if child not in matters)
        if lost:
            found.append(Branch(number, depth + 1, folded=lost))
        straight = next((child for child in reversed(shown) if child in trunk), None)
        if straight is None and depth == 0 and number == picture.best:
            straight = None
        ahead = [(child, depth + 1) for child in shown if child != straight]
        # The last one that is put here comes first: what branches off, then the straight line.
        if straight is not None:
            pending.append((straight, depth))
        pending += reversed(ahead)
    return found


def _parent(picture: Picture, number: int) -> int:
    parent = picture.parent_of(number)
    return parent if parent in picture.rounds and parent < number else 1


def _that_matter(picture: Picture, children: dict[int, list[int]]) -> set[int]:
    """Rounds that were kept or are under way, and those from which such a one was made."""
    matter = {
        number
        for number, one in picture.rounds.items()
        if one.outcome is None or one.outcome in BEST_SO_FAR or number == picture.best
    }
    for number in sorted(picture.rounds, reverse=True):
        if any(child in matter for child in children.get(number, ())):
            matter.add(number)
    return matter
