"""Every model id that litellm knows, over litellm."""

import asyncio
import json
import os
import re
from collections.abc import Awaitable, Callable, Iterator, Mapping
from functools import lru_cache
from time import perf_counter
from typing import Any, Final, NamedTuple, TypeVar

from spotui.domain.calls import MOST_USD, Reply, Request
from spotui.domain.secret import Secret
from spotui.lang import _
from spotui.llm.options import read_options
from spotui.llm.pricing import OPENAI_LIKE_PROVIDERS, guess_provider, litellm_path, nearest
from spotui.llm.protocol import (
    AuthenticationError,
    BadRequestError,
    Delta,
    MalformedReplyError,
    ModelError,
    OnDelta,
    RetryableError,
    TimedOutError,
)
from spotui.llm.providers import litellm_module
from spotui.llm.providers.base_url import BaseUrl
from spotui.llm.providers.chat.assembler import ReplyAssembler
from spotui.llm.providers.chat.bodies import (
    embedded_text,
    message_bodies,
    read_embedding,
    response_format,
)
from spotui.llm.providers.faults.http_errors import Target
from spotui.llm.providers.faults.refusals import Concessions, refusal_in
from spotui.llm.providers.faults.server_fault import ServerFault
from spotui.llm.providers.http import check_size
from spotui.llm.providers.litellm_module import bounded_bodies, model_error, read_error
from spotui.llm.routing import Endpoint

_SHORTEST_SECRET: Final = 8
_SECRET_NAME: Final = re.compile(r"(?:KEY|TOKEN|SECRET|PASSWORD)$")
_KEY_NAME: Final = re.compile(r"(?:_KEY|_TOKEN)$")

# Where a provider's key stands under a name that does not begin like the provider's own.
_OTHER_KEYS: Final = {"huggingface": "HF_TOKEN", "volcengine": "ARK_API_KEY", "gemini": "GOOGLE_API_KEY"}
_STEM: Final = 6

GOOGLE_CLOUD: Final = ("VERTEX", "GOOGLE_APPLICATION_CREDENTIALS", "GOOGLE_CLOUD_PROJECT")
"""Variables with which litellm asks Google's cloud platform for a model whose id is `gemini-…` alone."""

# Clients refuse to start without any key; servers that want none do not look at it.
_NO_KEY: Final = Secret("none")


class Route(NamedTuple):
    """The way to a model through litellm.

    Attributes:
        model: The model id as the user wrote it.
        litellm_id: The same with its provider's prefix, where litellm needs one.
        provider: The provider's name.
        api_key: The key to pass on, or None when litellm finds it by itself.
        has_key: Whether any key is known.
    """

    model: str
    litellm_id: str
    provider: str
    api_key: Secret | None
    has_key: bool


def find_route(litellm: Any, model: str, endpoint: Endpoint) -> Route | None:
    """The way to a model, or None when its provider is unknown.

    Args:
        litellm: The module.
        model: The model id as the user wrote it.
        endpoint: Its key and base URL.

    Raises:
        AuthenticationError: Its provider needs a key, and there is none.
    """
    litellm_id, provider = model, _provider(litellm, model)
    # litellm sends Google's ids to its cloud platform; with nothing set up for that, a key is meant.
    if provider == "vertex_ai" and model.startswith("gemini-") and not any(map(os.environ.get, GOOGLE_CLOUD)):
        provider = None
    if provider is None:
        # Families are known beyond litellm's list: a model that is newer than it, or one it has retired.
        provider = None if "/" in model else guess_provider(model)
        litellm_id = f"{provider}/{model}"
    if provider is None:
        return None
    has_key = endpoint.api_key is not None or _has_key(provider)
    missing = [] if has_key else _missing_keys(litellm, litellm_id, provider)
    if missing and endpoint.base_url is None:
        names = " or ".join(missing)
        raise AuthenticationError(
            _("{model} needs a key, and {names} is not set.", model=model, names=names),
            _("Set it: export {missing}=…", missing=missing[-1]),
        )
    return Route(model, litellm_id, provider, endpoint.api_key or (_NO_KEY if missing else None), has_key)


def secrets_of(api_key: Secret | None, environ: Mapping[str, str] = os.environ) -> Iterator[Secret]:
    """Whatever must not be repeated: the key in use, and every key in the environment."""
    if api_key is not None and api_key is not _NO_KEY:
        yield api_key
    values = {value for name, value in environ.items() if _SECRET_NAME.search(name)}
    # The longest first, lest a short one leave the rest of a long one standing.
    for value in sorted(values, key=len, reverse=True):
        if len(value) >= _SHORTEST_SECRET:
            yield Secret(value)


def _provider(litellm: Any, model: str) -> str | None:
    try:
        return str(litellm.get_llm_provider(model=model)[1])
    except litellm.BadRequestError:
        return None


def _missing_keys(litellm: Any, litellm_id: str, provider: str) -> list[str]:
    """Variables litellm misses, if they are keys; clouds have other ways to prove who one is."""
    if name := _listed_keys().get(provider):
        return [name]
    names: list[str] = litellm.validate_environment(model=litellm_id)["missing_keys"]
    return names if all(map(_KEY_NAME.search, names)) else []


@lru_cache(maxsize=1)
def _listed_keys() -> Mapping[str, str]:
    """Where the key of a small OpenAI-like provider stands; litellm names OpenAI's for all of these."""
    path = litellm_path(OPENAI_LIKE_PROVIDERS)
    listed = json.loads(path.read_bytes()) if path else {}
    return {name: entry["api_key_env"] for name, entry in listed.items() if "api_key_env" in entry}


def _has_key(provider: str) -> bool:
    """Whether the environment has a key of a provider; litellm reads more spellings than it admits to."""
    stem = re.sub(r"[-_]", "", provider).upper()[:_STEM]
    others = (_OTHER_KEYS.get(provider), _listed_keys().get(provider))
    return any(
        name in others or (_KEY_NAME.search(name) and name.replace("_", "").startswith(stem))
        for name, value in os.environ.items()
        if value
    )


_T = TypeVar("_T")

_OPTIONAL: Final = frozenset(
    {"temperature", "stream_options", "logprobs", "top_logprobs", "response_format", "system"}
)

# litellm's own limit only ends what cancelling cannot reach, such as a provider's blocking thread.
_GRACE: Final = 5.0

_CHUNKS_KEPT: Final = 256


class LitellmProvider:
    """A model that litellm knows the way to; for one event loop at a time.

    Args:
        endpoint: The model, with its key and base URL where they are not litellm's to find; its `timeout` is
            the longest silence, not the longest call.
        count_tokens: Tokens of a text, for endpoints that report no usage; None divides characters by four.

    Attributes:
        concessions: What requests do without, as the model does not take it.

    Raises:
        BadRequestError: The base URL is no http address.
    """

    def __init__(self, endpoint: Endpoint, *, count_tokens: Callable[[str], int] | None = None) -> None:
        self.concessions = Concessions()
        self._proven = self.concessions
        self._endpoint = endpoint
        self._base_url = BaseUrl(endpoint.base_url, endpoint.model) if endpoint.base_url else None
        self._count_tokens = count_tokens
        self._ways: dict[str, Route] = {}

    async def complete(self, request: Request, on_delta: OnDelta) -> Reply:
        """Ask the model once; see `Provider.complete`.

        When the model takes no temperature or another optional parameter, it is asked again at once without
        it, and the reply says so.
        """
        if request.grammar is not None:
            raise BadRequestError(
                _("{model} cannot be bound to a grammar.", model=request.model),
                _("Use the embedded model or a llama.cpp server for this."),
            )
        litellm, way = await self._find_route(request.model)
        if request.embed:
            return await self._embed(litellm, request, way)
        while True:
            concessions = self.concessions
            arguments = self._arguments(concessions.applied(request), way, concessions.refused)
            try:
                reply = await self._attempt(litellm, arguments, request, way, on_delta)
            except _Failure as failure:
                fault = read_error(failure.error)
                refusal = refusal_in(arguments, fault)
                if refusal is None or (refusal.most is None and refusal.name not in _OPTIONAL):
                    said = await self._explained(failure.error, fault, way)
                    if not isinstance(said, RetryableError):
                        self.concessions = self._proven
                    raise said from None
                self.concessions = self.concessions.after(refusal, request)
            else:
                self._proven |= concessions
                return concessions.noted(reply, request)

    async def aclose(self) -> None:
        """Close litellm's connections, unless another provider still uses them; safe to call twice."""
        await litellm_module.leave(self)

    async def _find_route(self, model: str) -> tuple[Any, Route]:
        litellm = await litellm_module.join(self, model)
        if model not in self._ways:
            # A thread, because some of litellm's providers sign in while they are asked what they need.
            way = await asyncio.to_thread(find_route, litellm, model, self._endpoint)
            if way is None:
                raise BadRequestError(
                    _("litellm knows no provider for {model}.", model=model), await _did_you_mean(model)
                )
            self._ways[model] = way
        return litellm, self._ways[model]

    async def _embed(self, litellm: Any, request: Request, to: Route) -> Reply:
        started = perf_counter()
        given = {**self._access(to), "input": [embedded_text(request)]}
        arguments = {name: value for name, value in given.items() if value is not None}
        try:
            answer = await self._step(litellm.aembedding(**arguments), to)
        except _Failure as failure:
            raise await self._explained(failure.error, read_error(failure.error), to) from None
        payload = answer.model_dump()
        found = read_embedding(payload)
        if found is None:
            raise MalformedReplyError(
                _("{place} answered with something other than an embedding.", place=self._target(to)),
                _("Check that the model is one for embeddings."),
            )
        cost = (getattr(answer, "_hidden_params", None) or {}).get("response_cost")
        is_reported = found.usage is not None and self._endpoint.price is None
        return found.reply(
            request,
            seconds=perf_counter() - started,
            cost_usd=float(cost) if cost and is_reported else None,
            count_tokens=self._count_tokens,
        )

    def _access(self, to: Route) -> dict[str, Any]:
        """What every call of litellm is given."""
        return {
            "model": to.litellm_id,
            "api_base": self._endpoint.base_url,
            "api_key": to.api_key.reveal() if to.api_key else None,
            "timeout": self._endpoint.silence + _GRACE,
            "max_retries": 0,
            "num_retries": 0,
            "caching": False,
        }

    def _arguments(self, request: Request, to: Route, refused: frozenset[str]) -> dict[str, Any]:
        given: dict[str, Any] = {
            **self._access(to),
            "messages": message_bodies(request.messages, refused),
            "stream": True,
            "stream_options": {"include_usage": True},
            "temperature": request.temperature,
            "max_tokens": request.max_tokens,
            "logprobs": request.logprobs or bool(request.alternatives) or None,
            "top_logprobs": request.alternatives or None,
            "response_format": response_format(request),
            "tools": json.loads(request.tools) if request.tools else None,
        }
        more = read_options(request.options)
        given |= {"extra_headers": more.headers or None, "extra_query": more.query or None}
        kept = {name: value for name, value in given.items() if value is not None and name not in refused}
        return kept | more.body

    async def _attempt(
        self, litellm: Any, arguments: dict[str, Any], request: Request, to: Route, on_delta: OnDelta
    ) -> Reply:
        assembler, place = ReplyAssembler(), self._target(to)
        started = perf_counter()
        first: float | None = None
        cost: float | None = None

        def emit(delta: Delta | None) -> None:
            nonlocal first
            if delta is not None:
                first = first or perf_counter() - started
                on_delta(delta)

        stream = await self._step(litellm.acompletion(**arguments), to)
        try:
            pieces = aiter(stream)
            while (chunk := await self._step(anext(pieces, None), to)) is not None:
                payload = chunk.model_dump()
                cost = _cost(payload) or cost
                emit(assembler.feed(payload))
                check_size(assembler.size, place)
                _forget_chunks(stream)
            seconds = perf_counter() - started
        finally:
            await stream.aclose()
        emit(assembler.finish())
        if not _is_finished(stream):
            raise MalformedReplyError(
                _("{place} broke off in the middle of its reply.", place=place), _("Try again.")
            )
        usage = assembler.usage if _reported_usage(stream) else None
        return assembler.reply(
            request,
            seconds=seconds,
            first_token_seconds=first,
            usage=usage,
            cost_usd=cost if usage and self._endpoint.price is None else None,
            count_tokens=self._count_tokens,
        )

    async def _step(self, awaitable: Awaitable[_T], to: Route) -> _T:
        try:
            async with asyncio.timeout(self._endpoint.silence) as limit:
                with bounded_bodies():
                    return await awaitable
        except Exception as error:  # noqa: BLE001 - litellm raises anything, bare Exception included
            if limit.expired():
                raise TimedOutError(
                    _(
                        "{place} sent nothing for {silence:g} seconds.",
                        place=self._target(to),
                        silence=self._endpoint.silence,
                    ),
                    _("Check that it is up, or raise the timeout of this model."),
                ) from None
            raise _Failure(error) from None

    async def _explained(self, error: Exception, fault: ServerFault, to: Route) -> ModelError:
        is_proxied = self._base_url.is_proxied if self._base_url else _is_proxied
        said = model_error(error, fault, self._target(to), self._endpoint.silence, is_proxied)
        if fault.status == 404 and type(said) is BadRequestError:
            return BadRequestError(said.what, await _did_you_mean(to.model))
        return said

    def _target(self, to: Route) -> Target:
        shown = self._base_url.shown if self._base_url else to.provider
        secrets = [*secrets_of(to.api_key), *(self._base_url.secrets if self._base_url else ())]
        secrets += self._endpoint.values.values()
        return Target(to.model, shown, secrets, has_key=to.has_key)


def _is_finished(stream: Any) -> bool:
    """Whether the model said why it stopped; litellm itself ends a stream that was cut with a "stop"."""
    reasons = ("received_finish_reason", "intermittent_finish_reason")
    return any(getattr(stream, name, "unknown") for name in reasons)


def _reported_usage(stream: Any) -> bool:
    """Whether the endpoint reported usage; litellm's own last piece has one either way."""
    return any(getattr(chunk, "usage", None) is not None for chunk in getattr(stream, "chunks", ()))


def _forget_chunks(stream: Any) -> None:
    """Let litellm's own copies of old chunks go: it keeps some kilobytes for every token of a reply.

    It compares the newest with one another, and adds the usage up at the end.
    """
    chunks = getattr(stream, "chunks", [])
    if len(chunks) > 2 * _CHUNKS_KEPT:
        old = (chunk for chunk in chunks[:-_CHUNKS_KEPT] if getattr(chunk, "usage", None) is not None)
        chunks[:-_CHUNKS_KEPT] = [*old][-_CHUNKS_KEPT:]


def _cost(payload: Mapping[str, Any]) -> float | None:
    """USD, as the endpoint or litellm says; 0 is what litellm says when it does not know."""
    cost = (payload.get("usage") or {}).get("cost")
    return float(cost) if isinstance(cost, (int, float)) and 0 < cost <= MOST_USD else None


def _is_proxied() -> bool:
    from urllib.request import getproxies

    return bool(getproxies())


async def _did_you_mean(model: str) -> str:
    names = await asyncio.to_thread(nearest, model)
    if not names:
        return _("Put its provider in front, such as anthropic/ or openrouter/, or set a base URL.")
    return _("Did you mean {names}?", names=" or ".join(names))


class _Failure(Exception):  # noqa: N818 - never leaves this module
    """Something litellm raised, on its way to being told apart."""

    def __init__(self, error: Exception) -> None:
        super().__init__()
        self.error = error
