"""Any endpoint that speaks OpenAI's chat completions and embeddings, over aiohttp."""

from collections.abc import Callable
from time import perf_counter
from typing import TYPE_CHECKING

import msgspec

from spotui.llm.endpoint import Endpoint
from spotui.llm.errors import MalformedReplyError, ModelError, RequestRefusedError, RetryableError
from spotui.llm.protocol import OnDelta, Reply, Request
from spotui.llm.providers.chat.server_json import decode_json
from spotui.llm.providers.chat.usage import estimate_usage
from spotui.llm.providers.chat.wire import embedding_body, read_embedding, request_body
from spotui.llm.providers.faults.http_errors import fault_error
from spotui.llm.providers.faults.refusals import Concessions, refusal_in
from spotui.llm.providers.faults.server_fault import ServerFault, fault_inside, read_fault
from spotui.llm.providers.http_pool import HttpPool, fault_body
from spotui.llm.providers.reply_reader import ReplyReader

if TYPE_CHECKING:
    from spotui.llm.http_bodies import HttpResponse


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
            async with self._pool.send("POST", "/chat/completions", msgspec.json.encode(body)) as response:
                if response.is_success:
                    reader = ReplyReader(self._pool.place, on_delta)
                    refused = await _refusal_in_place_of(reader, response)
                    if refused is None:
                        self._proven |= concessions
                        return self._reply(request, reader, started, concessions)
                    # Some servers refuse a parameter with a status of 200.
                    fault, error = ServerFault(400, refused.what), refused
                else:
                    fault = read_fault(response.status_code, response.headers, await fault_body(response))
                    error = fault_error(self._pool.place, fault)
            refusal = refusal_in(body, fault)
            if refusal is None:
                if not isinstance(error, RetryableError):
                    self.concessions = self._proven
                raise error
            self.concessions = self.concessions.after(refusal, request)

    async def list_models(self) -> list[str]:
        """The ids of the models the endpoint offers, in its order.

        Raises:
            ModelError: It cannot be reached, refuses, or answers with something else.
        """
        ids = _model_ids(await self._whole("GET", "/models"))
        if ids is None:
            raise MalformedReplyError(
                f"{self._pool.place} answered with something other than a list of models.",
                "Check the base URL: does it end in /v1?",
            )
        return ids

    async def aclose(self) -> None:
        """Close every connection; safe to call twice."""
        await self._pool.aclose()

    async def _embed(self, request: Request) -> Reply:
        started, place = perf_counter(), self._pool.place
        body = msgspec.json.encode(embedding_body(request, self._api_model or request.model))
        payload = decode_json((await self._whole("POST", "/embeddings", body)).decode("utf-8-sig", "replace"))
        fault = fault_inside(payload) if isinstance(payload, dict) else None
        if fault is not None:
            raise fault_error(place, fault)
        found = read_embedding(payload)
        if found is None:
            raise MalformedReplyError(
                f"{place} answered with something other than an embedding.",
                "Check that the model is one for embeddings.",
            )
        return Reply(
            text="",
            finish_reason="stop",
            usage=found.usage or estimate_usage(request.messages, "", count_tokens=self._count_tokens),
            seconds=perf_counter() - started,
            cost_usd=found.cost_usd if self._has_no_price else None,
            vector=found.vector,
        )

    async def _whole(self, method: str, path: str, content: bytes | None = None) -> bytes:
        """The body of a response that comes in one piece."""
        async with self._pool.send(method, path, content) as response:
            if response.is_success:
                return await response.aread()
            fault = read_fault(response.status_code, response.headers, await fault_body(response))
        raise fault_error(self._pool.place, fault)

    def _reply(
        self, request: Request, reader: ReplyReader, started: float, concessions: Concessions
    ) -> Reply:
        assembler = reader.assembler
        text, reasoning = assembler.result()
        first = reader.first_piece_at
        return Reply(
            text=text,
            reasoning=reasoning,
            finish_reason=assembler.finish_reason,
            cost_usd=assembler.cost_usd if self._has_no_price else None,
            usage=assembler.usage
            or estimate_usage(request.messages, text, reasoning, count_tokens=self._count_tokens),
            seconds=reader.ended_at - started,
            first_token_seconds=None if first is None else first - started,
            logprobs=tuple(assembler.logprobs),
            alternatives=assembler.alternatives,
            left_out=concessions.left_out(request),
            lowered=tuple(concessions.limits(request).items()),
            refusal=assembler.refusal,
        )


async def _refusal_in_place_of(reader: ReplyReader, response: "HttpResponse") -> RequestRefusedError | None:
    """Read a reply; the refusal that came in its place, or None when it is whole."""
    try:
        await reader.read(response)
    except RequestRefusedError as error:
        if reader.first_piece_at is not None:
            raise
        return error
    return None


def _model_ids(body: bytes) -> list[str] | None:
    payload = decode_json(body.decode("utf-8-sig", "replace"))
    if isinstance(payload, dict):
        payload = payload.get("data", payload.get("models"))
    if not isinstance(payload, list):
        return None
    names = [item.get("id") or item.get("name") for item in payload if isinstance(item, dict)]
    return [name for name in dict.fromkeys(names) if isinstance(name, str)]
