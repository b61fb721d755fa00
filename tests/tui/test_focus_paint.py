from typing import ClassVar

from textual.app import ComposeResult
from textual.containers import Horizontal, Vertical
from textual.geometry import Region
from textual.pilot import Pilot
from textual.scroll_view import ScrollView
from textual.strip import Strip

from spotui.tui.focus_paint import Framed, PaintsItsCursor
from tests.tui.alone import AloneApp, alone


class Lines(ScrollView, PaintsItsCursor, can_focus=True):
    """Ten lines, of which the third has the cursor."""

    painted: ClassVar[list[int]] = []

    def render_line(self, y: int) -> Strip:
        self.painted.append(y)
        return Strip.blank(self.size.width)

    def paint_cursor(self) -> None:
        self.refresh(Region(0, 2, self.size.width, 1))


class Panel(Vertical, Framed):
    """Lines in a frame."""

    def compose(self) -> ComposeResult:
        yield Lines()


class Panels(Horizontal):
    DEFAULT_CSS = "Panels Panel { border: round gray; &.-shown { border: round red; } }"

    def compose(self) -> ComposeResult:
        yield Panel()
        yield Panel()


def frame_colour(app: AloneApp[Panels], panel: Panel) -> object:
    region = panel.region
    (colour,) = {app.screen.get_style_at(x, region.y).color for x in (region.x, region.right - 1)}
    return colour


def test_focus_paints_cursors_and_frames_and_nothing_inside() -> None:
    async def journey(app: AloneApp[Panels], pilot: Pilot[None]) -> None:
        first, second = app.query(Panel)
        first.mark(is_shown=True)
        first.query_one(Lines).focus()
        await pilot.pause()
        before = frame_colour(app, first), frame_colour(app, second)
        Lines.painted.clear()
        first.mark(is_shown=False)
        second.mark(is_shown=True)
        app.screen.set_focus(second.query_one(Lines))
        await pilot.pause()
        assert second.query_one(Lines).has_focus
        assert not first.query_one(Lines).has_focus
        assert second.has_focus_within
        assert (frame_colour(app, second), frame_colour(app, first)) == before
        assert before[0] != before[1]
        assert Lines.painted == [2, 2]

    alone(Panels, journey)
