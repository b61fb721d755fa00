"""The templates to start from: the user's own, and those that come with spotui."""

import asyncio
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar, NamedTuple

from textual.binding import Binding, BindingType
from textual.content import Content
from textual.message import Message

from spotui.domain.figures import plural
from spotui.tui.child import attempt
from spotui.tui.table_view import Column, Row, TableView
from spotui.tui.typed_ahead import open_by

if TYPE_CHECKING:
    from spotui.templates.folder import TemplateFolder


_COLUMNS = (
    Column("name", 20),
    Column("", 8),
    Column("questions", 9, is_number=True),
    Column("requirements"),
)


class _Found(NamedTuple):
    path: Path
    is_own: bool
    questions: int
    gist: str
    errors: int
    has_file: bool = False


class TemplatesPanel(TableView):
    """Every template, the user's own first.

    Args:
        root: The folder of the user's own.
    """

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter", "choose", "start a run", id="templates.start"),
        Binding("e", "edit", "edit", id="templates.edit"),
        Binding("c", "race", "race methods", id="templates.race"),
        Binding("n", "create", "new template", id="templates.new"),
        Binding("d", "duplicate", "duplicate", id="templates.duplicate"),
        Binding("r", "rename", "rename", id="templates.rename"),
        Binding("x,delete", "archive", "delete", id="templates.delete"),
    ]

    class Removed(Message):
        """A template went into the archive; `undo` brings it back."""

        def __init__(self, name: str, undo: Callable[[], object]) -> None:
            super().__init__()
            self.name = name
            self.undo = undo

    class RaceWanted(Message):
        """Somebody wants to race methods on a template."""

        def __init__(self, path: Path) -> None:
            super().__init__()
            self.path = path

    class EditWanted(Message):
        """Somebody wants to edit a template, or to look at one that comes with spotui."""

        def __init__(self, path: Path, *, is_fixed: bool = False) -> None:
            super().__init__()
            self.path = path
            self.is_fixed = is_fixed

    def __init__(self, root: Path) -> None:
        super().__init__(_COLUMNS, id="templates")
        self.border_title = "Templates"
        self._root = root
        self._found: dict[str, _Found] = {}
        self._reading = asyncio.Lock()

    async def read(self) -> None:
        """Bring the rows up to date."""
        async with self._reading:  # what was read first is not to be shown last
            found = await attempt(self, self._read)
            if found is not None:
                self._found = {str(one.path): one for one in found}
                self.show([Row(key, _cells(one)) for key, one in self._found.items()])

    def select_named(self, name: str) -> None:
        """Put the cursor on a template."""
        for key, one in self._found.items():
            if one.path.stem == name:
                self.select(key)
                return

    def path_of(self, key: str) -> Path:
        """The file of a row."""
        return self._found[key].path

    @property
    def _folder(self) -> "TemplateFolder":
        from spotui.templates.folder import TemplateFolder

        return TemplateFolder(self._root)

    def _read(self) -> list[_Found]:
        from spotui.settings.resources import examples

        own = [_find(path, is_own=True) for path in self._folder.paths()]
        return own + [_find(path, is_own=False) for path in examples()]

    def action_edit(self) -> None:
        """Edit the template; one that comes with spotui can be looked at."""
        if self.current:
            one = self._found[self.current]
            self.post_message(self.EditWanted(one.path, is_fixed=not one.is_own))

    def action_race(self) -> None:
        """Race methods on the template."""
        if self.current:
            self.post_message(self.RaceWanted(self._found[self.current].path))

    def action_create(self) -> None:
        """Make a template of one's own."""
        open_by(self, self._create(), group="templates")

    async def _create(self) -> None:
        from spotui.tui.dialogs import NameScreen

        folder = self._folder
        name = await self.app.push_screen_wait(
            NameScreen("New template", folder.free_name("template"), folder.check_name)
        )
        if name and (path := await attempt(self, folder.create, name)) is not None:
            await self._arrive(path)
            self.post_message(self.EditWanted(path))

    def action_duplicate(self) -> None:
        """Copy the template among one's own."""
        if self.current:
            open_by(self, self._copy(self._found[self.current].path), group="templates")

    async def _copy(self, source: Path) -> None:
        folder = self._folder
        path = await attempt(self, folder.copy, source, folder.free_name(source.stem))
        if path is not None:
            await self._arrive(path)

    def action_rename(self) -> None:
        """Give the template another name."""
        if self._is_own():
            open_by(self, self._rename(self._found[self.current].path), group="templates")

    async def _rename(self, path: Path) -> None:
        from spotui.tui.dialogs import NameScreen

        folder = self._folder

        def check(name: str) -> None:
            if name != path.stem:
                folder.check_name(name)

        name = await self.app.push_screen_wait(NameScreen(f"Rename {path.stem}", path.stem, check))
        if name and (new := await attempt(self, folder.rename, path, name)) is not None:
            await self._arrive(new)

    def action_archive(self) -> None:
        """Move the template into the archive."""
        if self._is_own():
            open_by(self, self._archive(self._found[self.current].path), group="templates")

    async def _archive(self, path: Path) -> None:
        from spotui.tui.dialogs import confirmed

        if not await confirmed(self.screen, f"Delete {path.stem}?", "delete", "Press u to undo."):
            return
        folder = self._folder
        archived = await attempt(self, folder.archive, path)
        if archived is not None:
            await self.read()
            self.post_message(self.Removed(path.stem, lambda: folder.restore(archived)))

    def _is_own(self) -> bool:
        one = self._found.get(self.current)
        if one is not None and not one.is_own:
            self.notify(
                f"{one.path.stem} comes with spotui. Duplicate it, and the copy is yours.", markup=False
            )
        return one is not None and one.is_own

    async def _arrive(self, path: Path) -> None:
        """Put the cursor on a template that has just come."""
        await self.read()
        self.select(str(path))


def _find(path: Path, *, is_own: bool) -> _Found:
    from spotui.templates.model import TemplateError
    from spotui.templates.read import check_template, read_template

    try:
        template = read_template(path)
    except TemplateError:
        problems = check_template(path)
        gist = next((f"{one.key}: {one.what}" if one.key else one.what for one in problems), "")
        return _Found(path, is_own, 0, gist, sum(one.severity == "error" for one in problems))
    gist = " ".join((template.requirements or template.prompt).split())
    has_file = template.data is not None and not template.qa
    return _Found(path, is_own, len(template.qa), gist, 0, has_file=has_file)


def _cells(one: _Found) -> tuple[Content | str, ...]:
    whose = (
        Content.styled("yours", "$text-accent") if one.is_own else Content.styled("bundled", "$text-muted")
    )
    if one.errors:
        fault = Content.styled(f"{plural(one.errors, 'error')}: {one.gist}", "$text-error")
        return (one.path.stem, whose, "", fault)
    material = "file" if one.has_file else str(one.questions)
    return (one.path.stem, whose, material, Content.styled(one.gist, "$text-muted"))
