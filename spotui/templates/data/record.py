"""One record of a data file, or what is wrong with it."""

from collections.abc import Mapping, Sequence
from typing import Any, Final, NamedTuple

import msgspec

from spotui.domain.errors import SpotuiError
from spotui.domain.rows import SplitName
from spotui.lang import _

MOST_FAULTS: Final = 20
"""Bad rows that are listed; a file with more is wrong as a whole, and is not read further."""


class RowFault(msgspec.Struct, frozen=True):
    """One row that cannot be used.

    Attributes:
        file: The file, as the template names it.
        line: Where the row begins, counted from 1; 0 for the file as a whole.
        what: The fault, one sentence.
        hint: How to fix it; may be empty.
    """

    file: str
    line: int
    what: str
    hint: str = ""

    @property
    def where(self) -> str:
        """The file and the line."""
        return f"{self.file}, line {self.line}" if self.line else self.file

    def __str__(self) -> str:
        return f"{self.where}: {self.what} {self.hint}".rstrip()


class DataError(SpotuiError):
    """Rows that cannot be used.

    Args:
        faults: At least one, at most `MOST_FAULTS`.
    """

    def __init__(self, faults: Sequence[RowFault]) -> None:
        if len(faults) == 1:
            super().__init__(f"{faults[0].where}: {faults[0].what}", faults[0].hint)
        else:
            count = len(faults)
            what = (
                _("{count} or more rows cannot be used.", count=count)
                if count == MOST_FAULTS
                else _("{count} rows cannot be used.", count=count)
            )
            super().__init__("\n".join([what, *map("- {}".format, faults)]))
        self.faults = tuple(faults)


class BadRowError(Exception):
    """A row that cannot be used, before its file and line are known.

    Args:
        what: The fault, one sentence.
        hint: How to fix it.
        line: The line, when it is known better than where the row begins.
        of_file: Whether the other rows of the file have the same fault, so that it is reported once.
    """

    def __init__(self, what: str, hint: str = "", line: int = 0, *, of_file: bool = False) -> None:
        super().__init__(what)
        self.what = what
        self.hint = hint
        self.line = line
        self.of_file = of_file


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
