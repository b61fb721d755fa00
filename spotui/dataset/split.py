"""Divides rows into those prompts are written from, chosen by, and tested on."""

import random
from collections.abc import Mapping, Sequence
from typing import Final, Literal, get_args

SplitName = Literal["train", "eval", "test"]
SPLITS: Final[tuple[SplitName, ...]] = get_args(SplitName)
"""Uses of rows: writing prompts, choosing among them, and the test that no choice has seen."""

SPLIT_NAMES: Final[dict[str, SplitName]] = {
    **dict.fromkeys(("train", "training"), "train"),
    **dict.fromkeys(("eval", "validation", "valid", "val", "dev", "development"), "eval"),
    **dict.fromkeys(("test", "testing"), "test"),
}
"""The names that others give to the splits."""

USUAL: Final[Mapping[SplitName, float]] = {"train": 0.2, "eval": 0.2, "test": 0.6}
"""The proportions of GPO's tasks (48, 48 and 144 rows of 240)."""


def draw(
    count: int,
    splits: Sequence[SplitName],
    sizes: Mapping[SplitName, int | float],
    *,
    limit: int | None,
    seed: int,
) -> dict[SplitName, list[int]]:
    """Draw the rows of each split; no row is in two.

    Args:
        count: Rows there are.
        splits: The splits to draw.
        sizes: Rows or shares of each, as `DataSource.split`; empty for the usual proportions.
        limit: Rows to use at most, or None.
        seed: The run's.

    Returns:
        The positions of each split's rows, in the order of the file.

    Raises:
        ValueError: There are too few rows; the text says how many are wanted.
    """
    order = list(range(count))
    random.Random(f"{seed}/split").shuffle(order)  # noqa: S311 - reproducible on purpose
    order = order[: count if limit is None else limit]
    drawn: dict[SplitName, list[int]] = {}
    for name, size in _sizes(len(order), splits, sizes).items():
        drawn[name] = sorted(order[:size])
        order = order[size:]
    return drawn


def _sizes(
    count: int, splits: Sequence[SplitName], wanted: Mapping[SplitName, int | float]
) -> dict[SplitName, int]:
    """How many of `count` rows each split gets.

    Raises:
        ValueError: There are too few.
    """
    if not wanted:
        usual = sum(USUAL[name] for name in splits)
        wanted = {name: USUAL[name] / usual for name in splits}
    if any(isinstance(size, float) for size in wanted.values()):
        found = _shared(count, wanted)
    else:
        found = {name: int(size) for name, size in wanted.items()}
    if sum(found.values()) > count:
        raise ValueError(f"{sum(found.values())} are wanted")
    if "test" in splits and "test" not in found:
        found["test"] = count - sum(found.values())
    return found


def _shared(count: int, shares: Mapping[SplitName, int | float]) -> dict[SplitName, int]:
    """Whole rows for shares, by largest remainder; each split with a share gets at least one."""
    found = {name: int(count * share) for name, share in shares.items()}
    left = round(count * sum(shares.values())) - sum(found.values())
    for name in sorted(shares, key=lambda name: found[name] - count * shares[name])[:left]:
        found[name] += 1
    for name in [name for name, share in shares.items() if share and not found[name]]:
        largest = max(found, key=lambda name: found[name])
        found[largest] -= found[largest] > 1
        found[name] = 1
    return found
