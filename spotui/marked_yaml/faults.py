"""The faults of a YAML file."""

from collections.abc import Sequence
from typing import Final, NamedTuple

from spotui.errors import SpotuiError

IN_QUOTES: Final = "Put the whole text in quotes, or on the lines below a `|`, indented."
TOO_DEEP: Final = "Lists and mappings are nested too deep here."


class Fault(NamedTuple):
    """One thing that is wrong: its line, counted from 1, what it is, and what to do about it."""

    line: int
    what: str
    mend: str


class YamlError(SpotuiError):
    """A text that is not one readable YAML document.

    Args:
        faults: Everything that is wrong, at least one, in the order of the text.
    """

    def __init__(self, faults: Sequence[Fault]) -> None:
        if len(faults) == 1:
            super().__init__(f"Line {faults[0].line}: {faults[0].what}", faults[0].mend)
        else:
            lines = [f"- Line {fault.line}: {fault.what} {fault.mend}" for fault in faults]
            super().__init__("\n".join([f"{len(faults)} things are wrong:", *lines]))
        self.faults = tuple(faults)


class EmptyYamlError(YamlError):
    """A text that holds nothing, or comments only."""

    def __init__(self) -> None:
        super().__init__([Fault(1, "The file is empty.", "Write at least one `key: text` into it.")])
