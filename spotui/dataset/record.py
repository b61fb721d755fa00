"""One record of a data file, before its columns are given a meaning."""

from collections.abc import Mapping
from typing import Any, NamedTuple

from spotui.dataset.faults import BadRowError
from spotui.dataset.split import SplitName

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
