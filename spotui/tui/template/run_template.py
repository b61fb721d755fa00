"""The file that a run's template came from."""

from pathlib import Path
from typing import ClassVar, NamedTuple

from textual.binding import Binding, BindingType
from textual.content import Content

from spotui.settings import locations
from spotui.settings.resources import examples_dir
from spotui.tui.child import attempt
from spotui.tui.template.panel import TemplatePanel
from spotui.tui.typed_ahead import open_by
from spotui.workspace.projects import Project


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

    def __init__(self, project: Project, *, id: str | None = None) -> None:  # noqa: A002 - Textual's name
        super().__init__(id=id)
        self._project = project
        self._file = ""

    def on_mount(self) -> None:
        """Read run.yaml once the screen is there."""
        self.call_after_refresh(self._begin)

    def action_edit_source(self) -> None:
        """Edit the file that the template came from, or a copy of one's own where it is gone."""
        if self._file:
            open_by(self, self._edit(), group="edit")

    def _begin(self) -> None:
        self.run_worker(self._load(), group="load")

    async def _load(self) -> None:
        from spotui.workspace.snapshot import read_snapshot

        if not self._project.is_ours:
            self.say("SPO's reference keeps no template with a project.")
            return
        snapshot = await attempt(self, read_snapshot, self._project.snapshot)
        if snapshot is not None:
            self._file = snapshot.template_name
            self.border_title = Content(f"Template  {snapshot.template_name}")
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
        self.notify(f"{self._file} is nowhere to be found, so the run's copy is your template {name} now.")
        return Source(path, is_fixed=False)
