"""The first thing on the screen, a few milliseconds after the start, while Textual is still being loaded.

Nothing but `os` and `sys` may be imported here.
"""

import gc
import os
import sys

_ENTER = "\x1b[?1049h\x1b[?25l\x1b[2J\x1b[H"
_LEAVE = "\x1b[?1000l\x1b[?1003l\x1b[?1015l\x1b[?1006l\x1b[?1004l\x1b[?2004l\x1b[?25h\x1b[?1049l"
"""No mouse, no focus, no bracketed paste; the cursor, and the screen that was there before."""


def is_possible() -> bool:
    """Whether there is a terminal that a full screen can be painted on; Textual paints on standard error."""
    streams = (sys.stdin, sys.stdout, sys.stderr)
    return all(stream.isatty() for stream in streams) and os.environ.get("TERM", "dumb") != "dumb"


def paint() -> None:
    """Show the frames of the home screen."""
    columns, rows = os.get_terminal_size()
    top = "╭" + "─" * (columns - 2) + "╮"
    middle = "│" + " " * (columns - 2) + "│"
    bottom = "╰" + "─" * (columns - 2) + "╯"
    lines = [" \x1b[1mspotui\x1b[0m\x1b[2m", top, *[middle] * (rows - 4), bottom]
    sys.stdout.write(_ENTER + "\r\n".join(lines) + "\x1b[0m")
    sys.stdout.flush()


def wipe() -> None:
    """Give the terminal back, when the app could not take it over."""
    sys.stdout.write(_LEAVE)
    sys.stdout.flush()


def start() -> int:
    """Run the app on the usual workspace until the user leaves it.

    Returns:
        The exit code.
    """
    gc.disable()  # nothing that is loaded now becomes garbage; the app turns it on once it is painted
    _load_asyncio()
    from spotui.settings import locations
    from spotui.tui.app import SpotuiApp
    from spotui.tui.preferences import read_preferences
    from spotui.workspace.projects import Workspace

    for stale in ("COLUMNS", "LINES"):
        os.environ.pop(stale, None)  # exported once, they would hide every later size of the window
    app = SpotuiApp(Workspace(locations.workspace_dir()), read_preferences())
    app.run()
    return app.return_code or 0


def _load_asyncio() -> None:
    """Load asyncio as in a Python that was built without TLS.

    It would load OpenSSL otherwise, 4.6 MB for nothing: what opens a connection runs in another process.
    A later `import ssl` finds it.
    """
    if "asyncio" in sys.modules or "ssl" in sys.modules:
        return
    sys.modules["ssl"] = None  # type: ignore[assignment]  # an import of it raises ImportError
    try:
        import asyncio  # noqa: F401
    finally:
        del sys.modules["ssl"]
