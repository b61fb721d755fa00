"""Any endpoint that speaks OpenAI's chat completions and embeddings, over aiohttp."""

import json
from collections.abc import Callable
from time import perf_counter
from typing import TYPE_CHECKING, Final

import msgspec

from spotui.domain.calls import Reply, Request
from spotui.lang import _
from spotui.llm.options import read_options
from spotui.llm.protocol import (
    Delta,
    MalformedReplyError,
    ModelError,
    OnDelta,
    RequestRefusedError,
    RetryableError,
)
from spotui.llm.providers.chat.assembler import ReplyAssembler
from spotui.llm.providers.chat.bodies import embedding_body, read_embedding, request_body
from spotui.llm.providers.chat.event_stream import (
    DONE,
    EventStream,
    ServerEvent,
    decode_json,
    decode_several,
)
from spotui.llm.providers.faults.http_errors import Target, fault_error
from spotui.llm.providers.faults.refusals import Concessions, refusal_in
from spotui.llm.providers.faults.server_fault import OF_A_CHUNK, ServerFault, fault_inside, read_fault
from spotui.llm.providers.http import LONGEST_BODY, HttpPool, check_size, fault_body
from spotui.llm.routing import Endpoint

if TYPE_CHECKING:
    import asyncio

    from spotui.llm.providers.http_bodies import HttpResponse


_EVENT_STREAM: Final = "text/event-stream"
_ENDING_EVENTS: Final = frozenset({"done", "end", "complete", "completed", "message_stop", "finish"})
"""Names of events that end a stream as [DONE] does."""

_EVENT_FIELDS: Final = (b"data:", b"event:", b"id:", b"retry:", b"error:", b":")

# After its last text a stream still brings its usage and its end. A server that leaves the connection open
# instead is not waited for as long as one that may be thinking.
_ENDING_GRACE = 5.0
_CLOSING_GRACE = 0.1


class ReplyReader:
    """Reads one response.

    Args:
        target: Where it comes from, for the errors.
        on_delta: Called for every piece of text or reasoning.

    Attributes:
        assembler: What has been read.
        first_piece_at: `perf_counter` at the first piece of text or reasoning, or None.
        ended_at: `perf_counter` at the last thing read.
    """

    def __init__(self, target: Target, on_delta: OnDelta) -> None:
        self.assembler = ReplyAssembler()
        self.first_piece_at: float | None = None
        self.ended_at = 0.0
        self._target = target
        self._on_delta = on_delta
        self._done = self._says_end = False
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
            check_size(size, self._target, LONGEST_BODY)
            if not is_stream:
                body += piece
                check_size(len(body), self._target)
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
            check_size(stream.pending + self.assembler.size, self._target)
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
            data = event.data.strip().removeprefix("data:").lstrip()
            self._says_end = self._says_end or event.name.lower() in _ENDING_EVENTS
            if self._done or not data:
                continue
            if data.strip('"').upper() == DONE:
                self._done = True
                continue
            payload = decode_json(data)
            if event.name == "error" and not (isinstance(payload, dict) and "error" in payload):
                payload = {"error": data if payload is None else payload}
            if payload is None and data.startswith("{"):
                payload = decode_several(data)
                if payload is None:
                    raise self._unreadable(data)
                self._done = data.endswith(DONE)
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
            raise MalformedReplyError(
                _("{place} gave up in the middle of its reply.", place=self._target), _("Try again.")
            )
        if not (self._done or self._says_end or assembler.is_whole):
            raise MalformedReplyError(
                self._target.sentence(
                    _("{place} broke off in the middle of its reply", place=self._target), self._aside
                ),
                _("Try again."),
            )

    def _no_answer(self) -> ModelError:
        """The error for a reply without an answer in it, in the server's own words where it has any."""
        if self._without_choice:
            fault = fault_inside(self._without_choice, is_all=True)
            if fault is not None:
                return fault_error(self._target, fault)
        elif self._aside:
            return self._unreadable(self._aside)
        rest = {
            name: value for name, value in self._without_choice.items() if value and name not in OF_A_CHUNK
        }
        words = json.dumps(rest, ensure_ascii=False) if rest else ""
        return MalformedReplyError(
            self._target.sentence(
                _("{place} sent a reply without an answer in it", place=self._target), words
            ),
            _("Try again."),
        )

    def _unreadable(self, text: str) -> ModelError:
        if not text:
            return MalformedReplyError(
                _("{place} answered with nothing.", place=self._target), _("Try again.")
            )
        if text.startswith("<"):
            return MalformedReplyError(
                _("{place} answered with a web page.", place=self._target),
                _("Check the base URL: does it end in /v1?"),
            )
        quoted = self._target.quote(text)
        return MalformedReplyError(
            _(
                "{place} answered with something other than a chat completion: {quoted!r}.",
                place=self._target,
                quoted=quoted,
            ),
            _("Check that the base URL leads to an OpenAI-compatible API."),
        )

    def _take(self, payload: dict[str, object]) -> None:
        fault = fault_inside(payload)
        if fault is not None:
            raise fault_error(self._target, fault)
        self._says_end = self._says_end or payload.get("done") is True
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


class OpenAICompatibleProvider:
    """A model behind an OpenAI-compatible base URL; for one event loop at a time.

    Args:
        endpoint: Where the model is; its `timeout` is the longest silence, not the longest call.
        api_model: The model id on the wire, or None for the request's own.
        count_tokens: Tokens of a text, for endpoints that report no usage; None divides characters by four.

    Attributes:
        concessions: What requests do without, as the endpoint has refused it.

    Raises:
        BadRequestError: The base URL is missing or is no http address.
        AuthenticationError: The key holds characters no HTTP header can carry.
    """

    def __init__(
        self,
        endpoint: Endpoint,
        *,
        api_model: str | None = None,
        count_tokens: Callable[[str], int] | None = None,
    ) -> None:
        self.concessions = Concessions()
        self._proven = self.concessions
        self._pool = HttpPool(endpoint)
        self._api_model = api_model
        self._count_tokens = count_tokens
        # The user's own price comes before the one that the endpoint reports.
        self._has_no_price = endpoint.price is None

    async def complete(self, request: Request, on_delta: OnDelta) -> Reply:
        """Ask the model once; see `Provider.complete`.

        When the endpoint refuses a parameter, the same request is asked again at once without it or with a
        lower value: refused requests cost nothing. That is remembered for the next try of a call, too, and
        for good once an answer has come.
        """
        if request.embed:
            return await self._embed(request)
        while True:
            concessions = self.concessions
            sent = concessions.applied(request)
            body = request_body(sent, self._api_model or request.model, concessions.refused)
            started = perf_counter()
            error: ModelError
            async with self._pool.send(
                "POST", "/chat/completions", msgspec.json.encode(body), read_options(request.options)
            ) as response:
                if response.is_success:
                    reader = ReplyReader(self._pool.target, on_delta)
                    refused = await _refusal_in_place_of(reader, response)
                    if refused is None:
                        self._proven |= concessions
                        return self._reply(request, reader, started, concessions)
                    # Some servers refuse a parameter with a status of 200.
                    fault, error = ServerFault(400, refused.what), refused
                else:
                    fault = read_fault(response.status_code, response.headers, await fault_body(response))
                    error = fault_error(self._pool.target, fault)
            refusal = refusal_in(body, fault)
            if refusal is None:
                if not isinstance(error, RetryableError):
                    self.concessions = self._proven
                raise error
            self.concessions = self.concessions.after(refusal, request)

    async def aclose(self) -> None:
        """Close every connection; safe to call twice."""
        await self._pool.aclose()

    async def _embed(self, request: Request) -> Reply:
        started, place = perf_counter(), self._pool.target
        body = msgspec.json.encode(embedding_body(request, self._api_model or request.model))
        payload = decode_json((await self._whole("POST", "/embeddings", body)).decode("utf-8-sig", "replace"))
        fault = fault_inside(payload) if isinstance(payload, dict) else None
        if fault is not None:
            raise fault_error(place, fault)
        found = read_embedding(payload)
        if found is None:
            raise MalformedReplyError(
                _("{place} answered with something other than an embedding.", place=place),
                _("Check that the model is one for embeddings."),
            )
        return found.reply(
            request,
            seconds=perf_counter() - started,
            cost_usd=found.cost_usd if self._has_no_price else None,
            count_tokens=self._count_tokens,
        )

    async def _whole(self, method: str, path: str, content: bytes | None = None) -> bytes:
        """The body of a response that comes in one piece."""
        async with self._pool.send(method, path, content) as response:
            if response.is_success:
                return await response.aread()
            fault = read_fault(response.status_code, response.headers, await fault_body(response))
        raise fault_error(self._pool.target, fault)

    def _reply(
        self, request: Request, reader: ReplyReader, started: float, concessions: Concessions
    ) -> Reply:
        first = reader.first_piece_at
        reply = reader.assembler.reply(
            request,
            seconds=reader.ended_at - started,
            first_token_seconds=None if first is None else first - started,
            usage=reader.assembler.usage,
            cost_usd=reader.assembler.cost_usd if self._has_no_price else None,
            count_tokens=self._count_tokens,
        )
        return concessions.noted(reply, request)


async def _refusal_in_place_of(reader: ReplyReader, response: "HttpResponse") -> RequestRefusedError | None:
    """Read a reply; the refusal that came in its place, or None when it is whole."""
    try:
        await reader.read(response)
    except RequestRefusedError as error:
        if reader.first_piece_at is not None:
            raise
        return error
    return None
