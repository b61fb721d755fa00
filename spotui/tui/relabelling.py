"""Screens that follow a change of the language: made again, with what was typed and chosen put back."""

from collections.abc import Callable, Iterator
from contextlib import suppress
from typing import TYPE_CHECKING, Any, Final, TypeVar

from textual.screen import Screen
from textual.widget import Widget
from textual.worker import WorkerError

if TYPE_CHECKING:
    from textual.worker import Worker

Result = TypeVar("Result")

READINGS: Final = frozenset(
    {"answers", "estimate", "judge", "look", "method", "offer", "read", "rows", "show"}
)
"""The groups of workers that read something for the parts of a screen and change nothing."""

_TEXTUALS_OWN: Final = frozenset({"default", "_loader"})
"""The groups of workers of Textual's widgets, some of which never end; ours have groups of their own."""

_Place = tuple[type[Widget], str, int]
"""A widget as it is found again: its class, its id, and how many of both are before it."""


class Relabelled(Screen[Result]):
    """A screen that can be shown in another language while it is open, on top or below others.

    A subclass whose parts are filled after they are composed does that in `fill`, which begins its readings
    again: those under way are called off, because the parts that they would fill are being replaced.
    """

    is_remaking = False

    async def relabel(self) -> None:
        """Show everything in the language that is used now; what is typed and where the cursors are stays."""
        if not self.is_mounted:
            return
        if asking := [one for one in self.workers if self._is_of_part(one)]:
            # A dialog over it gives its answer to a part, which would be gone.
            self.run_worker(self._relabel_after(asking), group="relabel", exclusive=True)
            return
        if self.maximized is not None:
            self.minimize()
        focused = next((place for place, one in _placed(self) if one is self.focused), None)
        kept = {
            place: put_back for place, one in _placed(self) if (put_back := _put_back_of(one)) is not None
        }
        for worker in list(self.workers):
            if worker.node is self and worker.group in READINGS:
                worker.cancel()
        timers = list(self._timers)
        for timer in timers:
            timer.pause()
        self.is_remaking = True
        try:
            await self.remake()
        finally:
            self.is_remaking = False
            for timer in timers:
                timer.resume()
        for place, one in _placed(self):
            if place in kept:
                kept[place](one)
        self.fill()
        if focused is not None:
            self.set_focus(dict(_placed(self)).get(focused))

    def _is_of_part(self, worker: "Worker[Any]") -> bool:
        is_part = worker.node is not self and self in worker.node.ancestors
        return is_part and not worker.is_finished and worker.group not in READINGS | _TEXTUALS_OWN

    async def _relabel_after(self, asking: "list[Worker[Any]]") -> None:
        for worker in asking:
            with suppress(WorkerError):
                await worker.wait()
        await self.relabel()

    async def remake(self) -> None:
        """Make the parts again."""
        await self.recompose()

    def fill(self) -> None:
        """Show what is known, in parts that have just been composed."""


def _placed(screen: Screen[Result]) -> Iterator[tuple[_Place, Widget]]:
    counted: dict[tuple[type[Widget], str], int] = {}
    for one in screen.walk_children(Widget):
        key = type(one), one.id or ""
        counted[key] = number = counted.get(key, -1) + 1
        yield (*key, number), one


def _put_back_of(widget: Widget) -> Callable[[Widget], None] | None:
    """What brings the state of a widget to the one that takes its place; None where it has none."""
    from textual.widgets import DirectoryTree, Input, OptionList, TextArea

    from spotui.tui.table_view import TableView

    match widget:
        case Input():
            return _typed_line(widget.value, widget.cursor_position)
        case TextArea() if not widget.read_only:
            return _typed_text(widget.text, widget.cursor_location)
        case TableView():
            return _row_and_filter(widget.current, widget.filter_text)
        case OptionList():
            return _option(widget.highlighted)
        case DirectoryTree():
            return _folder(widget)
        case _:
            return None


def _typed_line(value: str, cursor: int) -> Callable[[Widget], None]:
    from textual.widgets import Input

    def put_back(widget: Widget) -> None:
        if isinstance(widget, Input) and widget.value != value:
            widget.value = value
            widget.cursor_position = cursor

    return put_back


def _typed_text(text: str, cursor: tuple[int, int]) -> Callable[[Widget], None]:
    from textual.widgets import TextArea

    def put_back(widget: Widget) -> None:
        if isinstance(widget, TextArea):
            if widget.text != text:
                widget.load_text(text)
            widget.move_cursor(cursor)

    return put_back


def _row_and_filter(key: str, text: str) -> Callable[[Widget], None]:
    from spotui.tui.table_view import TableView

    def put_back(widget: Widget) -> None:
        if isinstance(widget, TableView):
            widget.await_row(key, text)

    return put_back


def _option(number: int | None) -> Callable[[Widget], None]:
    from textual.widgets import OptionList

    def put_back(widget: Widget) -> None:
        if isinstance(widget, OptionList):
            widget.highlighted = number

    return put_back


def _folder(shown: Widget) -> Callable[[Widget], None]:
    from textual.widgets import DirectoryTree

    def put_back(widget: Widget) -> None:
        if isinstance(widget, DirectoryTree) and isinstance(shown, DirectoryTree):
            widget.path = shown.path

    return put_back
