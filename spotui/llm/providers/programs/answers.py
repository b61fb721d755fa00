"""What a program is asked and what it answers, one JSON object each; docs/programs.md has both by example."""

from collections.abc import Mapping
from typing import Annotated, Any, Final

import msgspec

from spotui.domain.calls import Reply, Request, Usage
from spotui.domain.text import whole_text
from spotui.lang import _
from spotui.llm.protocol import ProgramFailedError, is_sane_cost
from spotui.llm.providers.chat.usage import estimate_usage
from spotui.llm.providers.faults.http_errors import Target

MOST_TRACE: Final = 65_536
"""Characters of a trace that are kept."""

_Tokens = Annotated[int, msgspec.Meta(ge=0)]


class Said(msgspec.Struct, frozen=True):
    """What a program says to one request.

    Attributes:
        id: That of the request; None where it is left out.
        answer: The answer.
        error: Why there is none.
        tokens: Prompt and completion tokens together, where the program knows no more.
        prompt_tokens: Of all that it sent to models.
        completion_tokens: Of all that models sent to it.
        cost_usd: What all of it cost; None where that is unknown.
        trace: How it came to the answer, any JSON.
    """

    id: Any = None
    answer: str | None = None
    error: Any = None
    tokens: _Tokens = 0
    prompt_tokens: _Tokens = 0
    completion_tokens: _Tokens = 0
    cost_usd: Annotated[float, msgspec.Meta(ge=0)] | None = None
    trace: Any = None


_encoder: Final = msgspec.json.Encoder()
_decoder: Final = msgspec.json.Decoder(Said)
_given: Final = msgspec.json.Decoder(dict[str, Any])

HOW: Final = '{"id": 1, "answer": "…"}'
"""The least that a program has to answer."""


def asked(request: Request) -> dict[str, Any]:
    """What a program is given of a request: prompt, question, row, messages of a conversation, and files."""
    if not request.given:
        return {"prompt": "", "question": request.messages[-1].content, "row": {}}
    return {**_given.decode(request.given), **_files_of(request)}


def asked_line(number: int, request: Request) -> bytes:
    """The same as a line of JSON that begins with a number, which the answer has to repeat."""
    if request.given and not _files_of(request):
        return b'{"id":%d,' % number + request.given.encode()[1:] + b"\n"
    return _encoder.encode({"id": number, **asked(request)}) + b"\n"


def _files_of(request: Request) -> dict[str, Any]:
    """The images and files of a request, which hold their content only on their way."""
    files = [
        {"name": one.name, "media": one.media, "url": one.url}
        for message in request.messages
        for one in message.files
    ]
    return {"files": files} if files else {}


def read_said(line: bytes | str, target: Target) -> Said:
    """What a program says in a line or a body of JSON.

    Raises:
        ProgramFailedError: It is something else.
    """
    try:
        return _decoder.decode(line)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        text = line if isinstance(line, str) else line.decode("utf-8", "replace")
        if isinstance(error, msgspec.ValidationError):
            what = _("{place} gave an answer that cannot be read ({error})", place=target, error=error)
        else:
            what = _("{place} wrote something other than a JSON object", place=target)
        raise ProgramFailedError(target.sentence(what, text), _wanted()) from None


def said_of(value: object, target: Target) -> Said:
    """What a Python function says, which may be the answer alone.

    Raises:
        ProgramFailedError: It is neither a text nor a mapping of the same keys.
    """
    if isinstance(value, str):
        return Said(answer=value)
    try:
        if isinstance(value, Mapping):
            return msgspec.convert(dict(value), Said)
    except msgspec.ValidationError as error:
        what = _("{place} gave an answer that cannot be read ({error})", place=target, error=error)
        raise ProgramFailedError(target.sentence(what), _wanted()) from None
    kind = type(value).__name__
    what = _("{place} returned {kind} in place of a text or a mapping", place=target, kind=kind)
    raise ProgramFailedError(target.sentence(what), _wanted())


def reply_of(said: Said, request: Request, target: Target, *, seconds: float) -> Reply:
    """The reply that a program has given.

    A cost that it does not report is unknown: only the program can say that a call was free.

    Args:
        said: What it said.
        request: To what.
        target: The program, for the errors.
        seconds: How long it took.

    Raises:
        ProgramFailedError: It reports an error, no answer, or a cost or tokens that no call can have.
    """
    usage = _usage(said, request)
    if not usage.is_sane or not is_sane_cost(said.cost_usd):
        what = _("{place} reports a cost or tokens that no call can have", place=target)
        raise ProgramFailedError(target.sentence(what), _wanted())
    reply = Reply(
        text=whole_text(said.answer or ""),
        finish_reason="stop",
        usage=usage,
        seconds=seconds,
        cost_usd=said.cost_usd,
        trace=_trace(said.trace),
    )
    if said.error is not None and said.error is not False:
        words = said.error if isinstance(said.error, str) else _encoder.encode(said.error).decode()
        raise ProgramFailedError(
            target.sentence(_("{place} reports an error", place=target), words), reported=reply
        )
    if not reply.text.strip():
        raise ProgramFailedError(
            target.sentence(_("{place} gave no answer", place=target)), _wanted(), reported=reply
        )
    return reply


def _usage(said: Said, request: Request) -> Usage:
    if said.prompt_tokens or said.completion_tokens:
        return Usage(said.prompt_tokens, said.completion_tokens)
    if said.tokens:
        return Usage(said.tokens, 0)
    return estimate_usage(request.messages, said.answer or "")


def _trace(trace: object) -> str:
    if trace is None:
        return ""
    try:
        text = whole_text(_encoder.encode(trace).decode())
    except (TypeError, ValueError):  # of a Python function, which may put anything there
        text = _encoder.encode(repr(trace)).decode()
    return text if len(text) <= MOST_TRACE else text[:MOST_TRACE] + "…"


def _wanted() -> str:
    return _("Let it answer each request with a line such as {how}.", how=HOW)
