"""A provider that plays a journal back: every reply as it came, at any speed, and nothing else."""

import asyncio
from collections import defaultdict, deque
from collections.abc import Iterable

from spotui.llm.digest import digest_of
from spotui.llm.errors import RequestRefusedError
from spotui.llm.gate import Halted
from spotui.llm.protocol import Delta, OnDelta, Reply, Request
from spotui.llm.recorded_reply import recorded_reply
from spotui.workspace.lines import CallLine

_PIECES_PER_SECOND = 20
_SILENCE = 0.1


class RecordedProvider:
    """Answers with what was once answered to the same request.

    Args:
        calls: The calls of a journal.
        speed: How many times as fast as it was; 0 is at once.
    """

    def __init__(self, calls: Iterable[CallLine], speed: float) -> None:
        self._replies: defaultdict[str, deque[CallLine]] = defaultdict(deque)
        self._speed = speed
        self._begun = 0
        self._playing = 0
        # Requests that are alike are asked for in the order of their keys, whichever was answered first.
        for call in sorted(calls, key=lambda call: call.key):
            self._replies[call.digest].append(call)

    async def complete(self, request: Request, on_delta: OnDelta) -> Reply:
        """The recorded reply, streamed over the time it took; see `Provider.complete`.

        A request without one is a call that was cancelled, and will be again, unless nothing else goes on.

        Raises:
            Halted: The recording ends here.
            RequestRefusedError: It was refused.
        """
        waiting = self._replies[digest_of(request)]
        if not waiting:
            await self._silence()
            raise Halted("stopped", "The recording ends here.")
        reply = recorded_reply(waiting.popleft())
        if reply.rejected:
            raise RequestRefusedError(reply.rejected)
        self._begun += 1
        self._playing += 1
        try:
            if self._speed > 0:
                await self._stream(reply, on_delta)
        finally:
            self._playing -= 1
        return reply

    async def _silence(self) -> None:
        begun = -1
        while self._playing or begun != self._begun:
            begun = self._begun
            await asyncio.sleep(_SILENCE)

    async def _stream(self, reply: Reply, on_delta: OnDelta) -> None:
        seconds = reply.seconds / self._speed
        pieces = max(1, min(len(reply.text), round(seconds * _PIECES_PER_SECOND)))
        for number in range(pieces):
            await asyncio.sleep(seconds / pieces)
            start, end = (len(reply.text) * part // pieces for part in (number, number + 1))
            on_delta(Delta(text=reply.text[start:end]))

    async def aclose(self) -> None:
        """There is nothing to close."""
