"""Runs the function of a custom metric in a separate process, one answer at a time.

Whatever the function does ends with that process: an endless loop is killed when its time is over, `sys.exit`
ends nothing but itself, and what it prints goes to standard error. Its process also ends with ours, even
where ours is killed.
"""

import asyncio
import base64
import codecs
import json
import os
import select
import signal
import subprocess
import sys
import time
import weakref
from contextlib import suppress
from pathlib import Path
from typing import Any, Final

import msgspec

from spotui.domain.rows import Row
from spotui.domain.text import visible
from spotui.lang import _
from spotui.metrics.custom import MetricFile
from spotui.metrics.mark import Mark, MetricError

SECONDS: Final = 20.0
"""How long a function may take for an answer, unless the template says otherwise."""

LOAD_SECONDS: Final = 60.0
"""How long its file may take to be imported: some bring large libraries."""

MOST_TIMEOUTS: Final = 3
"""After so many answers in a row without a mark in time, the metric is given up."""

_BLOCK: Final = 65536
_CHILD: Final = Path(__file__).with_name("child.py")
_PRINTED: Final = 20_000
"""Characters that a function may print for one answer; the rest is left out."""


class UnusableMetricError(MetricError):
    """A custom metric that will mark no answer: its file cannot be imported, or it always takes too long."""


class MetricWorker:
    """A custom metric that runs.

    Args:
        file: What runs; the user has trusted it.
        seconds: How long the function may take for an answer.

    Attributes:
        takes_turns: Whether it marks one answer at a time.
    """

    takes_turns = True

    def __init__(self, file: MetricFile, seconds: float = SECONDS) -> None:
        self.file = file
        self._seconds = seconds
        self._process: _Process | None = None
        self._is_closed = False
        self._timeouts = 0

    @property
    def digest(self) -> str:
        """The SHA-256 of its file."""
        return self.file.digest

    async def mark(self, answer: str, row: Row) -> Mark:
        """The mark that the function gives; one answer at a time.

        Raises:
            MetricError: It failed, took too long, or returned something other than a number from 0 to 1.
            UnusableMetricError: The same will happen for every other answer.
        """
        try:
            return await asyncio.to_thread(self._mark, answer, row)
        except asyncio.CancelledError:
            self.close()
            raise

    def close(self) -> None:
        """End its process; it marks nothing any more."""
        self._is_closed = True
        if self._process is not None:
            self._process.kill()

    def _mark(self, answer: str, row: Row) -> Mark:
        name = self.file.name
        if self._timeouts >= MOST_TIMEOUTS:
            what = _(
                "The metric {name} took longer than {seconds:g} s for {most} answers in a row.",
                name=name,
                seconds=self._seconds,
                most=MOST_TIMEOUTS,
            )
            raise UnusableMetricError(what, _("Fix the function, or allow more with the option `timeout`."))
        if self._process is None or not self._process.is_alive:
            self._process = _Process()
            self._load(self._process)
        try:
            reply = self._ask(
                self._process, {"answer": answer, "row": msgspec.to_builtins(row)}, self._seconds
            )
        except TimeoutError:
            self._timeouts += 1
            what = _(
                "The metric {name} took longer than {seconds:g} s, and its process was ended.",
                name=name,
                seconds=self._seconds,
            )
            raise MetricError(what) from None
        except _EndedError as error:
            raise MetricError(
                _("The metric {name} ended its process ({error}).", name=name, error=error)
            ) from None
        self._timeouts = 0
        if "error" in reply:
            raise MetricError(_("The metric {name} failed: {error}.", name=name, error=reply["error"]))
        return Mark(float(reply["value"]), answer)

    def _ask(self, process: "_Process", request: dict[str, Any], seconds: float) -> dict[str, Any]:
        if self._is_closed:
            process.kill()  # it was started while this was being closed
        return process.ask(request, seconds)

    def _load(self, process: "_Process") -> None:
        file = {
            "path": str(self.file.path),
            "source": base64.b64encode(self.file.source).decode(),
            "function": self.file.function,
            "seconds": self._seconds,
        }
        name, hint = self.file.name, _("Fix the file, then run the same command again.")
        try:
            reply = self._ask(process, file, LOAD_SECONDS)
        except TimeoutError:
            what = _(
                "The metric {name} was not imported within {load_seconds:g} s.",
                name=name,
                load_seconds=LOAD_SECONDS,
            )
            raise UnusableMetricError(what, hint) from None
        except _EndedError as error:
            raise UnusableMetricError(
                _("The metric {name} ended its process on import ({error}).", name=name, error=error), hint
            ) from None
        if "error" in reply:
            if "ModuleNotFoundError" in reply["error"]:
                hint = _(
                    "Install the module; files beside the template cannot be imported, a metric is one file."
                )
            raise UnusableMetricError(
                _("The metric {name} cannot be imported: {error}.", name=name, error=reply["error"]), hint
            )


class _EndedError(Exception):
    """The process ended instead of answering; the text says how."""


class _Process:
    """The process, and its pipes: one for requests, one for replies, one for what it prints."""

    def __init__(self) -> None:
        requests, self._requests = os.pipe()
        self._replies, replies = os.pipe()
        root = Path(__file__).parents[2]
        words = [sys.executable, "-P", str(_CHILD), str(root), str(os.getpid()), str(requests), str(replies)]
        try:
            self._process = subprocess.Popen(
                words,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                pass_fds=(requests, replies),
                start_new_session=True,
            )
        finally:
            os.close(requests)
            os.close(replies)
        assert self._process.stdout is not None  # noqa: S101 - it was asked for
        self._output = self._process.stdout.fileno()
        self._poll = select.poll()
        for handle in (self._replies, self._output):
            self._poll.register(handle, select.POLLIN)
        self._received = b""
        self._decoder = codecs.getincrementaldecoder("utf-8")("replace")
        self._printed = 0
        self._end = weakref.finalize(self, _end, self._process, self._requests, self._replies)

    @property
    def is_alive(self) -> bool:
        """Whether it can be asked."""
        return self._end.alive and self._process.poll() is None

    def kill(self) -> None:
        """End it, also while another thread waits for its reply."""
        _kill(self._process)

    def ask(self, request: dict[str, Any], seconds: float) -> dict[str, Any]:
        """The reply to one request.

        Raises:
            TimeoutError: There was none in time; the process has been ended.
            _EndedError: The process ended.
        """
        self._printed = 0
        deadline = time.monotonic() + seconds
        try:
            self._send(json.dumps(request).encode() + b"\n", deadline)
            reply: dict[str, Any] = json.loads(self._line(deadline))
        except TimeoutError:
            self._end()
            raise
        except OSError:
            raise self._ended() from None
        return reply

    def _send(self, data: bytes, deadline: float) -> None:
        rest, poll = memoryview(data), select.poll()
        poll.register(self._requests, select.POLLOUT)
        while rest:
            if not poll.poll(_milliseconds(deadline)):
                raise TimeoutError
            rest = rest[os.write(self._requests, rest[: select.PIPE_BUF]) :]

    def _line(self, deadline: float) -> bytes:
        while b"\n" not in self._received:
            ready = [handle for handle, _ in self._poll.poll(_milliseconds(deadline))]
            if not ready:
                raise TimeoutError
            if self._output in ready:
                self._print()
            elif not (read := os.read(self._replies, _BLOCK)):
                raise self._ended()
            else:
                self._received += read
        while any(handle == self._output for handle, _ in self._poll.poll(0)):
            self._print()
        line, _, self._received = self._received.partition(b"\n")
        return line

    def _print(self) -> None:
        """Show what the function printed, up to a limit for each answer."""
        data = os.read(self._output, _BLOCK)
        if not data:
            self._poll.unregister(self._output)
        text, room = self._decoder.decode(data), max(0, _PRINTED - self._printed)
        self._printed += len(text)
        more = f"\n{_('… (the metric printed more, which is left out)')}\n" if 0 < room < len(text) else ""
        with suppress(OSError, ValueError):  # the terminal has gone
            sys.stderr.write(visible(text[:room]) + more)
            sys.stderr.flush()

    def _ended(self) -> _EndedError:
        with suppress(subprocess.TimeoutExpired):
            self._process.wait(1)
        code = self._process.poll()
        self._end()
        if code is not None and code < 0:
            return _EndedError(signal.strsignal(-code) or f"signal {-code}")
        return _EndedError(_("exit code {code}", code=code))


def _milliseconds(deadline: float) -> float:
    return max(0.0, deadline - time.monotonic()) * 1000


def _kill(process: "subprocess.Popen[bytes]") -> None:
    """Kill a process with all that it has started."""
    with suppress(OSError):
        os.killpg(process.pid, signal.SIGKILL)


def _end(process: "subprocess.Popen[bytes]", *handles: int) -> None:
    """Kill a process and let go of it."""
    _kill(process)
    process.wait()
    if process.stdout is not None:
        process.stdout.close()
    for handle in handles:
        os.close(handle)
