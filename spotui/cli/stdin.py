"""Commands on standard input, as they come."""

import asyncio
import contextlib
import os
import sys
import threading
from collections.abc import Callable

_CHUNK = 64 * 1024
_LONGEST_COMMAND = 4 * 1024 * 1024


def listen(obey: Callable[[bytes], None]) -> None:
    """Hand every line of standard input to a function on the running event loop.

    A thread reads it: asyncio would make the input not block, and with it the output, where both are one
    terminal or socket. The thread ends with the input or with the process.
    """
    try:
        file = sys.stdin.fileno()
    except (AttributeError, OSError):  # it is closed, or no file
        return
    loop = asyncio.get_running_loop()
    threading.Thread(target=_read, args=(file, loop, obey), daemon=True).start()


def _read(file: int, loop: asyncio.AbstractEventLoop, obey: Callable[[bytes], None]) -> None:
    begun = b""
    with contextlib.suppress(OSError, RuntimeError):  # the input has gone, or the loop has
        while chunk := os.read(file, _CHUNK):
            *lines, begun = (begun + chunk).split(b"\n")
            for line in lines:
                loop.call_soon_threadsafe(obey, line)
            if len(begun) > _LONGEST_COMMAND:  # it is refused for what it is, and so is the rest of it
                loop.call_soon_threadsafe(obey, begun[:_CHUNK])
                begun = b""
        loop.call_soon_threadsafe(obey, begun)
