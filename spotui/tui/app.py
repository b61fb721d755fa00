"""The app: its themes, its keys, its screens, and how it ends."""

import asyncio
import gc
import os
import signal
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, ClassVar

from textual import on
from textual.binding import Binding, BindingType
from textual.dom import DOMNode
from textual.driver import Driver
from textual.notifications import SeverityLevel
from textual.screen import Screen
from textual.worker import WorkerFailed, get_current_worker

from spotui.domain.errors import SpotuiError
from spotui.lang import VARIABLE, _, use
from spotui.settings.themes import DEFAULT_THEME, load_shipped_theme, own_theme_names
from spotui.tui.faults import tell_crash, tell_fault
from spotui.tui.home.screen import HomeScreen
from spotui.tui.page import (
    BeginRace,
    BeginRun,
    EditTemplate,
    OpenProject,
    OpenRace,
    Page,
    UseLanguage,
    UseModel,
    WriteRows,
)
from spotui.tui.preferences import (
    WITHOUT_COLOURS,
    Preferences,
    add_theme,
    tell,
    textual_theme,
    use_theme,
)
from spotui.tui.relabelling import Relabelled
from spotui.tui.terminal import TypedAheadApp, guard_screen, open_by, passed_through
from spotui.workspace.projects import Workspace

if TYPE_CHECKING:
    from spotui.settings.shortcuts import UserKeys
    from spotui.tui.key_screens import KeyMapScreen
    from spotui.wire.process import OwnProcess
    from spotui.workspace.race_file import RaceFolder


_FAULT_SECONDS = 60.0


class SpotuiApp(TypedAheadApp):
    """spotui, full screen.

    Args:
        workspace: Where the projects are.
        preferences: How the user wants it.

    Attributes:
        user_keys: The keys that the user has chosen, by the id of what they do.
    """

    TITLE = "spotui"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("ctrl+q", "quit", "quit", id="app.quit", priority=True),
        Binding("ctrl+p", "command_palette", "commands", id="app.commands", priority=True, show=False),
        Binding("question_mark", "keys", "keys", id="app.keys"),
        # A text that is being edited takes it as undo.
        Binding("ctrl+z", "suspend_process", "suspend", id="app.suspend", show=False),
        # Where text is typed and over a dialog, too.
        Binding("f1", "keys", "keys", id="app.keys_anywhere", priority=True),
        Binding("f4", "home", "home", id="app.home", priority=True, show=False),
        Binding("f5", "last_run", "last run", id="app.last_run", priority=True, show=False),
        # Where a longer text is edited, F6 selects the line.
        Binding("f6", "models", "models", id="app.models", show=False),
        Binding("f10", "settings", "settings", id="app.settings", priority=True, show=False),
    ]

    def __init__(self, workspace: Workspace, preferences: Preferences | None = None) -> None:
        guard_screen()
        # Without colours everything is left to the terminal's own two.
        super().__init__(ansi_color=True if "NO_COLOR" in os.environ else None)
        self.workspace = workspace
        self.user_keys: Mapping[str, str] = {}
        self.animation_level = "none"
        if self.no_color:
            self.stylesheet.add_source(
                WITHOUT_COLOURS, read_from=("", _("without colours")), is_default_css=False
            )
        self._preferences = preferences or Preferences()
        self._begin_with(self._preferences.theme)

    def on_mount(self) -> None:
        """What nobody sees yet comes after the first paint."""
        for number in (signal.SIGTERM, signal.SIGHUP, signal.SIGQUIT, signal.SIGABRT):
            # Textual restores the terminal when it exits, not when it is killed.
            asyncio.get_running_loop().add_signal_handler(number, self.exit, None, 128 + number)
        self.call_after_refresh(self._settle)

    def get_driver_class(self) -> type[Driver]:
        """Textual's own choice, with a terminal that may go away."""
        from textual.drivers.linux_driver import LinuxDriver

        from spotui.tui.terminal_driver import TerminalDriver

        usual = super().get_driver_class()
        return TerminalDriver if usual is LinuxDriver else usual

    def get_default_screen(self) -> HomeScreen:
        """Home first."""
        return HomeScreen(self.workspace)

    def open_project(self, name: str) -> None:
        """Show a project's run, in place of another run that is shown."""
        from spotui.tui.run.screen import RunScreen

        screen = RunScreen(self.workspace.project(name))
        if isinstance(self.screen, RunScreen):
            self.switch_screen(screen)
        else:
            self.push_screen(screen)

    def on_open_project(self, event: OpenProject) -> None:
        """Show its run."""
        self.open_project(event.name)

    def on_open_race(self, event: OpenRace) -> None:
        """Show a race as one table."""
        from spotui.tui.race.screen import RaceScreen
        from spotui.workspace.race_file import RaceFolder

        self.push_screen(RaceScreen(RaceFolder(self.workspace, event.name)))

    def on_open_tour(self) -> None:
        """Show a recorded run."""
        from spotui.tui.tour import TourScreen

        self.push_screen(TourScreen())

    def on_edit_template(self, event: EditTemplate) -> None:
        """Edit a template's file, or look at one that comes with spotui."""
        from spotui.tui.template.screen import TemplateScreen

        if event.is_fixed:
            self.notify(_("This one comes with spotui. Duplicate it, and the copy is yours to edit."))
        self.push_screen(TemplateScreen(event.path, is_fixed=event.is_fixed))

    def on_write_rows(self, event: WriteRows) -> None:
        """Let a model write rows for a template."""
        from spotui.tui.template.rows_screen import NewRowsScreen

        try:
            screen = NewRowsScreen(self.workspace, event.path)
        except SpotuiError as error:
            self.notify(error.hint, title=error.what, severity="error", markup=False)
        else:
            self.push_screen(screen, event.then)

    def on_begin_run(self, event: BeginRun) -> None:
        """Ask what a run of a template should use, start it, and show it."""
        from spotui.tui.new_run import NewRunScreen
        from spotui.tui.run.screen import RunScreen

        asking = NewRunScreen(self.workspace, event.template, event.choices)

        def show(process: "OwnProcess | None") -> None:
            if process is None:
                return
            for screen in self.screen_stack:
                if isinstance(screen, HomeScreen):
                    screen.expect(process.project.name)
            if event.is_first:
                self.post_message(UseModel(asking.chosen.model, asking.chosen.base_url))
                self.switch_screen(RunScreen(process.project))
            else:
                self.push_screen(RunScreen(process.project))

        self.push_screen(asking, show)

    async def on_use_model(self, event: UseModel) -> None:
        """Make a model that of later runs."""
        from spotui.tui.child import attempt
        from spotui.tui.defaults import remember

        if not event.model:
            return
        was_kept = await attempt(self, remember, event.model, event.base_url)
        if was_kept:
            self.notify(
                _("Later runs use {model} as well, unless you choose another.", model=event.model),
                markup=False,
            )

    def on_begin_race(self, event: BeginRace) -> None:
        """Ask who races, start it, and show it."""
        from spotui.tui.race.new import NewRaceScreen
        from spotui.tui.race.screen import RaceScreen

        def show(race: "RaceFolder | None") -> None:
            if race is not None:
                self.push_screen(RaceScreen(race))

        self.push_screen(NewRaceScreen(self.workspace, event.template), show)

    async def on_use_language(self, event: UseLanguage) -> None:
        """Show every open screen in a language."""
        if VARIABLE in os.environ:
            os.environ[VARIABLE] = event.language  # the processes that this one starts speak it as well
        use(event.language)
        for screen in self.screen_stack:
            if isinstance(screen, Relabelled):
                await screen.relabel()

    async def use_language(self, language: str) -> None:
        """Make a language that of this and later starts, and show every open screen in it.

        Args:
            language: As `languages` names it.
        """
        from spotui.tui.child import attempt
        from spotui.tui.defaults import LANGUAGE, save

        await attempt(self, save, LANGUAGE.key, language)
        self.post_message(UseLanguage(language))

    async def on_key_map_screen_saved(self, event: "KeyMapScreen.Saved") -> None:
        """Put the keys in place, and show them."""
        await self._read_keys()
        event.screen.show(self.user_keys)

    def _handle_exception(self, error: Exception) -> None:
        """A fault in the background closes nothing: it is shown, and everything else continues."""
        if isinstance(error, WorkerFailed) and not _is_there(get_current_worker().node):
            return  # it worked for a widget that has gone meanwhile, and looked for it
        if isinstance(error, WorkerFailed) and not self.is_headless:
            self.notify(tell_fault(error.error), severity="error", timeout=_FAULT_SECONDS, markup=False)
        else:
            super()._handle_exception(error)

    def _fatal_error(self) -> None:
        """Say what happened, and close; Textual would print a traceback with the values of all variables."""
        from rich.text import Text

        error = self._exception or RuntimeError("unknown")
        self._exit_renderables.append(Text(tell_crash(error)))
        self._close_messages_no_wait()

    def notify(
        self,
        message: str,
        *,
        title: str = "",
        severity: SeverityLevel = "information",
        timeout: float | None = None,
        markup: bool = False,  # noqa: ARG002 - as Textual calls it
    ) -> None:
        """Show a message as it is: names, paths and errors may hold what looks like markup."""
        super().notify(message, title=title, severity=severity, timeout=timeout, markup=False)

    def copy_to_clipboard(self, text: str) -> None:
        """Ask the terminal to put a text on its clipboard, also where it is on another machine."""
        super().copy_to_clipboard(text)
        if self._driver is not None:
            self._driver.write(passed_through(text))

    @on(Driver.SignalResume)
    def _paint_again(self) -> None:
        """Paint everything: the shell had the terminal, and Textual paints only what has changed since."""
        self.screen.refresh()

    def action_help_quit(self) -> None:
        """Say how to quit, for whoever presses Ctrl+C; Textual's own message is English, and marked up."""
        bindings = [one.binding for one in self.screen.active_bindings.values()]
        key = next((self.get_key_display(one) for one in bindings if one.id == "app.quit"), "")
        if key:
            self.notify(_("Press {key} to quit. A run continues.", key=key))

    async def action_quit(self) -> None:
        """End the app; ask first where something is not saved, and while a run is shown that continues."""
        if not any(worker.group == "quit" and not worker.is_finished for worker in self.workers):
            open_by(self, self._quit(), group="quit")

    async def _quit(self) -> None:
        from rich.text import Text

        from spotui.tui.run.steering import farewell, may_leave

        if await self._may_lose_input() and await may_leave(self):
            self.exit(message=Text(farewell(self)))

    async def _may_lose_input(self) -> bool:
        """Whether no open screen holds something unsaved, or its loss is confirmed."""
        if not any(isinstance(screen, Page) and screen.holds_input for screen in self.screen_stack):
            return True
        from spotui.tui.dialogs import confirmed

        text = _("What you typed or changed is not saved.")
        return await confirmed(self.screen, _("Quit without saving?"), _("quit"), text)

    def action_command_palette(self) -> None:
        """Open the command palette, once: also where another screen is open above it."""
        from spotui.tui.commands import Palette

        if not any(isinstance(screen, Palette) for screen in self.screen_stack):
            self.push_screen(Palette(self.workspace, self.user_keys))

    def action_keys(self) -> None:
        """Show the keys of the focused panel, of its screen, and of the app."""
        from spotui.tui.key_screens import KeysScreen, sections_of

        if not isinstance(self.screen, KeysScreen):
            self.push_screen(KeysScreen(sections_of(self.screen, self.user_keys)))

    async def action_home(self) -> None:
        """Go to Home; a screen that holds something unsaved asks first, and stays."""
        await self.leave_to(HomeScreen)

    async def leave_to(self, kind: type[Screen[Any]]) -> bool:
        """Close screens until one of a kind is on top.

        Args:
            kind: The screen's class; nothing is closed when none is open.

        Returns:
            Whether it is on top. A screen that holds something unsaved is asked to close, and ends it.
        """
        from textual.widgets import TextArea

        while any(isinstance(screen, kind) for screen in self.screen_stack[:-1]):
            screen = self.screen
            if isinstance(screen, Page) and screen.holds_input:
                await screen.ask_to_close()
                return False
            if any(not box.read_only and box.text for box in screen.query(TextArea)) and screen.is_modal:
                self.notify(_("Save or close what you are editing first."), severity="warning")
                return False
            await screen.dismiss(None)
            if self.screen is screen:  # it was closing already
                return False
        return isinstance(self.screen, kind)

    async def action_last_run(self) -> None:
        """Go to the run that was worked on last."""
        from spotui.tui.child import attempt
        from spotui.tui.run.screen import RunScreen

        names = await attempt(self, self.workspace.names)
        if not names:
            if names is not None:
                self.notify(_("No run yet. Start one from a template."))
            return
        shown = next((one for one in self.screen_stack if isinstance(one, RunScreen)), None)
        if shown is not None and shown.project_name == names[-1]:
            await self.leave_to(RunScreen)
        elif shown is None or await self.leave_to(RunScreen):
            self.open_project(names[-1])

    def action_models(self) -> None:
        """The roles, the models and their keys."""
        from spotui.tui.models_screen import ModelsScreen

        self._open_once(ModelsScreen)

    def action_settings(self) -> None:
        """Theme, keys, defaults, budget."""
        from spotui.tui.settings_screen import SettingsScreen

        self._open_once(SettingsScreen)

    def _open_once(self, kind: type[Screen[Any]]) -> None:
        """Show a screen, unless it is open already; it takes the place of the command palette."""
        from textual.command import CommandPalette

        if any(isinstance(screen, kind) for screen in self.screen_stack):
            return
        if isinstance(self.screen, CommandPalette):
            self.switch_screen(kind())
        else:
            self.push_screen(kind())

    def action_key_map(self) -> None:
        """Every binding, to be given another key."""
        from spotui.tui.key_screens import KeyMapScreen

        self.push_screen(KeyMapScreen(self.user_keys))

    async def _settle(self) -> None:
        gc.enable()
        gc.collect()
        gc.freeze()
        for name in own_theme_names():
            if name not in self.available_themes:
                add_theme(self, name)  # report a broken one now, not when it is chosen
        for problem in self._preferences.problems:
            tell(self, problem, _("Your settings are left out"))
        if self._preferences.keys is not None:
            await self._use_keys(self._preferences.keys)

    async def _read_keys(self) -> None:
        """Put the keys that the user's file holds now in place of the usual ones."""
        from spotui.settings.shortcuts import load_user_keys

        try:
            await self._use_keys(await asyncio.to_thread(load_user_keys))
        except SpotuiError as error:
            tell(self, error, _("Your keys are left out"))

    async def _use_keys(self, user: "UserKeys") -> None:
        """Those that cannot be used are reported."""
        from spotui.tui.bindings import check_keys, widget_types

        checked = await asyncio.to_thread(lambda: check_keys(user, widget_types(), type(self)))
        self.user_keys = checked.keys
        self.set_keymap(checked.keys)
        for where, what, hint in checked.problems:
            tell(self, SpotuiError(f"{where}: {what}", hint), _("A key is left out"))

    def _begin_with(self, name: str) -> None:
        """The chosen theme, or the usual one; what a terminal has few colours for is left to its own."""
        if self.no_color or (not name and self.console.color_system == "standard"):
            # Some terminals tell their two colours by number, the background last: 7 and 15 are light.
            is_light = os.environ.get("COLORFGBG", "").rpartition(";")[2] in ("7", "15")
            name = "terminal-light" if is_light else "terminal"
        if not use_theme(self, name or DEFAULT_THEME):
            self.register_theme(textual_theme(load_shipped_theme(DEFAULT_THEME)))
            self.theme = DEFAULT_THEME


def _is_there(node: DOMNode) -> bool:
    ancestors = node.ancestors_with_self
    return node.is_attached and not any(one._pruning for one in ancestors)  # noqa: SLF001 - as Textual asks itself
