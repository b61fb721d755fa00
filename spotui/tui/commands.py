"""The command palette: everything that can be done here, as sentences with their keys."""

import asyncio
from collections.abc import Iterator, Mapping
from functools import partial
from itertools import chain
from typing import ClassVar, NamedTuple

from textual import on
from textual.actions import parse
from textual.binding import Binding
from textual.command import CommandPalette, DiscoveryHit, Hit, Hits, Provider, SearchIcon
from textual.content import Content
from textual.dom import DOMNode
from textual.events import Event, Key
from textual.types import IgnoreReturnCallbackType
from textual.widget import Widget
from textual.widgets import Input

from spotui.lang import _, current_language, languages, name_of
from spotui.settings.themes import theme_names
from spotui.tui.actions import sentence_of
from spotui.tui.bindings import merged_bindings, moved
from spotui.tui.page import OpenProject, OpenRace
from spotui.tui.preferences import use_theme
from spotui.tui.terminal import ReadyForKeys, open_by
from spotui.workspace.projects import Workspace

_PROJECTS_SHOWN = 12
"""Projects that are listed before anything is typed; every one can be typed."""

_KEYS_SHOWN = 2
"""Keys of one action that are named, for example the one of a screen and the one that works everywhere."""

_TYPING_KEYS = frozenset({"backspace", "delete", "left", "right", "home", "end", "escape"})
_NOT_HERE = frozenset({"command_palette"})


class Palette(ReadyForKeys, CommandPalette):
    """The command palette; a choice waits for the search of what was typed before it."""

    def __init__(self, workspace: Workspace, user_keys: Mapping[str, str]) -> None:
        here = {"workspace": workspace, "user_keys": user_keys}
        super().__init__([type("Commands", (SpotuiCommands,), here)], placeholder=_("Search for commands…"))
        self._searched = ""

    def on_mount(self) -> None:
        """Show no icon: Textual's is an emoji, whose width terminals do not agree on."""
        self.query_one(SearchIcon).icon = ""

    def is_ready_for(self, event: Event) -> bool:
        """Whether the providers have begun, and for a choice: whether the list belongs to the text.

        Textual cancels a search at every letter, and with the first one the providers that it waits for.
        """
        typed = next(iter(self.query(Input)), None)
        if typed is None or not typed.has_focus or not self.has_class("-ready"):
            return False
        if not isinstance(event, Key) or event.is_printable or event.key in _TYPING_KEYS:
            return True
        searches = (worker for worker in self.workers if worker.group == self._GATHER_COMMANDS_GROUP)
        return typed.value == self._searched and all(worker.is_finished for worker in searches)

    @on(Input.Changed)
    def _note_search(self, event: Input.Changed) -> None:
        self._searched = event.value


class Command(NamedTuple):
    """One thing that can be done: a sentence, its key or nothing, and how it is done."""

    name: str
    key: str
    do: IgnoreReturnCallbackType

    def shown(self, name: Content | None = None) -> Content:
        """The sentence with its key behind it.

        Args:
            name: The sentence with what was searched for marked in it.
        """
        return Content.assemble(name or self.name, (f"  {self.key}" if self.key else "", "$accent"))


class SpotuiCommands(Provider):
    """Actions of what is on the screen, the other screens, themes and projects.

    Attributes:
        workspace: Where the projects are.
        user_keys: The keys that the user has chosen, by the id of what they do.
    """

    workspace: ClassVar[Workspace]
    user_keys: ClassVar[Mapping[str, str]]

    async def startup(self) -> None:
        """Look for projects and themes once, away from the event loop."""
        self._projects = await asyncio.to_thread(_names, self.workspace)
        self._races = await asyncio.to_thread(_race_names, self.workspace)
        self._migrations = await asyncio.to_thread(_migration_names, self.workspace)
        self._themes = await asyncio.to_thread(theme_names)

    async def discover(self) -> Hits:
        """Everything, with the projects that were worked on last."""
        for one in self._all(self._projects[:_PROJECTS_SHOWN]):
            yield DiscoveryHit(one.shown(), one.do, text=one.name)

    async def search(self, query: str) -> Hits:
        """What looks like the query."""
        matcher = self.matcher(query)
        for one in self._all(self._projects):
            if (score := matcher.match(one.name)) > 0:
                yield Hit(score, one.shown(matcher.highlight(one.name)), one.do, text=one.name)

    def _all(self, projects: list[str]) -> Iterator[Command]:
        actions = list(self._actions())
        yield from (command for command, is_shown in actions if is_shown)
        yield from self._others()
        yield from self._openings(projects)
        yield from (command for command, is_shown in actions if not is_shown)  # such as moving the cursor

    def _actions(self) -> Iterator[tuple[Command, bool]]:
        """What the bindings do, of the focused widget first, then of every other on the screen."""
        focused = list(self.focused.ancestors_with_self) if self.focused else [self.screen, self.app]
        others = [one for one in self.screen.walk_children() if one.display and one.is_on_screen]
        found: dict[str, tuple[DOMNode, Binding]] = {}
        keys: dict[str, list[str]] = {}
        for node in [*focused, *others]:
            for binding in chain.from_iterable(merged_bindings(type(node)).values()):
                if binding.id and _can(node, binding):
                    name = sentence_of(binding)
                    if name not in found:
                        found[name] = node, binding
                    if found[name][1].action.endswith(binding.action.removeprefix("app.")):
                        key = self.app.get_key_display(moved(binding, self.user_keys)[0])
                        keys.setdefault(name, []).append(key)
        for name, (node, binding) in found.items():
            shown = "  ".join(dict.fromkeys(keys[name][:_KEYS_SHOWN]))
            command = Command(name, shown, partial(self._act, node, binding.action))
            yield command, binding.show or node is self.app

    async def _act(self, node: DOMNode, action: str) -> None:
        if isinstance(node, Widget) and node.focusable and not node.has_focus:
            node.focus()
        await self.app.run_action(action, node)

    def _others(self) -> Iterator[Command]:
        yield Command(_("Change the keyboard shortcuts"), "", partial(self.app.run_action, "app.key_map"))
        for language in languages():
            if language != current_language():
                name = name_of(language)
                use = partial(self._use_language, language)
                yield Command(_("Show everything in {name}", name=name), "", use)
        for name in self._themes:
            yield Command(
                _("Use the theme {name} for now", name=name), "", partial(use_theme, self.app, name)
            )

    async def _use_language(self, language: str) -> None:
        from spotui.tui.app import SpotuiApp

        if isinstance(self.app, SpotuiApp):
            await self.app.use_language(language)

    def _openings(self, names: list[str]) -> Iterator[Command]:
        send = self.screen.post_message
        for name in names:
            yield Command(_("Open the project {name}", name=name), "", partial(send, OpenProject(name)))
        for name in self._races:
            yield Command(_("Open the race {name}", name=name), "", partial(send, OpenRace(name)))
        for name in self._migrations:
            yield Command(
                _("Write the report of the migration {name}", name=name), "", partial(self._report, name)
            )

    def _report(self, name: str) -> None:
        """Ask where the receipt of a migration is to be written, and write it."""
        from spotui.tui.export import report_of_several
        from spotui.workspace.migration_file import MigrationFolder

        folder = MigrationFolder(self.workspace, name)
        open_by(self.screen, report_of_several(self.screen, folder), group="report")


def _names(workspace: Workspace) -> list[str]:
    try:
        return workspace.names()[::-1]
    except OSError:
        return []


def _race_names(workspace: Workspace) -> list[str]:
    from spotui.workspace.race_file import race_names

    try:
        return race_names(workspace)[::-1]
    except OSError:
        return []


def _migration_names(workspace: Workspace) -> list[str]:
    from spotui.workspace.migration_file import migration_names

    try:
        return migration_names(workspace)[::-1]
    except OSError:
        return []


def _can(node: DOMNode, binding: Binding) -> bool:
    _, name, parameters = parse(binding.action)
    return name not in _NOT_HERE and bool(node.check_action(name, parameters))
