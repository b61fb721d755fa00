"""Ways for an answer to go wrong. A fault turns the answer that would have been into the one that is."""

import json
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

from tests.model_server.scripted import JsonObject, Scripted

Fault = Callable[[Scripted], Scripted]

# Request number (the first is 1) to fault, or a function of number and request.
FaultPlan = Mapping[int, Fault] | Callable[[int, JsonObject], Fault | None]

_PAGE = b"<!doctype html><html><head><title>Welcome</title></head><body><p>It works.</p></body></html>"


def when(predicate: Callable[[JsonObject], bool], fault: Fault, *, times: int | None = None) -> FaultPlan:
    """A plan that strikes the requests a predicate picks, the first `times` of them."""
    left = [float("inf") if times is None else times]

    def plan(number: int, request: JsonObject) -> Fault | None:
        if left[0] <= 0 or not predicate(request):
            return None
        left[0] -= 1
        return fault

    return plan


def status(
    code: int, message: str = "scripted", /, *, headers: Mapping[str, str] | None = None, **error: Any
) -> Fault:
    """An HTTP error with OpenAI's error object; keywords such as `code` and `param` go into it."""
    body = {"error": {"message": message, "type": None, "param": None, "code": None} | error}
    return raw(code, json.dumps(body).encode(), {"Content-Type": "application/json", **(headers or {})})


def raw(code: int, body: bytes | tuple[bytes, ...], headers: Mapping[str, str] | None = None) -> Fault:
    """Any status with any body."""
    return lambda _: Scripted(status=code, body=body, headers=headers or {})


def events(*pieces: bytes) -> Fault:
    """An event stream, byte for byte."""
    return raw(200, pieces, {"Content-Type": "text/event-stream"})


def html(code: int = 200) -> Fault:
    """A web page."""
    return raw(code, _PAGE, {"Content-Type": "text/html"})


def reset(*, frames: int = 0) -> Fault:
    """The connection is reset."""
    return lambda reply: replace(reply, ending="reset", frames=frames)


def truncated(*, frames: int = 2) -> Fault:
    """The connection is closed in the middle."""
    return lambda reply: replace(reply, ending="close", frames=frames)


def hang(*, frames: int = 0) -> Fault:
    """Nothing more comes, and the connection stays open."""
    return lambda reply: replace(reply, ending="hang", frames=frames)


def slow(pause: float) -> Fault:
    """So many seconds between two pieces."""
    return lambda reply: replace(reply, pause=pause)


def late(delay: float) -> Fault:
    """So many seconds before the first byte."""
    return lambda reply: replace(reply, delay=delay)


def null_content() -> Fault:
    """`content: null`, and a normal stop."""
    return lambda reply: replace(reply, null_content=True)


def length_cut() -> Fault:
    """The first half only, with `finish_reason: length`."""
    return lambda reply: replace(reply, text=reply.text[: len(reply.text) // 2], finish_reason="length")


def no_usage() -> Fault:
    """No usage anywhere."""
    return lambda reply: replace(reply, usage=False)


def no_done() -> Fault:
    """The stream ends after its finish reason, without `[DONE]`."""
    return lambda reply: replace(reply, done=False)


def stream_error(message: str = "scripted", **error: Any) -> Fault:
    """An error object in the stream, in place of its end."""
    return lambda reply: replace(reply, error={"message": message} | error)


def lone_surrogates() -> Fault:
    """A pair split over two pieces, then half a pair on its own."""
    return lambda reply: replace(reply, pieces=("grin \ud83d", "\ude00 and half \ud83d", " end"))


def megabyte() -> Fault:
    """A text of one mebibyte."""
    return lambda reply: replace(reply, text="0123456789abcde\n" * 65_536)
