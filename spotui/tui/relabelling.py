"""Screens that follow a change of the language: made again, with all that a user has changed of them."""

from collections.abc import Iterator
from contextlib import suppress
from typing import TYPE_CHECKING, Any, Final, NamedTuple, TypeVar

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

    A widget whose state a user changes names the attributes that hold it in `CARRIED`; they are set again in
    this order, before the widget is filled. Scroll positions, the focus and a maximized widget need no name.

    A subclass whose parts are filled after they are composed does that in `fill`, which begins its readings
    again: those under way are called off, because the parts that they would fill are being replaced.
    """

    is_remaking = False

    async def relabel(self) -> None:
        """Show everything in the language that is used now, as it was typed, chosen and scrolled."""
        if not self.is_mounted:
            return
        if asking := [one for one in self.workers if self._is_of_part(one)]:
            # A dialog over it gives its answer to a part, which would be gone.
            self.run_worker(self._relabel_after(asking), group="relabel", exclusive=True)
            return
        focused, maximized = self._place_of(self.focused), self._place_of(self.maximized)
        if maximized is not None:
            self.minimize()
        before = {place: (one, _state_of(one)) for place, one in _placed(self)}
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
        now = dict(_placed(self))
        made = [
            (now[place], state) for place, (one, state) in before.items() if now.get(place, one) is not one
        ]
        for widget, state in made:
            for name, value in state.carried.items():
                setattr(widget, name, value)
        self.fill()
        if focused is not None:
            # As if the app came back to the front: a field does not select its text, and nothing scrolls.
            self.set_focus(now.get(focused), scroll_visible=False, from_app_focus=True)
        if maximized in now:
            self.maximize(now[maximized], container=False)
        for widget, state in made:
            _scroll_back(widget, state.scrolled)

    def _place_of(self, widget: Widget | None) -> _Place | None:
        return next((place for place, one in _placed(self) if one is widget), None)

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


class _State(NamedTuple):
    """What a user has changed of a widget.

    Attributes:
        carried: The values of its attributes, in the order in which they are set again.
        scrolled: Where it is scrolled to: columns and rows, or the block and line at the top of a `LineView`,
            which None stays at the end of.
    """

    carried: dict[str, Any]
    scrolled: tuple[int, int] | None


def _state_of(widget: Widget) -> _State:
    from spotui.tui.line_view import LineView

    scrolled = widget.reading if isinstance(widget, LineView) else widget.scroll_offset
    return _State({name: getattr(widget, name) for name in _carried_of(widget)}, scrolled)


def _carried_of(widget: Widget) -> tuple[str, ...]:
    from textual.widgets import Input, OptionList, TextArea

    match widget:
        case Input():
            return "value", "selection"
        case TextArea():
            return ("selection",) if widget.read_only else ("text", "history", "selection")
        case OptionList():
            return ("highlighted",)
        case _:
            names: tuple[str, ...] = getattr(widget, "CARRIED", ())
            return names


def _scroll_back(widget: Widget, scrolled: tuple[int, int] | None) -> None:
    """Scroll a widget as it was, as soon as there is enough in it to be scrolled."""
    from spotui.tui.line_view import LineView

    if scrolled == (0, 0) and not isinstance(widget, LineView):
        return
    is_done = False

    def scroll() -> None:
        nonlocal is_done
        if is_done or not widget.size or not (widget.max_scroll_x or widget.max_scroll_y):
            return
        is_done = True
        if isinstance(widget, LineView):
            widget.reading = scrolled
        elif scrolled is not None:
            widget.scroll_to(*scrolled, animate=False, immediate=True)

    def on_size() -> None:
        widget.call_after_refresh(scroll)

    widget.watch(widget, "virtual_size", on_size)
