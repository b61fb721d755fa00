"""What the server answers to one request, down to how the connection ends."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

JsonObject = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Scripted:
    """One answer.

    Attributes:
        text: The content of the reply.
        reasoning: Sent as `reasoning_content`, before the text.
        pieces: The content cut exactly here, instead of into `chunks` even pieces.
        chunks: How many pieces the text is streamed in; None for the server's own number.
        finish_reason: None leaves it out.
        logprobs: One for every piece; None makes them up when the request asks for them.
        alternatives: The likeliest tokens with their log-probabilities, at the first piece that is one of
            them, else at the first piece.
        usage: A usage object, True for counted words, False for none.
        null_content: Send `content: null` in place of the text.
        done: Whether the stream ends with `[DONE]`.
        stream: Stream or not, whatever the request asks for; None does as asked.
        error: An error object sent in the stream in place of its end.
        status: The HTTP status; any but 200 needs a body.
        headers: Added to the response.
        body: Sent in place of a completion, byte for byte; several pieces are sent one by one.
        delay: Seconds before the first byte; None for the server's own.
        pause: Seconds between two pieces; None for the server's own.
        ending: `close`, `reset` and `hang` happen in place of the rest, after `frames` frames.
        frames: 0 is before the first byte; 1 is after the headers; every piece is one more.
    """

    text: str = ""
    reasoning: str = ""
    pieces: tuple[str, ...] | None = None
    chunks: int | None = None
    finish_reason: str | None = "stop"
    logprobs: tuple[float, ...] | None = None
    alternatives: Mapping[str, float] = field(default_factory=dict)
    usage: JsonObject | bool = True
    null_content: bool = False
    done: bool = True
    stream: bool | None = None
    error: JsonObject | None = None
    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes | tuple[bytes, ...] | None = None
    delay: float | None = None
    pause: float | None = None
    ending: Literal["whole", "close", "reset", "hang"] = "whole"
    frames: int = 0


ReplyFunction = Callable[[JsonObject], "str | Scripted"]


def conversation(request: JsonObject) -> str:
    """All that a request's messages say."""
    return "\n\n".join(str(message.get("content")) for message in request.get("messages", ()))
