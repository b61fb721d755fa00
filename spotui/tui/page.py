"""A page, which is a whole screen: what all of them have in common, and what they ask the app to open."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from textual.app import ComposeResult
from textual.binding import ActiveBinding
from textual.content import Content
from textual.dom import DOMNode
from textual.events import Click, ScreenResume
from textual.message import Message
from textual.reactive import Reactive
from textual.screen import Screen
from textual.widget import Widget
from textual.widgets import Static

from spotui.lang import _
from spotui.tui.relabelling import Relabelled

if TYPE_CHECKING:
    from spotui.tui.expected import Choices

Result = TypeVar("Result")


@dataclass
class OpenProject(Message):
    """Somebody wants to see a project's run."""

    name: str


@dataclass
class OpenRace(Message):
    """Somebody wants to see a race."""

    name: str


class OpenTour(Message):
    """Somebody wants to see a recorded run."""


@dataclass
class EditTemplate(Message):
    """Somebody wants to edit a template, or to look at one that comes with spotui."""

    path: Path
    is_fixed: bool = False


@dataclass
class WriteRows(Message):
    """Somebody wants new rows for a template.

    Args:
        path: The template.
        then: Called with whether it was changed.
    """

    path: Path
    then: Callable[[bool | None], None]


@dataclass
class BeginRun(Message):
    """Somebody wants to start a run of a template.

    Args:
        template: The template's file.
        choices: What stands in the fields at first.
        is_first: Whether the run takes the place of the welcome, and its model becomes that of later runs.
    """

    template: Path
    choices: "Choices | None" = None
    is_first: bool = False


@dataclass
class UseModel(Message):
    """Somebody has chosen a model for later runs.

    Args:
        model: The model; empty for none.
        base_url: Its endpoint; empty for its usual one.
    """

    model: str
    base_url: str = ""


@dataclass
class UseLanguage(Message):
    """Somebody wants another language on every screen.

    Args:
        language: As `languages` names it; empty for that of the system.
    """

    language: str


@dataclass
class BeginRace(Message):
    """Somebody wants to race methods on a template."""

    template: Path


class StyledOnce:
    """A screen that is styled when it is made; Textual styles all of it once more before it is shown."""

    _was_shown = False

    def _on_screen_resume(self, event: ScreenResume) -> None:
        """Take what it was made with as it is; later the theme may have changed meanwhile."""
        if not self._was_shown:
            self._was_shown = True
            event.refresh_styles = False


class Page(StyledOnce, Relabelled[Result]):
    """A whole screen: what `parts` yields, and below it the row of keys.

    A part of the class `framed` has a frame, which shows where the focus is.
    """

    DEFAULT_CSS = """
    Page {
        & .framed {
            border: round $border-blurred; background: $background;
            border-title-color: $text-muted; border-subtitle-color: $text-muted;
            &:focus, &.-around-focus { border: round $primary; border-title-color: $primary; }
        }
        & > .head { height: 1; padding: 0 1; background: $panel; }
    }
    """

    _around_focus: Sequence[DOMNode] = ()

    # Textual paints the whole screen when focus moves, some 40 kB; the widgets concerned paint themselves.
    focused = Reactive[Widget | None](None, repaint=False)

    def compose(self) -> ComposeResult:
        """The parts, and the keys; first the classes of this size, which would style all of them again."""
        sizes = zip(self.app.size, (self.HORIZONTAL_BREAKPOINTS, self.VERTICAL_BREAKPOINTS), strict=True)
        for size, breakpoints in sizes:
            fitting = [one for one in breakpoints or () if one[0] <= size]
            if fitting:
                self.add_class(max(fitting)[1])
        yield from self.parts()
        yield KeyHints()

    def parts(self) -> ComposeResult:
        """What is above the row of keys."""
        raise NotImplementedError

    def watch_focused(self, _: Widget | None, focused: Widget | None) -> None:
        """Mark the frames around the focus.

        `:focus-within` would style everything that is inside of them again whenever focus moves.
        """
        around = [] if focused is None else [one for one in focused.ancestors if one.has_class("framed")]
        changed = {*around} ^ {*self._around_focus}
        self._around_focus = around
        for frame in changed:
            frame.set_class(frame in around, "-around-focus", update=False)
        self.app.stylesheet.update_nodes(changed)

    @property
    def holds_input(self) -> bool:
        """Whether something would be lost if it were closed without being asked."""
        return False

    async def ask_to_close(self) -> None:
        """Close it as its own key does, which asks where something is not saved."""
        await self.run_action("back")

    @property
    def is_on_top(self) -> bool:
        """Whether nothing is over it; Textual paints the top screen whole for what changes in one below it.

        `Screen.is_current` is true of the screen below the top one as well.
        """
        return self.app.screen is self


class Bar(Static):
    """A text across the page, which takes no row while it is empty."""

    DEFAULT_CSS = """
    Bar { height: auto; padding: 0 1; background: $panel; display: none; &.-shown { display: block; } }
    """

    def __init__(self, *, id: str | None = None) -> None:  # noqa: A002 - Textual's name
        super().__init__(id=id, markup=False)
        self._text = Content("")

    def say(self, text: Content) -> None:
        """Show another text; the same one is not painted again."""
        if text != self._text:
            self._text = text
            self.update(text)
            self.set_class(bool(text), "-shown")


class TitleBar(Widget):
    """The program's name, and at the right where its projects are.

    Args:
        location: The folder of the projects.
    """

    DEFAULT_CSS = "TitleBar { height: 1; padding: 0 1; background: $panel; color: $text-muted; }"

    def __init__(self, location: str) -> None:
        super().__init__()
        self._place = location

    def render(self) -> Content:
        """Left who, right where."""
        name = Content.styled("spotui", "bold $primary")
        room = self.content_size.width - name.cell_length - 2
        place = Content(self._place).truncate(max(0, room), ellipsis=True)
        return Content.assemble(name, " " * (room + 2 - place.cell_length), place)


class KeyHints(Widget):
    """As many keys as fit, the most particular first; painted again only when they change.

    Textual's own footer makes its row of widgets anew at every key press, which lays out the whole screen and
    sends kilobytes.
    """

    DEFAULT_CSS = (
        "KeyHints { dock: bottom; height: 1; padding: 0 1; background: $panel; color: $text-muted; }"
    )

    def __init__(self) -> None:
        super().__init__()
        self._hints: list[ActiveBinding] = []
        self._more: ActiveBinding | None = None

    def on_mount(self) -> None:
        """Hear of every change of the focus."""
        self.screen.bindings_updated_signal.subscribe(self, self._update)
        self._update(self.screen)

    def render(self) -> Content:
        """The hints that fit the row, and at its end the key that tells all of them."""
        placed = [hint for _active, hint in self._placed()]
        if self._more is not None:
            more = self._hint(self._more).rstrip()
            gap = self.content_size.width - sum(hint.cell_length for hint in placed) - more.cell_length
            placed += [Content(" " * max(0, gap)), more]
        return Content("").join(placed)

    async def on_click(self, event: Click) -> None:
        """Do what was clicked."""
        end = self.styles.padding.left
        for active, hint in self._placed():
            end += hint.cell_length
            if event.x < end:
                await self.app.run_action(active.binding.action, active.node)
                return
        if self._more is not None and event.x >= self.size.width - self._hint(self._more).cell_length:
            await self.app.run_action(self._more.binding.action, self._more.node)

    def _placed(self) -> list[tuple[ActiveBinding, Content]]:
        placed: list[tuple[ActiveBinding, Content]] = []
        room = self.content_size.width - (self._hint(self._more).cell_length if self._more else 0)
        for active in self._hints:
            hint = self._hint(active)
            room -= hint.cell_length
            if room < -len("  "):
                break
            placed.append((active, hint))
        return placed

    def _hint(self, active: ActiveBinding) -> Content:
        key = self.app.get_key_display(active.binding)
        return Content.assemble((key, "bold $accent"), f" {_(active.binding.description)}  ")

    def _update(self, screen: Screen[object]) -> None:
        found: dict[str, ActiveBinding] = {}
        for active in screen.active_bindings.values():
            if active.binding.show and active.enabled:
                found.setdefault(active.binding.action.removeprefix("app."), active)
        more = found.pop("keys", None)
        hints = list(found.values())
        if [one.binding for one in [*hints, more] if one] != [
            one.binding for one in [*self._hints, self._more] if one
        ]:
            self._hints, self._more = hints, more
            self.refresh()
