"""Reads results of batches: files of JSON lines that may be far longer than a reply."""

from collections.abc import AsyncIterator
from datetime import datetime
from typing import TYPE_CHECKING, Any

import msgspec

from spotui.lang import _
from spotui.llm.options import Options
from spotui.llm.protocol import BadRequestError, MalformedReplyError, ModelError
from spotui.llm.providers.faults.http_errors import Target, fault_error
from spotui.llm.providers.faults.server_fault import ServerFault, read_fault
from spotui.llm.providers.http import HttpPool, check_size, fault_body

if TYPE_CHECKING:
    from spotui.llm.providers.http_bodies import HttpResponse

JsonObject = dict[str, Any]

_decoder = msgspec.json.Decoder(JsonObject)
_NONE = Options()


class NotFoundError(BadRequestError):
    """The server has nothing at an address."""


async def json_of(
    pool: HttpPool,
    method: str,
    path: str,
    content: bytes | None = None,
    more: Options = _NONE,
    content_type: str = "application/json",
) -> JsonObject:
    """The JSON object that answers a request.

    Raises:
        ModelError: The server cannot be reached, refuses, or answers with something else.
    """
    async with pool.send(method, path, content, more, content_type=content_type) as response:
        if not response.is_success:
            raise await _error(pool, response)
        body = await response.aread()
    try:
        return _decoder.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError):
        raise no_batch_api(pool.target) from None


async def json_lines(pool: HttpPool, path: str, more: Options = _NONE) -> AsyncIterator[JsonObject]:
    """The objects of a file with one a line, as they arrive.

    Raises:
        ModelError: The file cannot be read to its end.
    """
    async with pool.send("GET", path, None, more) as response:
        if not response.is_success:
            raise await _error(pool, response)
        rest = b""
        async for piece in response.aiter_bytes():
            *lines, rest = (rest + piece).split(b"\n")
            check_size(len(rest), pool.target)
            for line in lines:
                if line.strip():
                    yield _object(line, pool.target)
        if rest.strip():
            yield _object(rest, pool.target)


async def _error(pool: HttpPool, response: "HttpResponse") -> ModelError:
    """The error of a response that is no success."""
    fault = read_fault(response.status_code, response.headers, await fault_body(response))
    if fault.status not in (404, 405):
        return fault_error(pool.target, fault)
    return nothing_there(pool.target, fault)


def nothing_there(target: Target, fault: ServerFault) -> NotFoundError:
    """The error for an address of the API at which there is nothing."""
    return NotFoundError(
        target.sentence(
            _("{place} knows no such batch, or has no API for batches", place=target), fault.message
        ),
        _("Check the endpoint and its key, or run without --batch."),
    )


def no_batch_api(target: Target) -> MalformedReplyError:
    """The error for an answer that is not of an API for batches."""
    return MalformedReplyError(
        _("{place} answered with something other than a batch.", place=target),
        _("Check that the endpoint has an API for batches, or run without --batch."),
    )


def unix_time(written: object) -> float:
    """A time in ISO 8601 as seconds since 1970; 0 where there is none."""
    try:
        return datetime.fromisoformat(str(written)).timestamp()
    except ValueError:
        return 0.0


def _object(line: bytes, target: Target) -> JsonObject:
    try:
        return _decoder.decode(line)
    except (msgspec.DecodeError, UnicodeDecodeError):
        raise no_batch_api(target) from None
