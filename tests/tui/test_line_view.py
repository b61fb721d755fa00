"""Blocks of lines: always the right ones on the screen, and no more painted than has changed."""

from random import Random

import pytest
from textual.content import Content
from textual.pilot import Pilot

from spotui.tui.line_view import STRIPS_KEPT, LineView, wrap
from tests.tui.alone import AloneApp, alone
from tests.tui.piloting import seen, until

HEIGHT, WIDTH = 12, 60
App = AloneApp["Texts"]


class Texts(LineView):
    """A text in each block.

    Attributes:
        texts: What the blocks say.
        made: The blocks whose lines were made, in order.
    """

    def __init__(self, *texts: str) -> None:
        super().__init__()
        self.texts = list(texts)
        self.made: list[int] = []

    def blocks(self) -> int:
        return len(self.texts)

    def block(self, number: int, width: int) -> list[Content]:
        self.made.append(number)
        return [Content(line) for line in wrap(self.texts[number], width)]

    def height_of(self, number: int, width: int) -> int:
        return len(wrap(self.texts[number], width))

    def change(self, number: int, text: str) -> None:
        self.texts[number] = text
        self.update_blocks(0, {number})

    def add(self, *texts: str) -> None:
        new = range(len(self.texts), len(self.texts) + len(texts))
        self.texts += texts
        self.update_blocks(min(new, default=0), set(new))


def numbered(count: int) -> list[str]:
    return [f"block {number}" for number in range(count)]


def top(app: App) -> str:
    return seen(app).splitlines()[0].split("  ")[0]


async def show(pilot: Pilot[None], view: Texts) -> None:
    view.lay_out()
    await pilot.pause()


def test_it_stays_at_the_end_until_somebody_scrolls_up() -> None:
    async def journey(app: App, pilot: Pilot[None]) -> None:
        view = app.widget
        await show(pilot, view)
        view.add(*numbered(30))
        await until(pilot, lambda: "block 29" in seen(app))
        await pilot.press("up")
        await until(pilot, lambda: not view.follows)
        view.add("block 30")
        await until(pilot, lambda: view.max_scroll_y == 31 - HEIGHT)
        assert "block 30" not in seen(app)
        await pilot.press("end")
        await until(pilot, lambda: "block 30" in seen(app))
        assert view.follows
        view.add("block 31", "block 32")
        await until(pilot, lambda: "block 32" in seen(app))

    alone(Texts, journey)


def test_it_goes_to_the_end_also_where_the_scrollbar_comes_late() -> None:
    async def journey(app: App, pilot: Pilot[None]) -> None:
        view = app.widget
        await show(pilot, view)
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(view, "call_after_refresh", lambda _: None)  # called too early, in effect
            view.add(*numbered(30))
        assert (view.scroll_y, view.show_vertical_scrollbar) == (0, False)
        await until(pilot, lambda: "block 29" in seen(app))

    alone(Texts, journey)


def test_what_is_at_the_top_stays_there_in_a_terminal_of_another_size() -> None:
    async def journey(app: App, pilot: Pilot[None]) -> None:
        view = app.widget
        await show(pilot, view)
        view.add(*(f"{text} " + "and so on " * 10 for text in numbered(30)))
        view.scroll_to_block(10)
        await until(pilot, lambda: top(app).startswith("block 10"))
        for width, height in ((25, HEIGHT), (WIDTH, 3 * HEIGHT), (WIDTH, HEIGHT)):
            await pilot.resize_terminal(width, height)
            await until(pilot, lambda: top(app).startswith("block 10"))
            assert not view.follows

    alone(Texts, journey)


def test_it_stays_at_the_end_of_what_becomes_shorter() -> None:
    async def journey(app: App, pilot: Pilot[None]) -> None:
        view = app.widget
        await show(pilot, view)
        view.add("one\ntwo\nthree\nfour")
        await until(pilot, lambda: "four" in seen(app))
        view.change(30, "one")
        await until(pilot, lambda: view.max_scroll_y == 31 - HEIGHT)
        await pilot.pause()
        assert view.follows
        view.texts = view.texts[:20]
        view.lay_out(20)
        await until(pilot, lambda: view.max_scroll_y == 20 - HEIGHT)
        view.add("the last one")
        await until(pilot, lambda: "the last one" in seen(app))

    alone(lambda: Texts(*numbered(30)), journey)


def test_a_change_paints_what_changed_and_nothing_else() -> None:
    async def journey(app: App, pilot: Pilot[None]) -> None:
        view = app.widget
        await show(pilot, view)
        await until(pilot, lambda: "block 7" in seen(app))
        view.made.clear()
        view.change(3, "another text")
        await until(pilot, lambda: "another text" in seen(app))
        assert set(view.made) == {3}

    alone(lambda: Texts(*numbered(8)), journey)


def test_a_block_that_grows_moves_those_below_it() -> None:
    async def journey(app: App, pilot: Pilot[None]) -> None:
        view = app.widget
        await show(pilot, view)
        view.change(0, "one\ntwo\nthree")
        await until(
            pilot, lambda: seen(app).splitlines()[:5] == ["one", "two", "three", "block 1", "block 2"]
        )
        view.change(0, "one")
        await until(pilot, lambda: seen(app).splitlines()[:3] == ["one", "block 1", "block 2"])

    alone(lambda: Texts(*numbered(5)), journey)


def test_another_width_wraps_anew() -> None:
    async def journey(app: App, pilot: Pilot[None]) -> None:
        await show(pilot, app.widget)
        assert seen(app).splitlines()[:2] == ["word " * 10 + "word", "word " * 8 + "word"]
        await pilot.resize_terminal(14, HEIGHT)
        await until(pilot, lambda: seen(app).splitlines()[:2] == ["word word"] * 2)

    alone(lambda: Texts("word " * 20), journey)


def test_a_block_can_be_brought_to_the_top() -> None:
    async def journey(app: App, pilot: Pilot[None]) -> None:
        view = app.widget
        await show(pilot, view)
        view.scroll_to_block(5)
        await until(pilot, lambda: top(app) == "block 5")
        assert not view.follows
        assert view.block_at(round(view.scroll_y) + 3) == 8
        view.scroll_to_block(99)  # there is none
        await pilot.pause()
        assert top(app) == "block 5"

    alone(lambda: Texts(*numbered(30)), journey)


def test_who_goes_elsewhere_is_not_taken_to_the_end_by_what_was_added_before() -> None:
    async def journey(app: App, pilot: Pilot[None]) -> None:
        view = app.widget
        await show(pilot, view)
        await until(pilot, lambda: "block 29" in seen(app))
        view.add("block 30")
        view.scroll_to_block(5)
        await pilot.pause()
        await pilot.pause()
        assert top(app) == "block 5"
        view.follow()
        view.scroll_to_block(5)
        await pilot.pause()
        await pilot.pause()
        assert top(app) == "block 5"
        view.follow()
        await until(pilot, lambda: "block 30" in seen(app))

    alone(lambda: Texts(*numbered(30)), journey)


def test_what_happens_while_it_cannot_be_seen_is_there_when_it_can() -> None:
    async def journey(app: App, pilot: Pilot[None]) -> None:
        view = app.widget
        await show(pilot, view)
        await until(pilot, lambda: "block 2" in seen(app))
        view.display = False
        await pilot.pause()
        view.change(1, "changed\ntwice")
        view.add("block 3")
        view.display = True
        await until(pilot, lambda: "block 3" in seen(app))
        assert seen(app).splitlines()[:5] == ["block 0", "changed", "twice", "block 2", "block 3"]
        view.display = False
        await pilot.pause()
        view.texts = ["another", "choice"]
        view.lay_out()
        await pilot.pause()
        view.display = True
        await until(pilot, lambda: seen(app).splitlines()[:2] == ["another", "choice"])

    alone(lambda: Texts(*numbered(3)), journey)


def test_painted_lines_are_kept_for_no_more_than_so_many_blocks() -> None:
    count = 2 * STRIPS_KEPT

    async def journey(app: App, pilot: Pilot[None]) -> None:
        view = app.widget
        await show(pilot, view)
        for number in range(0, count, HEIGHT):
            view.scroll_to_block(number)
            seen(app)
        await pilot.pause()
        assert len(view._strips) <= STRIPS_KEPT

    alone(lambda: Texts(*numbered(count)), journey)


def test_whatever_comes_goes_and_changes_every_line_is_where_it_belongs() -> None:
    random = Random(7)

    def a_text() -> str:
        return "word 猫 " * random.randint(0, 25)

    async def journey(app: App, pilot: Pilot[None]) -> None:
        view = app.widget
        await show(pilot, view)
        for _ in range(100):
            match random.choice("+++~~~---^^|"):
                case "+":
                    view.add(*(a_text() for _ in range(random.randint(1, 4))))
                case "~" if view.texts:
                    view.change(random.randrange(len(view.texts)), a_text())
                case "-" if view.texts:
                    first = random.randrange(len(view.texts))
                    view.texts[first:] = [a_text() for _ in range(random.randint(0, 3))]
                    view.lay_out(first)
                case "|":
                    await pilot.resize_terminal(random.randint(20, 60), random.randint(4, 14))
                case _:
                    view.scroll_to(y=random.randint(0, 40), animate=False, immediate=True)
            await pilot.pause()
            width = view.scrollable_content_region.width
            lines = [line for text in view.texts for line in wrap(text, width)]
            start = round(view.scroll_y)
            height = view.scrollable_content_region.height
            expected = [line.rstrip() for line in lines[start : start + height]]
            shown = [view.render_line(y).text.rstrip() for y in range(height)]
            assert shown == expected + [""] * (height - len(expected))

    alone(Texts, journey)
