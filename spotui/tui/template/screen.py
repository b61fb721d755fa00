"""A template file that is being edited."""

from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.content import Content
from textual.events import Event
from textual.reactive import var
from textual.widgets import Static

from spotui.lang import _
from spotui.settings import locations
from spotui.settings.locations import make_private
from spotui.templates.model import TemplateError
from spotui.tui.dialogs import Choice, QuestionScreen
from spotui.tui.page import KeyHints, Page, WriteRows
from spotui.tui.template.panel import TemplatePanel
from spotui.tui.terminal import ReadyForKeys, open_by

if TYPE_CHECKING:
    from textual.worker import WorkType


class Draft:
    """What a file held when it was last read or written.

    Args:
        path: The file; it need not exist yet.

    Attributes:
        saved: Its text; None when there is no file yet.

    Raises:
        TemplateError: The file is there and cannot be read.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.saved = self._read()

    @property
    def is_changed_elsewhere(self) -> bool:
        """Whether somebody else has changed the file since; one that cannot be read any more has changed."""
        try:
            return self._read() != self.saved
        except TemplateError:
            return True

    def reload(self) -> str:
        """Take the file's text again.

        Raises:
            TemplateError: It cannot be read.
        """
        self.saved = self._read()
        return self.saved or ""

    def save(self, text: str) -> None:
        """Write the file in one step; its folder is made when it is missing.

        Raises:
            TemplateError: It cannot be written.
        """
        from contextlib import suppress

        from spotui.templates.save import save_text

        with suppress(OSError):  # saving says what is wrong with the folder
            make_private(self.path.parent)
        save_text(self.path, text)
        self.saved = text

    def _read(self) -> str | None:
        from spotui.templates.read import read_text

        return read_text(self.path) if self.path.exists() else None


class TemplateScreen(ReadyForKeys, Page[bool]):
    """Edits a template file; gives back whether it was saved.

    Args:
        path: The file; it need not exist yet.
        is_fixed: Whether it can only be read, as those that come with spotui.

    Attributes:
        is_changed: Whether there is something to save.
    """

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("ctrl+s", "save", "save", id="template.save"),
        Binding("ctrl+r", "write_rows", "new rows", id="template.write_rows"),
        Binding("escape", "back", "back", id="template.back"),
        Binding("ctrl+o", "outside", "$EDITOR", id="template.outside"),
    ]

    DEFAULT_CSS = """
    TemplateScreen {
        & TemplatePanel { height: 1fr; }
        &.-narrow TemplatePanel.framed { border: none; }
        &.-wide TemplateForm { layout: horizontal; & > Vertical { width: 1fr; } }
    }
    """

    HORIZONTAL_BREAKPOINTS = [(0, "-narrow"), (100, "-wide")]  # noqa: RUF012 - Textual's declaration

    is_changed = var(False)

    def __init__(self, path: Path, *, is_fixed: bool = False) -> None:
        super().__init__()
        self._path = path
        self._is_fixed = is_fixed
        self._draft: Draft | None = None
        self._was_saved = False
        self._is_open = False

    @property
    def path(self) -> Path:
        """The file."""
        return self._path

    @property
    def text(self) -> str:
        """The template as it is on the screen, saved or not."""
        return self._panel.text

    def parts(self) -> ComposeResult:
        """The file's name, the template."""
        yield Static(id="name", classes="head", markup=False)
        panel = TemplatePanel()
        panel.add_class("framed")
        yield panel

    def on_mount(self) -> None:
        """Read the file once the screen is there."""
        self._head()
        self.call_after_refresh(self._open)

    async def remake(self) -> None:
        """Leave the text alone, with all that can be undone; what is around it is made again."""
        await self._panel.relabel()
        self._head()
        self.query_one(KeyHints).refresh()

    def is_ready_for(self, event: Event) -> bool:  # noqa: ARG002
        """What is typed goes into the text, so it waits until the file is read."""
        return self._is_open

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:  # noqa: ARG002
        """What can only be read cannot be saved."""
        return not (self._is_fixed and action in ("save", "outside", "write_rows"))

    @property
    def holds_input(self) -> bool:
        """Whether it is not saved."""
        return self.is_changed

    def on_template_panel_changed(self) -> None:
        """There is something to save, or nothing any more."""
        self.is_changed = self._draft is not None and self._panel.text != (self._draft.saved or "")

    def on_template_panel_read(self) -> None:
        """Where the panel has no frame, its size stands at the top."""
        self._head()

    def on_resize(self) -> None:
        """The panel may have a frame now, or none any more."""
        self.call_after_refresh(self._head)

    def watch_is_changed(self) -> None:
        """Say so at the top."""
        self._head()

    async def action_save(self) -> bool:
        """Write the file; asks first when somebody else has changed it."""
        draft = self._draft
        if draft is None or not await self._panel.settle():
            self.notify(_("It is not saved; the problem is shown below."), severity="error")
            return False
        if draft.is_changed_elsewhere:
            open_by(self, self._settle_conflict(draft), group="save")
            return False
        return self._write(draft)

    async def action_outside(self) -> None:
        """Open the text in the user's own editor, and take back what it becomes."""
        from spotui.tui.template.editor import OutsideError, edit_outside

        await self._panel.settle()
        try:
            text = edit_outside(self.app, self._panel.text, self._path.name)
        except OutsideError as error:
            self.notify(f"{error.what} {error.hint}", severity="error")
            return
        self._panel.take(text)

    async def action_write_rows(self) -> None:
        """Let the optimizer's model write rows like those of the file."""
        if not await self._panel.settle() or self.is_changed or not self._path.exists():
            self.notify(_("Save the template first: new rows are added to its file."), severity="warning")
        else:
            self.post_message(WriteRows(self._path, self._take_rows))

    def _take_rows(self, is_changed: bool | None) -> None:
        """Show the file with the rows that were added to it."""
        if is_changed and self._draft is not None:
            try:
                self._panel.take(self._draft.reload())
            except TemplateError as error:
                self.notify(f"{error.what} {error.hint}", severity="error")
            self._was_saved = True
            self._count()

    async def action_back(self) -> None:
        """Leave; asks first when something is not saved."""
        is_settled = await self._panel.settle()
        if is_settled and not self.is_changed:
            self.dismiss(self._was_saved)
        else:
            open_by(self, self._leave(), group="leave")

    @property
    def _panel(self) -> TemplatePanel:
        return self.query_one(TemplatePanel)

    def _open(self) -> None:
        try:
            self._draft = Draft(self._path)
        except TemplateError as error:
            self._is_fixed = True
            self.notify(f"{error.what} {error.hint}", severity="error")
        text = (self._draft.saved if self._draft else None) or ""
        can_edit = self._panel.show(text, is_fixed=self._is_fixed)
        if not can_edit and not self._is_fixed:
            self._is_fixed = True
            self.notify(
                _("This file has line ends of several sorts. Edit it in another editor."), severity="warning"
            )
        self.refresh_bindings()
        self._panel.focus()
        self._is_open = True
        self._head()
        self._count()

    def _head(self) -> None:
        state = ""
        if self._is_fixed:
            state = _("read only")
        elif self.is_changed:
            state = _("not saved")
        elif self._draft is not None and self._draft.saved is None:
            state = _("new")
        size = self._panel.border_subtitle if self.has_class("-narrow") else ""
        head = Content.assemble(
            (self._path.name, "bold $secondary"),
            (f"  {state}" if state else "", "$text-warning"),
            (f"  {size}" if size else "", "$text-muted"),
            (f"  {locations.shown(self._path.parent)}", "$text-muted"),
        )
        self.query_one("#name", Static).update(head)

    def _write(self, draft: Draft) -> bool:
        try:
            draft.save(self._panel.text)
        except TemplateError as error:
            self.notify(f"{error.what} {error.hint}", severity="error")
            return False
        self._was_saved = True
        self.is_changed = False
        self._head()
        self._count()
        return True

    def _count(self) -> None:
        """Have the tokens of what is in the file counted, in a process that may load a vocabulary."""
        counting: WorkType[None] = self._count_tokens  # as in the panel: not a coroutine
        self.run_worker(counting, group="count", exclusive=True)

    async def _count_tokens(self) -> None:
        from spotui.tui.template.panel import count_texts

        if self._draft is not None and self._draft.saved:
            self._panel.use_counts(await count_texts(self._path, self._draft.saved))

    async def _settle_conflict(self, draft: Draft) -> None:
        chosen = await self.app.push_screen_wait(
            QuestionScreen(
                _("{path} has changed on disk", path=self._path.name),
                (
                    Choice("file", "f", _("take the file's text (what you typed can be undone back)")),
                    Choice("mine", "m", _("write mine over it")),
                ),
                _("Somebody else has written this file since you opened it."),
            )
        )
        if chosen == "mine":
            self._write(draft)
        elif chosen == "file":
            try:
                self._panel.take(draft.reload())
            except TemplateError as error:
                self.notify(f"{error.what} {error.hint}", severity="error")

    async def _leave(self) -> None:
        chosen = await self.app.push_screen_wait(
            QuestionScreen(
                _("{path} is not saved", path=self._path.name),
                (
                    Choice("save", "s", _("save it and leave")),
                    Choice("drop", "d", _("leave without saving")),
                    Choice("stay", "e", _("keep editing")),
                ),
            )
        )
        if chosen == "drop" or (chosen == "save" and await self.action_save()):
            self.dismiss(self._was_saved)
