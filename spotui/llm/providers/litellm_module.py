"""litellm itself: imported once a process in a thread, kept quiet, closed when its last user leaves."""

import ast
import asyncio
import contextlib
import json
import logging
import os
import re
import socket
import ssl
import sys
import threading
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from concurrent.futures import Future
from contextlib import contextmanager
from contextvars import ContextVar
from importlib import import_module
from itertools import islice
from pathlib import Path
from typing import Any, Final
from weakref import WeakSet

import msgspec

from spotui.lang import _
from spotui.llm.protocol import (
    AuthenticationError,
    BadRequestError,
    MalformedReplyError,
    ModelError,
    TimedOutError,
)
from spotui.llm.providers.faults import http_errors as transport_errors
from spotui.llm.providers.faults.http_errors import Target, fault_error
from spotui.llm.providers.faults.retry_after import asked_wait
from spotui.llm.providers.faults.server_fault import ServerFault, read_fault
from spotui.llm.providers.http import LONGEST_BODY, LONGEST_REPLY, oversized

_is_ours: Final[ContextVar[bool]] = ContextVar("spotui_bounded_bodies", default=False)
_STREAMS: Final = ("event-stream", "eventstream", "ndjson")


class OversizedBodyError(Exception):
    """A body is longer than a reply may be."""


@contextmanager
def bounded_bodies() -> Iterator[None]:
    """Bound every body that is read in this block, and in tasks that it starts."""
    token = _is_ours.set(True)
    try:
        yield
    finally:
        _is_ours.reset(token)


def bound_httpx() -> None:
    """Let httpx heed `bounded_bodies`; safe to call twice."""
    import httpx

    read = httpx.Response.aiter_bytes
    if read.__module__ == __name__:
        return

    async def aiter_bytes(self: httpx.Response, chunk_size: int | None = None) -> AsyncIterator[bytes]:
        pieces = read(self, chunk_size)
        async for piece in _bounded(self, pieces) if _is_ours.get() else pieces:
            yield piece

    vars_of: Any = httpx.Response
    vars_of.aiter_bytes = aiter_bytes


async def _bounded(response: Any, pieces: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
    """The pieces of a body, as long as neither it nor one of its lines is too long."""
    content_type = response.headers.get("Content-Type", "")
    most = LONGEST_BODY if any(name in content_type for name in _STREAMS) else LONGEST_REPLY
    body = line = 0
    async for piece in pieces:
        body += len(piece)
        end = piece.rfind(b"\n")
        line = line + len(piece) if end < 0 else len(piece) - end - 1
        if body > most or line > LONGEST_REPLY:
            await response.aclose()
            raise OversizedBodyError
        yield piece


_ENVIRONMENT: Final = {
    "LITELLM_LOCAL_MODEL_COST_MAP": "True",  # else it fetches its price table while it is imported
    "LITELLM_LOCAL_ANTHROPIC_BETA_HEADERS": "True",  # else the first call to Anthropic fetches a list
    "LITELLM_MODE": "PRODUCTION",  # else it loads a .env file
}
_SETTLING_SECONDS: Final = 0.3

_guard: Final = threading.Lock()
_import: "Future[Any] | None" = None
_users: Final["WeakSet[object]"] = WeakSet()


async def join(user: object, model: str) -> Any:
    """litellm's module; the first call in a process imports it, which takes seconds but not the event loop.

    Args:
        user: Who uses it, until `leave`; its connections stay open as long as anyone does.
        model: The model that is reached through it.

    Raises:
        BadRequestError: It cannot be imported.
    """
    try:
        module = await asyncio.wrap_future(_imported())
    except ImportError as error:
        why = " ".join(str(error).split())
        raise BadRequestError(
            _(
                "{model} is reached through litellm, which cannot be imported: {why}",
                model=model,
                why=why,
            ),
            _("Reinstall spotui, or give the model a base URL."),
        ) from error
    _users.add(user)
    return module


async def leave(user: object) -> None:
    """Close litellm's connections and end its tasks, if nobody else uses it; safe to call twice."""
    if user not in _users:
        return
    _users.discard(user)
    if _users:
        return
    module = await asyncio.wrap_future(_imported())
    package = Path(module.__file__).parent
    await _settle({task for task in asyncio.all_tasks() if _runs_code_of(package, task)})
    await module.close_litellm_async_clients()
    # Some providers share a client that this forgets.
    if "module_level_aclient" in vars(module):
        await module.module_level_aclient.close()
    before = asyncio.all_tasks()
    # It would hand the closed clients out again. As it lets go of them, they close once more.
    vars(module).pop("module_level_aclient", None)
    module.in_memory_llm_clients_cache.flush_cache()
    await _settle(asyncio.all_tasks() - before)


def _imported() -> "Future[Any]":
    global _import  # noqa: PLW0603 - a process imports a module once: this is that process's one
    with _guard:
        if _import is None or (_import.done() and _import.exception()):
            _import = Future()
            _import.set_running_or_notify_cancel()
            # Not the event loop's own threads: leaving a loop waits for those, and a run must end at once.
            threading.Thread(target=_fulfil, args=(_import,), name="import litellm", daemon=True).start()
        return _import


def _fulfil(promise: "Future[Any]") -> None:
    try:
        promise.set_result(_import_quietly())
    except BaseException as error:  # noqa: BLE001 - whoever waits gets it, whatever it is
        promise.set_exception(error)


def _import_quietly() -> Any:
    is_ours = "litellm" not in sys.modules
    vocabulary = os.environ.get("TIKTOKEN_CACHE_DIR")
    os.environ.update(_ENVIRONMENT)
    try:
        module: Any = import_module("litellm")
    except Exception as error:
        raise ImportError(f"{type(error).__name__}: {error}") from error
    finally:
        if vocabulary is None:
            os.environ.pop("TIKTOKEN_CACHE_DIR", None)
        else:
            os.environ["TIKTOKEN_CACHE_DIR"] = vocabulary
    _silence_loggers()
    bound_httpx()
    module.suppress_debug_info = True
    module.disable_hf_tokenizer_download = True
    if is_ours:
        # For embeddings it takes a limit of 0 tries as none given, and uses this.
        module.DEFAULT_MAX_RETRIES = 0
        # It counts every prompt, with 40 MB of vocabulary or one from a hub, and nobody reads the count.
        module.disable_token_counter = True
        _warm_up(module)
    return module


def _silence_loggers() -> None:
    """Pass its log records on to the program's own handlers, masked as before; without any, to nobody."""
    for name, logger in logging.root.manager.loggerDict.items():
        if isinstance(logger, logging.Logger) and name.lower().startswith("litellm"):
            for handler in logger.handlers[:]:
                for mask in handler.filters:
                    logger.addFilter(mask)
                logger.removeHandler(handler)
            logger.addHandler(logging.NullHandler())
            logger.propagate = True


def _warm_up(module: Any) -> None:
    """Import here what the first call would import on the event loop, half a second of it."""
    with contextlib.suppress(Exception):
        import_module("openai.resources.chat")
        import_module("litellm.llms.openai.openai")
        messages = [{"role": "user", "content": ""}]
        for _ in module.completion(model="gpt-4o", messages=messages, mock_response="-", stream=True):
            pass


async def _settle(left: "set[asyncio.Task[Any]]") -> None:
    """Let tasks that were left behind finish, and end those that do not."""
    if left:
        _, stuck = await asyncio.wait(left, timeout=_SETTLING_SECONDS)
        for task in stuck:
            task.cancel()
        await asyncio.gather(*stuck, return_exceptions=True)


def _runs_code_of(package: Path, task: "asyncio.Task[Any]") -> bool:
    code = getattr(task.get_coro(), "cr_code", None)
    return code is not None and package in Path(code.co_filename).parents


_LONGEST_CHAIN: Final = 20
_UNREACHABLE: Final = (ConnectionError, socket.gaierror, ssl.SSLError)
_BODY: Final = re.compile(r"b'.*'|b\".*\"", re.DOTALL)
_TAIL: Final = re.compile(r"\s*(?:Original exception:|Traceback \(most recent call last\)).*", re.DOTALL)
_HEAD: Final = re.compile(r"^(?:(?:litellm\.)?\w*(?:Error|Exception|Timeout)\w*\s*(?:[:-]\s*|(?=[A-Z])))+")
_NO_KEY: Final = re.compile(
    r"missing credentials|api_key (?:client option )?must be set|unable to locate credentials"
    r"|default credentials|missing \w+ (?:\w+ )?key|api key (?:is )?(?:not set|required|missing)",
    re.IGNORECASE,
)
_MASKED: Final = "MaskedHTTPStatusError"
"""The exception of its HTTP client, which has the server's words beside its own."""

_CUT: Final = "Stream ended before a finish_reason"
"""What litellm says, under a status of its own, of a stream that was cut."""
_CODES: Final = {
    400: "invalid_request",
    401: "authentication",
    403: "permission",
    404: "not_found",
    422: "invalid_request",
    429: "rate_limit",
}


def read_error(error: BaseException) -> ServerFault:
    """What litellm's exception says of the server's answer; an invented status included."""
    chain = tuple(_chain(error))
    status = next((code for link in chain if isinstance(code := getattr(link, "status_code", None), int)), 0)
    text = str(error)
    headers = _headers(chain)
    fault = read_fault(status, headers, _body(chain, text))
    if any("ContextWindowExceeded" in type(link).__name__ for link in chain):
        fault = msgspec.structs.replace(fault, status=400, code="context_length_exceeded")
    if any("ContentPolicyViolation" in type(link).__name__ for link in chain):
        fault = msgspec.structs.replace(fault, status=400, code="content_filter")
    if fault.retry_after is None:
        fault = msgspec.structs.replace(fault, retry_after=asked_wait({}, None, text))
    return msgspec.structs.replace(fault, message=_plain_words(fault.message))


def model_error(
    error: BaseException, fault: ServerFault, target: Target, timeout: float, is_proxied: Callable[[], bool]
) -> ModelError:
    """The error for what litellm raised.

    Args:
        error: The exception.
        fault: `read_error` of it.
        target: Where the call went.
        timeout: Seconds of silence allowed, for the sentence.
        is_proxied: Tells whether a proxy of the environment is on the way.
    """
    chain = tuple(_chain(error))
    if any(isinstance(link, OversizedBodyError) for link in chain):
        return oversized(target)
    names = {base.__name__ for link in chain for base in type(link).__mro__}
    if "ClientPayloadError" in names or _CUT in str(error):
        return transport_errors.broke_off(target)
    if _headers(chain):
        return fault_error(target, fault)
    if (reached := _transport_error(chain, target, timeout, is_proxied)) is not None:
        return reached
    if names & {"Timeout", "TimeoutError"}:
        return TimedOutError(
            _("{place} sent nothing for {timeout:g} seconds.", place=target, timeout=timeout),
            _("Check that it is up, or raise the timeout of this model."),
        )
    if "JSONDecodeError" in names:
        return MalformedReplyError(
            target.sentence(
                _("{place} sent something other than a chat completion", place=target), fault.message
            ),
            _("Try again."),
        )
    return _local_error(chain, fault, target)


def _local_error(chain: tuple[BaseException, ...], fault: ServerFault, target: Target) -> ModelError:
    """The error for what no server has answered: litellm's own checks, and replies that ended in an error."""
    missing = next((link for link in chain if isinstance(link, ImportError)), None)
    if missing is not None:
        return BadRequestError(
            target.sentence(
                _("{place} needs a Python package that is not installed", place=target), str(missing)
            ),
            _("Install what provides it beside spotui, with pip."),
        )
    if _NO_KEY.search(fault.message):
        return AuthenticationError(
            target.sentence(_("{place} asks for a key, and none is set", place=target), fault.message),
            _("Set the environment variable it names."),
        )
    # The status is one that litellm made up to say what kind of failure this is.
    code = f"{fault.code} {_CODES.get(fault.status, '')}".strip()
    return fault_error(target, msgspec.structs.replace(fault, status=0, code=code))


def _transport_error(
    chain: tuple[BaseException, ...], target: Target, timeout: float, is_proxied: Callable[[], bool]
) -> ModelError | None:
    import httpx

    below = next((link for link in chain if isinstance(link, (httpx.RequestError, *_UNREACHABLE))), None)
    match below:
        case None:
            return None
        case httpx.ConnectTimeout():
            return transport_errors.not_connected(target, timeout)
        case httpx.TimeoutException():
            return transport_errors.timed_out(target, timeout)
        case httpx.ProxyError():
            return transport_errors.proxy_failed(target, str(below))
        case httpx.DecodingError():
            return transport_errors.not_decompressed(target, str(below))
        case httpx.RemoteProtocolError():
            return _protocol_error(target, str(below))
    return transport_errors.unreachable(target, below, is_proxied)


def _protocol_error(target: Target, words: str) -> ModelError:
    if "without sending a response" in words:
        return transport_errors.no_answer(target)
    if "message body" in words:
        return transport_errors.broke_off(target)
    return transport_errors.not_http(target, words)


def _chain(error: BaseException) -> Iterator[BaseException]:
    """The error and what led to it, the latest first."""
    return islice(_links(error), _LONGEST_CHAIN)


def _links(error: BaseException | None) -> Iterator[BaseException]:
    while error is not None:
        yield error
        wrapped = getattr(error, "original_exception", None)
        error = wrapped if isinstance(wrapped, BaseException) else error.__cause__ or error.__context__


def _headers(chain: tuple[BaseException, ...]) -> Mapping[str, str]:
    """The headers of the server's answer; empty when no server answered."""
    for link in chain:
        for headers in (
            getattr(link, "litellm_response_headers", None),
            getattr(getattr(link, "response", None), "headers", None),
        ):
            if headers:
                return {str(name).lower(): str(value) for name, value in dict(headers).items()}
    return {}


def _body(chain: tuple[BaseException, ...], text: str) -> bytes:
    """The server's answer where the chain still has it, else the exception's own words."""
    for link in chain:
        body = getattr(link, "body", None)
        if isinstance(body, Mapping) and body:
            return json.dumps(body, default=str).encode()
        words = getattr(link, "text", None)
        if isinstance(words, str) and words and type(link).__name__ == _MASKED:
            return words.encode(errors="replace")
    if quoted := _BODY.search(text):
        try:
            return bytes(ast.literal_eval(quoted[0]))
        except (ValueError, SyntaxError, TypeError):
            pass
    start = text.find("{")
    try:
        payload: Any = json.JSONDecoder().raw_decode(text[start:])[0] if start >= 0 else None
    except ValueError:
        payload = None
    return json.dumps(payload).encode() if payload else _plain_words(text).encode(errors="replace")


def _plain_words(text: str) -> str:
    """The words without litellm's class names in front and its advice behind."""
    text = _HEAD.sub("", _TAIL.sub("", text).strip())
    sentences = re.split(r"(?<=[.!?])\s+|\n+", text)
    kept = [sentence for sentence in sentences if not re.search(r"litellm|BerriAI", sentence, re.IGNORECASE)]
    return " ".join(kept) or text.replace("litellm.", "")
