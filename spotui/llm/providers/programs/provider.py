"""Providers that ask a program in place of a model: a command, an address or a Python function."""

import asyncio
import itertools
import traceback
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from time import perf_counter

from spotui.domain.calls import Reply, Request
from spotui.domain.secret import Secret
from spotui.lang import _
from spotui.llm.protocol import BadRequestError, OnDelta, ProgramFailedError
from spotui.llm.providers.faults.http_errors import Target, fault_error
from spotui.llm.providers.faults.server_fault import read_fault
from spotui.llm.providers.http import HttpPool, fault_body
from spotui.llm.providers.programs.answers import (
    Said,
    asked,
    asked_line,
    read_said,
    reply_of,
    said_of,
)
from spotui.llm.providers.programs.workers import WorkerPool
from spotui.llm.routing import Endpoint
from spotui.metrics.function import Function, called
from spotui.settings.programs import Program


def _refuse_embedding(request: Request, target: Target) -> None:
    if request.embed:
        raise BadRequestError(
            _("{place} answers questions, and makes no embeddings.", place=target),
            _("Choose another embedding model."),
        )


class CommandProvider:
    """A command, whose processes are started by the calls that need them.

    Args:
        program: The command; the user has agreed to it.
        endpoint: Its time limits.
        environ: The environment of its processes.
        secrets: What it must not repeat.
    """

    def __init__(
        self, program: Program, endpoint: Endpoint, environ: Mapping[str, str], secrets: Iterable[Secret]
    ) -> None:
        self._target = ProgramTarget(program.name, secrets)
        self._seconds = endpoint.timeout
        self._numbers = itertools.count(1)
        self._tell: Callable[[str], None] = lambda _: None
        self._workers = WorkerPool(program, self._target, environ, self._pass_on)

    def listen(self, tell: Callable[[str], None]) -> None:
        """Have each line told that the processes write to standard error."""
        self._tell = tell

    async def complete(self, request: Request, on_delta: OnDelta) -> Reply:  # noqa: ARG002 - it comes in one piece
        """Ask a process once; see `Provider.complete`."""
        _refuse_embedding(request, self._target)
        started, number = perf_counter(), next(self._numbers)
        line = asked_line(number, request)
        said = await self._workers.ask(line, self._seconds, lambda answer: self._said(number, answer))
        return reply_of(said, request, self._target, seconds=perf_counter() - started)

    def _pass_on(self, text: str) -> None:
        self._tell(text)

    def _said(self, number: int, line: bytes) -> Said:
        """What a process says to the request of that number."""
        said = read_said(line, self._target)
        if said.id in (None, number, str(number)):
            return said
        other = repr(said.id)[:20]
        what = _(
            "{place} answered request {other} in place of {number}",
            place=self._target,
            other=other,
            number=number,
        )
        hint = _("Let it write one line for each line that it reads, and repeat its id.")
        raise ProgramFailedError(self._target.sentence(what), hint)

    async def aclose(self) -> None:
        """End its processes; safe to call twice."""
        await self._workers.aclose()


class UrlProvider:
    """An address that takes a POST of each request.

    Args:
        endpoint: The address, with its key and its time limits.

    Raises:
        BadRequestError: It is no http address.
        AuthenticationError: The key holds characters no HTTP header can carry.
    """

    def __init__(self, endpoint: Endpoint) -> None:
        self._pool = HttpPool(endpoint)
        self._numbers = itertools.count(1)

    async def complete(self, request: Request, on_delta: OnDelta) -> Reply:  # noqa: ARG002 - it comes in one piece
        """Ask once; see `Provider.complete`."""
        place = self._pool.target
        _refuse_embedding(request, place)
        started, number = perf_counter(), next(self._numbers)
        async with self._pool.send("POST", "", asked_line(number, request)) as response:
            if not response.is_success:
                body = await fault_body(response)
                raise fault_error(place, read_fault(response.status_code, response.headers, body))
            body = await response.aread()
        return reply_of(read_said(body, place), request, place, seconds=perf_counter() - started)

    async def aclose(self) -> None:
        """Close every connection; safe to call twice."""
        await self._pool.aclose()


class FunctionProvider:
    """A Python function, which runs in this process: one that is no coroutine, in a separate thread.

    Args:
        name: Its name.
        function: Called with prompt, question (in a conversation, its messages) and row, by position.
        endpoint: Its time limits. A thread cannot be ended: one that takes too long is left to itself.
        secrets: What it must not repeat.
    """

    def __init__(self, name: str, function: Function, endpoint: Endpoint, secrets: Iterable[Secret]) -> None:
        self._target = ProgramTarget(name, secrets)
        self._function = function
        self._seconds = endpoint.timeout

    async def complete(self, request: Request, on_delta: OnDelta) -> Reply:  # noqa: ARG002 - it comes in one piece
        """Call the function once; see `Provider.complete`."""
        _refuse_embedding(request, self._target)
        given, started = asked(request), perf_counter()
        about = given["messages"] if "messages" in given else given["question"]
        try:
            async with asyncio.timeout(self._seconds) as limit:
                value = await called(self._function, given["prompt"], about, given["row"])
        except TimeoutError as error:
            if not limit.expired():
                raise self._failed(error) from error
            what = _("{place} gave no answer within {seconds:g} s", place=self._target, seconds=self._seconds)
            raise ProgramFailedError(
                self._target.sentence(what), _("If it needs longer, raise --exec-timeout.")
            ) from None
        except Exception as error:
            raise self._failed(error) from error
        return reply_of(said_of(value, self._target), request, self._target, seconds=perf_counter() - started)

    async def aclose(self) -> None:
        """There is nothing to close."""

    def _failed(self, error: Exception) -> ProgramFailedError:
        kind, frames = type(error).__name__, traceback.extract_tb(error.__traceback__)
        if not frames:
            what = _("{place} raised {kind}", place=self._target, kind=kind)
        else:
            what = _(
                "{place} raised {kind} in line {line} of {file}",
                place=self._target,
                kind=kind,
                line=frames[-1].lineno,
                file=Path(frames[-1].filename).name,
            )
        return ProgramFailedError(self._target.sentence(what, str(error)))


class ProgramTarget(Target):
    """How errors name a command or a function."""

    def __init__(self, name: str, secrets: Iterable[Secret]) -> None:
        super().__init__(name, "", secrets, has_key=False, key_hint=" ")

    def __str__(self) -> str:
        return self.model
