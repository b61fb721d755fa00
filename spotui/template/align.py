"""Finds for each question of a changed list the one that it was, so that its comments stay with it."""

from collections import defaultdict
from collections.abc import Callable, Hashable, Sequence
from typing import Final

from spotui.nearest import nearest
from spotui.template.model import QA

_MOST_COMPARED: Final = 30
"""How many rewritten questions are compared by spelling; beyond that it would take long and help nobody."""


def align(old: Sequence[QA | None], new: Sequence[QA]) -> list[int | None]:
    """Where each new row stood.

    The same row is sought first, then the same question, the same answer, a question that is spelt alike, and
    the same place. Among equals the order is kept.

    Args:
        old: The rows as they were; None where something stood that is no row.
        new: The rows as they are to be.

    Returns:
        For each new row its position in `old`, no position twice, or None when it is new.
    """
    found: list[int | None] = [None] * len(new)
    left = {position: row for position, row in enumerate(old) if row is not None}
    _match(left, new, found, lambda row: row)
    _match(left, new, found, lambda row: row.question)
    _match(left, new, found, lambda row: row.answer or None)
    waiting = [position for position, source in enumerate(found) if source is None]
    if len(waiting) <= _MOST_COMPARED and len(left) <= _MOST_COMPARED:
        for position in waiting:
            spelt = {row.question: source for source, row in reversed(left.items())}
            if meant := nearest(new[position].question, spelt):
                found[position] = spelt[meant]
                del left[spelt[meant]]
    for position, source in enumerate(found):
        if source is None and position in left:
            found[position] = position
            del left[position]
    return found


def _match(
    left: dict[int, QA], new: Sequence[QA], found: list[int | None], same: Callable[[QA], Hashable]
) -> None:
    places: defaultdict[Hashable, list[int]] = defaultdict(list)
    for source, row in left.items():
        if (key := same(row)) is not None:
            places[key].append(source)
    for position, row in enumerate(new):
        if found[position] is None and (sources := places.get(same(row))):
            found[position] = source = sources.pop(0)
            del left[source]
