"""Before a race starts: who takes part, what they use, and what it will take."""

from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import VerticalScroll
from textual.content import Content

from spotui.tui.dialog import field_keys, row, text_field
from spotui.tui.new_run import Choices, Expected
from spotui.tui.race.starting import Entrants, begin_race, expect_race
from spotui.tui.start_dialog import StartDialog, budget, estimate_line, warning_lines
from spotui.workspace.race_file import RaceFolder

_USUAL = "spo,gpo,gradsum"
_FIELDS = (
    ("name", "Name", ""),
    ("methods", "Methods", "spo,gpo,gradsum"),
    ("told", "Parameters", "e.g. gpo.max_steps=6 gradsum.beam=2"),
    ("model", "Model", "…"),
    ("base_url", "Endpoint", "…"),
    ("rounds", "Rounds", "…"),
)


class NewRaceScreen(StartDialog[RaceFolder]):
    """Starts a race; gives back where it is, or None when it is left with Escape.

    Args:
        workspace: Where the runs will be.
        template: What all methods work on.
    """

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "back", "back", id="new_race.back", priority=True),
        *field_keys("new_race"),
    ]

    DEFAULT_CSS = "NewRaceScreen > VerticalScroll { width: 78; }"

    AUTO_FOCUS = "#methods"

    def compose(self) -> ComposeResult:
        """The fields, and what is expected."""
        first = {"name": self._workspace.free_name(f"{self._template.stem}-race"), "methods": _USUAL}
        with VerticalScroll(can_focus=False) as box:
            box.border_title = Content(f"New race on {self._template.name}")
            box.border_subtitle = "enter starts, escape cancels"
            for field, name, meaning in _FIELDS:
                yield row(name, text_field(field, first.get(field, ""), meaning))
            yield from budget("Budget each", Choices())
            yield estimate_line()

    @property
    def _entrants(self) -> Entrants:
        return Entrants(self.typed_in("methods") or _USUAL, self.typed_in("told"))

    async def expected(self) -> Content:
        """What the run of every method would take."""
        found = await expect_race(self._workspace, self._template, self._entrants, self.chosen)
        rounds = ", ".join(f"{method} {one.used['rounds']}" for method, one in found if one.used)
        used = next((dict(one.used) for _, one in found if one.used), {})
        self.show_used(used | ({"rounds": rounds} if used else {}))
        return _told(found)

    async def begin(self, name: str) -> RaceFolder:
        """Start the race."""
        race = RaceFolder(self._workspace, name)
        self.say_it_starts()
        await begin_race(race, self._template, self._entrants, self.chosen, self.say)
        return race


def _told(expected: list[tuple[str, Expected]]) -> Content:
    width = max(len(method) for method, _ in expected)
    lines = [Content.assemble(f"{method:{width}}  ", (one.line, "bold")) for method, one in expected]
    lines += warning_lines(list(dict.fromkeys(warning for _, one in expected for warning in one.warnings)))
    return Content("\n").join([Content.styled("Expected, one after another:", "$text-muted"), *lines])
