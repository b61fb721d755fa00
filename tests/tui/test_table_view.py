"""The table: a cursor that stays where it belongs, columns that fit, and no more paint than needed."""

import asyncio
import re
from collections.abc import Awaitable, Callable, Sequence

import pytest
from textual.app import App, ComposeResult
from textual.content import Content
from textual.pilot import Pilot
from textual.strip import Strip

from spotui.tui.table_view import Column, Row, TableView
from tests.tui.piloting import seen, until
from tests.tui.settling import settling

COLUMNS = (Column("name"), Column("kind", 6, from_width=40), Column("size", 5, is_number=True))
Journey = Callable[["TableApp", Pilot[None]], Awaitable[None]]


class TableApp(App[None]):
    def __init__(self) -> None:
        super().__init__()
        self.heard: list[str] = []

    def compose(self) -> ComposeResult:
        table = TableView(COLUMNS)
        table.empty = Content("Nothing here yet. Press n to make something.")
        yield table

    @property
    def table(self) -> TableView:
        return self.query_one(TableView)

    def on_table_view_chosen(self, event: TableView.Chosen) -> None:
        self.heard.append(f"chose {event.key}")

    def on_table_view_moved(self, event: TableView.Moved) -> None:
        self.heard.append(f"at {event.key}")


def drive(journey: Journey, size: tuple[int, int] = (60, 8)) -> None:
    async def take() -> None:
        app = TableApp()
        async with app.run_test(size=size) as pilot:
            await pilot.pause()
            await journey(app, pilot)

    with settling():
        asyncio.run(take())


def rows(keys: Sequence[str]) -> list[Row]:
    return [Row(key, (f"name of {key}", "kind", str(len(key)))) for key in keys]


def test_the_cursor_is_in_sight_also_where_the_scrollbar_comes_late() -> None:
    async def journey(app: TableApp, pilot: Pilot[None]) -> None:
        keys = [f"row{number}" for number in range(30)]
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(app.table, "call_after_refresh", lambda _: None)  # called too early, in effect
            app.table.show(rows(keys))
            app.table.select("row29")
        assert (app.table.scroll_y, app.table.show_vertical_scrollbar) == (0, False)
        await until(pilot, lambda: "name of row29" in seen(app))

    drive(journey)


@pytest.mark.parametrize("width", range(24, 90, 6))
def test_texts_make_room_before_a_number_is_cut(width: int) -> None:
    columns = (
        Column("name"),
        Column("state", 12),
        Column("spent", 6, is_number=True),
        Column("note", 20),
        Column("time", 6, is_number=True),
    )

    async def journey(app: TableApp, pilot: Pilot[None]) -> None:
        app.table.use_columns(columns)
        app.table.show([Row("a", ("a long name", "interrupted", "$12.3456", "a long note on it", "1:02:33"))])
        await pilot.pause()
        row = seen(app).splitlines()[1]
        assert "$12.3456" in row
        assert "1:02:33" in row
        app.table.show([Row("b", ("a", "b", "$123.4567 + unknown", "c", "9 s"))])  # as wide as it needs to be
        await pilot.pause()
        assert "$123.4567" in seen(app)

    drive(journey, (width, 8))


def test_an_empty_table_says_what_to_do() -> None:
    async def journey(app: TableApp, pilot: Pilot[None]) -> None:
        assert "Press n to make something" in seen(app)
        await pilot.press("down", "enter", "end")
        assert app.heard == []

    drive(journey)


@pytest.mark.parametrize(("width", "kind"), [(60, True), (34, False)])
def test_columns_fit_the_width(width: int, kind: bool) -> None:
    async def journey(app: TableApp, pilot: Pilot[None]) -> None:
        app.table.show([Row("a", ("猫" * 40, "kind", "7")), Row("b", ("short", "kind", "12345678"))])
        await pilot.pause()
        titles, first, second = seen(app).splitlines()[:3]
        assert ("kind" in titles) == ("kind" in first) == kind
        assert re.search("猫 ?…", first)
        assert first.endswith("    7")
        assert second.endswith("12345678")  # a number is not cut
        assert len(titles) == width - 1

    drive(journey, (width, 6))


def test_the_cursor_stays_on_its_row_whatever_comes_and_goes() -> None:
    async def journey(app: TableApp, pilot: Pilot[None]) -> None:
        table = app.table
        table.show(rows("abc"))
        await pilot.press("down")
        table.show(rows("xyzabc"))
        assert table.current == "b"
        table.show(rows("xyzac"))
        assert table.current == "c"  # what came after it
        table.show(rows("xy"))
        assert table.current == "y"
        table.show([])
        assert table.current == ""

    drive(journey)


def test_keys_move_the_cursor_and_the_table_follows() -> None:
    async def journey(app: TableApp, pilot: Pilot[None]) -> None:
        keys = [f"r{number:02}" for number in range(30)]
        app.table.show(rows(keys))
        await pilot.pause()
        for press, expected in (
            ("end", 29),
            ("up", 28),
            ("pageup", 22),
            ("home", 0),
            ("j", 1),
            ("pagedown", 7),
        ):
            await pilot.press(press)
            await pilot.pause()
            assert app.table.current == keys[expected], press
            assert f"name of {keys[expected]}" in seen(app)
            assert seen(app).startswith(" name")  # the titles stay

    drive(journey)


def test_a_row_that_is_selected_before_anything_is_painted_is_scrolled_to() -> None:
    async def journey(app: TableApp, pilot: Pilot[None]) -> None:
        app.table.show(rows([f"r{number:02}" for number in range(30)]))
        app.table.select("r25")
        await pilot.pause()
        assert "name of r25" in seen(app)

    drive(journey)


def test_enter_chooses_and_so_does_a_double_click() -> None:
    async def journey(app: TableApp, pilot: Pilot[None]) -> None:
        app.table.show(rows("abc"))
        await pilot.pause()
        await pilot.press("enter")
        await pilot.click(TableView, offset=(5, 3))
        assert app.table.current == "c"
        assert "chose c" not in app.heard
        await pilot.click(TableView, offset=(5, 3), times=2)
        await pilot.pause()
        await pilot.click(TableView, offset=(5, 0))  # the titles are no row
        await pilot.click(TableView, offset=(5, 6))
        assert [one for one in app.heard if one.startswith("chose")] == ["chose a", "chose c"]

    drive(journey)


def test_only_a_row_that_changed_is_painted(monkeypatch: pytest.MonkeyPatch) -> None:
    async def journey(app: TableApp, pilot: Pilot[None]) -> None:
        app.table.show(rows("abc"))
        await pilot.pause()
        painted: list[int] = []
        render = app.table.render_line

        def paint(y: int) -> Strip:
            painted.append(y)
            return render(y)

        monkeypatch.setattr(app.table, "render_line", paint)
        app.table.show([*rows("a"), Row("b", ("another", "kind", "1")), *rows("c")])
        await pilot.pause()
        assert painted == [2]
        painted.clear()
        app.table.show([*rows("a"), Row("b", ("another", "kind", "1")), *rows("c")])
        await pilot.pause()
        assert painted == []

    drive(journey)


def test_a_filter_narrows_the_rows_and_no_key_of_it_does_anything_else() -> None:
    async def journey(app: TableApp, pilot: Pilot[None]) -> None:
        table = app.table
        table.show(rows(["apple", "pear", "pineapple", "plum"]))
        await pilot.press("slash", *"apPLe")
        assert table.keys == ["apple", "pineapple"]
        assert "/apPLe" in seen(app)
        assert "2 of 4 rows" in seen(app)
        await pilot.press("down")
        table.show(
            rows(["apple", "pear", "pineapple", "plum", "appletree"])
        )  # what comes later is filtered, too
        assert (table.keys, table.current) == (["apple", "pineapple", "appletree"], "pineapple")
        await pilot.press("enter")  # keeps it
        assert app.heard[-1] == "at pineapple"
        await pilot.press("j", "enter")
        assert app.heard[-1] == "chose appletree"
        await pilot.press("slash", "x")
        assert table.keys == []
        assert "No row contains 'apPLex'" in seen(app)
        await pilot.press("escape")
        assert len(table.keys) == 5
        await pilot.press("slash", "z", *["backspace"] * 2, "j")  # an empty one is left with a backspace
        table.select("plum")
        await pilot.press("slash", *"pear")
        table.select("plum")  # what has to be shown is shown
        assert (table.current, len(table.keys)) == ("plum", 5)

    drive(journey)


def test_a_column_that_holds_nothing_takes_no_room() -> None:
    async def journey(app: TableApp, pilot: Pilot[None]) -> None:
        app.table.show([Row("a", ("first", "", "7"))])
        await pilot.pause()
        assert seen(app).splitlines()[0].split() == ["name", "size"]
        app.table.show([Row("a", ("first", "new", "7"))])
        await pilot.pause()
        assert seen(app).splitlines()[0].split() == ["name", "kind", "size"]
        app.table.show([Row("a", ("first", "", "7"))])  # and it gives it back
        await pilot.pause()
        assert seen(app).splitlines()[0].split() == ["name", "size"]

    drive(journey)
