"""The projects of Home, each with what its best prompt is worth."""

import asyncio
from collections.abc import Callable
from datetime import datetime
from typing import TYPE_CHECKING, ClassVar, NamedTuple

from textual.binding import Binding, BindingType
from textual.content import Content
from textual.message import Message

from spotui.domain.errors import SpotuiError
from spotui.domain.figures import bar, moment, percent, state_in_words, usd
from spotui.lang import N_, _
from spotui.tui.child import attempt
from spotui.tui.home.shelf import Shelf
from spotui.tui.page import OpenRace
from spotui.tui.table_view import Column, Row, TableView
from spotui.tui.terminal import open_by
from spotui.workspace.projects import Workspace

if TYPE_CHECKING:
    from spotui.workspace.overview import Overview


_BAR_CELLS = 16
_COLUMNS = (
    Column("name"),
    Column("state", 11, from_width=34),
    Column("gain", 6, is_number=True, from_width=44),
    Column("", _BAR_CELLS, from_width=100),
    Column("method", 8, from_width=90),
    Column("round", 8, is_number=True, from_width=56),
    Column("best", 8, is_number=True, from_width=110),
    Column("spent", 7, is_number=True, from_width=64),
    Column("when", 12, is_number=True, from_width=74),
)
_TONES = {
    "running": "$text-success",
    "paused": "$text-warning",
    "finished": "",
    "failed": "$text-error",
    "unmarked": "$text-error",
    "damaged": "$text-error",
    "budget": "$text-warning",
    "interrupted": "$text-warning",
    "waiting": "$text-warning",
}
_AT_ONCE = 8
"""Projects that are read before the screen shows them."""


class ProjectsPanel(Shelf):
    """Every project with how it stands, the last worked on first.

    Args:
        workspace: Where they are.
    """

    DELETED = N_("It moves to the trash. Press u to undo, or a to open the trash.")
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter", "choose", "open", id="projects.open"),
        Binding("c", "race", "its race", id="projects.race"),
        Binding("n", "begin", "new run", id="projects.new"),
        Binding("d", "duplicate", "duplicate", id="projects.duplicate"),
        Binding("r", "rename", "rename", id="projects.rename"),
        Binding("x,delete", "archive", "delete", id="projects.delete"),
        Binding("a", "look_into_archive", "trash", id="projects.archive"),
    ]

    class NewWanted(Message):
        """Somebody wants to start a run."""

    def __init__(self, workspace: Workspace) -> None:
        super().__init__(_COLUMNS, N_("Projects"))
        self._workspace = workspace
        self._known: dict[str, tuple[int | None, Overview]] = {}

    @property
    def running(self) -> list[str]:
        """The projects whose runs are running or paused, as far as they have been read."""
        return [name for name, (_, overview) in self._known.items() if overview.is_held]

    async def read(self) -> None:
        """Bring the rows up to date; only projects that changed are read again."""
        async with self._reading:
            names = await attempt(self, self._workspace.names)
            if names is None:
                return
            names.reverse()
            self._known = {name: known for name, known in self._known.items() if name in names}
            for start in range(0, len(names), _AT_ONCE):
                if await asyncio.to_thread(self._read, names[start : start + _AT_ONCE]):
                    self._show(names)
            self._show(names)

    def _read(self, names: list[str]) -> bool:
        """In a thread; whether any is another than it was."""
        from spotui.workspace.overview import read_overview

        found = False
        for name in names:
            project = self._workspace.project(name)
            changed = project.changed
            known = self._known.get(name)
            # A process that died changes no file.
            if known is None or known[0] != changed or known[1].is_held:
                self._known[name] = changed, read_overview(project)
                found = True
        return found

    def _show(self, names: list[str]) -> None:
        now = datetime.now().astimezone()
        known = {name: self._overview(name) for name in names}
        worths = [one.worth.gain for one in known.values() if one is not None and one.worth is not None]
        # Without a round nothing has been spent, whatever it will be.
        is_priced = any(one is not None and one.rounds and one.cost_usd is not None for one in known.values())
        scale = _Scale(max([_LEAST_GAIN, *worths]), is_priced=is_priced)
        self.show([Row(name, _cells(name, one, now, scale)) for name, one in known.items()])
        title = _("Projects  {count}", count=len(names)) if names else _("Projects")
        if title != self.border_title:
            self.border_title = title
        self._tell_damage()

    def on_table_view_moved(self, event: TableView.Moved) -> None:
        """Tell what is damaged about the project under the cursor."""
        event.stop()
        self._tell_damage()
        self.refresh_bindings()

    def _tell_damage(self) -> None:
        overview = self._overview(self.current)
        # There is room for what is wrong, not for the way to the project's folder besides.
        here = f"{self._workspace.root / self.current}/"
        why = Content(overview.why.replace(here, "") if overview else "")
        if why.markup != self.border_subtitle:
            self.border_subtitle = why

    def _overview(self, name: str) -> "Overview | None":
        known = self._known.get(name)
        return known[1] if known else None

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:  # noqa: ARG002
        """Only a project in a folder of several can be a run of a race."""
        return "/" in self.current if action == "race" else True

    def action_race(self) -> None:
        """Show the race that the project is a run of, if there is one."""
        from spotui.workspace.race_file import race_of

        race = race_of(self._workspace.project(self.current), self._workspace)
        if race is None:
            self.notify(_("{current} is not part of a race.", current=self.current), markup=False)
        else:
            self.post_message(OpenRace(race.name))

    def action_begin(self) -> None:
        """Start a run."""
        self.post_message(self.NewWanted())

    def check_new_name(self, key: str, name: str) -> None:  # noqa: ARG002
        """Another project may have the name."""
        if self._workspace.project(name).exists:
            raise SpotuiError(_("There is a project {name!r} already.", name=name))

    def copy_of(self, key: str) -> str:
        """Copy it, with everything it holds."""
        from spotui.workspace.moving import duplicate, free_copy_name

        name = free_copy_name(self._workspace, key)
        return duplicate(self._workspace, self._workspace.project(key), name).name

    def renamed(self, key: str, name: str) -> str:
        """Move its folder."""
        from spotui.workspace.moving import rename

        return rename(self._workspace, self._workspace.project(key), name).name

    def put_away(self, key: str) -> Callable[[], object]:
        """Move its folder into the archive."""
        from spotui.workspace.moving import restore

        folder = self._workspace.archive(self._workspace.project(key))
        return lambda: restore(self._workspace, folder)

    def action_look_into_archive(self) -> None:
        """See what was deleted, and bring it back."""
        open_by(self, self._look_into_archive(), group="projects")

    async def _look_into_archive(self) -> None:
        from spotui.workspace.moving import archived, restore

        found = await attempt(self, archived, self._workspace)
        if found is None:
            return
        if not found:
            self.notify(_("The trash is empty."))
            return
        from spotui.tui.home.trash import ArchiveScreen

        chosen = await self.app.push_screen_wait(ArchiveScreen(found))
        if chosen is not None:
            project = await attempt(self, restore, self._workspace, chosen)
            await self.arrive(project.name if project is not None else None)


_LEAST_GAIN = 0.1
"""The least gain that fills a bar: a small one is not to look like a large one."""


class _Scale(NamedTuple):
    """The gain that fills a bar, and whether the price of any project is known."""

    most: float
    is_priced: bool


def _cells(name: str, overview: "Overview | None", now: datetime, scale: _Scale) -> tuple[Content | str, ...]:
    if overview is None:
        return (name, Content.styled("…", "$text-muted"), *[""] * (len(_COLUMNS) - 2))
    state = Content.styled(state_in_words(overview.state), _TONES.get(overview.state, "$text-muted"))
    if overview.state == "damaged":
        return (name, state, *[""] * (len(_COLUMNS) - 2))
    wanted = f"{overview.rounds}"
    if overview.rounds_wanted:
        wanted = _("{rounds} of {wanted}", rounds=overview.rounds, wanted=overview.rounds_wanted)
    best = ""
    if overview.best is not None:
        best = _("seed") if overview.best == 1 else _("round {number}", number=overview.best)
    gain, drawn = _worth(overview, scale.most)
    cost = usd(overview.cost_usd, estimated=overview.estimated) if scale.is_priced else ""
    return (
        name,
        state,
        gain,
        drawn,
        overview.method,
        wanted,
        best,
        cost,
        moment(overview.when, now) if overview.when else "",
    )


def _worth(overview: "Overview", most: float) -> tuple[Content | str, Content | str]:
    """The gain as a number and a bar; pale where it is not proven."""
    worth = overview.worth
    if worth is None:
        return "", ""
    text = percent(worth.value) if worth.by == "duels" else f"{100 * worth.value:+.1f}"
    drawn = bar(worth.gain / most, _BAR_CELLS)
    if not worth.is_proven:
        pale = "░" * max(1, len(drawn)) if worth.gain > 0 else ""
        return Content.styled(f"~{text}", "$text-muted"), Content.styled(pale, "$text-muted")
    return Content.styled(text, "bold"), Content.styled(drawn, "$text-success")
