"""The connection between a run on a worker and its home: messages in both directions, many in one write."""

import asyncio
from collections.abc import Callable, Mapping
from contextlib import suppress
from typing import Any, Final

Message = Mapping[str, Any]
"""`op` says what it is; the rest depends on that."""

_LINGER: Final = 0.002
"""Seconds that a message waits for others, so that the replies of a round travel together."""


class Link:
    """One end of a connection.

    Args:
        comm: The connection, as Dask makes it.
    """

    def __init__(self, comm: Any) -> None:
        self._comm = comm
        self._waiting: list[Message] = []
        self._lines: list[bytes] = []
        self._wanted = asyncio.Event()
        self._number = 0
        self._asked: dict[int, asyncio.Future[Any]] = {}

    def send(self, op: str, **more: Any) -> None:
        """Send a message soon; what is sent first arrives first."""
        self._gather_lines()
        self._waiting.append({"op": op, **more})
        self._wanted.set()

    def send_line(self, raw: bytes) -> None:
        """Send a line of a journal soon; several travel as one message."""
        self._lines.append(raw)
        self._wanted.set()

    async def ask(self, op: str, **more: Any) -> Any:
        """Send a question, and wait for the answer."""
        self._number += 1
        asked = self._asked[self._number] = asyncio.get_running_loop().create_future()
        self.send(op, id=self._number, **more)
        try:
            return await asked
        finally:
            self._asked.pop(self._number, None)

    def answer(self, question: Message, value: Any) -> None:
        """Answer a question of the other end."""
        self.send("answer", id=question["id"], value=value)

    async def exchange(self, take: Callable[[Message], None]) -> None:
        """Send and receive until the other end leaves.

        Args:
            take: Called with every message that is no answer.
        """
        from distributed.comm import CommClosedError

        writing = asyncio.create_task(self._write())
        reading = asyncio.create_task(self._read(take))
        try:
            done, _ = await asyncio.wait((writing, reading), return_when=asyncio.FIRST_COMPLETED)
            for one in done:
                with suppress(CommClosedError, OSError):
                    one.result()
        finally:
            writing.cancel()
            reading.cancel()
            await asyncio.gather(writing, reading, return_exceptions=True)
            self._comm.abort()

    async def flush(self) -> None:
        """Send what is left now."""
        await self._send_waiting()

    async def _write(self) -> None:
        while True:
            await self._wanted.wait()
            await asyncio.sleep(_LINGER)
            await self._send_waiting()

    async def _send_waiting(self) -> None:
        self._wanted.clear()
        self._gather_lines()
        waiting, self._waiting = self._waiting, []
        if waiting:
            await self._comm.write(waiting)

    def _gather_lines(self) -> None:
        if self._lines:
            lines, self._lines = self._lines, []
            self._waiting.append({"op": "lines", "count": len(lines), "data": b"".join(lines)})

    async def _read(self, take: Callable[[Message], None]) -> None:
        while True:
            for message in await self._comm.read():
                if message["op"] == "answer":
                    asked = self._asked.get(message["id"])
                    if asked is not None and not asked.done():
                        asked.set_result(message["value"])
                else:
                    take(message)
