"""Doing what takes time or can go wrong, away from the event loop, with a message when it does."""

import asyncio
from collections.abc import Callable
from typing import ParamSpec, TypeVar

from textual.widget import Widget

from spotui.errors import SpotuiError

P = ParamSpec("P")
T = TypeVar("T")


async def attempt(widget: Widget, do: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T | None:
    """Call a function in a thread; an error that a person can act on is shown.

    Args:
        widget: On whose behalf.
        do: What to call.
        *args: What to call it with.
        **kwargs: The same.

    Returns:
        What it returned, or None when it failed.
    """
    try:
        return await asyncio.to_thread(do, *args, **kwargs)
    except SpotuiError as error:
        widget.notify(error.mend, title=error.what, severity="error", markup=False)
    except OSError as error:
        where = f"{error.filename}: " if error.filename else ""
        widget.notify(
            f"{where}{error.strerror or error}", title="That did not work", severity="error", markup=False
        )
    return None
