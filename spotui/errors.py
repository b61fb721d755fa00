"""The root of every error that spotui raises on purpose, and faults in parts of a template."""

from typing import NamedTuple


class SpotuiError(Exception):
    """An error a person can act on.

    Args:
        what: What happened and where, one sentence.
        mend: What to do about it, one sentence; empty when there is nothing to do.
    """

    def __init__(self, what: str, mend: str = "") -> None:
        super().__init__(f"{what} {mend}".rstrip())
        self.what = what
        self.mend = mend


class KeyFault(NamedTuple):
    """One fault in a part of a template.

    Attributes:
        path: The keys that lead to it, from that part on; empty for the part itself.
        what: The fault, one sentence.
        mend: How to fix it.
    """

    path: tuple[str, ...]
    what: str
    mend: str
