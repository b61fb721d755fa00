"""Working on a run in this process: what is shown, what a signal does, who may watch."""

import argparse
import asyncio
import contextlib
import logging
import os
import signal
import sys
import threading
from collections.abc import Callable, Coroutine, Sequence
from typing import Final

from spotui.cli import exit_codes
from spotui.cli.display import display_for
from spotui.cli.terminal import Output
from spotui.cli.tracking import Chosen, tracking
from spotui.domain.errors import limit_reached
from spotui.domain.event_lines import encode_event
from spotui.domain.events import Event, RunStopped
from spotui.lang import _
from spotui.llm.retry import BEGUN_SECONDS
from spotui.runs.run import Run
from spotui.settings import locations
from spotui.wire.socket import Wire, obey

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


_AT_ONCE: Final = (signal.SIGQUIT, signal.SIGABRT)


def conduct(
    run: Run, parsed: argparse.Namespace, *, rehearsal: bool = False, trackers: Sequence[Chosen] = ()
) -> int:
    """Work on a run until it stops, and return the exit code.

    Args:
        run: The run.
        parsed: How it is shown.
        rehearsal: Whether it is thrown away at the end: nobody else watches, and Ctrl-C leaves at once.
        trackers: What it is reported to.
    """

    async def work() -> RunStopped | None:
        async with tracking(run, trackers):
            return await _conduct(run, parsed, rehearsal=rehearsal)

    stopped = asyncio.run(work())
    if stopped is None:
        return exit_codes.INTERRUPTED
    if stopped.reason in {"failed", "unmarked"}:
        with contextlib.suppress(OSError):  # the terminal has gone
            print(f"spotui: {stopped.cause}", file=sys.stderr)
        return exit_codes.of_run(stopped)
    return exit_codes.OK if rehearsal else exit_codes.of_run(stopped)


def quiet_limits() -> None:
    """Keep the event loop's tracebacks about limits of the system to itself: they are reported as errors."""
    logging.getLogger("asyncio").addFilter(_is_no_limit)


def _is_no_limit(record: logging.LogRecord) -> bool:
    error = record.exc_info[1] if record.exc_info else None
    return error is None or limit_reached(error) is None


async def _conduct(run: Run, parsed: argparse.Namespace, *, rehearsal: bool) -> RunStopped | None:
    work = run.go if rehearsal else lambda: serve(run)
    if parsed.json:
        output = Output()

        def tell(event: Event) -> None:
            output.write(encode_event(event))

        run.subscribe(tell, deltas=True)
        listen(lambda line: obey(run, line, tell))
        return await _with_signals(run, work(), say=lambda _text: None, at_once=rehearsal)
    display = display_for("" if rehearsal else run.project.name, plain=parsed.plain)
    run.subscribe(display.show, deltas=display.wants_deltas)
    with display:
        stopped = await _with_signals(run, work(), say=display.say, hang_up=display.let_go, at_once=rehearsal)
    display.farewell()
    return stopped


async def serve(run: Run) -> RunStopped:
    """Work on a run, and let others watch and steer it meanwhile."""
    quiet_limits()
    wire = Wire(run)
    name = locations.socket_path(run.project.folder).name
    run.while_open = lambda: wire.listen(locations.ensure_runtime_dir() / name)
    return await run.go()


async def _with_signals(
    run: Run,
    work: Coroutine[None, None, RunStopped],
    *,
    say: Callable[[str], None],
    hang_up: Callable[[], None] = lambda: None,
    at_once: bool,
) -> RunStopped | None:
    """Stop cleanly on the first Ctrl-C, leave at once on the second, go on when the terminal is gone.

    SIGQUIT (Ctrl-\\) and SIGABRT leave at once; the second one kills the process.
    """
    task = asyncio.create_task(work)
    asked = at_once

    def interrupt() -> None:
        nonlocal asked
        if asked:
            task.cancel()
            return
        asked = True
        say(
            _(
                "Stopping: calls in flight have {begun_seconds:.0f} seconds to finish. Ctrl-C again "
                "leaves at once. Everything is kept; resume later with: spotui resume {project}",
                begun_seconds=BEGUN_SECONDS,
                project=run.project.name,
            )
        )
        run.stop()

    loop = asyncio.get_running_loop()

    def leave(number: int, _frame: object) -> None:
        signal.signal(number, signal.SIG_DFL)
        loop.call_soon_threadsafe(task.cancel)

    for number in _AT_ONCE:
        signal.signal(number, leave)
    loop.add_signal_handler(signal.SIGINT, interrupt)
    loop.add_signal_handler(signal.SIGTERM, interrupt)
    loop.add_signal_handler(signal.SIGHUP, hang_up)
    try:
        return await task
    except asyncio.CancelledError:
        if not at_once:
            say(
                _(
                    "Left at once; nothing is lost. Resume later with: spotui resume {project}",
                    project=run.project.name,
                )
            )
        return None
    finally:
        for number in _AT_ONCE:
            signal.signal(number, signal.SIG_DFL)
