"""A model call: what is asked for, what came back, and the tokens it took."""

from typing import Final, Literal

import msgspec

from spotui.domain.messages import Message

FinishReason = Literal["stop", "length", "content_filter", "other"]

MOST_TOKENS: Final = 20_000_000
"""As many tokens as one call can have in its prompt or completion; twice the longest context there is."""

MOST_USD: Final = 10_000.0
"""As much as one call can cost."""


class Request(msgspec.Struct, frozen=True, omit_defaults=True, gc=False):
    """One chat completion to ask for, or one embedding.

    Attributes:
        model: The model id as the user wrote it, with its provider prefix if it has one.
        messages: The conversation, oldest first.
        temperature: 0 to 2, or None for the endpoint's default.
        max_tokens: The longest reply wanted, in tokens, or None for the endpoint's default.
        grammar: A GBNF grammar that the reply must follow; only llama.cpp servers take one.
        logprobs: Whether to return the log-probability of every token of the reply.
        alternatives: How many of the likeliest first tokens to return with their log-probabilities.
        watched: Words whose alternatives are returned where the reply has them as a token, in place of those
            of the first token.
        json: Whether the reply must be a JSON object; endpoints that cannot promise that leave it out.
        embed: Whether an embedding of the last message is wanted in place of an answer to it.
        tools: The tools that the model may call, as a JSON list in the form of OpenAI's API.
        response_format: The form of the answer, as a JSON object in the form of OpenAI's API.
        options: More of the body, headers and the query, as `spotui.llm.options` writes them.
        given: For a program in place of a model: prompt, question and row apart, as JSON.
    """

    model: str
    messages: tuple[Message, ...]
    temperature: float | None = None
    max_tokens: int | None = None
    grammar: str | None = None
    logprobs: bool = False
    alternatives: int = 0
    watched: tuple[str, ...] = ()
    json: bool = False
    embed: bool = False
    tools: str = ""
    response_format: str = ""
    options: str = ""
    given: str = ""


class Usage(msgspec.Struct, frozen=True, omit_defaults=True, gc=False):
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
        return (  # spelled out: every call of thousands of rounds is looked at when a run is resumed
            0 <= self.prompt_tokens <= MOST_TOKENS
            and 0 <= self.completion_tokens <= MOST_TOKENS
            and 0 <= self.reasoning_tokens <= MOST_TOKENS
            and 0 <= self.cached_tokens <= MOST_TOKENS
            and 0 <= self.cache_write_tokens <= MOST_TOKENS
        )


class Reply(msgspec.Struct, frozen=True, omit_defaults=True, gc=False):
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
        watched: The last token for each of the words that the request watches, in the order of the reply,
            with the words that were likely in its place.
        reports_alternatives: Whether the endpoint reported alternatives to tokens of a reply that is watched.
        left_out: What the request asked for and the endpoint does not take, such as `temperature`.
        lowered: Values of the request that are beyond what the endpoint takes, each with what was sent.
        vector: The embedding that was asked for, as `spotui.llm.protocol` packs it.
        rejected: Why the endpoint answers this request never, in a sentence; everything else is empty then.
        refusal: The words in which the model refused to answer, where the endpoint sends them in a field.
        trace: What a program said of how it came to the answer, as JSON.
        tool_calls: The tools that the model calls: a JSON list of objects with `name` and `arguments`, on one
            line, keys in order; arguments that are no JSON stay a text.
        is_loop: Whether the model repeated one passage without end, so that the rest was not waited for.
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
    watched: tuple[tuple[str, tuple[tuple[str, float], ...]], ...] = ()
    reports_alternatives: bool = False
    left_out: tuple[str, ...] = ()
    lowered: tuple[tuple[str, float], ...] = ()
    vector: str = ""
    refusal: str = ""
    rejected: str = ""
    trace: str = ""
    tool_calls: str = ""
    is_loop: bool = False

    @property
    def answer(self) -> str:
        """The text, and below it the tools that the model calls."""
        if not self.tool_calls:
            return self.text
        return f"{self.text.rstrip()}\n{self.tool_calls}".lstrip()
