"""Asking spotui's own command line, so that nothing heavy is ever imported where the screen is."""

import asyncio
import contextlib
import os
import subprocess
from collections.abc import Callable, Sequence
from typing import NamedTuple, ParamSpec, TypeVar

from textual.app import App
from textual.widget import Widget

from spotui.domain.errors import SpotuiError
from spotui.lang import SHOWN, _

_LONGEST_LINE = 64 * 1024 * 1024
_NAME = "spotui:"


class Finished(NamedTuple):
    """What a command left behind.

    Attributes:
        code: Its exit code.
        out: Its standard output.
        err: Its standard error.
    """

    code: int
    out: bytes
    err: str

    @property
    def fault(self) -> str:
        """What it complained of, on one line and without its own name; empty when it worked."""
        if not self.code:
            return ""
        lines = self.err.splitlines()
        begins = [number for number, line in enumerate(lines) if line.startswith(_NAME)]
        # Before it may stand what it said while it worked.
        error = " ".join(lines[begins[-1] if begins else 0 :]).removeprefix(_NAME)
        return " ".join(error.split()) or _("It ended with exit code {code}.", code=self.code)


async def ask(words: Sequence[str], stdin: str = "") -> Finished:
    """Run `spotui WORDS` in a separate process; it is killed when nobody waits any more.

    Args:
        words: What would be typed after `spotui`.
        stdin: What it reads; secrets go here, because a command line can be read by others.
    """
    process = _start(words)
    reading = asyncio.get_running_loop().run_in_executor(None, process.communicate, stdin.encode())
    try:
        # Shielded: a thread that is called off before it begins would never see the process end.
        out, err = await asyncio.shield(reading)
    except asyncio.CancelledError:
        process.kill()  # the thread sees the end of its pipes then
        raise
    return Finished(process.returncode, out, err.decode(errors="replace"))


async def listen(words: Sequence[str], on_line: Callable[[bytes], None], stdin: bytes = b"") -> Finished:
    """Run `spotui WORDS` in a separate process, and take its lines as they come.

    It is killed when nobody waits any more.

    Args:
        words: What would be typed after `spotui`.
        on_line: Called with every line of its standard output.
        stdin: What it reads.

    Returns:
        How it ended; `out` is empty.
    """
    from spotui.wire.process import command

    pipe = asyncio.subprocess.PIPE
    process = await asyncio.create_subprocess_exec(
        *command(words),
        stdin=pipe,
        stdout=pipe,
        stderr=pipe,
        limit=_LONGEST_LINE,
        start_new_session=True,
        env=_environment(),
    )
    assert process.stdin and process.stdout and process.stderr  # noqa: S101, PT018 - they were asked for
    complaints = asyncio.create_task(process.stderr.read())
    try:
        with contextlib.suppress(ConnectionError):  # it ended before it had read everything
            process.stdin.write(stdin)
            await process.stdin.drain()
        process.stdin.close()
        while line := await process.stdout.readline():
            on_line(line)
        err = await complaints
        code = await process.wait()
    finally:
        complaints.cancel()
        await _end(process)
    return Finished(code, b"", err.decode(errors="replace"))


async def _end(process: asyncio.subprocess.Process) -> None:
    """Kill a process and see it end, even when an app that closes calls this off a second time."""
    with contextlib.suppress(ProcessLookupError):
        process.kill()
    called_off: asyncio.CancelledError | None = None
    while process.returncode is None:
        try:
            await process.wait()
        except asyncio.CancelledError as error:
            called_off = error
    if called_off is not None:
        raise called_off


def _start(words: Sequence[str]) -> "subprocess.Popen[bytes]":
    from spotui.wire.process import command

    pipe = subprocess.PIPE
    return subprocess.Popen(
        command(words), stdin=pipe, stdout=pipe, stderr=pipe, start_new_session=True, env=_environment()
    )


def _environment() -> dict[str, str]:
    return {**os.environ, SHOWN: "1"}


P = ParamSpec("P")
T = TypeVar("T")


async def attempt(
    widget: Widget | App[None], do: Callable[P, T], *args: P.args, **kwargs: P.kwargs
) -> T | None:
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
        widget.notify(error.hint, title=error.what, severity="error", markup=False)
    except OSError as error:
        where = f"{error.filename}: " if error.filename else ""
        widget.notify(
            f"{where}{error.strerror or error}", title=_("That did not work"), severity="error", markup=False
        )
    return None
