"""Which entries of a log are shown."""

from collections.abc import Iterator, Sequence
from typing import Literal

import msgspec

from spotui.view.story import Entry, Story

Show = Literal["everything", "verdicts", "trouble"]

_KINDS = {"verdicts": {"proposal", "verdict"}, "trouble": {"trouble"}}
_TROUBLED = {"warning", "error", "void"}


class Choice(msgspec.Struct, frozen=True):
    """What somebody wants to see of a log.

    Attributes:
        show: everything; verdicts: proposals and what became of them; trouble: errors, refusals, voids.
        text: Only entries that hold this, upper or lower case; empty for all.
        folded: Rounds of which only the heading and the verdict are shown.
    """

    show: Show = "everything"
    text: str = ""
    folded: frozenset[int] = frozenset()

    def of(self, story: Story) -> Sequence[int]:
        """The positions of the chosen entries, each below the heading of its round."""
        if self == Choice():
            return range(story.first, story.end)
        return list(self._of(story))

    def _of(self, story: Story) -> Iterator[int]:
        heading: int | None = None
        needle = self.text.casefold()
        for position, entry in enumerate(story.entries, story.first):
            if entry.kind == "round":
                heading = position
                if self.show != "trouble" and not needle:
                    yield position
                    heading = None
            elif self._takes(entry, needle):
                if heading is not None:
                    yield heading
                    heading = None
                yield position

    def _takes(self, entry: Entry, needle: str) -> bool:
        if entry.round in self.folded and entry.kind != "verdict":
            return False
        if self.show != "everything" and entry.kind not in _KINDS[self.show]:
            is_trouble = self.show == "trouble" and entry.tone in _TROUBLED
            if not is_trouble:
                return False
        return not needle or any(needle in text.casefold() for text in _texts(entry))


def _texts(entry: Entry) -> Iterator[str]:
    yield entry.title
    yield entry.text
    yield entry.aside
    yield entry.streamed
