"""What a method declares that its rounds show: notes, columns and blocks."""

from collections.abc import Sequence
from typing import TypeAlias, TypeVar

import msgspec

Value: TypeAlias = int | float | str
"""What a column or a fact of a block holds; a whole number is shown whole, another with three digits."""


class Note(msgspec.Struct, frozen=True, omit_defaults=True):
    """A kind of note that models write in a round, e.g. a reflection.

    Attributes:
        name: What one is called.
        purpose: What the calls that write it are filed under; as `name` where it is empty.
        plural: What several are called; the name with an s where it is empty.
    """

    name: str
    purpose: str = ""
    plural: str = ""

    @property
    def filed(self) -> str:
        """What its calls are filed under."""
        return self.purpose or self.name

    @property
    def several(self) -> str:
        """What several are called."""
        return self.plural or f"{self.name}s"


class Column(msgspec.Struct, frozen=True):
    """A column of the tables of rounds.

    Attributes:
        name: Its heading.
        meaning: What it counts or says.
    """

    name: str
    meaning: str


class Block(msgspec.Struct, frozen=True):
    """A list that the log shows in a round, e.g. the prompts of a beam.

    Attributes:
        name: What it is called.
        title: What is in it.
    """

    name: str
    title: str


class Declared(msgspec.Struct, frozen=True):
    """All that the rounds of a method show.

    Attributes:
        notes: Kinds of notes.
        columns: Columns of the tables of rounds.
        blocks: Lists in the log.
    """

    notes: tuple[Note, ...] = ()
    columns: tuple[Column, ...] = ()
    blocks: tuple[Block, ...] = ()

    def note(self, name: str) -> Note:
        """The kind of note of that name.

        Raises:
            LookupError: The method declares none.
        """
        return _named(self.notes, name, "note")

    def column(self, name: str) -> Column:
        """The column of that name.

        Raises:
            LookupError: The method declares none.
        """
        return _named(self.columns, name, "column")

    def block(self, name: str) -> Block:
        """The block of that name.

        Raises:
            LookupError: The method declares none.
        """
        return _named(self.blocks, name, "block")


D = TypeVar("D", Note, Column, Block)


def _named(declared: Sequence[D], name: str, what: str) -> D:
    for one in declared:
        if one.name == name:
            return one
    raise LookupError(f"the {what} {name!r} is not declared by the method")
