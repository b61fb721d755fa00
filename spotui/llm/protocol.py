"""What passes through the door: a request in, deltas on the way, a reply out."""

from collections.abc import Callable
from typing import Literal, Protocol

import msgspec

Speaker = Literal["system", "user", "assistant"]
FinishReason = Literal["stop", "length", "content_filter", "other"]


class Message(msgspec.Struct, frozen=True):
    """One turn of a conversation."""

    role: Speaker
    content: str


class Request(msgspec.Struct, frozen=True, omit_defaults=True):
    """One chat completion to ask for, or one embedding.

    Attributes:
        model: The model id as the user wrote it, with its provider prefix if it has one.
        messages: The conversation, oldest first.
        temperature: 0 to 2, or None for the endpoint's default.
        max_tokens: The longest reply wanted, in tokens, or None for the endpoint's default.
        grammar: A GBNF grammar that the reply must follow; only llama.cpp servers take one.
        logprobs: Whether to return the log-probability of every token of the reply.
        alternatives: How many of the likeliest first tokens to return with their log-probabilities.
        json: Whether the reply must be a JSON object; endpoints that cannot promise that leave it out.
        embed: Whether an embedding of the last message is wanted in place of an answer to it.
    """

    model: str
    messages: tuple[Message, ...]
    temperature: float | None = None
    max_tokens: int | None = None
    grammar: str | None = None
    logprobs: bool = False
    alternatives: int = 0
    json: bool = False
    embed: bool = False


class Usage(msgspec.Struct, frozen=True, omit_defaults=True):
    """Tokens of one call; `estimated` when the endpoint did not report them and we counted."""

    prompt_tokens: int
    completion_tokens: int
    reasoning_tokens: int = 0
    cached_tokens: int = 0
    estimated: bool = False

    @property
    def total(self) -> int:
        """Prompt and completion tokens together (reasoning tokens are part of the completion)."""
        return self.prompt_tokens + self.completion_tokens


class Reply(msgspec.Struct, frozen=True, omit_defaults=True):
    """One finished completion, or one embedding.

    Attributes:
        text: What the model answered, without its reasoning; free of lone surrogates.
        finish_reason: Why the model stopped; `length` means the reply was cut.
        usage: Tokens of the call.
        seconds: From sending the request to the last byte.
        first_token_seconds: From sending the request to the first piece of text or reasoning.
        reasoning: What a reasoning model thought before it answered; never parsed for tags.
        cost_usd: What the call cost, or None when the price is unknown.
        logprobs: Natural log-probability of every token of the reply, when it was asked for.
        alternatives: The likeliest first tokens, each with its log-probability, when they were asked for.
        left_out: What the request asked for and the endpoint does not take, such as `temperature`.
        vector: The embedding that was asked for, as `spotui.llm.vectors` packs it.
    """

    text: str
    finish_reason: FinishReason
    usage: Usage
    seconds: float
    first_token_seconds: float | None = None
    reasoning: str = ""
    cost_usd: float | None = None
    logprobs: tuple[float, ...] = ()
    alternatives: tuple[tuple[str, float], ...] = ()
    left_out: tuple[str, ...] = ()
    vector: str = ""


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
