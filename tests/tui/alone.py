"""One widget alone in an app, driven without a terminal."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Generic, TypeVar

from textual.app import App, ComposeResult
from textual.pilot import Pilot
from textual.widget import Widget

from tests.tui.settling import settling

AWidget = TypeVar("AWidget", bound=Widget)


class AloneApp(App[None], Generic[AWidget]):
    """An app of one widget.

    Attributes:
        widget: The widget.
        copied: What was put on the clipboard.
    """

    def __init__(self, widget: AWidget) -> None:
        super().__init__()
        self.animation_level = "none"
        self.widget = widget
        self.copied: list[str] = []

    def compose(self) -> ComposeResult:
        yield self.widget

    def copy_to_clipboard(self, text: str) -> None:
        self.copied.append(text)


def alone(
    make: Callable[[], AWidget],
    journey: Callable[[AloneApp[AWidget], Pilot[None]], Awaitable[None]],
    size: tuple[int, int] = (60, 12),
    app_of: Callable[[AWidget], AloneApp[AWidget]] = AloneApp,
) -> None:
    """Show a widget and do something with it; an exception anywhere in it fails the test.

    Args:
        make: Makes the widget, inside the event loop.
        journey: What is done with it.
        size: Of the screen, in cells.
        app_of: The app around it.
    """

    async def take() -> None:
        app = app_of(make())
        async with app.run_test(size=size, notifications=True) as pilot:
            await pilot.pause()
            await journey(app, pilot)

    with settling():
        asyncio.run(take())
