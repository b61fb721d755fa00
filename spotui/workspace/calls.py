"""What is asked of a model and what it replies, as the journal keeps them."""

from typing import Final, Literal

import msgspec

Speaker = Literal["system", "user", "assistant"]
FinishReason = Literal["stop", "length", "content_filter", "other"]

MOST_TOKENS: Final = 20_000_000
"""As many tokens as one call can have in its prompt or completion; twice the longest context there is."""

MOST_USD: Final = 10_000.0
"""As much as one call can cost."""


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
    """Tokens of one call.

    Attributes:
        prompt_tokens: Of all messages, cached ones included.
        completion_tokens: Of answer and reasoning.
        reasoning_tokens: The part of the completion that is reasoning.
        cached_tokens: The part of the prompt that the endpoint read from its cache.
        estimated: Whether the endpoint reported no usable counts, so that these are estimates.
        cache_write_tokens: The part of the prompt that the endpoint wrote into its cache.
    """

    prompt_tokens: int
    completion_tokens: int
    reasoning_tokens: int = 0
    cached_tokens: int = 0
    estimated: bool = False
    cache_write_tokens: int = 0

    @property
    def total(self) -> int:
        """Prompt and completion tokens together (reasoning tokens are part of the completion)."""
        return self.prompt_tokens + self.completion_tokens

    @property
    def is_sane(self) -> bool:
        """Whether every count is one that a call can have."""
        counts = (
            *(self.prompt_tokens, self.completion_tokens, self.reasoning_tokens),
            *(self.cached_tokens, self.cache_write_tokens),
        )
        return min(counts) >= 0 and max(counts) <= MOST_TOKENS


class Reply(msgspec.Struct, frozen=True, omit_defaults=True):
    """One finished completion, or one embedding.

    Attributes:
        text: What the model answered, without its reasoning; free of lone surrogates.
        finish_reason: Why the model stopped; `length` and `content_filter` mean that the reply was cut.
        usage: Tokens of the call.
        seconds: From sending the request to the last byte.
        first_token_seconds: From sending the request to the first piece of text or reasoning.
        reasoning: What a reasoning model thought before it answered; never parsed for tags.
        cost_usd: What the call cost, or None when the price is unknown.
        logprobs: Natural log-probability of every token of the reply, when it was asked for.
        alternatives: The likeliest first tokens, each with its log-probability, when they were asked for.
        left_out: What the request asked for and the endpoint does not take, such as `temperature`.
        lowered: Values of the request that are beyond what the endpoint takes, each with what was sent.
        vector: The embedding that was asked for, as `spotui.llm.vectors` packs it.
        rejected: Why the endpoint answers this request never, in a sentence; everything else is empty then.
        refusal: The words in which the model refused to answer, where the endpoint sends them in a field.
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
    lowered: tuple[tuple[str, float], ...] = ()
    vector: str = ""
    refusal: str = ""
    rejected: str = ""
