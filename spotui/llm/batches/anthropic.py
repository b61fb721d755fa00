"""Anthropic's message batches: the requests are handed in as one body, and the results are one file."""

from collections.abc import AsyncIterator, Collection, Mapping, Sequence
from typing import Final

import msgspec

from spotui.domain.calls import Reply, Request
from spotui.domain.messages import Message
from spotui.domain.secret import Secret
from spotui.domain.text import whole_text
from spotui.lang import _
from spotui.llm.batches.api import (
    HALF,
    ForgottenBatchError,
    Limits,
    Payload,
    Progress,
    Submitted,
    UncertainError,
)
from spotui.llm.batches.chat import reply_of
from spotui.llm.batches.lines import JsonObject, NotFoundError, json_lines, json_of, no_batch_api, unix_time
from spotui.llm.options import Options, read_options
from spotui.llm.pricing import longest_reply
from spotui.llm.protocol import AuthenticationError, MalformedReplyError
from spotui.llm.providers.faults.http_errors import fault_error
from spotui.llm.providers.faults.refusals import Concessions, refusal_in
from spotui.llm.providers.faults.server_fault import read_fault
from spotui.llm.providers.http import HttpPool
from spotui.llm.routing import Endpoint

PREFIX: Final = "anthropic/"
KEY: Final = "ANTHROPIC_API_KEY"

_URLS: Final = ("ANTHROPIC_API_BASE", "ANTHROPIC_BASE_URL")
_HOME: Final = "https://api.anthropic.com"
_VERSION: Final = "2023-06-01"
_BATCHES: Final = "/messages/batches"
_PAGE: Final = 100
_MOST_PAGES: Final = 10
_SKEW: Final = 120.0
"""Seconds by which the provider's clock may be behind this one."""

_MOST_TEMPERATURE: Final = 1.0
_MOST_TOKENS: Final = 4096
_STATUSES: Final = {
    "invalid_request_error": 400,
    "authentication_error": 401,
    "permission_error": 403,
    "not_found_error": 404,
    "request_too_large": 413,
    "rate_limit_error": 429,
    "api_error": 500,
    "overloaded_error": 529,
}
_ENDINGS: Final = {"max_tokens": "length", "refusal": "content_filter", "tool_use": "tool_calls"}


class AnthropicBatches:
    """Batches of one of Anthropic's models.

    Args:
        endpoint: The model, with its key where it is not in the environment.
        environ: The environment, for the key and the address.

    Attributes:
        limits: Anthropic's.
        share: Half of the usual price.

    Raises:
        AuthenticationError: There is no key.
        BadRequestError: The address in the environment is no http address.
    """

    limits = Limits(calls=100_000, size=256_000_000)
    share = HALF

    def __init__(self, endpoint: Endpoint, environ: Mapping[str, str]) -> None:
        key = endpoint.api_key or Secret(environ.get(KEY, "").strip())
        if not key.reveal():
            raise AuthenticationError(
                _("{model} needs a key, and {names} is not set.", model=endpoint.model, names=KEY),
                _("Set it: export {missing}=…", missing=KEY),
            )
        url = next((environ[name].strip() for name in _URLS if environ.get(name, "").strip()), _HOME)
        root = url.rstrip("/").removesuffix("/v1") + "/v1"
        # The key goes into a header of another name, and is masked as the value of a variable is.
        replace = msgspec.structs.replace
        self._pool = HttpPool(replace(endpoint, base_url=root, api_key=None, values={KEY: key}))
        self._headers = Options(headers={"x-api-key": key.reveal(), "anthropic-version": _VERSION})
        self._model = endpoint.model.removeprefix(PREFIX)
        self._longest = longest_reply(endpoint.model) or _MOST_TOKENS
        self._concessions = Concessions(most={"temperature": _MOST_TEMPERATURE})

    def obstacle(self, request: Request) -> str:
        """Why a request cannot be in a batch; see `BatchApi.obstacle`."""
        options = read_options(request.options)
        if request.embed:
            return _("it asks for an embedding")
        if options.headers or options.query:
            return _("it has headers or a query of its role")
        if request.json or request.response_format:
            return _("it asks for JSON")
        if any(one.tool_calls or one.role == "tool" for one in request.messages):
            return _("its conversation has calls of tools")
        if any(not one.is_image for message in request.messages for one in message.files):
            return _("it has a file that is not an image")
        return ""

    def line(self, name: str, request: Request) -> bytes:
        """A request as the batch holds it; see `BatchApi.line`."""
        body = self._body(self._concessions.applied(request), self._concessions)
        return msgspec.json.encode({"custom_id": name, "params": body})

    async def submit(self, token: str, lines: Sequence[bytes]) -> Submitted:  # noqa: ARG002 - it is in names
        """Hand a batch in; see `BatchApi.submit`."""
        body = b'{"requests":[' + b",".join(lines) + b"]}"
        return self._submitted(await json_of(self._pool, "POST", _BATCHES, body, self._headers))

    async def find(self, token: str, size: int, since: float, others: Collection[str]) -> Submitted | None:
        """The batch whose calls are named after a token; see `BatchApi.find`.

        Anthropic keeps no name of ours with a batch: only its results show whose they are.
        """
        after, is_unsure = "", False
        for _page in range(_MOST_PAGES):
            query = {"limit": str(_PAGE)} | ({"after_id": after} if after else {})
            more = msgspec.structs.replace(self._headers, query=query)
            page = await json_of(self._pool, "GET", _BATCHES, None, more)
            batches = [one for one in page.get("data") or () if isinstance(one, dict)]
            for one in batches:
                if one.get("id") in others or sum(_counts(one).values()) != size:
                    continue
                if unix_time(one.get("created_at")) < since - _SKEW:
                    continue
                if one.get("processing_status") != "ended":
                    is_unsure = True
                elif await self._is_named_after(str(one.get("id")), token):
                    return self._submitted(one)
            is_older = any(unix_time(one.get("created_at")) < since - _SKEW for one in batches)
            if is_older or not page.get("has_more") or not batches:
                break
            after = str(page.get("last_id") or batches[-1].get("id"))
        if is_unsure:
            raise UncertainError(
                _("A batch of {size:,} calls was handed in, or not: that shows when it ends.", size=size)
            )
        return None

    async def look(self, batch: str) -> Progress:
        """How far a batch is; see `BatchApi.look`."""
        try:
            found = await json_of(self._pool, "GET", f"{_BATCHES}/{batch}", None, self._headers)
        except NotFoundError as error:
            raise ForgottenBatchError(error.what, error.hint) from None
        counts = _counts(found)
        done = sum(counts.get(name, 0) for name in ("succeeded", "errored"))
        return Progress(found.get("processing_status") == "ended", done, counts.get("errored", 0))

    async def results(self, batch: str, progress: Progress) -> AsyncIterator[tuple[str, Payload]]:  # noqa: ARG002
        """The results; see `BatchApi.results`."""
        async for line in json_lines(self._pool, f"{_BATCHES}/{batch}/results", self._headers):
            yield str(line.get("custom_id")), line

    def read(self, request: Request, payload: Payload, seconds: float) -> Reply | None:
        """The reply in a result; see `BatchApi.read`."""
        result, place = payload.get("result"), self._pool.target
        if not isinstance(result, dict):
            raise MalformedReplyError(
                _("{place} sent a reply without an answer in it.", place=place), _("Try again.")
            )
        match result.get("type"):
            case "succeeded":
                body = _as_completion(result.get("message") or {})
                reply = reply_of(request, body, seconds, place, has_no_price=False)
                return self._concessions.noted(reply, request)
            case "errored":
                error: JsonObject = result.get("error") or {}
                inner: JsonObject = error.get("error") or error
                status = _STATUSES.get(str(inner.get("type")), 500)
                fault = read_fault(status, {}, msgspec.json.encode({"error": inner}))
                refusal = refusal_in(self._body(request, Concessions()), fault)
                if refusal is None:
                    raise fault_error(place, fault)
                self._concessions = self._concessions.after(refusal, request)
        return None

    async def aclose(self) -> None:
        """Close every connection; safe to call twice."""
        await self._pool.aclose()

    async def _is_named_after(self, batch: str, token: str) -> bool:
        async for name, _payload in self.results(batch, Progress(is_over=True)):
            return name.startswith(f"{token}-")
        return False

    def _submitted(self, body: JsonObject) -> Submitted:
        if not isinstance(body.get("id"), str):
            raise no_batch_api(self._pool.target)
        return Submitted(body["id"], unix_time(body.get("expires_at")))

    def _body(self, request: Request, concessions: Concessions) -> JsonObject:
        """The body of a request for a message."""
        said = [one for one in request.messages if one.role != "system"]
        body: JsonObject = {
            "model": self._model,
            "max_tokens": request.max_tokens or self._longest,
            "messages": [_message(one) for one in said],
        }
        if system := "\n\n".join(one.content for one in request.messages if one.role == "system"):
            body["system"] = whole_text(system)
        if request.temperature is not None and "temperature" not in concessions.refused:
            body["temperature"] = request.temperature
        if request.tools:
            tools = msgspec.json.decode(request.tools, type=list[JsonObject])
            body["tools"] = [_tool(one.get("function", one)) for one in tools]
        return body | read_options(request.options).body


def _message(message: Message) -> JsonObject:
    text = whole_text(message.content)
    if not message.files:
        return {"role": message.role, "content": text}
    parts: list[JsonObject] = []
    for one in message.files:
        kind, _comma, data = one.url.partition(";base64,")
        source: JsonObject = {"type": "url", "url": one.url}
        if kind.startswith("data:"):
            source = {"type": "base64", "media_type": one.media, "data": data}
        parts.append({"type": "image", "source": source})
    return {"role": message.role, "content": [*parts, *([{"type": "text", "text": text}] if text else [])]}


def _tool(function: JsonObject) -> JsonObject:
    schema = function.get("parameters") or {"type": "object", "properties": {}}
    described = {"description": function["description"]} if function.get("description") else {}
    return {"name": function.get("name"), **described, "input_schema": schema}


def _as_completion(message: JsonObject) -> JsonObject:
    """A message in the form of a chat completion."""
    parts = [one for one in message.get("content") or () if isinstance(one, dict)]
    called = [
        {"index": number, "function": {"name": one.get("name"), "arguments": one.get("input") or {}}}
        for number, one in enumerate(one for one in parts if one.get("type") == "tool_use")
    ]
    said = {
        "role": "assistant",
        "content": "".join(str(one.get("text") or "") for one in parts if one.get("type") == "text"),
        "reasoning_content": "".join(str(one.get("thinking") or "") for one in parts),
        **({"tool_calls": called} if called else {}),
    }
    ending = str(message.get("stop_reason") or "")
    choice = {"index": 0, "message": said, "finish_reason": _ENDINGS.get(ending, "stop")}
    return {"choices": [choice], "usage": message.get("usage")}


def _counts(batch: JsonObject) -> dict[str, int]:
    counts = batch.get("request_counts") or {}
    return {name: number for name, number in counts.items() if isinstance(number, int)}
