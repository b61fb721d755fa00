"""Reads one HTTP response into one reply, whichever way the server chose to send it."""

import json
from time import perf_counter
from typing import TYPE_CHECKING

from spotui.llm.errors import MalformedReplyError
from spotui.llm.protocol import Delta, OnDelta
from spotui.llm.providers.chat.event_stream import EventStream, ServerEvent
from spotui.llm.providers.chat.wire import ReplyAssembler
from spotui.llm.providers.faults.http_errors import fault_error
from spotui.llm.providers.faults.place import Place
from spotui.llm.providers.faults.server_fault import fault_inside

if TYPE_CHECKING:
    from spotui.llm.providers.http_response import HttpResponse

_EVENT_STREAM = "text/event-stream"
_EVENT_FIELDS = ("data:", "event:", "id:", "retry:", ":")

# Some servers leave control characters in strings as they are.
_JSON = json.JSONDecoder(strict=False)

# A reply is whole before its stream ends: what may still follow is waited for, but not for long.
_USAGE_GRACE = 5.0
_CLOSING_GRACE = 0.1


class ReplyReader:
    """Reads one response.

    Args:
        place: Where it comes from, for the errors.
        on_delta: Called for every piece of text or reasoning.

    Attributes:
        assembler: What has been read.
        first_piece_at: `perf_counter` at the first piece of text or reasoning, or None.
        ended_at: `perf_counter` at the last thing read.
    """

    def __init__(self, place: Place, on_delta: OnDelta) -> None:
        self.assembler = ReplyAssembler()
        self.first_piece_at: float | None = None
        self.ended_at = 0.0
        self._place = place
        self._on_delta = on_delta
        self._done = False

    async def read(self, response: "HttpResponse") -> None:
        """Read the response to the end of its reply.

        Raises:
            ModelError: It carries an error, or something that is not a whole reply.
        """
        if _EVENT_STREAM in response.headers.get("Content-Type", ""):
            await self._read_events(response)
        else:
            self._read_body(await response.aread())
        self._emit(self.assembler.finish())
        if not self.assembler.has_choice:
            raise MalformedReplyError(f"{self._place} sent a reply without an answer in it.", "Try again.")
        if self.assembler.aborted:
            raise MalformedReplyError(f"{self._place} gave up in the middle of its reply.", "Try again.")
        if not (self.assembler.finished or self._done):
            raise MalformedReplyError(f"{self._place} broke off in the middle of its reply.", "Try again.")

    async def _read_events(self, response: "HttpResponse") -> None:
        import asyncio

        from aiohttp import ClientError

        clock = asyncio.get_running_loop().time
        stream = EventStream()
        grace: float | None = None
        try:
            async with asyncio.timeout(None) as limit:
                async for piece in response.aiter_bytes():
                    self._take_events(stream.feed(piece))
                    if self._grace() != grace:
                        grace = self._grace()
                        limit.reschedule(clock() + grace if grace else None)
        except ClientError:
            if not self.assembler.finished:
                raise
        except TimeoutError:
            if not limit.expired():
                raise

    def _grace(self) -> float | None:
        """Seconds to wait for the rest of the stream, or None while the reply is not whole."""
        if self._done or (self.assembler.finished and self.assembler.usage):
            return _CLOSING_GRACE
        return _USAGE_GRACE if self.assembler.finished else None

    def _take_events(self, events: list[ServerEvent]) -> None:
        for event in events:
            data = event.data.strip()
            if self._done or not data:
                continue
            self.ended_at = perf_counter()
            if data == "[DONE]":
                self._done = True
                continue
            payload = self._decode(data)
            is_error = event.name == "error" and "error" not in payload
            self._take({"error": payload} if is_error else payload)

    def _read_body(self, body: bytes) -> None:
        text = body.decode("utf-8-sig", "replace").strip()
        if text.startswith(_EVENT_FIELDS):
            self._take_events(EventStream().feed(body))
            return
        self.ended_at = perf_counter()
        self._take(self._decode(text))
        self._done = True

    def _decode(self, text: str) -> dict[str, object]:
        try:
            payload = _JSON.decode(text)
        except (ValueError, RecursionError):
            payload = None
        if isinstance(payload, dict):
            return payload
        if not text:
            raise MalformedReplyError(f"{self._place} answered with nothing.", "Try again.")
        if text.startswith("<"):
            raise MalformedReplyError(
                f"{self._place} answered with a web page.", "Check the base URL: does it end in /v1?"
            )
        said = self._place.quote(text)
        raise MalformedReplyError(
            f"{self._place} answered with something other than a chat completion: {said!r}.",
            "Check that the base URL leads to an OpenAI-compatible API.",
        )

    def _take(self, payload: dict[str, object]) -> None:
        fault = fault_inside(payload)
        if fault is not None:
            raise fault_error(self._place, fault)
        self._emit(self.assembler.feed(payload))

    def _emit(self, delta: Delta | None) -> None:
        if delta is not None:
            self.first_piece_at = self.first_piece_at or perf_counter()
            self._on_delta(delta)
