"""Charts on a screen: they paint what has changed, and a cursor leads along their points."""

from dataclasses import replace

from textual.geometry import Region
from textual.message import Message
from textual.pilot import Pilot

from spotui.tui.canvas import Bar, Gain, Plot, Point
from spotui.tui.chart import BarChart, ForestChart, PlotChart
from tests.tui.alone import AloneApp, alone
from tests.tui.piloting import seen

FIRST = Point(10, 50, 30, 70, "◆", "best", "1")
SECOND = Point(60, 75, 55, 95, "●", "best", "2")
PLOT = Plot((FIRST, SECOND), steps=((10, 50), (60, 75)), x_title="calls", y_title="score", y_bounds=(0, 100))


class Noting(PlotChart):
    """Notes what it is asked to paint again."""

    DEFAULT_CSS = "Noting { height: 1fr; }"

    def __init__(self) -> None:
        self.regions: list[Region] = []
        super().__init__()

    def refresh(self, *regions: Region, **how: bool) -> "Noting":
        self.regions += regions
        super().refresh(*regions, **how)
        return self


class Listening(AloneApp[Noting]):
    """Hears what the chart tells."""

    def __init__(self, widget: Noting) -> None:
        super().__init__(widget)
        self.heard: list[tuple[str, str]] = []

    def _hear(self, message: Message) -> None:
        assert isinstance(message, PlotChart.Moved | PlotChart.Chosen)
        self.heard.append((type(message).__name__, message.key))

    on_plot_chart_moved = on_plot_chart_chosen = _hear


def test_it_paints_only_the_cells_that_changed() -> None:
    async def journey(app: AloneApp[Noting], pilot: Pilot[None]) -> None:
        chart = app.widget
        assert "Nothing is scored yet" in seen(app)
        chart.show(PLOT)
        await pilot.pause()
        assert "calls" in seen(app)
        chart.regions.clear()
        chart.show(replace(PLOT, points=(FIRST, replace(SECOND, mark="○"))))
        await pilot.pause()
        assert len(chart.regions) == 1
        assert chart.regions[0].area == 1
        assert "○" in seen(app)
        chart.regions.clear()
        chart.show(replace(chart.plot))
        assert not chart.regions

    def make() -> Noting:
        chart = Noting()
        chart.empty = "Nothing is scored yet."
        return chart

    alone(make, journey, (40, 12))


def test_the_cursor_goes_along_the_points() -> None:
    async def journey(app: AloneApp[Noting], pilot: Pilot[None]) -> None:
        assert isinstance(app, Listening)
        app.widget.show(PLOT)
        app.widget.focus()
        await pilot.press("enter", "left", "left", "left", "enter", "end", "enter")
        await pilot.pause()
        assert app.heard == [
            ("Moved", "2"),
            ("Moved", "1"),
            ("Moved", "1"),
            ("Chosen", "1"),
            ("Moved", "2"),
            ("Chosen", "2"),
        ]

    alone(Noting, journey, (40, 12), Listening)


def test_bars_and_forests_are_as_high_as_they_need_to_be() -> None:
    async def bars(app: AloneApp[BarChart], pilot: Pilot[None]) -> None:
        app.widget.show([Bar("one", 0.5, "50%"), Bar("two", 1.0, "100%")])
        await pilot.pause()
        assert app.widget.size.height == 2
        assert "100%" in seen(app)

    async def forest(app: AloneApp[ForestChart], pilot: Pilot[None]) -> None:
        app.widget.show([Gain("gpo", 12, 4, 19, "+12"), Gain("spo", None)])
        await pilot.pause()
        assert app.widget.size.height == 4
        assert "●" in seen(app)

    alone(BarChart, bars)
    alone(ForestChart, forest)
