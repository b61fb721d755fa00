"""GEPA's merge: one prompt of two that win on different rows, and one program of two that changed different
prompts (appendix of the paper)."""

from collections.abc import Collection, Sequence
from itertools import combinations

from spotui.domain.program_prompts import join_prompts, split_prompts
from spotui.methods.gepa.front import Member

Pair = tuple[Member, Member]


def best_pair(
    front: Sequence[Member], tried: Collection[frozenset[str]], pool: Sequence[Member]
) -> Pair | None:
    """The two prompts of the front that could gain most from each other; the better one is the first.

    Neither descends from the other, and each is better on some rows. The paper draws a pair at random; here
    it is the one with the highest score, if every row went to the better of the two.

    Args:
        front: The front.
        tried: Pairs, by their names, that were merged before.
        pool: All prompts, in the order in which they were added.
    """
    pairs = [
        (one, other)
        for one, other in combinations(sorted(front, key=lambda one: -one.scored.score.mean), 2)
        if frozenset((one.name, other.name)) not in tried
        and not (one.name in other.ancestors or other.name in one.ancestors)
        and rows_won(one, other)
        and rows_won(other, one)
        and (not split_prompts(one.prompt) or joined(one, other, pool))
    ]
    return max(pairs, key=lambda pair: sum(map(max, pair[0].marks, pair[1].marks)), default=None)


def rows_won(first: Member, second: Member) -> list[int]:
    """The positions of the rows that a prompt does better than another."""
    pairs = zip(first.marks, second.marks, strict=True)
    return [position for position, (mine, theirs) in enumerate(pairs) if mine > theirs]


def contested(first: Member, second: Member, size: int) -> list[int]:
    """Positions of rows on which two prompts differ, half of them won by either as far as possible."""
    mine, theirs = rows_won(first, second), rows_won(second, first)
    taken = mine[: max(size // 2, size - len(theirs))]
    return sorted([*taken, *theirs[: size - len(taken)]])


def joined(first: Member, second: Member, pool: Sequence[Member]) -> str:
    """The prompts of a program, each from the member that changed it since they parted.

    Where both changed it, the first one's is taken. Empty where that is what one of them is already.

    Args:
        first: The better program.
        second: Another one.
        pool: All programs, in the order in which they were added.
    """
    common = first.ancestors & second.ancestors
    before = next((split_prompts(each.prompt) for each in reversed(pool) if each.name in common), {})
    mine, theirs = split_prompts(first.prompt), split_prompts(second.prompt)
    taken = {name: theirs[name] if text == before.get(name) else text for name, text in mine.items()}
    return "" if taken in (mine, theirs) else join_prompts(taken)


def sources(first: Member, second: Member, prompt: str) -> str:
    """Which prompt of a joined program came from where, in words."""
    mine = split_prompts(first.prompt)
    owners = {
        name: first.name if text == mine.get(name) else second.name
        for name, text in split_prompts(prompt).items()
    }
    return ", ".join(f"{name} of prompt {owner}" for name, owner in owners.items())
