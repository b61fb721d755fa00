"""Renders an answer as the bytes of an HTTP response, cut into the frames it is sent in."""

import json
from collections.abc import Iterator
from hashlib import sha256
from http import HTTPStatus

from tests.model_server.scripted import JsonObject, Scripted, conversation

_LAST_CHUNK = b"0\r\n\r\n"


def render(
    reply: Scripted, request: JsonObject, number: int, *, chunks: int, at_once: bool = False
) -> list[bytes]:
    """The response as frames: headers, one a piece, the end; or one frame where there is no stream.

    Args:
        reply: What to answer.
        request: The body of the request.
        number: The request's number, for the completion's id.
        chunks: Pieces of a streamed text that does not say itself.
        at_once: Whether all is sent at once; a stream is one chunk of HTTP then, which costs less to read.
    """
    if isinstance(reply.body, bytes):
        return [_head(reply, len(reply.body)) + reply.body]
    if reply.body is not None:
        return [_head(reply), *map(_chunk, reply.body), _LAST_CHUNK]
    streamed = bool(request.get("stream")) if reply.stream is None else reply.stream
    if streamed:
        head, *events = _stream(reply, request, number, chunks)
        if at_once:
            return [head + _chunk(b"".join(events)) + _LAST_CHUNK]
        first, *others, last = (_chunk(event) if event else b"" for event in events)
        return [head + first, *others, last + _LAST_CHUNK]
    body = json.dumps(completion(reply, request, number)).encode()
    return [_head(reply, len(body)) + body]


def even_pieces(text: str, chunks: int) -> tuple[str, ...]:
    """The text in so many pieces of about the same length."""
    size = max(1, -(-len(text) // max(1, chunks)))
    return tuple(text[start : start + size] for start in range(0, len(text), size))


def _head(reply: Scripted, length: int | None = None) -> bytes:
    headers = {
        "Content-Type": "text/event-stream" if length is None else "application/json",
        **({"Transfer-Encoding": "chunked"} if length is None else {"Content-Length": str(length)}),
        **reply.headers,
    }
    lines = [f"HTTP/1.1 {reply.status} {HTTPStatus(reply.status).phrase}"]
    lines += [f"{name}: {value}" for name, value in headers.items()]
    return "\r\n".join([*lines, "", ""]).encode()


def _chunk(data: bytes) -> bytes:
    return b"%x\r\n%b\r\n" % (len(data), data)


def _event(data: str) -> bytes:
    return f"data: {data}\n\n".encode()


def _stream(reply: Scripted, request: JsonObject, number: int, chunks: int) -> list[bytes]:
    """The headers, and what goes into each chunk; at least two."""
    shared = {"id": f"chatcmpl-{number}", "object": "chat.completion.chunk", "created": 0}
    start = json.dumps(shared | {"model": request.get("model")})[:-1]

    def event(
        delta: JsonObject, finish_reason: str | None = None, logprobs: JsonObject | None = None
    ) -> bytes:
        choice = {"index": 0, "delta": delta, "finish_reason": finish_reason, "logprobs": logprobs}
        return _event(f'{start}, "choices": [{json.dumps(choice)}]}}')

    frames = [_head(reply), event({"role": "assistant", "content": None if reply.null_content else ""})]
    if reply.reasoning:
        frames.append(event({"reasoning_content": reply.reasoning}))
    if not reply.null_content:
        tokens = iter(_tokens(reply, request, chunks))
        for piece in _pieces(reply, chunks):
            token = next(tokens, None)
            frames.append(event({"content": piece}, logprobs=token and {"content": [token]}))
    if reply.error is not None:
        return [*frames, _event(json.dumps({"error": reply.error}))]
    end = event({}, reply.finish_reason) if reply.finish_reason else b""
    usage = _usage(reply, request)
    if usage is not None and (request.get("stream_options") or {}).get("include_usage"):
        end += _event(f'{start}, "choices": [], "usage": {json.dumps(usage)}}}')
    if reply.done:
        end += _event("[DONE]")
    return [*frames, end]


def completion(reply: Scripted, request: JsonObject, number: int) -> JsonObject:
    """The reply as a whole chat completion."""
    text = "".join(reply.pieces) if reply.pieces is not None else reply.text
    message: JsonObject = {"role": "assistant", "content": None if reply.null_content else text}
    if reply.reasoning:
        message["reasoning_content"] = reply.reasoning
    choice = {"index": 0, "message": message, "finish_reason": reply.finish_reason}
    tokens = list(_tokens(reply, request, 1))
    if tokens:
        choice["logprobs"] = {"content": tokens}
    usage = _usage(reply, request)
    return {
        "id": f"chatcmpl-{number}",
        "object": "chat.completion",
        "created": 0,
        "model": request.get("model"),
        "choices": [choice],
        **({} if usage is None else {"usage": usage}),
        **({} if reply.error is None else {"error": reply.error}),
    }


def _pieces(reply: Scripted, chunks: int) -> tuple[str, ...]:
    if reply.pieces is not None:
        return reply.pieces
    return even_pieces(reply.text, chunks if reply.chunks is None else reply.chunks)


def _tokens(reply: Scripted, request: JsonObject, chunks: int) -> Iterator[JsonObject]:
    """Every piece passes for one token."""
    if reply.logprobs is None and not request.get("logprobs"):
        return
    pieces = _pieces(reply, chunks)
    logprobs = reply.logprobs or [-sha256(piece.encode()).digest()[0] / 256 for piece in pieces]
    top = [{"token": token, "logprob": logprob} for token, logprob in reply.alternatives.items()]
    place = next((at for at, piece in enumerate(pieces) if piece in reply.alternatives), 0)
    for at, (piece, logprob) in enumerate(zip(pieces, logprobs, strict=True)):
        yield {"token": piece, "logprob": logprob, "top_logprobs": top if at == place else []}


def _usage(reply: Scripted, request: JsonObject) -> JsonObject | None:
    if not isinstance(reply.usage, bool):
        return reply.usage
    if not reply.usage:
        return None
    prompt = len(conversation(request).split())
    thought = len(reply.reasoning.split())
    completion = len(("".join(reply.pieces) if reply.pieces is not None else reply.text).split()) + thought
    return {
        "prompt_tokens": prompt,
        "completion_tokens": completion,
        "total_tokens": prompt + completion,
        "completion_tokens_details": {"reasoning_tokens": thought},
    }
