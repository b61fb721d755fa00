"""Reads one HTTP response into one reply, whichever way the server chose to send it."""

import json
from time import perf_counter
from typing import TYPE_CHECKING, Final

from spotui.llm.errors import MalformedReplyError, ModelError
from spotui.llm.protocol import Delta, OnDelta
from spotui.llm.providers.chat.assembler import ReplyAssembler
from spotui.llm.providers.chat.event_stream import DONE, EventStream, ServerEvent
from spotui.llm.providers.chat.server_json import decode_json
from spotui.llm.providers.faults.http_errors import fault_error
from spotui.llm.providers.faults.place import Place
from spotui.llm.providers.faults.server_fault import OF_A_CHUNK, fault_inside
from spotui.llm.providers.reply_size import LONGEST_BODY, check_size

if TYPE_CHECKING:
    import asyncio

    from spotui.llm.http_bodies import HttpResponse

_EVENT_STREAM: Final = "text/event-stream"
_EVENT_FIELDS: Final = (b"data:", b"event:", b"id:", b"retry:", b"error:", b":")

# After its last text a stream still brings its usage and its end. A server that leaves the connection open
# instead is not waited for as long as one that may be thinking.
_ENDING_GRACE = 5.0
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
        self._aside = ""
        self._without_choice: dict[str, object] = {}
        self._body = bytearray()

    async def read(self, response: "HttpResponse") -> None:
        """Read the response to the end of its reply.

        Raises:
            ModelError: It carries an error, or something that is not a whole reply.
        """
        import asyncio

        from aiohttp import ClientError

        try:
            async with asyncio.timeout(None) as limit:
                await self._read_pieces(response, limit)
        except ClientError:
            # A body of JSON shows by itself that nothing of it is missing.
            is_whole = isinstance(decode_json(self._body.decode("utf-8-sig", "replace")), dict)
            if is_whole:
                self._read_body(bytes(self._body))
            elif not (self._done or self.assembler.finished):
                raise
        except TimeoutError:
            if not limit.expired():
                raise
        if (rest := self.assembler.finish()) is not None:
            self._emit(rest)
        self._check_whole()

    async def _read_pieces(self, response: "HttpResponse", limit: "asyncio.Timeout") -> None:
        """Read a stream event by event, and any other body as one; the first bytes tell which it is."""
        import asyncio

        clock = asyncio.get_running_loop().time
        says_stream = _EVENT_STREAM in response.headers.get("Content-Type", "")
        stream, body, is_stream, size = EventStream(), self._body, None, 0
        async for piece in response.aiter_bytes():
            size += len(piece)
            check_size(size, self._place, LONGEST_BODY)
            if not is_stream:
                body += piece
                check_size(len(body), self._place)
                if is_stream is None:
                    is_stream = _is_stream(body, says_stream=says_stream)
                if not is_stream:
                    continue
                piece = bytes(body)  # noqa: PLW2901 - all that came before it was known to be a stream
                body.clear()
            if self._take_events(stream.feed(piece)):
                grace = self._grace()
                if grace is not None or limit.when() is not None:
                    limit.reschedule(None if grace is None else clock() + grace)
            check_size(stream.pending + self.assembler.size, self._place)
        if is_stream or (is_stream is None and says_stream):
            self._take_events(stream.close())
        else:
            self._read_body(bytes(body))

    def _grace(self) -> float | None:
        """Seconds to wait for the rest of the stream, or None while the reply is not whole."""
        if self._done:
            return _CLOSING_GRACE
        return _ENDING_GRACE if self.assembler.finished else None

    def _take_events(self, events: list[ServerEvent]) -> bool:
        """Take events in; returns whether there were any."""
        if events and not self._done:
            self.ended_at = perf_counter()
        for event in events:
            data = event.data.strip()
            if self._done or not data:
                continue
            if data == DONE:
                self._done = True
                continue
            payload = decode_json(data)
            if event.name == "error" and not (isinstance(payload, dict) and "error" in payload):
                payload = {"error": data if payload is None else payload}
            if payload is None and data.startswith("{"):
                raise self._unreadable(data)
            if isinstance(payload, dict):
                self._take(payload)
            else:
                self._take_any(payload, data)
        return bool(events)

    def _take_any(self, payload: object, written: str) -> None:
        """Take a payload, or several in a list; a heartbeat that is neither is passed over."""
        payloads = payload if isinstance(payload, list) else [payload]
        for one in payloads:
            if isinstance(one, dict):
                self._take(one)
            else:
                self._aside = self._aside or written

    def _read_body(self, body: bytes) -> None:
        text = body.decode("utf-8-sig", "replace").strip()
        self.ended_at = perf_counter()
        payload = decode_json(text)
        if payload is None and text.startswith("{"):
            # Perhaps one object a line.
            stream = EventStream()
            self._take_events(stream.feed(body) + stream.close())
        if isinstance(payload, (dict, list)):
            self._take_any(payload, text)
            self._done = True
        elif not self.assembler.has_choice:
            raise self._unreadable(text)

    def _check_whole(self) -> None:
        """Raise the error of what was read, unless it is a whole reply."""
        assembler = self.assembler
        if not assembler.has_choice:
            raise self._no_answer()
        if assembler.aborted:
            raise MalformedReplyError(f"{self._place} gave up in the middle of its reply.", "Try again.")
        if not (self._done or assembler.is_whole):
            raise MalformedReplyError(
                self._place.sentence(f"{self._place} broke off in the middle of its reply", self._aside),
                "Try again.",
            )

    def _no_answer(self) -> ModelError:
        """The error for a reply without an answer in it, in the server's own words where it has any."""
        if self._without_choice:
            fault = fault_inside(self._without_choice, is_all=True)
            if fault is not None:
                return fault_error(self._place, fault)
        elif self._aside:
            return self._unreadable(self._aside)
        rest = {
            name: value for name, value in self._without_choice.items() if value and name not in OF_A_CHUNK
        }
        words = json.dumps(rest, ensure_ascii=False) if rest else ""
        return MalformedReplyError(
            self._place.sentence(f"{self._place} sent a reply without an answer in it", words), "Try again."
        )

    def _unreadable(self, text: str) -> ModelError:
        if not text:
            return MalformedReplyError(f"{self._place} answered with nothing.", "Try again.")
        if text.startswith("<"):
            return MalformedReplyError(
                f"{self._place} answered with a web page.", "Check the base URL: does it end in /v1?"
            )
        quoted = self._place.quote(text)
        return MalformedReplyError(
            f"{self._place} answered with something other than a chat completion: {quoted!r}.",
            "Check that the base URL leads to an OpenAI-compatible API.",
        )

    def _take(self, payload: dict[str, object]) -> None:
        fault = fault_inside(payload)
        if fault is not None:
            raise fault_error(self._place, fault)
        delta = self.assembler.feed(payload)
        if delta is not None:
            self._emit(delta)
        elif not self.assembler.has_choice:
            self._without_choice = payload

    def _emit(self, delta: Delta) -> None:
        if self.first_piece_at is None:
            self.first_piece_at = perf_counter()
        self._on_delta(delta)


def _is_stream(start: bytes | bytearray, *, says_stream: bool) -> bool | None:
    """Whether a body is an event stream; None while too little of it is there.

    Servers send errors as plain JSON under the header of a stream, and streams under any other header.
    """
    written = start.lstrip(b"\xef\xbb\xbf \t\r\n")
    if not written:
        return None
    if written[:1] in (b"{", b"[", b"<"):
        return False
    if says_stream or written.startswith(_EVENT_FIELDS):
        return True
    return None if any(field.startswith(written) for field in _EVENT_FIELDS) else False
