"""Child processes that end with this one."""

import asyncio
import sys
from asyncio.subprocess import PIPE, Process
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import IO, Self

_CHILD = Path(__file__).with_name("child.py")
_LONGEST_LINE = 1024 * 1024


class Child:
    """A Python module or file that runs as a child and ends when this process ends, even by SIGKILL.

    It has a separate session: a Ctrl-C meant for us does not reach it. Its standard input is a pipe that
    we never write to (see child.py).

    Attributes:
        output: Its standard output.
    """

    def __init__(self, process: Process, output: asyncio.StreamReader) -> None:
        self.output = output
        self._process = process

    @classmethod
    async def start(
        cls,
        *arguments: str | Path,
        env: Mapping[str, str],
        stderr: int | IO[bytes] = asyncio.subprocess.STDOUT,
    ) -> Self:
        """Start one.

        Args:
            arguments: A module's name or a file's path, then its arguments.
            env: Its whole environment.
            stderr: As for `subprocess`.
        """
        # -P: a file called pip.py in the user's folder must not be run instead of pip.
        command = [sys.executable, "-P", str(_CHILD), *map(str, arguments)]
        process = await asyncio.create_subprocess_exec(
            *command,
            stdin=PIPE,
            stdout=PIPE,
            stderr=stderr,
            env=dict(env),
            limit=_LONGEST_LINE,
            start_new_session=True,
        )
        if process.stdout is None:
            raise RuntimeError("asyncio gave no pipe for the child's output")
        return cls(process, process.stdout)

    @property
    def pid(self) -> int:
        """Its process id."""
        return self._process.pid

    @property
    def exit_code(self) -> int | None:
        """How it ended (minus the signal's number when it was killed), or None while it runs."""
        return self._process.returncode

    async def wait(self) -> int:
        """Wait for its end and return the exit code."""
        return await self._process.wait()

    async def end(self) -> None:
        """Kill it, unless it has ended already, and wait until it is gone; safe to call twice.

        Nothing is asked of it first: our children keep nothing that a kill could spoil.
        """
        with suppress(ProcessLookupError):
            self._process.kill()
        gone = asyncio.ensure_future(self._settle())
        try:
            await asyncio.shield(gone)
        except asyncio.CancelledError:
            await gone
            raise

    async def _settle(self) -> None:
        await self._process.wait()
        if self._process.stdin is not None:
            self._process.stdin.close()
        while await self.output.read(_LONGEST_LINE):
            pass
