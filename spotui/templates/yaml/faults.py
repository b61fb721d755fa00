"""Faults of a YAML text: where each is, what it is, and what to do about it."""

from collections.abc import Sequence
from typing import Final, NamedTuple

from spotui.domain.errors import SpotuiError
from spotui.lang import N_, _

IN_QUOTES: Final = N_("Put the whole text in quotes, or on the lines below a `|`, indented.")
TOO_DEEP: Final = N_("Lists and mappings are nested too deep here.")


class Fault(NamedTuple):
    """One thing that is wrong: its line, counted from 1, what it is, and what to do about it."""

    line: int
    what: str
    hint: str


class YamlError(SpotuiError):
    """A text that is not one readable YAML document.

    Args:
        faults: Everything that is wrong, at least one, in the order of the text.
    """

    def __init__(self, faults: Sequence[Fault]) -> None:
        if len(faults) == 1:
            super().__init__(f"Line {faults[0].line}: {faults[0].what}", faults[0].hint)
        else:
            lines = [f"- Line {fault.line}: {fault.what} {fault.hint}" for fault in faults]
            super().__init__("\n".join([_("{faults} things are wrong:", faults=len(faults)), *lines]))
        self.faults = tuple(faults)


class EmptyYamlError(YamlError):
    """A text that holds nothing, or comments only."""

    def __init__(self) -> None:
        super().__init__([Fault(1, _("The file is empty."), _("Write at least one `key: text` into it."))])
