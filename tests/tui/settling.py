"""Textual as tests drive it: it goes on as soon as an app has nothing left to do, and does nothing twice.

Textual waits after every key until the process has been idle for 20 ms, up to a second while anything else
in it works, and asks every widget of the screen whether it is done. An app is known to be done when its event
loop has nothing to run: then no message is on its way any more. What comes from outside, from a file or
another process, is waited for by `until`.
"""

import asyncio
import gc
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, ParamSpec, TypeVar
from weakref import WeakKeyDictionary, WeakSet

import pytest
from rich.console import RenderableType
from textual._compositor import Compositor
from textual._context import active_app, visible_screen_stack
from textual.app import App
from textual.css.model import RuleSet
from textual.css.stylesheet import Stylesheet
from textual.pilot import Pilot
from textual.screen import Screen
from textual.widget import Widget

from spotui.tui.terminal import TypedAheadApp

P = ParamSpec("P")
T = TypeVar("T")

_OUTSIDE_SECONDS = 0.5
_BUSY_SECONDS = 1.0
"""The longest that an app which is never done is waited for."""
_MOMENT = 0.002
_TURNS_BENEATH = 6
"""How often screens below the top one get their turn: Textual paints them again and again."""

_threads: "WeakKeyDictionary[asyncio.AbstractEventLoop, int]" = WeakKeyDictionary()
_looks: "WeakKeyDictionary[App[Any], tuple[Screen[Any], str]]" = WeakKeyDictionary()
_seen: "WeakSet[Screen[Any]]" = WeakSet()
_rules: dict[object, list[RuleSet]] = {}
_variables: dict[int, tuple[dict[str, str], int]] = {}
_themes: dict[tuple[tuple[str, str], ...], int] = {}
_to_thread = asyncio.to_thread
_render_update = Compositor.render_update
_parse_rules = Stylesheet._parse_rules


@contextmanager
def settling(*, paints: bool = True) -> Iterator[None]:
    """Drive apps like that meanwhile, and parse styles only once.

    Args:
        paints: Whether everything is painted, or only what is looked at.
    """
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(asyncio, "to_thread", _counted_to_thread)
        patch.setattr(gc, "collect", _collect_nothing)  # among all tests that are loaded, for a single app
        patch.setattr(gc, "freeze", _collect_nothing)
        patch.setattr(RuleSet, "__hash__", object.__hash__)  # Textual asks for it twice a rule and widget
        patch.setattr(Compositor, "render_update", _paint if paints else _paint_nothing)
        patch.setattr(Stylesheet, "_parse_rules", _parse_rules_once)
        patch.setattr("textual.strip.FIFOCache", _no_cache)
        patch.setattr(Pilot, "_wait_for_screen", _wait_for_screen)
        patch.setattr("textual.pilot.wait_for_idle", _wait_no_more)
        patch.setattr("textual.app.wait_for_idle", _wait_for_idle)
        yield


async def settle(app: App[Any], outside: float = _OUTSIDE_SECONDS) -> None:
    """Wait until an app has nothing left to do, and what it shows is what it would paint.

    Args:
        app: The app.
        outside: How long it may wait for a thread, or hold back keys, before it counts as settled.
    """
    loop = asyncio.get_running_loop()
    begin = loop.time()
    turns = _TURNS_BENEATH
    while app._exception is None and loop.time() < begin + _BUSY_SECONDS:
        await asyncio.sleep(0)
        if loop._ready:  # type: ignore[attr-defined]
            continue
        if app._resize_timer is not None:
            app._check_resize()
            continue
        is_due = bool(app._screen_stack) and _is_due(app.screen)
        beneath = _due_beneath(app) if turns else []
        if (is_due or beneath) and not app._batch_count:
            turns -= bool(beneath)
            for screen in (*beneath, app.screen):
                screen._on_timer_update()
        elif (is_due or _waits_outside(app, loop)) and loop.time() < begin + outside:
            await asyncio.sleep(_MOMENT)
        else:
            return


def was_seen(screen: Screen[Any]) -> bool:
    """Whether a screen has been looked at."""
    return screen in _seen


def text_of(app: App[Any]) -> str:
    """The screen as text, without the blanks at the ends of its lines."""
    screen = app.screen
    is_settled = not _is_dirty(screen)
    if is_settled and (look := _looks.get(app)) is not None and look[0] is screen:
        return look[1]
    _seen.add(screen)
    visible_screen_stack.set(app._background_screens)
    lines = screen._compositor.render_strips()
    text = "\n".join("".join(segment.text for segment in line).rstrip() for line in lines)
    if is_settled:
        _looks[app] = screen, text
    return text


def _due_beneath(app: App[Any]) -> list[Screen[Any]]:
    """The screens that are seen around a dialog and would change."""
    if not app._screen_stack or app.screen.styles.background.a == 1:
        return []
    return [screen for screen in app._background_screens if screen.is_current and _is_due(screen)]


def _is_due(screen: Screen[Any]) -> bool:
    """Whether the timer of a screen would do something."""
    return bool(
        screen._layout_required
        or screen._scroll_required
        or screen._repaint_required
        or screen._recompose_required
        or screen._dirty_widgets
        or screen._callbacks
    )


def _is_dirty(screen: Screen[Any]) -> bool:
    """Whether anything on a screen waits to be painted."""
    return _is_due(screen) or any(
        widget._repaint_required or widget._layout_required or widget._scroll_required
        for widget in screen.walk_children(Widget)
    )


def _waits_outside(app: App[Any], loop: asyncio.AbstractEventLoop) -> bool:
    has_keys = isinstance(app, TypedAheadApp) and (app._typed or app._target is not None)
    return bool(has_keys or _threads.get(loop))


async def _counted_to_thread(do: Callable[P, T], /, *args: P.args, **kwargs: P.kwargs) -> T:
    loop = asyncio.get_running_loop()
    _threads[loop] = _threads.get(loop, 0) + 1
    try:
        return await _to_thread(do, *args, **kwargs)
    finally:
        _threads[loop] -= 1


def _paint(compositor: Compositor, **options: Any) -> RenderableType | None:
    _looks.pop(active_app.get(), None)
    return _render_update(compositor, **options)


def _paint_nothing(compositor: Compositor, **_: object) -> None:
    _looks.pop(active_app.get(), None)
    compositor._dirty_regions.clear()


def _parse_rules_once(
    stylesheet: Stylesheet, css: str, read_from: object, *args: Any, **more: Any
) -> list[RuleSet]:
    key = (css, read_from, args, tuple(sorted(more.items())), _key_of(stylesheet._variables))
    if key not in _rules:
        _rules[key] = _parse_rules(stylesheet, css, read_from, *args, **more)  # type: ignore[arg-type]
    return _rules[key]


def _key_of(variables: dict[str, str]) -> int:
    """What a theme's variables are known by: a number, as there are hundreds, asked about for every rule."""
    known = _variables.get(id(variables))
    if known is None or known[0] is not variables:
        _variables.clear()
        number = _themes.setdefault(tuple(sorted(variables.items())), len(_themes))
        known = _variables[id(variables)] = variables, number
    return known[1]


class _NoCache:
    """In place of the caches of every line that is painted, which no test paints again."""

    def get(self, key: object, default: object = None) -> object:
        del key
        return default

    def __setitem__(self, key: object, value: object) -> None:
        pass

    def __contains__(self, key: object) -> bool:
        return False

    def clear(self) -> None:
        pass


_NO_CACHE = _NoCache()


def _no_cache(_: int) -> _NoCache:
    return _NO_CACHE


def _collect_nothing(*_: int) -> int:
    return 0


async def _wait_for_screen(pilot: Pilot[Any], timeout: float = 0) -> bool:  # noqa: ASYNC109 - Textual's name
    await settle(pilot.app)
    return True


async def _wait_for_idle(*_: float) -> None:
    await settle(active_app.get())


async def _wait_no_more(*_: float) -> None:
    """Everything has settled already."""
