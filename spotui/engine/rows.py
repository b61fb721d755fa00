"""Rows as a method sees them: the splits, and parts of them that keep their place."""

import random
from collections.abc import Sequence

from spotui.dataset import Dataset, Row
from spotui.dataset.split import SplitName


class RowSet:
    """Rows of one split.

    Args:
        split: Which one.
        rows: All rows of the split.
        positions: Which of them belong to the set, or None for all; a position is counted from 0.
    """

    def __init__(self, split: SplitName, rows: Sequence[Row], positions: Sequence[int] | None = None) -> None:
        self.split: SplitName = split
        self.positions = range(len(rows)) if positions is None else positions
        self._rows = rows

    def __len__(self) -> int:
        return len(self.positions)

    @property
    def size(self) -> int:
        """Rows of the whole split."""
        return len(self._rows)

    def row(self, position: int) -> Row:
        """The row at a position of the split."""
        return self._rows[position]

    def draw(self, count: int, *, seed: str) -> "RowSet":
        """So many rows, drawn once for a seed; all of them when there are no more.

        Args:
            count: How many.
            seed: The same one draws the same rows.
        """
        if count >= len(self):
            return self
        chosen = random.Random(seed).sample(self.positions, count)  # noqa: S311 - reproducible on purpose
        return self.at(sorted(chosen))

    def at(self, positions: Sequence[int]) -> "RowSet":
        """The rows at these positions of the split."""
        return RowSet(self.split, self._rows, positions)

    def batch(self, number: int, size: int, *, seed: str) -> "RowSet":
        """A batch of the endless sequence that goes through all rows in a new order every time.

        Args:
            number: Which batch, from 1; a rest too small to be one (below half of `size`) is left out.
            size: Rows of a batch, 1 or more.
            seed: The run's.
        """
        epoch, place = divmod(number - 1, batches(len(self), size))
        order = list(self.positions)
        random.Random(f"{seed}/epoch/{epoch}").shuffle(order)  # noqa: S311 - reproducible on purpose
        return self.at(sorted(order[place * size : (place + 1) * size]))


class Splits:
    """The rows of a run by what they are for.

    Args:
        data: The rows.

    Attributes:
        train: What prompts are written from.
        eval: What prompts are chosen by.
        test: What nothing sees before the end; may be empty.
    """

    def __init__(self, data: Dataset) -> None:
        self.train = RowSet("train", data.train)
        self.eval = RowSet("eval", data.eval)
        self.test = RowSet("test", data.test)

    def of(self, split: SplitName) -> RowSet:
        """All rows of the split of that name."""
        return {"train": self.train, "eval": self.eval, "test": self.test}[split]


def batches(rows: int, size: int) -> int:
    """Batches of one way through the rows: a rest counts when it is half a batch or more; never none."""
    whole, rest = divmod(rows, size)
    return max(1, whole + (rest * 2 >= size and rest > 0))
