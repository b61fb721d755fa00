"""What the panels of Home have in common: a table of things to copy, to rename and to delete."""

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import ClassVar

from textual.message import Message

from spotui.lang import _
from spotui.tui.child import attempt
from spotui.tui.table_view import Column, TableView
from spotui.tui.terminal import open_by


class Shelf(TableView):
    """A table of things that are the user's own; a subclass says how each is handled.

    Args:
        columns: Of the table.
        title: What they are called, as a title, a sentence of the catalogue.
    """

    DELETED: ClassVar[str]
    """What becomes of a thing that is deleted."""

    @dataclass
    class Removed(Message):
        """A thing went into the trash; `undo` brings it back."""

        name: str
        undo: Callable[[], object]

    def __init__(self, columns: Sequence[Column], title: str) -> None:
        super().__init__(columns, id=title.lower(), title=_(title))
        self._reading = asyncio.Lock()

    async def read(self) -> None:
        """Bring the rows up to date."""
        raise NotImplementedError

    def name_of(self, key: str) -> str:
        """What the thing of a row is called."""
        return key

    def is_changeable(self, key: str) -> bool:  # noqa: ARG002
        """Whether it can be renamed and deleted; tells why not."""
        return True

    def check_new_name(self, key: str, name: str) -> None:
        """Raise SpotuiError when another thing has the name, or nothing can have it."""
        raise NotImplementedError

    def copy_of(self, key: str) -> str:
        """Copy it under a free name, in a thread; the key of the copy."""
        raise NotImplementedError

    def renamed(self, key: str, name: str) -> str:
        """Give it another name, in a thread; its key from now on."""
        raise NotImplementedError

    def put_away(self, key: str) -> Callable[[], object]:
        """Move it to the trash, in a thread; what brings it back."""
        raise NotImplementedError

    def action_duplicate(self) -> None:
        """Copy it, with everything it holds."""
        if self.current:
            open_by(self, self._duplicate(self.current), group="shelf")

    async def _duplicate(self, key: str) -> None:
        await self.arrive(await attempt(self, self.copy_of, key))

    def action_rename(self) -> None:
        """Give it another name."""
        if self.current and self.is_changeable(self.current):
            open_by(self, self._rename(self.current), group="shelf")

    async def _rename(self, key: str) -> None:
        from spotui.tui.dialogs import NameScreen

        def check(name: str) -> None:
            if name != old:
                self.check_new_name(key, name)

        old = self.name_of(key)
        name = await self.app.push_screen_wait(NameScreen(_("Rename {name}", name=old), old, check))
        if name:
            await self.arrive(await attempt(self, self.renamed, key, name))

    def action_archive(self) -> None:
        """Move it to the trash."""
        if self.current and self.is_changeable(self.current):
            open_by(self, self._archive(self.current), group="shelf")

    async def _archive(self, key: str) -> None:
        from spotui.tui.dialogs import confirmed

        name = self.name_of(key)
        if not await confirmed(self.screen, _("Delete {name}?", name=name), _("delete"), _(self.DELETED)):
            return
        undo = await attempt(self, self.put_away, key)
        if undo is not None:
            await self.read()
            self.post_message(Shelf.Removed(name, undo))

    async def arrive(self, key: str | None) -> None:
        """Put the cursor on a thing that has just come, if it has."""
        if key is not None:
            await self.read()
            self.select(key)
