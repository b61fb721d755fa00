"""The app of one browser: `spotui serve` starts a process of it for each.

It talks to the server in the packets of Textual's web driver: screens and keys in between, and what a browser
does for the app (its clipboard, its downloads, its file dialog) beside them.
"""

import argparse
import contextlib
import gc
import os
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

from textual import messages
from textual.actions import parse
from textual.app import App
from textual.binding import Binding, BindingType
from textual.color import Color, ColorParseError
from textual.dom import DOMNode
from textual.driver import Driver
from textual.drivers.web_driver import WebDriver
from textual.events import AppFocus
from textual.message import Message
from textual.worker import WorkerFailed

from spotui.domain.errors import SpotuiError
from spotui.lang import _
from spotui.settings import locations
from spotui.tui.app import SpotuiApp
from spotui.tui.page import BeginRace, BeginRun, EditTemplate, UseModel, WriteRows
from spotui.tui.preferences import Preferences, read_preferences
from spotui.tui.read_only import CHANGING, ReadOnlyError, forbid_changes
from spotui.workspace.projects import Workspace

if TYPE_CHECKING:
    from textual.types import ActionParseResult

_MODES = "\x1b[?1049h\x1b[?25l\x1b[?1000h\x1b[?1003h\x1b[?1015h\x1b[?1006h\x1b[?2004h"
"""The other screen, no cursor, the mouse, pasted text in brackets: a browser that is new knows of none."""


class Returned(Message):
    """The browser is there again, perhaps as another page, which shows nothing yet."""


@dataclass
class Uploaded(Message):
    """A file came from the browser.

    Args:
        name: What it was called there.
        path: Where it is; it goes away once it was taken.
    """

    name: str
    path: Path


class BrowserDriver(WebDriver):
    """Textual's web driver, for a browser that may go and return."""

    def __init__(
        self, app: App[Any], *, debug: bool = False, mouse: bool = True, size: tuple[int, int] | None = None
    ) -> None:
        super().__init__(app, debug=debug, mouse=mouse, size=size)
        for variable in ("COLUMNS", "ROWS"):
            os.environ.pop(variable, None)  # the size at the beginning, which no other process is to have

    def start_application_mode(self) -> None:
        """Begin as an app that has focus: what is typed comes from the page, whether it knows so or not."""
        super().start_application_mode()
        self._app.call_later(self._app.post_message, AppFocus())

    def on_meta(self, packet_type: str, payload: dict[str, object]) -> None:
        """Take what the server says beside keys."""
        match packet_type:
            case "returned":
                self._app.post_message(Returned())
            case "uploaded":
                self._app.post_message(Uploaded(str(payload["name"]), Path(str(payload["path"]))))
            case _:
                super().on_meta(packet_type, payload)

    def run_input_thread(self) -> None:
        """Read until the server closes the pipe; without it nobody could ever end this process."""
        super().run_input_thread()
        if not self.exit_event.is_set():
            self._app.post_message(messages.ExitApp())

    def begin_again(self) -> None:
        """Set the modes of a terminal that has just been made."""
        self.write(_MODES)


class VisitorApp(SpotuiApp):
    """spotui in a browser.

    Args:
        workspace: Where the projects are.
        preferences: How the user wants it.
        is_read_only: Whether one can only look.
    """

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("f9", "upload", "upload a template", id="browser.upload", show=False),
        Binding("f3", "download", "download", id="browser.download", show=False),
    ]

    def __init__(
        self, workspace: Workspace, preferences: Preferences | None = None, *, is_read_only: bool = False
    ) -> None:
        super().__init__(workspace, preferences)
        self._is_read_only = is_read_only

    def get_driver_class(self) -> type[Driver]:
        """The driver of browsers."""
        return BrowserDriver

    def on_mount(self) -> None:
        """Let the page around the terminal have its background."""
        self.theme_changed_signal.subscribe(self, lambda _theme: self._send_ground())
        self._send_ground()

    def on_returned(self) -> None:
        """Paint everything: the browser may have missed any part of it."""
        if isinstance(self._driver, BrowserDriver):
            self._driver.begin_again()
        self._send_ground()
        self.refresh(layout=True)

    def copy_to_clipboard(self, text: str) -> None:
        """Put a text on the clipboard of the browser."""
        self._clipboard = text
        self._send({"type": "copy", "text": text})

    def action_upload(self) -> None:
        """Let the browser ask for a file."""
        self._send({"type": "choose_file"})

    async def on_uploaded(self, event: Uploaded) -> None:
        """Keep a template among one's own, under a free name, and show it."""
        from spotui.tui.child import attempt

        try:
            path = await attempt(self, _keep, event.name, event.path)
        finally:
            with contextlib.suppress(OSError):
                event.path.unlink()
        if path is not None:
            self.notify(_("Saved as {name}.", name=path.stem))
            self.post_message(EditTemplate(path))

    def action_download(self) -> None:
        """Give the browser the template or the prompt that is shown."""
        found = _shown_file(self)
        if found is None:
            self.notify(_("Open a template or a run, or select a template, to download it."))
            return
        name, text = found
        self._send({"type": "download", "name": name, "text": text})

    async def action_quit(self) -> None:
        """Close this browser's app; one that only looks leaves no run behind that anybody has to think of."""
        if self._is_read_only:
            self.exit()
        else:
            await super().action_quit()

    async def run_action(
        self,
        action: "str | ActionParseResult",
        default_namespace: DOMNode | None = None,
        namespaces: Mapping[str, DOMNode] | None = None,
    ) -> bool:
        """Do what a key is bound to, unless it changes something and nothing may be changed."""
        if self._is_refused(action, default_namespace or self):
            self._refuse(ReadOnlyError())
            return True
        try:
            return await super().run_action(action, default_namespace, namespaces)
        except ReadOnlyError as error:
            self._refuse(error)
            return True

    def _check_action_state(self, action: str, default_namespace: DOMNode) -> bool | None:
        """Hide the keys that change something where nothing may be changed."""
        if self._is_refused(action, default_namespace):
            return False
        return super()._check_action_state(action, default_namespace)

    def on_begin_run(self, event: BeginRun) -> None:
        """Show the template instead, where nothing may be started."""
        if self._is_read_only:
            event.prevent_default()
            self._look_at(event.template)

    def on_edit_template(self, event: EditTemplate) -> None:
        """Show the template, where nothing may be saved."""
        if self._is_read_only:
            event.prevent_default()
            self._look_at(event.path)

    def on_begin_race(self, event: BeginRace) -> None:
        """Start nothing."""
        self._prevent(event)

    def on_write_rows(self, event: WriteRows) -> None:
        """Ask no model."""
        self._prevent(event)

    async def on_use_model(self, event: UseModel) -> None:
        """Change no default."""
        if self._is_read_only:
            event.prevent_default()

    def _prevent(self, event: Message) -> None:
        if self._is_read_only:
            event.prevent_default()
            self._refuse(ReadOnlyError())

    def _refuse(self, error: ReadOnlyError) -> None:
        self.notify(error.hint, title=error.what, severity="warning")

    def _look_at(self, template: Path) -> None:
        from spotui.tui.template.screen import TemplateScreen

        self.push_screen(TemplateScreen(template, is_fixed=True))

    def _is_refused(self, action: "str | ActionParseResult", namespace: DOMNode) -> bool:
        if not self._is_read_only:
            return False
        where, name, _parameters = parse(action) if isinstance(action, str) else action
        kind = type(self) if where == "app" else type(self.screen) if where == "screen" else type(namespace)
        return name in _refused_actions(kind)

    def _handle_exception(self, error: Exception) -> None:
        if isinstance(error, WorkerFailed) and isinstance(error.error, ReadOnlyError):
            self._refuse(error.error)
        else:
            super()._handle_exception(error)

    def _send_ground(self) -> None:
        with contextlib.suppress(ColorParseError):
            theme = self.current_theme
            ground = Color.parse(theme.background or ("#000000" if theme.dark else "#ffffff"))
            if ground.ansi is None:
                self._send({"type": "ground", "colour": ground.hex6})

    def _send(self, data: dict[str, object]) -> None:
        if isinstance(self._driver, BrowserDriver):
            self._driver.write_meta(data)


@cache
def _refused_actions(kind: type[DOMNode]) -> frozenset[str]:
    """The actions of a class that no key does but those which change something."""
    from spotui.tui.bindings import merged_bindings

    ids: dict[str, set[str]] = {}
    for bindings in merged_bindings(kind).values():
        for one in bindings:
            ids.setdefault(parse(one.action)[1], set()).add(one.id or "")
    return frozenset(name for name, found in ids.items() if found <= CHANGING)


def _keep(name: str, path: Path) -> Path:
    """Save an uploaded template under its name, or with a number behind it; the new file."""
    from spotui.templates.folder import TemplateFolder
    from spotui.templates.read import read_text

    name = Path(name).name
    if Path(name).suffix.casefold() not in {".yaml", ".yml"}:
        raise SpotuiError(
            _("{name} is not a template: its name has to end in .yaml.", name=name),
            _("Copy data files and files of other tools to the machine that spotui runs on."),
        )
    folder = TemplateFolder(locations.templates_dir())
    return folder.create(folder.free_name(Path(name).stem), read_text(path))


def _shown_file(app: App[None]) -> tuple[str, str] | None:
    """The name and the text of what is shown: a template, or the prompt of a run's selected round."""
    from spotui.templates.read import read_text
    from spotui.tui.home.templates_panel import TemplatesPanel
    from spotui.tui.run.screen import RunScreen
    from spotui.tui.template.screen import TemplateScreen

    screen = app.screen
    if isinstance(screen, TemplateScreen):
        return screen.path.name, screen.text
    if isinstance(screen, RunScreen):
        name, prompt = screen.chosen_prompt
        return (f"{name}.txt", prompt) if prompt else None
    if isinstance(screen.focused, TemplatesPanel) and screen.focused.current:
        path = screen.focused.path_of(screen.focused.current)
        with contextlib.suppress(SpotuiError):
            return path.name, read_text(path)
    return None


def main() -> int:
    """Run the app of one browser until it leaves, or the server is gone.

    Returns:
        The exit code.
    """
    gc.disable()  # nothing that is loaded now becomes garbage; the app turns it on once it is painted
    parser = argparse.ArgumentParser()
    parser.add_argument("--workspace", type=Path, required=True)
    parser.add_argument("--read-only", action="store_true")
    parsed = parser.parse_args()
    if parsed.read_only:
        forbid_changes()
    app = VisitorApp(Workspace(parsed.workspace), read_preferences(), is_read_only=parsed.read_only)
    app.run()
    return app.return_code or 0


if __name__ == "__main__":
    sys.exit(main())
