"""The process of a custom metric: `child.py ROOT PARENT REQUESTS REPLIES`, started by `metrics.worker`.

It reads the file to run as its first line, then one answer and row a line, and writes one reply a line.
"""

import asyncio
import base64
import inspect
import io
import json
import math
import os
import signal
import sys
import threading
import time
import traceback
import types
from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import Any

from spotui.lang import _

GRACE = 5.0
"""Seconds after which the kernel ends a call that nothing else has ended, as it lets no thread run."""


def main() -> None:
    """Serve one metric until the requests end."""
    sys.path.append(sys.argv[1])
    threading.Thread(target=_end_with, args=(int(sys.argv[2]),), daemon=True).start()
    requests, replies = (os.fdopen(int(one), mode) for one, mode in zip(sys.argv[3:], "rw", strict=True))
    for handle in (requests, replies):
        os.set_inheritable(handle.fileno(), False)
    import msgspec

    from spotui.domain.rows import Row

    def reply(**values: object) -> None:
        for stream in (sys.stdout, sys.stderr):
            with suppress(AttributeError, ValueError, OSError):  # a metric may have closed or replaced it
                stream.flush()
        replies.write(json.dumps(values) + "\n")
        replies.flush()

    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")  # an answer may hold half of a character
    loop = asyncio.new_event_loop()
    file = json.loads(requests.readline())
    try:
        function = _load(file)
    except BaseException as error:  # noqa: BLE001 - sys.exit in a metric ends nothing but itself
        reply(error=_in_words(error, file["path"]))
        return
    reply(value=None)
    for line in requests:
        request = json.loads(line)
        signal.setitimer(signal.ITIMER_REAL, file["seconds"] + GRACE)
        try:
            value = function(request["answer"], msgspec.convert(request["row"], Row))
            if inspect.isawaitable(value):
                value = loop.run_until_complete(_awaited(value))
            outcome: dict[str, object] = {"value": _as_mark(value)}
        except BaseException as error:  # noqa: BLE001 - as above
            outcome = {"error": _in_words(error, file["path"])}
        signal.setitimer(signal.ITIMER_REAL, 0)
        reply(**outcome)


def _end_with(parent: int) -> None:
    """End this process, and all that it has started, soon after the one that started it."""
    while os.getppid() == parent:
        time.sleep(0.5)
    os.killpg(0, signal.SIGKILL)


def _load(file: dict[str, Any]) -> Callable[..., Any]:
    """Run the file, and return its function."""
    module = types.ModuleType("spotui_metric")
    module.__file__ = file["path"]
    sys.modules[module.__name__] = module
    exec(compile(base64.b64decode(file["source"]), file["path"], "exec"), module.__dict__)  # noqa: S102
    found: Any = module
    for part in file["function"].split("."):
        found = getattr(found, part)
    if not callable(found):
        raise TypeError(_("{function} is not a function", function=file["function"]))
    return found  # type: ignore[no-any-return]


async def _awaited(value: Awaitable[Any]) -> Any:
    return await value


def _as_mark(value: Any) -> float:
    """A mark from whatever kind of real number a function returned."""
    is_number = hasattr(type(value), "__float__") or hasattr(type(value), "__index__")
    is_complex = hasattr(type(value), "__complex__") and complex(value).imag != 0
    mark = float(value) if is_number and not is_complex else math.nan
    if not -1e-9 <= mark <= 1 + 1e-9:
        raise ValueError(_("it returned {value}, which is not a number from 0 to 1", value=repr(value)[:60]))
    return min(1.0, max(0.0, mark))


def _in_words(error: BaseException, path: str) -> str:
    """An exception on one line, with the last line of the metric's file that it passed."""
    try:
        text = " ".join(f"{type(error).__name__}: {error}".split())[:300].rstrip(": .")
    except Exception:  # noqa: BLE001 - an exception may fail to say what it is
        text = type(error).__name__
    lines = [one.lineno for one in traceback.extract_tb(error.__traceback__) if one.filename == path]
    if not lines:
        return text
    name = os.path.basename(path)  # noqa: PTH119 - this process imports as little as it can
    return _("{text} (line {line} of {name})", text=text, line=lines[-1], name=name)


if __name__ == "__main__":
    main()
