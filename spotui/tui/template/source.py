"""The file that a run's template came from: to be edited, and to take a question that was tried."""

from pathlib import Path
from typing import ClassVar, NamedTuple

from msgspec.structs import replace
from textual.binding import Binding, BindingType
from textual.content import Content
from textual.screen import Screen

from spotui.domain.errors import SpotuiError
from spotui.lang import _
from spotui.settings import locations
from spotui.settings.resources import examples_dir
from spotui.templates.model import QA
from spotui.templates.read import read_text
from spotui.tui.child import attempt
from spotui.tui.dialogs import Choice, NameScreen, QuestionScreen
from spotui.tui.template.panel import TemplatePanel
from spotui.tui.terminal import open_by
from spotui.workspace.projects import Project
from spotui.workspace.snapshot import read_snapshot


class Source(NamedTuple):
    """A template file, and whether it can only be read."""

    path: Path
    is_fixed: bool


def find_source(name: str) -> Source | None:
    """The file that a template of this name came from: one's own, one beside us, or a shipped one."""
    for folder, is_fixed in ((locations.templates_dir(), False), (Path.cwd(), False), (examples_dir(), True)):
        if (folder / name).is_file():
            return Source(folder / name, is_fixed)
    return None


class RunTemplatePanel(TemplatePanel):
    """Shows the project's own copy, which nobody changes any more; the file it came from can be edited.

    Args:
        project: The project.
    """

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("e", "edit_source", "edit the source", id="run.edit_source"),
    ]

    def __init__(self, project: Project) -> None:
        super().__init__()
        self._project = project
        self._file = ""

    def on_mount(self) -> None:
        """Read run.yaml once the screen is there."""
        self.call_after_refresh(self._begin)

    def action_edit_source(self) -> None:
        """Edit the file that the template came from, or a copy of the user's where it is gone."""
        if self._file:
            open_by(self, self._edit(), group="edit")

    def _begin(self) -> None:
        self.run_worker(self._load(), group="load")

    async def _load(self) -> None:
        if not self._project.is_ours:
            self.say(_("SPO's reference keeps no template with a project."))
            return
        snapshot = await attempt(self, read_snapshot, self._project.snapshot)
        if snapshot is not None:
            self._file = snapshot.template_name
            self.border_title = Content(_("Template  {name}", name=snapshot.template_name))
            self.show(snapshot.template, is_fixed=True)

    async def _edit(self) -> None:
        from spotui.tui.template.screen import TemplateScreen

        source = await attempt(self, find_source, self._file) or await self._make_source()
        if source is not None:
            self.app.push_screen(TemplateScreen(source.path, is_fixed=source.is_fixed))

    async def _make_source(self) -> "Source | None":
        from spotui.templates.folder import TemplateFolder

        folder = TemplateFolder(locations.templates_dir())
        name = folder.free_name(Path(self._file).stem)
        path = await attempt(self, folder.create, name, self.text)
        if path is None:
            return None
        self.notify(
            _(
                "{file} is nowhere to be found, so the run's copy is your template {name} now.",
                file=self._file,
                name=name,
            )
        )
        return Source(path, is_fixed=False)


class _Copy(NamedTuple):
    """The run's own copy of its template."""

    name: str
    text: str


async def add_question(screen: Screen[str], project: Project, question: str, answers: dict[str, str]) -> None:
    """Add a question to the user's own file; a shipped template is copied first, under a name that they give.

    Args:
        screen: On whose behalf.
        project: The project whose template it is.
        question: What to add.
        answers: By the names of the prompts; any of them can become the question's reference answer.
    """
    kept = await attempt(screen, _kept, project)
    if kept is None:
        return
    source = await attempt(screen, find_source, kept.name)
    chosen = await _choose(screen, kept.name, answers)
    if chosen is None:
        return
    if source is None or source.is_fixed:
        path = await _make_own(screen, kept, source.path if source else None)
    else:
        path = source.path
    if path is None:
        return
    number = await attempt(screen, _append, path, QA(question, chosen))
    if number is not None:
        title = _("It is question {number} of {path}", number=number, path=path.name)
        screen.notify(
            _("This run keeps its own; a new one draws from all of them."), title=title, markup=False
        )


def _kept(project: Project) -> _Copy:
    if not project.is_ours:
        raise SpotuiError(
            _("SPO's reference keeps no template with a project."),
            _("Make a template and start a run of it."),
        )
    snapshot = read_snapshot(project.snapshot)
    return _Copy(snapshot.template_name, snapshot.template)


async def _choose(screen: Screen[str], name: str, answers: dict[str, str]) -> str | None:
    """The reference answer to add, empty for none; None when nothing is to be added."""
    choices = [Choice("none", "q", _("the question alone"))]
    choices += [
        Choice(key, key, _("with {whose}'s answer as its reference", whose=whose))
        for key, whose in zip("ab", answers, strict=False)
    ]
    found = await screen.app.push_screen_wait(QuestionScreen(_("Add to {name}", name=name), choices))
    by_key = dict(zip("ab", answers.values(), strict=False))
    return None if not found else by_key.get(found, "")


async def _make_own(screen: Screen[str], copied: _Copy, shipped: Path | None) -> Path | None:
    from spotui.templates.folder import TemplateFolder

    folder = TemplateFolder(locations.templates_dir())
    name = await screen.app.push_screen_wait(
        NameScreen(
            _("{kept} comes with spotui: name your copy", kept=copied.name)
            if shipped
            else _("Name your template"),
            folder.free_name(Path(copied.name).stem),
            folder.check_name,
        )
    )
    if not name:
        return None
    if shipped is not None:
        return await attempt(screen, folder.copy, shipped, name)
    return await attempt(screen, folder.create, name, copied.text)


def _append(path: Path, row: QA) -> int:
    """Add a row to a template file, whose every other character stays.

    Returns:
        Which question it is now, from 1.

    Raises:
        SpotuiError: It is there already, or the file cannot take it.
    """
    from spotui.runs.check import check
    from spotui.templates.save import edit_yaml, save_text

    text = read_text(path)
    checked = check(text)
    if checked.template is None or not checked.has_whole_rows:
        raise SpotuiError(
            _("{path} has mistakes in its questions.", path=path.name),
            _("Fix them first, then add this one."),
        )
    rows = checked.template.qa
    if any(one.question.strip() == row.question for one in rows):
        raise SpotuiError(_("{path} has this question already.", path=path.name))
    save_text(path, edit_yaml(text, replace(checked.template, qa=(*rows, row)), path.name))
    return len(rows) + 1
