"""Working on a run in this process: what is shown, what a signal does, who may watch."""

import argparse
import asyncio
import contextlib
import os
import signal
import stat
import sys
from collections.abc import Callable, Coroutine

from spotui import locations
from spotui.cli import exit_codes
from spotui.cli.display import display_for
from spotui.cli.output import Output
from spotui.events import Event, RunStopped, encode_event
from spotui.run.run import Run
from spotui.wire import Wire, obey

_LONGEST_COMMAND = 4 * 1024 * 1024


def conduct(run: Run, parsed: argparse.Namespace) -> int:
    """Work on a run until it stops, and return the exit code."""
    return asyncio.run(_conduct(run, parsed))


async def _conduct(run: Run, parsed: argparse.Namespace) -> int:
    if parsed.json:
        return await _with_signals(run, _speak_json(run), tell=lambda _text: None)
    display = display_for(run.project.name, plain=parsed.plain)
    run.subscribe(display.show, deltas=display.wants_deltas)
    with display:
        code = await _with_signals(run, _work(run), tell=display.say, hang_up=display.let_go)
    display.farewell()
    return code


async def _work(run: Run) -> RunStopped:
    wire = Wire(run)
    name = locations.socket_path(run.project.folder).name
    run.while_open = lambda: wire.listen(locations.ensure_runtime_dir() / name)
    return await run.go()


async def _speak_json(run: Run) -> RunStopped:
    """The wire on standard input and output."""
    output = Output()
    run.subscribe(lambda event: output.write(encode_event(event)), deltas=True)
    listening = asyncio.create_task(_obey_stdin(run, output))
    try:
        return await _work(run)
    finally:
        listening.cancel()


async def _obey_stdin(run: Run, output: Output) -> None:
    def tell(event: Event) -> None:
        output.write(encode_event(event))

    mode = os.fstat(sys.stdin.fileno()).st_mode
    if not (stat.S_ISFIFO(mode) or stat.S_ISSOCK(mode) or sys.stdin.isatty()):
        for command in sys.stdin.buffer:  # a file: all commands are there at once
            obey(run, command, tell)
        return
    reader = asyncio.StreamReader(limit=_LONGEST_COMMAND)
    loop = asyncio.get_running_loop()
    await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), sys.stdin)
    with contextlib.suppress(OSError, ValueError):
        while command := await reader.readline():
            obey(run, command, tell)


async def _with_signals(
    run: Run,
    work: Coroutine[None, None, RunStopped],
    *,
    tell: Callable[[str], None],
    hang_up: Callable[[], None] = lambda: None,
) -> int:
    """Stop cleanly on the first Ctrl-C, leave at once on the second, go on when the terminal is gone."""
    task = asyncio.create_task(work)
    asked = False

    def interrupt() -> None:
        nonlocal asked
        if asked:
            task.cancel()
            return
        asked = True
        tell(
            "Stopping: calls in flight finish first, then everything is kept. "
            f"Ctrl-C again leaves at once. Go on later with: spotui resume {run.project.name}"
        )
        run.stop()

    loop = asyncio.get_running_loop()
    loop.add_signal_handler(signal.SIGINT, interrupt)
    loop.add_signal_handler(signal.SIGTERM, interrupt)
    loop.add_signal_handler(signal.SIGHUP, hang_up)
    try:
        return exit_codes.of_run(await task)
    except asyncio.CancelledError:
        tell(f"Left at once. Go on later with: spotui resume {run.project.name}")
        return exit_codes.INTERRUPTED
