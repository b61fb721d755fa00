"""A piece of a page to read."""

from typing import Literal, NamedTuple

Tone = Literal["plain", "heading", "best", "win", "loss", "tie", "void"]


class Part(NamedTuple):
    """One text of a passage.

    Attributes:
        name: What it is.
        text: The text, whole.
        before: What it was made from, where the change is of interest.
    """

    name: str
    text: str
    before: str | None = None


class Passage(NamedTuple):
    """A title with its facts, and the texts below it."""

    title: str
    facts: str = ""
    parts: tuple[Part, ...] = ()
    tone: Tone = "plain"
