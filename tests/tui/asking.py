"""A dialog on a screen, and what it gives back."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any, TypeVar

from textual.app import App
from textual.pilot import Pilot
from textual.screen import Screen

from tests.tui.piloting import until
from tests.tui.settling import settling

Answer = TypeVar("Answer")


def ask(
    make: Callable[[], Screen[Answer]],
    journey: Callable[[Pilot[None]], Awaitable[None]],
    size: tuple[int, int] = (80, 24),
) -> Answer | None:
    """Show a dialog, go through it, and tell what it gave back.

    Args:
        make: Makes the dialog.
        journey: What is done with it; at its end the dialog has been left.
        size: Of the screen, in cells.
    """
    given: list[Any] = []

    async def take() -> None:
        app = App[None]()
        async with app.run_test(size=size, notifications=True) as pilot:
            screen = make()
            app.push_screen(screen, given.append)
            await until(pilot, lambda: screen.is_mounted)
            await pilot.pause()
            await journey(pilot)
            await until(pilot, lambda: given)

    with settling():
        asyncio.run(take())
    return given[0]  # type: ignore[no-any-return]
