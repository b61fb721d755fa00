"""One record of a data file, before its columns are given a meaning."""

from collections.abc import Mapping
from typing import Any, Final, Literal, NamedTuple, get_args

from spotui.dataset.faults import BadRowError

SplitName = Literal["train", "eval", "test"]
SPLITS: Final[tuple[SplitName, ...]] = get_args(SplitName)
"""Uses of rows: writing prompts, choosing among them, and the test that no choice has seen."""

Record = Mapping[str, Any]


class Read(NamedTuple):
    """A record as it was read.

    Attributes:
        line: Where it begins, counted from 1; the number of the row in a file without lines.
        record: The record, or its fault; reading continues after it.
        split: The split whose list it is in, in a document that has a list for each; None elsewhere.
    """

    line: int
    record: Record | BadRowError
    split: SplitName | None = None


SPLIT_NAMES: Final[dict[str, SplitName]] = {
    **dict.fromkeys(("train", "training"), "train"),
    **dict.fromkeys(("eval", "validation", "valid", "val", "dev", "development"), "eval"),
    **dict.fromkeys(("test", "testing"), "test"),
}
"""The names that others give to the splits."""
