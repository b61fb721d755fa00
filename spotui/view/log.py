"""Entries in the order in which they began, and which of them have changed."""

from dataclasses import dataclass, field

from spotui.view.entry import Entry


@dataclass
class Log:
    """The entries of a log.

    Attributes:
        entries: In the order they began, without those that gave way.
        first: The position of the first of them, counted from the run's first entry.
        changed: Positions of entries that changed since somebody last took them away with `take_changes`.
    """

    entries: list[Entry] = field(default_factory=list)
    first: int = 0
    changed: set[int] = field(default_factory=set)

    def take_changes(self) -> set[int]:
        """The positions of entries that are new or changed since the last time."""
        taken, self.changed = self.changed, set()
        return {position for position in taken if position >= self.first}

    @property
    def end(self) -> int:
        """The position after the last entry."""
        return self.first + len(self.entries)

    def entry(self, position: int) -> Entry:
        """The entry at a position."""
        return self.entries[position - self.first]

    def add(self, entry: Entry) -> int:
        """Put an entry at the end; returns its position."""
        position = self.end
        self.changed.add(position)
        self.entries.append(entry)
        return position

    def change(self, position: int) -> Entry:
        """The entry at a position, which counts as changed."""
        self.changed.add(position)
        return self.entry(position)

    def drop(self, count: int) -> None:
        """Let the oldest entries go."""
        del self.entries[:count]
        self.first += count
