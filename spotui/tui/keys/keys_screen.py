"""Which keys do something now, and what each binding is called in the user's own key map."""

from collections.abc import Iterable, Mapping
from typing import ClassVar, NamedTuple

from textual.app import App, ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import VerticalScroll
from textual.content import Content
from textual.screen import Screen
from textual.widgets import Static

from spotui import locations
from spotui.locations import shown
from spotui.tui.dialog import Dialog
from spotui.tui.keys.declared import merged_bindings, moved

_KEYS_WIDTH, _WHAT_WIDTH = 18, 24


class Help(NamedTuple):
    """One thing that can be done: with which keys, what it is, and the name of its binding."""

    keys: tuple[str, ...]
    what: str
    name: str


class Section(NamedTuple):
    """What can be done in one place."""

    title: str
    helps: tuple[Help, ...]


def sections_of(screen: Screen[object], user_keys: Mapping[str, str]) -> list[Section]:
    """What can be done now: where the focus is, on the screen, and everywhere.

    Args:
        screen: The screen that is asked about, before anything is put over it.
        user_keys: The keys that the user has chosen, by the id of what they do.
    """
    app = screen.app
    here: list[Binding] = []
    there: list[Binding] = []
    besides: list[Binding] = []
    for active in screen.active_bindings.values():
        if active.enabled and active.node is not app:
            group = there if active.node is screen else here
            (group if active.binding.id else besides).append(active.binding)
    everywhere = [
        own
        for bindings in merged_bindings(type(app)).values()
        for one in bindings
        if one.id and (one.priority or not screen.is_modal)
        for own in moved(one, user_keys)
    ]
    groups = (
        ("What has focus", here),
        ("This screen", there),
        ("Everywhere", everywhere),
        ("Besides, fixed", besides),
    )
    return [Section(title, _helps(app, found)) for title, found in groups if found]


def _helps(app: App[object], found: Iterable[Binding]) -> tuple[Help, ...]:
    """The particular ones first, then those that move about."""
    by_action: dict[tuple[str, str], list[Binding]] = {}
    for one in sorted(found, key=lambda one: not one.show):
        by_action.setdefault((one.action, one.id or ""), []).append(one)
    return tuple(
        Help(
            tuple(dict.fromkeys(app.get_key_display(one) for one in bindings)),
            (bindings[0].description or bindings[0].action).lower(),
            name,
        )
        for (_, name), bindings in by_action.items()
    )


class KeysScreen(Dialog[None]):
    """Tells the keys.

    Args:
        sections: What can be done, and where.
    """

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,q,question_mark", "dismiss(None)", "back", id="keys.back"),
        Binding("down,j", "scroll('scroll_down')", "down", id="keys.down", show=False),
        Binding("up,k", "scroll('scroll_up')", "up", id="keys.up", show=False),
        Binding("pagedown,space", "scroll('scroll_page_down')", "page down", id="keys.page_down", show=False),
        Binding("pageup", "scroll('scroll_page_up')", "page up", id="keys.page_up", show=False),
        Binding("home", "scroll('scroll_home')", "first", id="keys.first", show=False),
        Binding("end", "scroll('scroll_end')", "last", id="keys.last", show=False),
    ]

    DEFAULT_CSS = """
    KeysScreen {
        & > VerticalScroll { width: 76; }
        & Static { height: auto; }
    }
    """

    AUTO_FOCUS = ""

    def __init__(self, sections: Iterable[Section]) -> None:
        super().__init__()
        self._sections = list(sections)

    def compose(self) -> ComposeResult:
        """One text that scrolls."""
        with VerticalScroll(can_focus=False) as box:
            box.border_title = "Keys"
            box.border_subtitle = "escape leaves"
            yield Static(Content("\n").join(self._lines()))

    def action_scroll(self, how: str) -> None:
        """Scroll the text."""
        getattr(self.query_one(VerticalScroll), how)(animate=False)

    def _lines(self) -> Iterable[Content]:
        for number, section in enumerate(self._sections):
            if number:
                yield Content("")
            yield Content.styled(section.title, "bold $secondary")
            for one in section.helps:
                keys = Content.styled("  ".join(one.keys).ljust(_KEYS_WIDTH), "bold $accent")
                what = Content(one.what.ljust(_WHAT_WIDTH))
                yield Content.assemble(keys, " ", what, " ", Content.styled(one.name, "$text-muted"))
        yield Content("")
        yield Content.styled(
            "Keyboard shortcuts: write the name at the right and a key into "
            f"{shown(locations.keys_file())}, for example  run.stop: S",
            "$text-muted",
        )
