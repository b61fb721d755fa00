"""The templates to start from: the user's own, and those that come with spotui."""

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar, NamedTuple

from textual.binding import Binding, BindingType
from textual.content import Content

from spotui.lang import N_, _, ngettext
from spotui.tui.child import attempt
from spotui.tui.home.shelf import Shelf
from spotui.tui.page import BeginRace, EditTemplate
from spotui.tui.table_view import Column, Row
from spotui.tui.terminal import open_by

if TYPE_CHECKING:
    from spotui.templates.folder import TemplateFolder


_COLUMNS = (
    Column("name", 20),
    Column("", 8, from_width=48),
    Column("questions", 9, is_number=True, from_width=34),
    Column("requirements", from_width=60),
)


class _Found(NamedTuple):
    path: Path
    is_own: bool
    questions: int
    gist: str
    errors: int
    has_file: bool = False


class TemplatesPanel(Shelf):
    """Every template, the user's own first.

    Args:
        root: The folder of the user's own.
    """

    DELETED = N_("Press u to undo.")
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter", "choose", "start a run", id="templates.start"),
        Binding("e", "edit", "edit", id="templates.edit"),
        Binding("c", "race", "race methods", id="templates.race"),
        Binding("n", "create", "new template", id="templates.new"),
        Binding("d", "duplicate", "duplicate", id="templates.duplicate"),
        Binding("r", "rename", "rename", id="templates.rename"),
        Binding("x,delete", "archive", "delete", id="templates.delete"),
    ]

    def __init__(self, root: Path) -> None:
        super().__init__(_COLUMNS, N_("Templates"))
        self._root = root
        self._found: dict[str, _Found] = {}

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
            self.post_message(EditTemplate(one.path, is_fixed=not one.is_own))

    def action_race(self) -> None:
        """Race methods on the template."""
        if self.current:
            self.post_message(BeginRace(self._found[self.current].path))

    def action_create(self) -> None:
        """Make a template."""
        open_by(self, self._create(), group="templates")

    async def _create(self) -> None:
        from spotui.tui.home.wizard import NewTemplateScreen, described

        path = await self.app.push_screen_wait(NewTemplateScreen(self._root))
        if path is not None:
            await self.arrive(str(path))
            self.focus()
            self.notify(described(path), markup=False)

    def name_of(self, key: str) -> str:
        """A template is called as its file, without its ending."""
        return self._found[key].path.stem

    def is_changeable(self, key: str) -> bool:
        """One that comes with spotui stays as it is."""
        one = self._found[key]
        if not one.is_own:
            self.notify(
                _("{stem} comes with spotui. Duplicate it, and the copy is yours.", stem=one.path.stem),
                markup=False,
            )
        return one.is_own

    def check_new_name(self, key: str, name: str) -> None:  # noqa: ARG002
        """Another template may have the name."""
        self._folder.check_name(name)

    def copy_of(self, key: str) -> str:
        """Copy it among one's own."""
        return str(self._folder.copy(Path(key), self._folder.free_name(Path(key).stem)))

    def renamed(self, key: str, name: str) -> str:
        """Move its file."""
        return str(self._folder.rename(Path(key), name))

    def put_away(self, key: str) -> Callable[[], object]:
        """Move its file into the archive."""
        folder = self._folder
        archived = folder.archive(Path(key))
        return lambda: folder.restore(archived)


def _find(path: Path, *, is_own: bool) -> _Found:
    from spotui.templates.model import TemplateError
    from spotui.templates.read import check_template, read_template
    from spotui.templates.sections import requirements_of

    try:
        template = read_template(path)
    except TemplateError:
        problems = check_template(path)
        gist = next((f"{one.key}: {one.what}" if one.key else one.what for one in problems), "")
        return _Found(path, is_own, 0, gist, sum(one.severity == "error" for one in problems))
    gist = " ".join((requirements_of(template) or template.prompt).split())
    has_file = template.data is not None
    return _Found(path, is_own, len(template.qa), gist, 0, has_file=has_file)


def _cells(listed: _Found) -> tuple[Content | str, ...]:
    whose = (
        Content.styled(_("yours"), "$text-accent")
        if listed.is_own
        else Content.styled(_("bundled"), "$text-muted")
    )
    if listed.errors:
        fault = Content.styled(
            ngettext("{n:,} error: {gist}", "{n:,} errors: {gist}", listed.errors, gist=listed.gist),
            "$text-error",
        )
        return (listed.path.stem, whose, "", fault)
    material = str(listed.questions)
    if listed.has_file:
        material = _("{n} + file", n=material) if listed.questions else _("file")
    return (listed.path.stem, whose, material, Content.styled(listed.gist, "$text-muted"))
