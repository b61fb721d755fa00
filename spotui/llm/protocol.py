"""What passes through the door: a request in, deltas on the way, a reply out."""

import hashlib
import math
import sys
from array import array
from base64 import b64decode, b64encode
from collections.abc import Callable, Sequence
from typing import Final, Protocol

import msgspec

from spotui.domain.calls import MOST_USD, Reply, Request
from spotui.domain.errors import SpotuiError
from spotui.domain.records import CallLine
from spotui.lang import _, as_english, ngettext
from spotui.llm.providers.chat.usage import estimate_usage


class Delta(msgspec.Struct, frozen=True, omit_defaults=True):
    """A piece of a reply on its way: text or reasoning, as the model writes it."""

    text: str = ""
    reasoning: str = ""


OnDelta = Callable[[Delta], None]


class Provider(Protocol):
    """Something that can complete a request once: no retry, no limit, no memory of earlier calls."""

    async def complete(self, request: Request, on_delta: OnDelta) -> Reply:
        """Ask the model once.

        Args:
            request: What to ask.
            on_delta: Called on the event loop for every piece as it arrives.

        Returns:
            The finished reply. `cost_usd` may be left None: the door prices it.

        Raises:
            ModelError: One of its kinds; the text never holds a key or a header.
        """
        ...

    async def aclose(self) -> None:
        """Close every connection and process this provider holds; safe to call twice."""
        ...


class ModelError(SpotuiError):
    """A model call that brought no usable reply."""


class AuthenticationError(ModelError):
    """The endpoint does not accept the key, or the account behind it may not use the model."""


class BadRequestError(ModelError):
    """The endpoint understood the request and refuses it: unknown model, unknown parameter, spent quota."""


class RequestRefusedError(BadRequestError):
    """The endpoint refuses what this request holds; it may well answer another one.

    Attributes:
        heard: Bytes of a reply that came before the refusal.
        reported: What the call took, where that was reported with the refusal.
    """

    heard = 0
    reported: Reply | None = None


class ContextOverflowError(RequestRefusedError):
    """The request is longer than the model's context window."""


class ContentFilteredError(RequestRefusedError):
    """The endpoint's content filter stops the request or its reply."""


class OversizedReplyError(RequestRefusedError):
    """The endpoint sends more than a reply can hold."""


class ProgramFailedError(RequestRefusedError):
    """A program in place of a model has no answer to a request; it may well answer another one.

    Args:
        what: What happened.
        hint: What to do about it.
        reported: What the call took, where the program has said so.
    """

    def __init__(self, what: str, hint: str = "", *, reported: Reply | None = None) -> None:
        super().__init__(what, hint)
        self.reported = reported


class RetryableError(ModelError):
    """A failure where another try may succeed.

    Args:
        what: What happened and where.
        hint: What to do about it.
        retry_after: Seconds the endpoint asked to wait, or None when it did not say.
    """

    def __init__(self, what: str, hint: str = "", *, retry_after: float | None = None) -> None:
        super().__init__(what, hint)
        self.retry_after = retry_after


class RateLimitedError(RetryableError):
    """The endpoint asks to slow down."""


class UnavailableError(RetryableError):
    """The endpoint cannot be reached, or answers with a server error."""


class TimedOutError(RetryableError):
    """The endpoint was sent a request, and did not answer it within the time limits."""


class MalformedReplyError(RetryableError):
    """The endpoint answered with something that is not a complete chat completion."""


_encoder = msgspec.json.Encoder(enc_hook=as_english)


def digest_of(request: Request) -> str:
    """A hash of what is asked, equal for equal requests."""
    return hashlib.sha256(_encoder.encode(request)).hexdigest()[:32]


_LONGEST_QUOTE: Final = 200


def lacks_answer(reply: Reply) -> bool:
    """Whether a reply is empty, or only what a content filter left of an answer."""
    return not reply.answer.strip() or reply.finish_reason == "content_filter"


def why_missing(reply: Reply) -> str:
    """Why a reply lacks an answer, one sentence."""
    if reply.rejected:
        return reply.rejected
    if reply.refusal:
        return _('The model refused to answer: "{short}".', short=_short(reply.refusal))
    if reply.finish_reason == "content_filter":
        if reply.text.strip():
            return _("A content filter stopped the answer in the middle.")
        return _("A content filter stopped the answer before its first word.")
    if _reasoned(reply):
        return _reasoned_only(reply)
    if reply.finish_reason == "length":
        return _("The length limit ended the answer before its first word.")
    return _("The answer is empty.")


def hint_for_missing(reply: Reply) -> str:
    """What to do about a reply that lacks an answer, one sentence."""
    if reply.refusal or reply.rejected or reply.finish_reason == "content_filter":
        return _("Change the text that is refused, or use another model.")
    if reply.finish_reason == "length":
        if _reasoned(reply):
            return _("Raise max_tokens for this model, or lower its reasoning effort.")
        return _("Raise max_tokens for this model.")
    if _reasoned(reply):
        return _("Check the server's reasoning parser, which may take the answer for reasoning.")
    return _("Try another model, or ask in another way.")


def _reasoned(reply: Reply) -> bool:
    return bool(reply.reasoning or reply.usage.reasoning_tokens)


def _reasoned_only(reply: Reply) -> str:
    usage = reply.usage
    # A reply without an answer is all reasoning, also where nobody counted that apart.
    tokens = usage.reasoning_tokens or usage.completion_tokens
    if usage.estimated:
        return ngettext(
            "The reply has ~{n:,} token of reasoning and no answer.",
            "The reply has ~{n:,} tokens of reasoning and no answer.",
            tokens,
        )
    return ngettext(
        "The reply has {n:,} token of reasoning and no answer.",
        "The reply has {n:,} tokens of reasoning and no answer.",
        tokens,
    )


def _short(text: str) -> str:
    line = " ".join(text.split()).rstrip(".")
    return line if len(line) <= _LONGEST_QUOTE else line[: _LONGEST_QUOTE - 1].rstrip() + "…"


_reply_decoder = msgspec.json.Decoder(Reply)
_request_decoder = msgspec.json.Decoder(Request)


def recorded_reply(line: CallLine) -> Reply:
    """The reply of a finished call; a count that cannot be is replaced by an estimate.

    Versions before this one took every number that a server sent, 10^400 tokens included.
    """
    reply = _reply_decoder.decode(line.reply)
    if not reply.usage.is_sane:
        request = _request_decoder.decode(line.request)
        usage = estimate_usage(request.messages, reply.text, reply.reasoning)
        reply = msgspec.structs.replace(reply, usage=usage)
    if not is_sane_cost(reply.cost_usd):
        reply = msgspec.structs.replace(reply, cost_usd=None)
    return reply


def is_sane_cost(cost_usd: float | None) -> bool:
    """Whether a cost is unknown, or an amount that one call can cost."""
    return cost_usd is None or (math.isfinite(cost_usd) and 0 <= cost_usd <= MOST_USD)


def pack(numbers: Sequence[float]) -> str:
    """A vector as text.

    Raises:
        ValueError: It is empty, or holds what is no finite number.
        OverflowError: A number is too large for 32 bits.
    """
    found = array("f", numbers)
    if not found or not all(map(math.isfinite, found)):
        raise ValueError("no vector of finite numbers")
    if sys.byteorder == "big":
        found.byteswap()
    return b64encode(found.tobytes()).decode("ascii")


def unpack(text: str) -> Sequence[float]:
    """The vector that a text holds.

    Raises:
        ValueError: It is no base64 of 32-bit floats.
    """
    found = array("f")
    found.frombytes(b64decode(text, validate=True))
    if sys.byteorder == "big":
        found.byteswap()
    return found


def cosine(first: Sequence[float], second: Sequence[float]) -> float:
    """How far two vectors point the same way, -1 to 1; 0 when they cannot be compared."""
    if len(first) != len(second):
        return 0.0
    lengths = math.sqrt(sum(x * x for x in first) * sum(y * y for y in second))
    return sum(x * y for x, y in zip(first, second, strict=True)) / lengths if lengths else 0.0
